"""The offline classifier: a weighted lexicon. It needs neither a network nor a model."""

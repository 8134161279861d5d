"""The offline classifier: a weighted lexicon, no network, no model."""

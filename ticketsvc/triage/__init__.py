"""Triage: classifiers that suggest a category and a priority for a ticket.

`model` defines the types and the classifier protocol. `offline` weighs the words of a lexicon and needs no network.
`encoder` corrects it by a sentence encoder, as an option. `learning` adds the training examples of this database.
`openai` asks a chat model and falls back to another classifier.
"""

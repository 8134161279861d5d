"""Triage: what is a ticket about, and how urgent is it?

`classifier` says what a classifier is. `offline` knows words beforehand and needs nothing but this package; `learning`
adds what this database's tickets taught; `openai_chat` asks a model, and another classifier when the model fails.
"""

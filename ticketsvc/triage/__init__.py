"""Triage: what is a ticket about, and how urgent is it?

`classifier` says what a classifier is; `offline` needs nothing but this package; `openai_chat` asks a model and
falls back to another classifier when the model fails.
"""

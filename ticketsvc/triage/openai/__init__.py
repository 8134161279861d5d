"""Classify with an OpenAI-compatible model, bounded in time and bytes, offline on failure."""

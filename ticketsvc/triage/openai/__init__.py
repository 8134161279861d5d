"""The classifier that asks an OpenAI-compatible chat model, within limits of time and size."""

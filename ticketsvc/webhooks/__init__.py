"""Webhooks: what may be registered, how an event is sent, and the process that delivers."""

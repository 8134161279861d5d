"""Decode and validate requests: bodies, query strings, headers."""

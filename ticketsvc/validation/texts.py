"""Texts that Postgres can store."""

from __future__ import annotations


def invalid_text_reason(text: str) -> str | None:
    """Return what Postgres cannot store in a text, or None if it can store the text."""
    if "\0" in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    return None

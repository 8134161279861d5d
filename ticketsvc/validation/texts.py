"""What a text of a ticket may not have in it."""

from __future__ import annotations


def invalid_text_reason(text: str) -> str | None:
    """What keeps Postgres from storing a text, if anything does."""
    if "\0" in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    return None

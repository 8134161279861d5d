"""Texts and times in requests and files."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

TITLE_LENGTH = 200
"""The maximum number of code points. The table has the same limit (tickets_title_at_most_200)."""

DESCRIPTION_LENGTH = 65_536
"""The maximum number of code points. The table has no such limit: tickets from before there was one can be changed."""

PERSON_LENGTH = 255
"""The maximum number of code points of a requester, an assignee or an author (tickets_people_at_most_255)."""

MAX_TAGS = 20
"""The maximum number of tags of a ticket (tickets_at_most_20_tags)."""
TAG_LENGTH = 50
"""The maximum number of code points."""

MAX_METADATA = 50
"""The maximum number of members of a ticket's metadata (tickets_at_most_50_metadata)."""
METADATA_KEY = re.compile(r"[A-Za-z0-9_.-]{1,40}")
METADATA_LENGTH = 500
"""The maximum number of code points of a value."""

TICKET_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

COMMENT_LENGTH = DESCRIPTION_LENGTH
"""The maximum number of code points."""

_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zs", "Zl", "Zp"))
"""Categories of controls, formats, halves of surrogate pairs and white space."""
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Other characters that are drawn as nothing: Unicode's default ignorable ones, and the Braille blank."""

_MINUTE = r"(?:[01]\d|2[0-3]):[0-5]\d"
_RFC3339 = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)(?:[Tt ]({_MINUTE}:[0-5]\d(?:\.\d{{1,6}})?)\d*([Zz]|[+\- ]{_MINUTE}))?", re.ASCII
)


def in_utc(text: str) -> str:
    """Convert an RFC 3339 time, or a date (its first moment), to UTC, because Postgres accepts fewer offsets.

    A plus sign that was not percent-encoded arrives as a space and is accepted. Digits beyond microseconds are dropped.
    Raises ValueError with the end of a sentence.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("must be a date (2026-01-31) or an RFC 3339 time (2026-01-31T12:00:00Z)")
    date, time, offset = match[1], match[2] or "00:00:00", (match[3] or "Z").upper().replace(" ", "+")
    try:
        return datetime.fromisoformat(f"{date}T{time}{offset}").astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise ValueError("must be a time that exists, in the years 1 to 9999") from None


def has_visible_character(text: str) -> bool:
    """Return whether a text, which must not be empty, has more than white space, controls and fillers."""
    return "!" <= text[0] <= "~" or any(
        unicodedata.category(character) not in _INVISIBLE and not _FILLERS.match(character) for character in text
    )


def tag(text: str) -> str:
    """Return a tag as it is stored: trimmed and in lower case. Raises ValueError with the end of a sentence."""
    value = _storable(text.strip().lower(), TAG_LENGTH)
    if not has_visible_character(value):
        raise ValueError("must not be empty")
    return value


def person(text: str) -> str:
    """Return the name or address of a person in a filter, trimmed. Raises ValueError with the end of a sentence."""
    return _storable(text.strip(), PERSON_LENGTH)


def metadata_key(text: str) -> str:
    """Return the key of a member of metadata. Raises ValueError with the end of a sentence."""
    if not METADATA_KEY.fullmatch(text):
        raise ValueError("must have a key of 1 to 40 letters, digits, dots, hyphens and underscores")
    return text


def metadata_value(text: str) -> str:
    """Return the value of a member of metadata in a filter. Raises ValueError with the end of a sentence."""
    return _storable(text, METADATA_LENGTH)


def ticket_id(text: str) -> str:
    """Return the id of a ticket as Postgres writes it. Raises ValueError with the end of a sentence."""
    if not TICKET_ID.fullmatch(text.strip()):
        raise ValueError("must be the id of a ticket")
    return text.strip().lower()


def _storable(value: str, max_length: int) -> str:
    if not value:
        raise ValueError("must not be empty")
    if len(value) > max_length:
        raise ValueError(f"must have at most {max_length:,} characters, not {len(value):,}")
    if character := invalid_text_reason(value):
        raise ValueError(f"must not contain {character}")
    return value


def invalid_text_reason(text: str) -> str | None:
    """Return what Postgres cannot store in a text, or None if it can store the text."""
    if "\0" in text:
        return "a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "half of a surrogate pair"
    return None

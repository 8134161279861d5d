"""The forms of times in import files: RFC 3339, and what databases, data tools and help desks write instead."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo

_MINUTE = r"(?:[01]\d|2[0-3]):[0-5]\d"
_ISO = re.compile(
    rf"(\d{{4}}-\d\d-\d\d)(?:[Tt ]({_MINUTE}(?::[0-5]\d(?:[.,]\d+)?)?) ?([Zz]|UTC|[+-]\d\d(?::?[0-5]\d)?)?)?", re.ASCII
)
_JIRA = re.compile(r"\d\d?/[A-Z][a-z]{2}/\d\d \d\d?:[0-5]\d [AP]M", re.ASCII)
_JIRA_FORMAT = "%d/%b/%y %I:%M %p"


def in_utc(text: str, zone: tzinfo | None, *, is_second: bool = False) -> str:
    """Convert a time or a date (its first moment) to UTC, in a form whose order is that of time.

    A time or date without an offset is one of `zone`; without a zone, dates are in UTC and times are errors. Of a time
    that occurs twice there, because clocks are set back, the first is meant, or the second if `is_second` is set. One
    that clocks skip has the offset from before. Digits beyond microseconds are dropped. Raises ValueError with the end
    of a sentence, TypeError if the value is not a string.
    """
    time = _parse(text)
    if time.tzinfo is None:
        if zone is None and len(text) > len("2026-01-31"):
            raise ValueError("has no offset from UTC, so the import needs its time zone, such as tz=Europe/Berlin")
        time = time.replace(tzinfo=zone or UTC, fold=is_second)
    try:
        return time.astimezone(UTC).isoformat()
    except OverflowError:
        raise ValueError("must be a time in the years 1 to 9999") from None


def _parse(text: str) -> datetime:
    match = _ISO.fullmatch(text)
    try:
        if match is None:
            if _JIRA.fullmatch(text):
                return datetime.strptime(text, _JIRA_FORMAT)
            raise ValueError
        date, clock, offset = match.groups()
        if clock is None:
            return datetime.fromisoformat(date)
        return datetime.fromisoformat(f"{date}T{clock}{'' if offset is None else offset.upper().replace('UTC', 'Z')}")
    except ValueError:
        raise ValueError("must be an RFC 3339 time (2026-01-31T12:00:00Z) that exists") from None

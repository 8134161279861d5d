"""The query parameters of statistics by time: windows, and days of a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ticketsvc.api.input.query import Parameters, query_pairs
from ticketsvc.store.stats import MAX_DAYS
from ticketsvc.validation.times import in_utc

WINDOW_DAYS = 30
FIRST_YEAR = 1970
"""No ticket is older: the table holds the same (tickets_created_at_in_range)."""

_EPOCH = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Window:
    """The tickets created from `since` on and before `before`, both RFC 3339 in UTC."""

    since: str
    before: str


@dataclass(frozen=True)
class DayParameters:
    """The days that a caller asks for: a time zone's name, and dates there; None: the default."""

    tz: str
    since: str | None
    before: str | None


def parse_days(query_string: bytes, time_zone: Callable[[str], str | None]) -> DayParameters:
    """Read the query string of the daily statistics. Raises InvalidInput and BadRequest.

    `time_zone` answers the right spelling of a zone's name, or None where there is no such zone.
    """
    read = Parameters(query_pairs(query_string))
    asked = DayParameters(
        tz=read.one("tz", lambda text: _time_zone(text, time_zone), "UTC"),
        since=read.one("since", _date, None),
        before=read.one("before", _date, None),
    )
    read.check()
    return asked


def parse_window(query_string: bytes) -> Window:
    """Read the query string of statistics that take a window and nothing else. Raises InvalidInput and BadRequest."""
    read = Parameters(query_pairs(query_string))
    window = _window(read, datetime.now(UTC))
    read.check()
    return window


def _window(read: Parameters, now: datetime) -> Window:
    """created_since and created_before, at most MAX_DAYS apart. A faulty window is told to `read`.

    Without created_before it lasts until now, without created_since it is the last WINDOW_DAYS calendar days of it.
    """
    before = datetime.fromisoformat(read.one("created_before", in_utc, now.isoformat()))
    last_day = (max(before, _EPOCH) - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    first_day = last_day - timedelta(days=WINDOW_DAYS - 1)
    since = datetime.fromisoformat(read.one("created_since", in_utc, first_day.isoformat()))
    if since >= before:
        read.fault("created_since", "must be before created_before, or before now where that is absent.", "not_allowed")
    elif before - since > timedelta(days=MAX_DAYS):
        read.fault("created_since", f"must be at most {MAX_DAYS} days before created_before.", "not_allowed")
    return Window(since.isoformat(), before.isoformat())


def _date(text: str) -> str:
    try:
        day = datetime.strptime(text, "%Y-%m-%d") if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year < FIRST_YEAR:
        raise ValueError(f"must be a date that exists, like 2026-01-31, in {FIRST_YEAR} or later")
    return text


def _time_zone(text: str, known: Callable[[str], str | None]) -> str:
    name = known(text)
    if name is None:
        raise ValueError("must be the IANA name of a time zone, like Europe/Berlin, America/New_York or UTC")
    return name

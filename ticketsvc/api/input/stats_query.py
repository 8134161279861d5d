"""The query parameters of statistics by time: windows, and the days of a time zone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ticketsvc.api.input.query import query_parameters
from ticketsvc.store.stats import MAX_DAYS
from ticketsvc.validation.parameters import Parameters
from ticketsvc.validation.values import in_utc

WINDOW_DAYS = 30
FIRST_YEAR = 1970
"""No ticket is older; the constraint tickets_created_at_in_range says the same."""

_EPOCH = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def parse_days(query_string: bytes, time_zone: Callable[[str], str | None]) -> tuple[str, str | None, str | None]:
    """Return the time zone of the daily statistics, and the dates since and before, or None for the defaults.

    `time_zone` returns the spelling of a zone's name, or None if there is no such zone. Raises InvalidInput and
    BadRequest.
    """
    parameters = query_parameters(query_string)
    tz = parameters.one("tz", lambda text: _time_zone(text, time_zone), "UTC")
    since, before = parameters.one("since", _date, None), parameters.one("before", _date, None)
    parameters.check()
    return tz, since, before


def parse_window(query_string: bytes) -> tuple[str, str]:
    """Return the creation times that bound a window, both RFC 3339 in UTC. Raises InvalidInput and BadRequest."""
    parameters = query_parameters(query_string)
    window = _window(parameters, datetime.now(UTC))
    parameters.check()
    return window


def _window(parameters: Parameters, now: datetime) -> tuple[str, str]:
    """Return created_since and created_before, at most MAX_DAYS apart; report errors to `parameters`.

    Without created_before the window ends now; without created_since it has the last WINDOW_DAYS calendar days.
    """
    before = datetime.fromisoformat(parameters.one("created_before", in_utc, now.isoformat()))
    last_day = (max(before, _EPOCH) - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    first_day = last_day - timedelta(days=WINDOW_DAYS - 1)
    since = datetime.fromisoformat(parameters.one("created_since", in_utc, first_day.isoformat()))
    if since >= before:
        rule = "must be before created_before, or before now where that is absent."
        parameters.add_error("created_since", rule, "not_allowed")
    elif before - since > timedelta(days=MAX_DAYS):
        rule = f"must be at most {MAX_DAYS} days before created_before."
        parameters.add_error("created_since", rule, "not_allowed")
    return since.isoformat(), before.isoformat()


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

"""The query parameters of a list, checked. Unknown ones are faults: a typo must not look like an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from ticketsvc.api import search_words
from ticketsvc.api.search_words import SearchWords
from ticketsvc.bulk import FORMATS
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import BadRequest, Fault, InvalidInput
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.history import SORT as HISTORY
from ticketsvc.store.tickets import SORTS, Filters
from ticketsvc.times import in_utc as _time

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
MAX_PARAMETERS = 100
WINDOW_DAYS = 30
MAX_WINDOW_DAYS = 366
FIRST_YEAR = 1970
"""No ticket is older: the table holds the same (tickets_created_at_in_range)."""

_EPOCH = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_T = TypeVar("_T")


@dataclass(frozen=True)
class PageParameters:
    """Which page a caller asks for; `pairs` are all parameters as given."""

    limit: int
    cursor: Cursor | None
    pairs: list[tuple[str, str]]

    def next_query(self, cursor: Cursor) -> str:
        """The query string of the next page: everything kept but the cursor."""
        kept = [(name, value) for name, value in self.pairs if name != "cursor"]
        return urlencode([*kept, ("cursor", cursor.encode())])


@dataclass(frozen=True)
class ListParameters(PageParameters):
    """What a caller asks of a list."""

    filters: Filters
    sort: str
    count: bool


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


def parse(query_string: bytes) -> ListParameters:
    """Read a query string. Raises InvalidInput with every fault, and BadRequest for one that cannot be read."""
    pairs = query_pairs(query_string)
    read = _Parameters(pairs)
    sort = SORTS[read.one("sort", _sort, "-created_at")]
    parameters = ListParameters(
        filters=_filters(read),
        sort=sort,
        limit=read.one("limit", _limit, DEFAULT_LIMIT),
        cursor=read.one("cursor", lambda text: _cursor(text, sort), None),
        count=read.one("count", _switch, False),
        pairs=pairs,
    )
    read.check()
    return parameters


def parse_filters(query_string: bytes) -> Filters:
    """Read the query string of a route that takes a list's filters and nothing else. Raises as `parse` does."""
    read = _Parameters(query_pairs(query_string))
    filters = _filters(read)
    read.check()
    return filters


def parse_days(query_string: bytes, time_zone: Callable[[str], str | None]) -> DayParameters:
    """Read the query string of the daily statistics. Raises as `parse` does.

    `time_zone` answers the right spelling of a zone's name, or None where there is no such zone.
    """
    read = _Parameters(query_pairs(query_string))
    asked = DayParameters(
        tz=read.one("tz", lambda text: _time_zone(text, time_zone), "UTC"),
        since=read.one("since", _date, None),
        before=read.one("before", _date, None),
    )
    read.check()
    return asked


def parse_history(query_string: bytes, ticket_id: UUID) -> PageParameters:
    """Read the query string of a ticket's history. Raises as `parse` does."""
    pairs = query_pairs(query_string)
    read = _Parameters(pairs)
    limit = read.one("limit", _limit, DEFAULT_LIMIT)
    cursor = read.one("cursor", lambda text: _cursor(text, HISTORY), None)
    if cursor and cursor.id != str(ticket_id):
        read.fault("cursor", "must be the one of a Link header of this ticket.", "not_allowed")
    read.check()
    return PageParameters(limit, cursor, pairs)


def parse_export(query_string: bytes) -> tuple[Filters, str | None]:
    """The filters of a list, and the format that is asked for, if one is. Raises as `parse` does."""
    read = _Parameters(query_pairs(query_string))
    filters, file_format = _filters(read), read.one("format", _format, None)
    read.check()
    return filters, file_format


def query_pairs(query_string: bytes) -> list[tuple[str, str]]:
    """The names and values of a query string, percent-decoded. Raises BadRequest."""
    try:
        text = query_string.decode("ascii")
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeError:
        raise BadRequest("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        raise BadRequest(f"The query string has more than {MAX_PARAMETERS} parameters.") from None


def parse_window(query_string: bytes) -> Window:
    """Read the query string of statistics that take a window and nothing else. Raises as `parse` does."""
    read = _Parameters(query_pairs(query_string))
    window = _window(read, datetime.now(UTC))
    read.check()
    return window


def allow_none(query_string: bytes) -> None:
    """Read the query string of a route without parameters. Raises as `parse` does."""
    _Parameters(query_pairs(query_string)).check()


class _Parameters:
    """Takes known parameters out of the pairs; what nobody took is unknown. Empty values count as absent."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.given: dict[str, list[str]] = {}
        for name, value in pairs:
            self.given.setdefault(name, []).append(value)
        self.known: list[str] = []
        self.faults: list[Fault] = []

    def take(self, name: str) -> list[str]:
        self.known.append(name)
        return [value for value in self.given.pop(name, ()) if value]

    def choices(self, name: str, allowed: tuple[str, ...]) -> list[str]:
        texts = [text for value in self.take(name) for text in value.lower().split(",")]
        wanted = {text.strip() for text in texts} - {""}
        if not wanted <= set(allowed):
            self.fault(name, f"must be one or more of {', '.join(allowed)}.", "not_allowed")
        return [value for value in allowed if value in wanted or not wanted]

    def one(self, name: str, read: Callable[[str], _T], default: _T) -> _T:
        values = self.take(name)
        if not values:
            return default
        if len(values) > 1:
            self.fault(name, "must be given once.", "repeated")
            return default
        try:
            return read(values[0])
        except ValueError as error:
            self.fault(name, f"{error}.", "not_allowed")
            return default

    def fault(self, name: str, what: str, code: str) -> None:
        self.faults.append(Fault.in_parameter(name, f"{name} {what}", code))

    def check(self) -> None:
        """Raises InvalidInput with every fault found, unknown parameters included."""
        for name in self.given:
            self.fault(name, f"is not a parameter; there are {', '.join(self.known) or 'none'}.", "unknown")
        if self.faults:
            raise InvalidInput(*self.faults)


def _window(read: _Parameters, now: datetime) -> Window:
    """created_since and created_before, at most MAX_WINDOW_DAYS apart. A faulty window is told to `read`.

    Without created_before it lasts until now, without created_since it is the last WINDOW_DAYS calendar days of it.
    """
    before = datetime.fromisoformat(read.one("created_before", _time, now.isoformat()))
    last_day = (max(before, _EPOCH) - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    first_day = last_day - timedelta(days=WINDOW_DAYS - 1)
    since = datetime.fromisoformat(read.one("created_since", _time, first_day.isoformat()))
    if since >= before:
        read.fault("created_since", "must be before created_before, or before now where that is absent.", "not_allowed")
    elif before - since > timedelta(days=MAX_WINDOW_DAYS):
        read.fault("created_since", f"must be at most {MAX_WINDOW_DAYS} days before created_before.", "not_allowed")
    return Window(since.isoformat(), before.isoformat())


def _filters(read: _Parameters) -> Filters:
    words = read.one("search", search_words.parse, SearchWords())
    return Filters(
        categories=read.choices("category", CATEGORIES),
        priorities=read.choices("priority", PRIORITIES),
        statuses=read.choices("status", STATUSES),
        created_since=read.one("created_since", _time, None),
        created_before=read.one("created_before", _time, None),
        updated_since=read.one("updated_since", _time, None),
        updated_before=read.one("updated_before", _time, None),
        search_patterns=words.patterns,
        excluded_patterns=words.excluded,
    )


def _format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(f"must be one of {', '.join(FORMATS)}")
    return text


def _sort(text: str) -> str:
    if text not in SORTS:
        raise ValueError(f"must be one of {', '.join(SORTS)}")
    return text


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        raise ValueError(f"must be a whole number from 1 to {MAX_LIMIT}")
    return int(text)


def _switch(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def _cursor(text: str, sort: str) -> Cursor:
    try:
        return Cursor.decode(text, sort)
    except ValueError:
        raise ValueError("must be the one of a Link header of this list, in the same order") from None


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

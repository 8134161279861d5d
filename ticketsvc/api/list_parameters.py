"""The query parameters of a list, checked. Unknown ones are faults: a typo must not look like an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from ticketsvc.bulk import FORMATS
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.problems import BadRequest, Fault, InvalidInput
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.tickets import SORTS, Filters
from ticketsvc.times import in_utc as _time

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
MAX_PARAMETERS = 100

_T = TypeVar("_T")


@dataclass(frozen=True)
class ListParameters:
    """What a caller asks of a list; `pairs` are the parameters as given."""

    filters: Filters
    sort: str
    limit: int
    cursor: Cursor | None
    count: bool
    pairs: list[tuple[str, str]]

    def next_query(self, cursor: Cursor) -> str:
        """The query string of the next page: everything kept but the cursor."""
        kept = [(name, value) for name, value in self.pairs if name != "cursor"]
        return urlencode([*kept, ("cursor", cursor.encode())])


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


def _filters(read: _Parameters) -> Filters:
    return Filters(
        categories=read.choices("category", CATEGORIES),
        priorities=read.choices("priority", PRIORITIES),
        statuses=read.choices("status", STATUSES),
        created_since=read.one("created_since", _time, None),
        created_before=read.one("created_before", _time, None),
        updated_since=read.one("updated_since", _time, None),
        updated_before=read.one("updated_before", _time, None),
        pattern=read.one("search", _pattern, None),
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


def _pattern(text: str) -> str:
    """An ILIKE pattern for a text that stands for itself."""
    if "\0" in text:
        raise ValueError("must not contain a NUL character")
    return "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"

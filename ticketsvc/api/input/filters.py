"""The query parameters of lists: of tickets, of their history, and of what takes the same filters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode
from uuid import UUID

from ticketsvc.api.input import search
from ticketsvc.api.input.query import Parameters, query_pairs
from ticketsvc.api.input.search import SearchWords
from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.files import FORMATS
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.history import SORT as HISTORY
from ticketsvc.store.tickets import SORTS, Filters
from ticketsvc.validation.times import in_utc as _time

DEFAULT_LIMIT = 100
MAX_LIMIT = 500


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

    def link(self, path: str, following: Cursor | None) -> dict[str, str]:
        """The header field that leads to the next page (RFC 8288); none where nothing follows."""
        return {"Link": f'<{path}?{self.next_query(following)}>; rel="next"'} if following else {}


@dataclass(frozen=True)
class ListParameters(PageParameters):
    """What a caller asks of a list."""

    filters: Filters
    sort: str
    count: bool


@lru_cache(256)  # who watches a queue asks for the same page again and again
def parse(query_string: bytes) -> ListParameters:
    """Read a query string. Raises InvalidInput with every fault, and BadRequest for one that cannot be read."""
    pairs = query_pairs(query_string)
    read = Parameters(pairs)
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
    read = Parameters(query_pairs(query_string))
    filters = _filters(read)
    read.check()
    return filters


def parse_history(query_string: bytes, ticket_id: UUID) -> PageParameters:
    """Read the query string of a ticket's history. Raises as `parse` does."""
    pairs = query_pairs(query_string)
    read = Parameters(pairs)
    limit = read.one("limit", _limit, DEFAULT_LIMIT)
    cursor = read.one("cursor", lambda text: _cursor(text, HISTORY), None)
    if cursor and cursor.id != str(ticket_id):
        read.fault("cursor", "must be the one of a Link header of this ticket.", "not_allowed")
    read.check()
    return PageParameters(limit, cursor, pairs)


def parse_export(query_string: bytes) -> tuple[Filters, str | None]:
    """The filters of a list, and the format that is asked for, if one is. Raises as `parse` does."""
    read = Parameters(query_pairs(query_string))
    filters, file_format = _filters(read), read.one("format", _format, None)
    read.check()
    return filters, file_format


def _filters(read: Parameters) -> Filters:
    words = read.one("search", search.parse, SearchWords())
    return Filters(
        categories=read.choices("category", CATEGORIES),
        priorities=read.choices("priority", PRIORITIES),
        statuses=read.choices("status", STATUSES),
        created_since=read.one("created_since", _time, None),
        created_before=read.one("created_before", _time, None),
        updated_since=read.one("updated_since", _time, None),
        updated_before=read.one("updated_before", _time, None),
        search_patterns=tuple(words.patterns),
        excluded_patterns=tuple(words.excluded),
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

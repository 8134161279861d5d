"""Pages and counts of the tickets that match filters."""

from __future__ import annotations

from typing import NamedTuple

from ticketsvc.filters import CREATION, FACETS, Filters
from ticketsvc.store import bounded_page, search
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.filter_parameters import VARIANTS, filter_parameters, variant
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.search import PageRow

SORTS = {"-created_at": "newest", "created_at": "oldest", "-updated_at": "updated", "-priority": "urgent"}
"""The values of the `sort` parameter, and the names of these orders in cursors and queries."""

_LIST = queries.load_variants("tickets.list_by_id", PageRow, "newest", "oldest")
_COUNT = {
    "": queries.load("tickets.count", int),
    **queries.load_each("tickets.count_heads", int, VARIANTS[1:]),
}
_COUNT_SEARCH = queries.load("tickets.count_search", int)
_COUNT_SEARCH_IN_COMMENTS = queries.load("tickets.count_search", int, "comments")
_COUNT_FROM_COUNTERS = queries.load("stats.count", int)


class Page(NamedTuple):
    """A JSON array of tickets, and the position where the next page starts, or None for the last page."""

    json: bytes
    next: Cursor | None


def page(database: Database, filters: Filters, sort: str, limit: int, after: Cursor | None) -> Page:
    """Return at most `limit` tickets behind the cursor, in the order `sort`, a value of SORTS; fewer if they are large.

    Concurrent requests for the same page share one run, which starts after all of them arrived.
    """
    return database.shared((filters, sort, limit, after), lambda: _page(database, filters, sort, limit, after))


def count(database: Database, filters: Filters) -> int:
    """Return the number of tickets that match the filters."""
    if filters.search:
        query = _COUNT_SEARCH_IN_COMMENTS if filters.search_in else _COUNT_SEARCH
    else:
        query = _COUNT_FROM_COUNTERS if filters.are_only(*FACETS, *CREATION) else _COUNT[variant(filters)]
    return database.one(query, filter_parameters(filters))


def _page(database: Database, filters: Filters, sort: str, limit: int, after: Cursor | None) -> Page:
    start, read = after or Cursor.start(sort), variant(filters)
    has_steps = search.takes_steps(sort, filters)

    def run(limit: int, sizes: dict[str, int]) -> list[PageRow]:
        if has_steps:
            return search.find(database, filters, limit, start, sizes)
        query = _LIST[sort] if sort in _LIST and filters.are_only(*CREATION) else search.FILTER[read, sort]
        return database.rows(query, {**filter_parameters(filters), **start.parameters, **sizes, "limit": limit})

    json, last = bounded_page.fetch(run, limit)
    return Page(json, last.cursor(sort) if last else None)

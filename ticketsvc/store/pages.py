"""Pages and counts of the tickets that match filters."""

from __future__ import annotations

from typing import NamedTuple

from ticketsvc.filters import CREATION, FACETS, Filters
from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.store import bounded_page, search
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.filter_parameters import VARIANTS, filter_parameters, variant
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.search import PageRow

SORTS = {"-created_at": "newest", "created_at": "oldest", "-updated_at": "updated", "-priority": "urgent"}
"""The values of the `sort` parameter, and the names of these orders in cursors and queries."""

MAX_TEXTS = 200_000
"""The maximum number of texts that are read to count a search. It takes at most a second."""

_TOO_MANY = (
    "About {:,} texts would have to be read to count this search, and at most {:,} are."
    " Leave out count, or narrow the search with longer words or with filters."
)

_LIST = queries.load_variants("tickets.list_by_id", PageRow, "newest", "oldest")
_COUNT = {
    "": queries.load("tickets.count", int),
    **queries.load_each("tickets.count_heads", int, VARIANTS[1:]),
}
_COUNT_FEW = queries.load_each("tickets.count_few", int, VARIANTS)
_COUNT_ESTIMATE = queries.load("tickets.count_estimate", int)
_COUNT_TEXTS = queries.load("tickets.count_texts", int)
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
    """Return the number of tickets that match the filters. Concurrent requests for the same number share one run.

    Raises InvalidInput for a search that too many texts would have to be read for.
    """
    return database.shared(("count", filters), lambda: _count(database, filters))


def _count(database: Database, filters: Filters) -> int:
    values = filter_parameters(filters)
    if filters.search_in:
        return database.one(_COUNT_SEARCH_IN_COMMENTS, values)
    if filters.search:
        return _count_search(database, filters, values)
    query = _COUNT_FROM_COUNTERS if filters.are_only(*FACETS, *CREATION) else _COUNT[variant(filters)]
    return database.one(query, values)


def _count_search(database: Database, filters: Filters, values: dict[str, object]) -> int:
    is_alone = filters.are_only("search")
    to_read = total = database.one(_COUNT_FROM_COUNTERS, filter_parameters(Filters()))
    if search.index_variant(values) is not None:
        to_read = database.one(_COUNT_ESTIMATE, {**values, "total": total})
    if not is_alone:
        few = min(max(to_read, search.SCAN_LIMIT), search.FACET_SCAN_LIMIT)
        counted = database.one_or_none(_COUNT_FEW[variant(filters)], {**values, "facet_scan_limit": few})
        if counted is not None:
            return counted
    if to_read > MAX_TEXTS:
        raise InvalidInput(FieldError.in_parameter("count", _TOO_MANY.format(to_read, MAX_TEXTS), "not_allowed"))
    return database.one(_COUNT_TEXTS if is_alone else _COUNT_SEARCH, values)


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

"""Pages of searches and of lists that no index serves alone: cheap statements, each from where the last one stopped."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from math import prod
from typing import NamedTuple

from ticketsvc.enums import CATEGORIES, PRIORITIES, STATUSES
from ticketsvc.filters import Filters
from ticketsvc.problems import Unavailable
from ticketsvc.store.bounded_page import WITH_ALL_JSON
from ticketsvc.store.cursor import Cursor
from ticketsvc.store.filter_parameters import VARIANTS, filter_parameters, has_more_groups, variant
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.postgres.queries import Query

SCAN_LIMIT = 2000
"""The number of tickets that are scanned in order of creation before the index is used."""

KEY_SCAN_LIMIT, KEY_SCANS = 50, 4
"""In other orders: how many tickets of each combination of facets the first scan reads (each later one reads twice as
many, up to 1,600), and how many scans there are before the index is used."""

MAX_KEY_SCANS = 9
"""In other orders: scans go on, up to this number, while they would fill the page if they found as much as before."""

FEW_WITH_FACETS, FACET_SCAN_LIMIT = 10_000, 50_000
"""If fewer tickets have the facets, they are read in order instead of the index. The second is for searches that are
not rare."""

SAMPLE, KEY_SAMPLE = 250, 8
"""Searches in comments: how many tickets, or tickets of each combination of facets, the first scan reads. If it finds
nothing, the word is rare, and the index is used at once: comments take ten times as long to read as texts."""

MAX_COMMENT_HITS = 50_000
"""Searches in comments: if more have the word, the scans go on instead. They take about 0.3 s."""

RARE_HITS = 20
"""If four sampled weeks have at most this many hits, all weeks are looked up at once; one by one costs 1 ms each."""

ATTRIBUTE_SCANS = (3, 20)
"""Several filters by attributes: how many tickets with the rarest attribute the first scans look at, in pages."""

WINDOW_LIMIT = 20_000
"""If fewer tickets with the facets, or an attribute, were created within a window, all of them are read and sorted."""

MAX_WEEK_HITS, MAX_WEEK_HITS_WITH_FACETS = 1_000, 10_000
"""A week with more hits is read in order: the page is full long before its end."""


class PageRow(NamedTuple):
    """A ticket and its position in a list, or with `json` None the position where a step of a search stopped.

    `json` may be only the size of a ticket (`bounded_page`). Without `id`, the step stopped where it began.
    """

    json: bytes | None
    id: bytes | None
    key: bytes | None

    def cursor(self, sort: str) -> Cursor:
        """Return the position as a cursor."""
        return Cursor(sort, (self.id or b"").decode(), (self.key or b"").decode())


class Step(NamedTuple):
    """A query, and the values of parameters of its own, which prevail.

    `is_part` says that matches may follow even if the query does not say where it stopped.
    """

    query: Query[PageRow]
    values: Mapping[str, object]
    is_part: bool = False


@dataclass
class Progress:
    """The state of a search: the first matches of the page of `limit`, and the position behind which the others are."""

    limit: int
    position: Cursor
    found: list[PageRow] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Return whether the page is complete."""
        return len(self.found) == self.limit


_INDEXES = {"index_patterns": "", "index_regex": "", "index_words": "pairs"}
"""The variant of the queries below for each parameter that is a condition for the index."""
_INDEX_VARIANTS = ("", "pairs")
_IN_COMMENTS = [f"{read} comments".lstrip() for read in VARIANTS]

_BY_CREATION, _BY_KEY = ("newest", "oldest"), ("updated", "urgent")
"""The sort orders. Each is the name of a variant of the queries, except newest first, which they are without one."""


def _load(name: str, orders: Iterable[str], variants: Iterable[str] = ("",)) -> dict[tuple[str, str], Query[PageRow]]:
    """Read a query in these sort orders, each in these variants. The keys of the result are variant and order."""
    return {
        (variant, sort): queries.load(name, PageRow, f"{sort} {variant}".removeprefix("newest").strip())
        for variant in variants
        for sort in orders
    }


FILTER = _load("tickets.filter", _BY_CREATION + _BY_KEY, VARIANTS)
"""Lists without a search, by the variant that serves the filters and the order."""
_FILTER_SCAN = _load("tickets.filter_scan", _BY_CREATION + _BY_KEY, ["scan attributes"])
_WINDOW = queries.load_each("tickets.filter_window", PageRow, VARIANTS)
_SCAN = _load("tickets.search_scan", _BY_CREATION, ["", "comments"])
_SCAN_BY_KEY = _load("tickets.search_by_key", _BY_KEY, [*VARIANTS, *_IN_COMMENTS])
_FACETS = _load("tickets.search_facets", _BY_CREATION, [*VARIANTS, *_IN_COMMENTS])
_RARE = _load("tickets.search_rare", _BY_CREATION + _BY_KEY, _INDEX_VARIANTS)
_WEEKS = _load("tickets.search_weeks", _BY_CREATION + _BY_KEY, _INDEX_VARIANTS)
_HITS = _load("tickets.search_hits", _BY_CREATION + _BY_KEY)


def find(
    database: Database, filters: Filters, limit: int, after: Cursor, sizes: Mapping[str, int] = WITH_ALL_JSON
) -> list[PageRow]:
    """Return the first `limit` matches behind `after`, in the order of that cursor. `bounded_page` defines `sizes`.

    Raises Unavailable if all steps together take longer than a statement may.
    """
    deadline = time.monotonic() + database.statement_timeout
    values = {**filter_parameters(filters), **sizes}
    while (found := _run_steps(database, values, filters, limit, after, deadline)) is None:
        _check_time(deadline)
    return found


def _run_steps(
    database: Database, values: Mapping[str, object], filters: Filters, limit: int, after: Cursor, deadline: float
) -> list[PageRow] | None:
    """Run the steps of a search. Returns None if a ticket changed its place in the list between two steps."""
    progress = Progress(limit, after)
    found = progress.found
    for query, own_values, is_part in _plan(values, filters, progress):
        rest = {**progress.position.parameters, "limit": limit - len(found)}
        rows = database.rows(query, {**values, **rest, **own_values})
        end = rows.pop() if rows and rows[-1].json is None else None
        if found and {row.id for row in found} & {row.id for row in rows}:
            return None
        found += rows
        if progress.is_full or (end is None and not is_part):
            return found
        _check_time(deadline)
        progress.position = end.cursor(after.sort) if end and end.id else progress.position
    return found


def _plan(values: Mapping[str, object], filters: Filters, progress: Progress) -> Iterator[Step]:
    sort = progress.position.sort
    if not filters.search:
        return list_plan(sort, progress.limit, filters)
    index = index_variant(values)
    if filters.search_in:
        return comment_search_plan(sort, index, filters, progress.found)
    if sort in _BY_CREATION:
        return search_plan(sort, index, filters)
    return search_by_key_plan(index, filters, progress)


def index_variant(values: Mapping[str, object]) -> str | None:
    """Return the variant of queries in which the index by text serves a search, or None if it does not."""
    return next((variant for name, variant in _INDEXES.items() if values[name]), None)


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise Unavailable("The search took too long. Narrow it with filters or more words.", 5)


def search_plan(sort: str, index: str | None, filters: Filters) -> Iterator[Step]:
    """Yield the steps of a search in the order of creation.

    `index` is the variant of the queries in which the index serves the search; None means that it does not.
    """
    scan, facets, is_narrow = _SCAN["", sort], _FACETS[variant(filters), sort], _is_narrow(filters)
    yield Step(scan, {"scan_limit": SCAN_LIMIT})
    if is_narrow:
        yield Step(facets, {"facet_scan_limit": FEW_WITH_FACETS})
    if index is None:
        yield Step(scan, {"scan_limit": None})
        return
    if not _has_window(filters):
        yield Step(_RARE[index, sort], {"rare_hits": RARE_HITS})
    if is_narrow:
        yield Step(facets, {"facet_scan_limit": FACET_SCAN_LIMIT})
    yield Step(_WEEKS[index, sort], {"max_week_hits": MAX_WEEK_HITS_WITH_FACETS if is_narrow else MAX_WEEK_HITS})


def _grown(first: int, number: int) -> int:
    """Return how many tickets a scan reads if scan 0 reads `first`: twice as many as the last one, up to 32 times."""
    return first << min(number, 5)


def _key_scan_limit(number: int) -> int:
    return _grown(KEY_SCAN_LIMIT, number)


def search_by_key_plan(index: str | None, filters: Filters, progress: Progress) -> Iterator[Step]:
    """Yield the steps of a search in the order of last change or urgency. `index` is as for `search_plan`.

    The most urgent matches are the newest of each priority.
    """
    sort, is_narrow = progress.position.sort, _is_narrow(filters)
    scan = _SCAN_BY_KEY[variant(filters), sort]
    scans = (Step(scan, {"scan_limit": _key_scan_limit(number)}) for number in count())
    at_most = sum(map(_key_scan_limit, range(MAX_KEY_SCANS)))
    scanned = 0
    for number in count():
        is_promising = len(progress.found) * at_most >= progress.limit * scanned
        if index is not None and number >= (MAX_KEY_SCANS if is_promising else KEY_SCANS):
            break
        scanned += _key_scan_limit(number)
        yield next(scans)
    assert index is not None  # otherwise the scans reach the end
    if not _has_window(filters):
        yield Step(_RARE[index, sort], {"rare_hits": RARE_HITS})
    if is_narrow:
        yield from islice(scans, FACET_SCAN_LIMIT // _key_scan_limit(5) // _combinations(filters))
    most_hits = {"max_week_hits": MAX_WEEK_HITS_WITH_FACETS if is_narrow or sort == "urgent" else MAX_WEEK_HITS}
    position = progress.position
    if sort == "updated":
        yield Step(_WEEKS[index, sort], most_hits)
        return
    for priority in reversed(PRIORITIES[: PRIORITIES.index(position.key) + 1]):
        if priority in (filters.priorities or PRIORITIES):
            after = position if priority == position.key else Cursor.start("newest")
            own_values = {**most_hits, "priorities": [priority], "after_id": after.id}
            yield Step(_WEEKS[index, sort], own_values, is_part=True)


def _has_window(filters: Filters) -> bool:
    """Return whether weeks are left out: a search that is rare in the others can have many hits in those."""
    return filters.created_since is not None or filters.created_before is not None


def _combinations(filters: Filters) -> int:
    """Return of how many combinations of facets a scan reads tickets."""
    facets = (filters.categories or CATEGORIES, filters.priorities or PRIORITIES, filters.statuses or STATUSES)
    return prod(len(values) for values in facets)


def _is_narrow(filters: Filters) -> bool:
    return filters.has_facets or variant(filters) != ""


def comment_search_plan(sort: str, index: str | None, filters: Filters, found: Sequence[PageRow]) -> Iterator[Step]:
    """Yield the steps of a search in comments: scans of the next tickets with their comments, then all hits at once.

    A common word fills the page during the scans; the hits of others are few. If few tickets have the facets or an
    attribute, all of them are read before that. Further scans follow if there are many hits after all: new tickets have
    no comments yet. `index` is as for `search_plan`. `found` has the matches of the steps so far.
    """
    read = f"{variant(filters)} comments".lstrip()
    if sort in _BY_CREATION:
        scan, sample, first = _SCAN["comments", sort], SAMPLE, SCAN_LIMIT
    else:
        scan, sample, first = _SCAN_BY_KEY[read, sort], KEY_SAMPLE, KEY_SCAN_LIMIT
    yield Step(scan, {"scan_limit": sample})
    if found or index is None:
        yield Step(scan, {"scan_limit": first})
    if sort in _BY_CREATION and _is_narrow(filters):
        yield Step(_FACETS[read, sort], {"facet_scan_limit": SCAN_LIMIT})
    if index is not None:
        yield Step(_HITS["", sort], {"max_hits": MAX_COMMENT_HITS})
    for number in count(1):
        yield Step(scan, {"scan_limit": _grown(first, number)})


def takes_steps(sort: str, filters: Filters) -> bool:
    """Return whether `find` serves a page: that of a search, of several filters by attributes, or of a window."""
    return filters.search is not None or _is_window(sort, filters) or has_more_groups(filters)


def list_plan(sort: str, limit: int, filters: Filters) -> Iterator[Step]:
    """Yield the steps of a list that is read along no index alone: a window, two scans, a page of each combination."""
    read = variant(filters)
    if _is_window(sort, filters):
        yield Step(_WINDOW[read], {"window_limit": WINDOW_LIMIT})
    if has_more_groups(filters):
        for pages in ATTRIBUTE_SCANS:
            yield Step(_FILTER_SCAN["scan attributes", sort], {"scan_limit": pages * limit})
    yield Step(FILTER[read, sort], {})


def _is_window(sort: str, filters: Filters) -> bool:
    """Return whether a window of creation ends before tickets that come first in the order of last change."""
    return sort == "updated" and filters.created_before is not None

"""Statistics, computed in the database: from the counters (sql/triggers/counters.sql) where possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ticketsvc.filters import CREATION, FACETS, Filters
from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.store.filter_parameters import VARIANTS, filter_parameters, variant
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.store.postgres.queries import Query, Row

MAX_DAYS = 366
"""The longest period of the daily statistics, in days. `sql/stats/daily.sql` has the same limit."""


class Difference(NamedTuple):
    """A wrong counter: its table, its key, and how many tickets it counts too many."""

    counter: str
    key: str
    excess: str


class _Daily(NamedTuple):
    days: int
    json: bytes | None


class _StatusCount(NamedTuple):
    status: str
    tickets: int


_HEADLINE = queries.load("stats.headline", bytes)
_WINDOW = queries.load("stats.window", bytes)
_SELECTION = queries.load_each("stats.selection", bytes, VARIANTS)
_DAILY = queries.load("stats.daily", _Daily)
_RESOLUTION = queries.load_each("stats.resolution", bytes, VARIANTS)
_RESPONSE = {read: queries.load("stats.resolution", bytes, f"response {read}".rstrip()) for read in VARIANTS}
_COUNTED_RESOLUTION = queries.load("stats.durations", bytes)
_COUNTED_RESPONSE = queries.load("stats.durations", bytes, "response")
_TRIAGE = queries.load("stats.triage", bytes)
_TIME_ZONES = queries.load("stats.time_zones", str)
_BY_STATUS = queries.load("stats.by_status", _StatusCount)
_CHECK = queries.load("stats.check", Difference)
_REBUILD = queries.load("stats.rebuild")
_MERGE = queries.load("stats.merge")


def headline(database: Database, filters: Filters) -> bytes:
    """Return the totals and breakdowns of the tickets that match the filters, as JSON, from one snapshot.

    Filters by text or time of change need a scan of the tickets; others are served from the counters.
    """
    if filters == Filters():
        return _shared(database, _HEADLINE, {})
    query = _WINDOW if filters.are_only(*FACETS, *CREATION) else _SELECTION[variant(filters)]
    return _shared(database, query, filter_parameters(filters))


def daily(database: Database, tz: str, since: str | None, before: str | None) -> bytes:
    """Return the tickets created and first resolved on each day of a time zone, as JSON, from one snapshot.

    `tz` is a name that `time_zone` returned. `since` (inclusive) and `before` (exclusive) are dates; their defaults are
    30 days before `before`, and tomorrow. Raises InvalidInput for less than a day or more than MAX_DAYS.
    """
    row = _shared(database, _DAILY, {"tz": tz, "since": since, "before": before})
    if row.json is not None:
        return b'{"tz":"' + tz.encode() + b'","days":' + row.json + b"}"
    detail = f"since and before must be 1 to {MAX_DAYS} days apart, not {row.days}; before is tomorrow unless given."
    raise InvalidInput(FieldError.in_parameter("since", detail, "not_allowed"))


def resolution(database: Database, filters: Filters) -> bytes:
    """Return the times to the first resolution of the tickets that match the filters, as JSON, from one snapshot."""
    return _times(database, _COUNTED_RESOLUTION, _RESOLUTION, filters)


def response(database: Database, filters: Filters) -> bytes:
    """Return the times to the first response, in the same form."""
    return _times(database, _COUNTED_RESPONSE, _RESPONSE, filters)


def triage(database: Database, created_since: str, created_before: str) -> bytes:
    """Return how suggested labels compare with the final ones, as JSON, from one snapshot.

    The times are RFC 3339, `created_since` inclusive, `created_before` exclusive.
    """
    return _shared(database, _TRIAGE, {"created_since": created_since, "created_before": created_before})


def by_status(database: Database) -> dict[str, int]:
    """Return the number of tickets of each status that occurs, from the counters."""
    return {row.status: row.tickets for row in database.rows(_BY_STATUS)}


def time_zone(database: Database, name: str) -> str | None:
    """Return the canonical spelling of an IANA time zone, or None if there is none. Ignores letter case."""
    if name.lower() == "utc":
        return "UTC"
    if not database.time_zones:  # read once: Postgres reads a file for each of them
        database.time_zones = {zone.lower(): zone for zone in database.rows(_TIME_ZONES)}
    return database.time_zones.get(name.lower())


def check(database: Database) -> list[Difference]:
    """Return the counters that disagree with the tickets, from one snapshot."""
    return database.rows(_CHECK)


def merge(database: Database) -> None:
    """Merge deltas into the counters, if there are many. Does nothing while another process does the same."""
    database.execute(_MERGE)


def rebuild(database: Database) -> None:
    """Recompute all counters from the tickets. Other writes continue meanwhile."""
    database.execute(_REBUILD)


def _times(database: Database, counted: Query[bytes], variants: Mapping[str, Query[bytes]], filters: Filters) -> bytes:
    values = filter_parameters(filters)
    if filters.are_only("categories", "priorities", *CREATION):
        return _shared(database, counted, values)
    return _shared(
        database, variants[variant(filters)], {**values, "is_index_only": filters.are_only(*FACETS, *CREATION)}
    )


def _shared(database: Database, query: Query[Row], values: Mapping[str, object]) -> Row:
    """Return the only row of a query. Identical concurrent requests share one run."""
    return database.shared((query, *query.bind(values)), lambda: database.one(query, values))

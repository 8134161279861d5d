"""Statistics, computed in the database: from the counters (sql/triggers/counters.sql) where possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from weakref import WeakKeyDictionary

from ticketsvc.problems import FieldError, InvalidInput
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database, Row
from ticketsvc.store.postgres.queries import Query
from ticketsvc.store.tickets import Filters

MAX_DAYS = 366
"""The daily statistics answer for at most so many days; stats.daily holds the same."""

_HEADLINE = queries.load("stats.headline")
_WINDOW = queries.load("stats.window")
_SELECTION = queries.load("stats.selection")
_DAILY = queries.load("stats.daily")
_RESOLUTION = queries.load("stats.resolution")
_TRIAGE = queries.load("stats.triage")
_TIME_ZONES = queries.load("stats.time_zones")
_BY_STATUS = queries.load("stats.by_status")
_CHECK = queries.load("stats.check")
_RECOUNT = queries.load("stats.rebuild")

_time_zones: WeakKeyDictionary[Database, dict[str, str]] = WeakKeyDictionary()


class Difference(NamedTuple):
    """A counter that is wrong: its table, its key, and by how many tickets."""

    counter: str
    key: str
    excess: str


def headline(database: Database, filters: Filters) -> bytes:
    """The contract's statistics of the tickets with these filters as JSON, from one snapshot.

    Filters by text or time of change are the costly ones: the tickets are read for them.
    """
    if filters == Filters():
        return _row(database, _HEADLINE, {})[0]
    return _row(database, _WINDOW if filters.only_counted else _SELECTION, filters.values)[0]


def daily(database: Database, tz: str, since: str | None, before: str | None) -> bytes:
    """Tickets created and first resolved on each day of a time zone as JSON, from one snapshot.

    `tz` is a name that `time_zone` answered. The days are dates, `since` inclusive, `before` exclusive; None: the 30
    days until `before`, and until today. Raises InvalidInput where that makes no day or more than MAX_DAYS.
    """
    [days, json] = _row(database, _DAILY, {"tz": tz, "since": since, "before": before})
    if json:
        return b'{"tz":"' + tz.encode() + b'","days":' + json + b"}"
    what = f"since and before must be 1 to {MAX_DAYS} days apart, not {int(days)}; before is tomorrow unless given."
    raise InvalidInput(FieldError.in_parameter("since", what, "not_allowed"))


def resolution(database: Database, filters: Filters) -> bytes:
    """Times from creation to the first resolution of the tickets with these filters as JSON, from one snapshot."""
    return _row(database, _RESOLUTION, filters.values)[0]


def triage(database: Database, created_since: str, created_before: str) -> bytes:
    """How suggested labels compare with the final ones, as JSON, from one snapshot.

    The times are RFC 3339; since is inclusive, before exclusive.
    """
    return _row(database, _TRIAGE, {"created_since": created_since, "created_before": created_before})[0]


def by_status(database: Database) -> dict[str, int]:
    """How many tickets there are of each status that occurs, from the counters."""
    return {status.decode(): int(count) for status, count in database.rows(_BY_STATUS)}


def time_zone(database: Database, name: str) -> str | None:
    """The IANA name of a time zone as it is written, from one in any letter case; None: there is no such zone."""
    if name.lower() == "utc":
        return "UTC"
    if database not in _time_zones:  # looked up once: Postgres reads all its files for it
        _time_zones[database] = {row[0].decode().lower(): row[0].decode() for row in database.rows(_TIME_ZONES)}
    return _time_zones[database].get(name.lower())


def check(database: Database) -> list[Difference]:
    """The counters that do not agree with the tickets in one snapshot."""
    return [Difference(*(value.decode() for value in row)) for row in database.rows(_CHECK)]


def recount(database: Database) -> None:
    """Count all tickets anew, while others go on writing."""
    database.rows(_RECOUNT)


def _row(database: Database, query: Query, values: Mapping[str, object]) -> Row:
    """The only row of a query. Who asks for the same at the same time shares one run."""
    return database.shared((query, *query.bind(values)), lambda: database.rows(query, values)[0])

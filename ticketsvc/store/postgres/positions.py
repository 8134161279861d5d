"""Positions in the log of the database: they tell whether a replica has a change.

A position is a text of 24 hexadecimal digits: 8 for the timeline, which a promotion begins, and 16 for the place in it
(an LSN). Of two positions the greater text is the later one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.queries import Query

if TYPE_CHECKING:
    from ticketsvc.store.postgres.database import Database

Connection = psycopg.Connection[Any]

NONE = ""
"""The position before all others."""
UNREACHABLE = "G"
"""Stands for a position that cannot be read: behind all others."""

_FORM = re.compile(r"[0-9A-F]{24}")
_TIMELINE_DIGITS = 8


class _Row(NamedTuple):
    timeline: str
    lsn: str


class Server(NamedTuple):
    """The database of a server: `identity` is the same on a primary and its streaming replicas, and only there."""

    identity: str
    is_replica: bool


SERVER = queries.load("replicas.server", Server)
_WRITTEN = queries.load("replicas.written", _Row)
_REPLAYED = queries.load("replicas.replayed", _Row)


def parse(text: str) -> str:
    """Return the position that a client sent. One that this release did not write is UNREACHABLE."""
    return text if not text or _FORM.fullmatch(text) else UNREACHABLE


def includes(reached: str, wanted: str) -> bool:
    """Return whether a server that has reached a position has the changes up to another one.

    On an older timeline it can be ahead without them. On a newer one the place counts, too: a replica receives a
    timeline before it replays that.
    """
    digits = _TIMELINE_DIGITS
    return reached[:digits] >= wanted[:digits] and reached[digits:] >= wanted[digits:]


def written(connection: Connection) -> str:
    """Return the position behind all that a primary has committed. Raises psycopg.Error."""
    return _decode(statement.run(connection, _WRITTEN, []))


def replayed(connection: Connection) -> str:
    """Return the position that a replica has reached. Raises psycopg.Error."""
    return _decode(statement.run(connection, _REPLAYED, []))


def server(database: Database) -> Server:
    """Return the identity of a server, on a connection that requests do not take. Raises a Problem."""
    [found] = database.rows_in_reserve(SERVER)
    return found


def of_server(database: Database) -> str:
    """Return the position of a primary or replica, on a connection that requests do not take. Raises a Problem."""
    [row] = database.rows_in_reserve(_REPLAYED)
    return _position(row)


def run_on_primary(
    connection: Connection, query: Query[Any], values: list[bytes | None]
) -> tuple[statement.Result, str]:
    """Run a query. Returns the result, and the position behind its commit. Raises psycopg.Error.

    The position cannot be part of the query, which ends before its commit is written. If only the position cannot be
    read, it is NONE: the query has been run.
    """
    result, position = statement.run_in_turn(connection, (query, values), (_WRITTEN, []))
    statement.checked(result)
    return result, _decode(position) if position.ntuples else NONE


def run_on_replica(
    connection: Connection, query: Query[Any], values: list[bytes | None]
) -> tuple[str, statement.Result]:
    """Run a query. Returns the position that the replica had reached before, and the result. Raises psycopg.Error."""
    position, result = statement.run_in_turn(connection, (_REPLAYED, []), (query, values))
    return _decode(statement.checked(position)), statement.checked(result)


def _decode(result: statement.Result) -> str:
    [row] = _WRITTEN.decode(result)
    return _position(row)


def _position(row: _Row) -> str:
    return row.timeline + "".join(half.zfill(8) for half in row.lsn.split("/"))

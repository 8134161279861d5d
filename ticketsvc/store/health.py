"""Is the database there, and as this release needs it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database


class Server(NamedTuple):
    """The server and what the role may do: `version` is 150004 for 15.4, `now` is seconds since 1970.

    `reserved_connections` are for others than ordinary roles, `role_limit` is how many connections the role may have
    (-1: any number).
    """

    version: int
    version_text: str
    database: str
    role: str
    now: float
    max_connections: int
    reserved_connections: int
    role_limit: int
    autovacuum: bool
    read_only: bool
    may_create: bool
    may_temp: bool
    is_superuser: bool


class Counted(NamedTuple):
    """The state of the counters: whether one is below zero, and how many changes wait to be folded."""

    is_negative: bool
    waiting: int


class _Extension(NamedTuple):
    name: str
    is_available: bool


_PENDING = queries.load("health.pending_migrations", str)
_SERVER = queries.load("health.server", Server)
_EXTENSIONS = queries.load("health.extensions", _Extension)
_COUNTED = queries.load("health.counted", Counted)


def pending_migrations(database: Database, expected: Iterable[str]) -> list[str]:
    """Those of the expected migrations that were not applied. Raises Unavailable when the database is away."""
    return database.rows(_PENDING, {"expected": sorted(expected)})


def server(database: Database) -> Server:
    """The server and this role's rights in the database. Raises Unavailable when it is away."""
    return database.one(_SERVER)


def missing_extensions(database: Database, names: Iterable[str]) -> dict[str, bool]:
    """Those of some extensions that the database does not have, and whether the server has their files."""
    return {row.name: row.is_available for row in database.rows(_EXTENSIONS, {"names": list(names)})}


def counted(database: Database) -> Counted:
    """The state of the counters, without reading the tickets."""
    return database.one(_COUNTED)

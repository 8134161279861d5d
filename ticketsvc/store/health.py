"""Is the database there, and as this release needs it?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

_PENDING = queries.load("health.pending_migrations")
_SERVER = queries.load("health.server")
_EXTENSIONS = queries.load("health.extensions")
_COUNTED = queries.load("health.counted")


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


def pending_migrations(database: Database, expected: Iterable[str]) -> list[str]:
    """Those of the expected migrations that were not applied. Raises Unavailable when the database is away."""
    return [row[0].decode() for row in database.rows(_PENDING, {"expected": sorted(expected)})]


def server(database: Database) -> Server:
    """The server and this role's rights in the database. Raises Unavailable when it is away."""
    return Server(**json.loads(database.rows(_SERVER)[0][0]))


def missing_extensions(database: Database, names: Iterable[str]) -> dict[str, bool]:
    """Those of some extensions that the database does not have, and whether the server has their files."""
    return {name.decode(): found == b"t" for name, found in database.rows(_EXTENSIONS, {"names": list(names)})}


def counted(database: Database) -> Counted:
    """The state of the counters, without reading the tickets."""
    negative, waiting = database.rows(_COUNTED)[0]
    return Counted(negative == b"t", int(waiting))

"""Checks of the database: whether it is reachable and is what this release needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database


class Server(NamedTuple):
    """The server, and the rights of this role. `version` is 150004 for 15.4, `now` is in seconds since 1970.

    `reserved_connections` are not available to ordinary roles. `role_limit` is the role's limit of connections; -1
    means no limit.
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
    is_superuser: bool
    may_create: bool
    may_temp: bool


class Counted(NamedTuple):
    """The state of the counters: whether one is negative, and how many deltas are not merged yet."""

    is_negative: bool
    waiting: int


class _Extension(NamedTuple):
    name: str
    is_available: bool


_UNSET = queries.load("health.unset", str)
_ROLE_SETTINGS = queries.load("health.role_settings", str)
_PENDING = queries.load("health.pending_migrations", str)
_SERVER = queries.load("health.server", Server)
_EXTENSIONS = queries.load("health.extensions", _Extension)
_COUNTED = queries.load("health.counted", Counted)


def pending_migrations(database: Database, expected: Iterable[str]) -> list[str]:
    """Return the expected migrations that are not applied. Raises Unavailable when the database is unreachable."""
    return database.rows(_PENDING, {"expected": sorted(expected)})


def server(database: Database) -> Server:
    """Return facts about the server and this role. Raises Unavailable when the database is unreachable."""
    return database.one(_SERVER)


def unset(database: Database) -> list[str]:
    """Return the names of the service's settings that a session of the pool lacks."""
    return database.rows(_UNSET, _settings(database))


def role_settings(database: Database) -> list[str]:
    """Return the statements that make the service's settings those of this role in this database."""
    return database.rows(_ROLE_SETTINGS, _settings(database))


def _settings(database: Database) -> dict[str, object]:
    return {"names": list(database.settings), "values": list(database.settings.values())}


def missing_extensions(database: Database, names: Iterable[str]) -> dict[str, bool]:
    """Return the extensions that are not installed in the database, and whether the server has their files."""
    return {row.name: row.is_available for row in database.rows(_EXTENSIONS, {"names": list(names)})}


def counted(database: Database) -> Counted:
    """Return the state of the counters, without reading the tickets."""
    return database.one(_COUNTED)

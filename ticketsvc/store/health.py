"""Checks of the database: whether it is reachable and is what this release needs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ticketsvc.problems import Unavailable
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database


class Server(NamedTuple):
    """The server, and the rights of this role. `version` is 150004 for 15.4, `now` is in seconds since 1970.

    `schema` is the one whose tables statements find first; None if it does not exist.

    `reserved_connections` are not available to ordinary roles. `role_limit` is the role's limit of connections; -1
    means no limit.
    """

    version: int
    version_text: str
    database: str
    schema: str | None
    encoding: str
    role: str
    now: float
    max_connections: int
    reserved_connections: int
    role_limit: int
    autovacuum: bool
    read_only: bool
    is_superuser: bool
    may_write: bool
    may_create: bool
    may_temp: bool


class _Readiness(NamedTuple):
    pending: list[str]
    may_write: bool


class Counted(NamedTuple):
    """The state of the counters: whether one is negative, and how many deltas are not merged yet."""

    is_negative: bool
    waiting: int


class _Extension(NamedTuple):
    name: str
    is_available: bool


FRESH_SECONDS = 1.0
"""A database that was ready this long ago counts as ready: clients may ask without a limit."""

_READINESS = queries.load("health.readiness", _Readiness)
_UNSET = queries.load("health.unset", str)
_ROLE_SETTINGS = queries.load("health.role_settings", str)
_SERVER = queries.load("health.server", Server)
_EXTENSIONS = queries.load("health.extensions", _Extension)
_COUNTED = queries.load("health.counted", Counted)


class Readiness:
    """Checks whether the database responds and is what this release needs. Each worker has one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ready_until = 0.0

    def check(self, expected: Iterable[str]) -> None:
        """Raise Unavailable unless the database has these migrations and its role can change tickets.

        It does not wait for other statements, and one check serves all that ask meanwhile.
        """
        if time.monotonic() >= self._ready_until or self._database.pooler_error:
            self._database.shared(_READINESS, lambda: self._check(expected))

    def _check(self, expected: Iterable[str]) -> None:
        if self._database.pooler_error:  # until it is corrected
            self._database.check_pooler()
        if self._database.pooler_error:
            raise Unavailable(self._database.pooler_error, 30)
        [readiness] = self._database.rows_in_reserve(_READINESS, {"expected": sorted(expected)})
        if readiness.pending:
            raise Unavailable(f"Migrations are pending: {', '.join(readiness.pending)}. Run `flask migrate`.", 10)
        if not readiness.may_write:
            raise Unavailable(
                "The role in the database may not change tickets. Grant it the rights of sql/service_role.sql.", 10
            )
        self._ready_until = time.monotonic() + FRESH_SECONDS


def server(database: Database) -> Server:
    """Return facts about the server and this role. Raises Unavailable when the database is unreachable."""
    return database.one(_SERVER)


def unset(database: Database) -> list[str]:
    """Return the names of the service's settings that a session of the pool lacks."""
    return database.rows(_UNSET, _names_and_values(database.settings))


def role_settings(database: Database, settings: Mapping[str, str]) -> list[str]:
    """Return the statements that make these settings those of this role in this database."""
    return database.rows(_ROLE_SETTINGS, _names_and_values(settings))


def _names_and_values(settings: Mapping[str, str]) -> dict[str, object]:
    return {"names": list(settings), "values": list(settings.values())}


def missing_extensions(database: Database, names: Iterable[str]) -> dict[str, bool]:
    """Return the extensions that are not installed in the database, and whether the server has their files."""
    return {row.name: row.is_available for row in database.rows(_EXTENSIONS, {"names": list(names)})}


def counted(database: Database) -> Counted:
    """Return the state of the counters, without reading the tickets."""
    return database.one(_COUNTED)

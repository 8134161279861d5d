"""Numbers of requests a client sent, counted across all workers and instances."""

from __future__ import annotations

from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database


class Usage(NamedTuple):
    """The requests of a subject in its window so far, and the seconds until the window ends."""

    requests: int
    seconds: int


_TAKE = queries.load("limits.take", Usage)
_PRUNE = queries.load("limits.prune")


def take(database: Database, subject: str, window: int) -> Usage:
    """Count a request of a subject, whose window lasts `window` seconds. Return its usage, this request included."""
    return database.one(_TAKE, {"subject": subject, "window": window})


def prune(database: Database) -> None:
    """Delete windows that have ended."""
    database.execute(_PRUNE)

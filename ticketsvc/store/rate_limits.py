"""How often callers called, counted for all workers and instances together."""

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
    """Forget the windows that are over."""
    database.execute(_PRUNE)

"""How often callers called, counted for all workers and instances together."""

from __future__ import annotations

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

_TAKE = queries.load("limits.take")
_PRUNE = queries.load("limits.prune")


def take(database: Database, subject: str, window: int) -> tuple[int, int]:
    """Count a call: how many there were in the subject's window with it, and the seconds until that ends."""
    used, seconds = database.rows(_TAKE, {"subject": subject, "window": window})[0]
    return int(used), int(seconds)


def prune(database: Database) -> None:
    """Forget the windows that are over."""
    database.rows(_PRUNE)

"""Is the database there, and as this release needs it?"""

from __future__ import annotations

from collections.abc import Iterable

from ticketsvc.store import queries
from ticketsvc.store.database import Database

_PENDING = queries.load("health.pending_migrations")


def pending_migrations(database: Database, expected: Iterable[str]) -> list[str]:
    """Those of the expected migrations that were not applied. Raises Unavailable when the database is away."""
    return [row[0].decode() for row in database.rows(_PENDING, {"expected": sorted(expected)})]

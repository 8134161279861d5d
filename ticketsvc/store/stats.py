"""Statistics, computed in the database."""

from __future__ import annotations

from ticketsvc.store import queries
from ticketsvc.store.database import Database

_HEADLINE = queries.load("stats.headline")


def headline(database: Database) -> bytes:
    """The contract's statistics of all tickets as JSON, from one snapshot."""
    return database.rows(_HEADLINE)[0][0]

"""Statistics, computed in the database."""

from __future__ import annotations

from ticketsvc.store import queries
from ticketsvc.store.database import Database

_HEADLINE = queries.load("stats.headline")
_TRIAGE = queries.load("stats.triage")


def headline(database: Database) -> bytes:
    """The contract's statistics of all tickets as JSON, from one snapshot."""
    return database.rows(_HEADLINE)[0][0]


def triage(database: Database, created_since: str, created_before: str) -> bytes:
    """How suggested labels compare with the final ones, as JSON, from one snapshot.

    The times are RFC 3339; since is inclusive, before exclusive.
    """
    return database.rows(_TRIAGE, {"created_since": created_since, "created_before": created_before})[0][0]

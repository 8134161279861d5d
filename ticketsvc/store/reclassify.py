"""Suggestions for tickets that were created without one."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database
from ticketsvc.triage.model import Suggestion


class ReclassifyCandidate(NamedTuple):
    """A ticket. `text` is its title and description, or None when it already has a suggestion."""

    id: UUID
    version: int
    text: str | None


_BATCH = queries.load("triage.reclassify_batch", ReclassifyCandidate)
_STORE = queries.load("triage.store_suggestion", UUID)


def reclassify_batch(database: Database, after: UUID, limit: int, characters: int) -> list[ReclassifyCandidate]:
    """Return the next `limit` tickets after an id, with and without suggestions, their texts cut to `characters`."""
    return database.rows(_BATCH, {"after_id": after, "limit": limit, "characters": characters})


def store_suggestion(database: Database, ticket: ReclassifyCandidate, suggestion: Suggestion) -> bool:
    """Store a suggestion; the ticket may become a training example. Return False when it was changed meanwhile."""
    values = {
        "id": ticket.id,
        "version": ticket.version,
        "category": suggestion.category,
        "category_confidence": suggestion.category_confidence,
        "priority": suggestion.priority,
        "priority_confidence": suggestion.priority_confidence,
    }
    return database.one_or_none(_STORE, values) is not None

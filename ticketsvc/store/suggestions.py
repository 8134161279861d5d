"""Suggestions for tickets that were labelled without one."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from ticketsvc.store import queries
from ticketsvc.store.database import Database
from ticketsvc.triage.classifier import Suggestion

_UNSUGGESTED = queries.load("triage.unsuggested")
_SUGGEST = queries.load("triage.suggest")


class Unsuggested(NamedTuple):
    """A ticket: `text` is title and description, None where it has a suggestion."""

    id: UUID
    version: int
    text: str | None


def next_tickets(database: Database, after: UUID, limit: int, characters: int) -> list[Unsuggested]:
    """The next tickets behind an id, with and without suggestions; the texts have at most so many characters."""
    rows = database.rows(_UNSUGGESTED, {"after_id": after, "limit": limit, "characters": characters})
    return [
        Unsuggested(UUID(ticket_id.decode()), int(version), text.decode() or None) for ticket_id, version, text in rows
    ]


def suggest(database: Database, ticket: Unsuggested, suggestion: Suggestion) -> bool:
    """Store a suggestion, which may teach. False: the ticket was changed meanwhile, or has one."""
    values = {
        "id": ticket.id,
        "version": ticket.version,
        "category": suggestion.category,
        "category_confidence": suggestion.category_confidence,
        "priority": suggestion.priority,
        "priority_confidence": suggestion.priority_confidence,
    }
    return database.row(_SUGGEST, values) is not None

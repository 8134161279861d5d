"""Similar tickets: those that have rare words in common with a text."""

from __future__ import annotations

from uuid import UUID

from ticketsvc.store import tickets
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

_FIND = queries.load("similar.find", bytes)
_FOLLOW = queries.load("similar.follow", int)


def to_ticket(database: Database, ticket_id: UUID) -> bytes:
    """Return the tickets that resemble a ticket as a JSON array, the most similar first. Raises NotFound."""
    found = _find(database, ticket_id=ticket_id)
    if not found:
        tickets.get(database, ticket_id)
    return _array(found)


def to_text(database: Database, title: str | None, description: str | None) -> bytes:
    """Return the tickets that a ticket with this text would resemble, in the same form."""
    return _array(_find(database, title=title or "", description=description or ""))


def follow(database: Database) -> None:
    """Store the stems of tickets that are new or changed, as published events tell."""
    while database.one(_FOLLOW):
        pass


def _find(database: Database, **values: object) -> list[bytes]:
    return database.rows(_FIND, {"ticket_id": None, "title": None, "description": None, **values})


def _array(rows: list[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"

"""Similar tickets: those that have rare words in common with a text or, with an encoder, its meaning."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from ticketsvc.store import tickets
from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

_FIND = queries.load("similar.find", bytes)
_FOLLOW = queries.load("similar.follow", int)
_BEGIN_SIGNS = queries.load("similar.begin_signs")
_STORE_SIGNS = queries.load("similar.store_signs")

FOLLOWED_AT_ONCE = 2_000
"""The number in sql/similar/follow.sql."""
PAUSE = 0.005
"""Seconds between the encoding of two texts, in which a worker serves requests."""


class _Pending(NamedTuple):
    id: UUID
    version: int
    title: str
    description: str


_PENDING_SIGNS = queries.load("similar.pending_signs", _Pending)


def to_ticket(database: Database, ticket_id: UUID) -> bytes:
    """Return the tickets that resemble a ticket as a JSON array, the most similar first. Raises NotFound."""
    found = _find(database, ticket_id=ticket_id)
    if not found:
        tickets.get(database, ticket_id)
    return _array(found)


def to_text(
    database: Database, title: str | None, description: str | None, signs_of: Callable[[str, str], str | None]
) -> bytes:
    """Return the tickets that a ticket with this text would resemble, in the same form."""
    text = title or "", description or ""
    return _array(_find(database, title=text[0], description=text[1], signs=signs_of(*text)))


def follow(database: Database) -> bool:
    """Store the stems of the tickets of the next events, which are new or changed. Return whether there may be more."""
    return database.one(_FOLLOW) == FOLLOWED_AT_ONCE


def store_signs(database: Database, signs_of: Callable[[str, str], str | None], pause: float = PAUSE) -> None:
    """Store the signs of the next 100 texts of new or changed tickets. Any number of processes may do so."""
    database.execute(_BEGIN_SIGNS)
    signs = []
    pending = database.rows(_PENDING_SIGNS)
    for ticket in pending:
        signs.append(signs_of(ticket.title, ticket.description))
        time.sleep(pause)
    if pending:
        ids, versions = [ticket.id for ticket in pending], [ticket.version for ticket in pending]
        database.execute(_STORE_SIGNS, {"ids": ids, "versions": versions, "signs": signs})


def _find(database: Database, **values: object) -> list[bytes]:
    return database.rows(_FIND, {"ticket_id": None, "title": None, "description": None, "signs": None, **values})


def _array(rows: list[bytes]) -> bytes:
    return b"[" + b",".join(rows) + b"]"

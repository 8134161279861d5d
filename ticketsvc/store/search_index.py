"""Maintenance of the index of texts. New texts wait in its pending list, which every search reads."""

from __future__ import annotations

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

LARGE_TEXT = 8_000
"""The characters of a text above which storing it is costly: up to a second for 65,536 characters of Chinese."""

_INDEX_PENDING = queries.load("tickets.index_pending")


def make_room(database: Database, text: str | None) -> bool:
    """Return whether a text is large. Before it can be stored, the pending list is emptied.

    So clients that store large texts also wait for their indexing, and the list stays short.
    """
    is_large = text is not None and len(text) > LARGE_TEXT
    if is_large:
        index_pending(database)
    return is_large


def index_pending(database: Database) -> None:
    """Insert the pending texts into the index, so that no create has to do it, which can take seconds."""
    database.execute(_INDEX_PENDING)

"""Erasure of the tickets of one requester."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ticketsvc.store.postgres import queries
from ticketsvc.store.postgres.database import Database

BATCH = 500
"""The number of tickets that are deleted in one transaction."""


class Extent(NamedTuple):
    """The tickets of a requester, and the comments on them, as numbers."""

    tickets: int
    comments: int


_EXTENT = queries.load("tickets.of_requester", Extent)
_ERASE = queries.load("tickets.erase_batch", int)


def extent(database: Database, requester: str) -> Extent:
    """Return what `erase` would delete. Ignores letter case, as the filter does."""
    return database.one(_EXTENT, {"requester": requester})


def erase(database: Database, requester: str) -> Iterator[int]:
    """Delete the tickets of a requester, and yield the number in each batch. It can be interrupted and repeated."""
    while deleted := database.one(_ERASE, {"requester": requester, "limit": BATCH}):
        yield deleted

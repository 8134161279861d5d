"""Choice of the process that does the background work: a `flask work`, or without one all web processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ticketsvc.store.postgres import queries, statement
from ticketsvc.store.postgres.database import Database

IDLE_SECONDS = 10.0
"""The time after which a process that does not say that it is there no longer has the work."""

_TAKE = queries.load("background.take", bool)
_IS_TAKEN = queries.load("background.is_taken", bool)


def is_taken(database: Database) -> bool:
    """Return whether another process does the background work."""
    return database.one(_IS_TAKEN)


@contextmanager
def applicant(database: Database) -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether this process does the background work, of all those that call it.

    It must be called every few seconds (`IDLE_SECONDS`). The work is held by a transaction, which ends with the process
    or its connection, and which a connection pooler leaves alone. It has no snapshot, so it does not hold up VACUUM.
    Raises the problems of `Database.dedicated_connection`.
    """
    with database.dedicated_connection(IDLE_SECONDS) as connection:

        def take() -> bool:
            [is_mine] = _TAKE.decode(statement.run(connection, _TAKE, []))
            return is_mine

        yield take

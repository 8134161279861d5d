"""One migration run at a time: a session of yoyo's that holds the lock, and dies together with it.

The lock must belong to the session that does the work. On a connection of its own it would be free as soon as
a process is killed, while the server still runs what that process sent. It needs a direct connection: through
a PgBouncer in transaction mode each statement may meet another session, and no lock or setting lasts.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ticketsvc.migrations import engine, ledger
from ticketsvc.migrations.session import MigrationError, parameters, target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from ticketsvc.migrations.engine import Backend
    from ticketsvc.migrations.step import Patience

# "ticketsv" in ASCII: an advisory lock's number is shared by everything that uses the database.
LOCK_NUMBER = 0x7469636B65747376
_TRY_LOCK = "SELECT pg_try_advisory_lock(%s)"
_SET = "SELECT set_config(%s, %s, false)"


@contextmanager
def exclusive(url: str, patience: Patience, on_step: Callable[[str], None]) -> Iterator[Backend]:
    """Yield a session that holds the lock of all migration runs, with the tables of the bookkeeping in order.

    Raises MigrationError when another run does not end in time, psycopg.Error for what the database says.
    """
    with engine.connect(parameters(url)) as backend:
        _configure(backend.connection, patience.lock_timeout)
        _wait_for_turn(backend.connection, url, patience.turn, on_step)
        ledger.create(backend.connection)
        backend.create_lock_table()
        # yoyo's own lock is a row, which a killed run leaves behind; under our lock it can only be such a
        # one.
        backend.break_lock()
        backend.ensure_internal_schema_updated()
        yield backend


def _configure(connection: psycopg.Connection[Any], lock_timeout: float) -> None:
    settings = {
        # A statement that waits for its lock makes all later queries on that table wait behind it.
        "lock_timeout": f"{round(lock_timeout * 1000)}ms",
        # Building an index takes its time, whatever limit the role has for requests.
        "statement_timeout": "0",
        # The server ends a killed run's statement, and with it the lock, without finishing it first.
        "client_connection_check_interval": "1s",
    }
    for setting in settings.items():
        connection.execute(_SET, setting)


def _wait_for_turn(
    connection: psycopg.Connection[Any], url: str, seconds: float, on_step: Callable[[str], None]
) -> None:
    # Asking again and again, not pg_advisory_lock(): a waiting statement holds a snapshot, for which the
    # holder's CREATE INDEX CONCURRENTLY would wait in turn: a deadlock.
    deadline = time.monotonic() + seconds
    waiting = False
    while connection.execute(_TRY_LOCK, (LOCK_NUMBER,)).fetchone() != (True,):
        if time.monotonic() > deadline:
            raise MigrationError(
                f"Another process has been migrating {target(url)} for {seconds:.0f} s. Let it finish, or end"
                " its session (pg_locks shows it with locktype = 'advisory'), then run it again."
            )
        if not waiting:
            on_step("waiting for another process that is migrating")
        waiting = True
        time.sleep(0.2)

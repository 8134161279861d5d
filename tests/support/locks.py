"""Locks that get in the service's way, and waiting for a condition."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT = 60.0
"""Seconds after which a test gives up waiting. What it waits for takes a few seconds at most on an idle machine."""

WAITING = """
SELECT DISTINCT pid
FROM pg_locks JOIN (
    SELECT DISTINCT l.pid FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
    WHERE d.datname = current_database()
) AS here USING (pid)
WHERE NOT granted
"""
"""The sessions that wait for a lock and are in this database: others of the server have the same tables.

Locks of rows have no database, but who waits for one has locked a table. (pg_stat_activity shows what it showed before
in the same transaction.)
"""
DELTAS_LOCK = "7598253, 'ticket_count_deltas'::regclass::oid::integer"
"""The parameters of the advisory lock under which deltas are merged."""
KEY_LOCK = "uuid_hash_extended(%s::uuid, 'idempotency_records'::regclass::oid::bigint)"
"""The parameter of the advisory lock of an idempotency key's hash."""
_WAITING = f"SELECT count(*) FROM ({WAITING} AND relation = 'tickets'::regclass) AS found"


def wait_until(condition: Callable[[], object], seconds: float = TIMEOUT) -> None:
    """Poll until the condition holds; fail if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds:g} s"
        time.sleep(0.02)


@contextmanager
def locked_tickets(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Lock the table of tickets against reads and writes until the block ends or calls `rollback()`."""
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE")
        yield holder
        holder.rollback()


def waiting_sessions(connection: psycopg.Connection[tuple[object, ...]]) -> int:
    """Return the number of sessions of the connection's database that wait for a lock."""
    return len(connection.execute(WAITING.encode()).fetchall())


def wait_until_blocked(holder: psycopg.Connection[tuple[object, ...]], statements: int = 1) -> None:
    """Wait until this number of statements wait for the table."""
    wait_until(lambda: holder.execute(_WAITING.encode()).fetchone() == (statements,))


@contextmanager
def in_background() -> Iterator[ThreadPoolExecutor]:
    """Run requests in threads while the test goes on; wait for all of them at the end of the block."""
    with ThreadPoolExecutor(32) as threads:
        yield threads

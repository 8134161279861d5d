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

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'tickets'::regclass"


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


def wait_until_blocked(holder: psycopg.Connection[tuple[object, ...]], statements: int = 1) -> None:
    """Wait until this number of statements wait for the table."""
    wait_until(lambda: holder.execute(_WAITING).fetchone() == (statements,))


@contextmanager
def in_background() -> Iterator[ThreadPoolExecutor]:
    """Run requests in threads while the test goes on; wait for all of them at the end of the block."""
    with ThreadPoolExecutor(32) as threads:
        yield threads

"""What gets in the service's way: locks that are held, and the waiting for what they lead to."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'tickets'::regclass"


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Ask until the condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@contextmanager
def locked_tickets(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Hold a lock of the table that nothing gets past; `rollback()` or the end releases it."""
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE")
        yield holder
        holder.rollback()


def wait_until_blocked(holder: psycopg.Connection[tuple[object, ...]], statements: int = 1) -> None:
    """Wait until so many statements wait for the table."""
    wait_until(lambda: holder.execute(_BLOCKED).fetchone() == (statements,))


@contextmanager
def in_background() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls that are to be under way while the test goes on; at the end they are waited for."""
    with ThreadPoolExecutor(32) as threads:
        yield threads

"""Waiting for Postgres under gevent.

psycopg's own way to wait for a patched `select` makes new watchers for every wait; a connection that keeps its two
costs some 40 us less of a worker's time a query. Without gevent psycopg waits in C.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cached_property
from typing import Any, TypeVar

import psycopg
from gevent import get_hub
from psycopg.waiting import Ready, Wait

_T = TypeVar("_T")


class GeventConnection(psycopg.Connection[Any]):
    """A connection for use in a process that gevent has patched."""

    @cached_property
    def _watchers(self) -> dict[Wait, tuple[Any, Ready]]:
        loop, socket = get_hub().loop, self.pgconn.socket
        return {
            Wait.R: (loop.io(socket, 1), Ready.R),
            Wait.W: (loop.io(socket, 2), Ready.W),
            Wait.RW: (loop.io(socket, 3), Ready.RW),
        }

    def wait(self, gen: Generator[Wait, Ready | int, _T], interval: float = 0.0, timeout: float | None = None) -> _T:
        """Run a generator of psycopg to its end, and let other greenlets run while it waits for the server."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        hub = get_hub()
        try:
            state = next(gen)
            while True:
                watcher, ready = self._watchers[state]
                hub.wait(watcher)
                state = gen.send(ready)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]

"""Waiting for Postgres under gevent.

psycopg's own way to wait for a patched `select` makes new watchers for every wait; a connection that keeps its two
costs some 40 us less of a worker's time a query. Without gevent psycopg waits in C.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cached_property
from typing import Any, TypeVar

import psycopg
from gevent import get_hub, getcurrent
from psycopg.waiting import Ready, Wait

from ticketsvc.store.postgres.errors import ServerTimeout

_T = TypeVar("_T")


class GeventConnection(psycopg.Connection[Any]):
    """A connection for use in a process that gevent has patched.

    A server may be gone without a word: the network between drops what either sends, and a proxy in between takes it.
    Nothing but a clock of our own ends the wait for its answer then.
    """

    response_timeout = 20.0
    """Seconds after which a wait for the server ends in ServerTimeout, and the connection is closed."""

    @cached_property
    def _watchers(self) -> dict[Wait, tuple[Any, Ready]]:
        loop, socket = get_hub().loop, self.pgconn.socket
        return {
            Wait.R: (loop.io(socket, 1), Ready.R),
            Wait.W: (loop.io(socket, 2), Ready.W),
            Wait.RW: (loop.io(socket, 3), Ready.RW),
        }

    @cached_property
    def _clock(self) -> Any:
        return get_hub().loop.timer(self.response_timeout, self.response_timeout)  # again() needs the second one

    def wait(self, gen: Generator[Wait, Ready | int, _T], interval: float = 0.0, timeout: float | None = None) -> _T:
        """Run a generator of psycopg to its end, and let other greenlets run while it waits for the server."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        hub, clock = get_hub(), self._clock
        clock.again(getcurrent().throw, ServerTimeout)
        try:
            state = next(gen)
            while True:
                watcher, ready = self._watchers[state]
                hub.wait(watcher)
                state = gen.send(ready)
        except StopIteration as finished:
            return finished.value  # type: ignore[no-any-return]
        except ServerTimeout:
            self.close()
            raise
        finally:
            clock.stop()

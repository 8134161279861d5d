"""Waiting in gevent's event loop: a connection for Postgres, a batch of writes for the requests that have arrived.

Under a patched `select` psycopg creates new watchers for every wait. A connection that keeps its watchers saves some
40 us of a worker's CPU time a query. Without gevent, psycopg waits in C, and this module is not used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import cached_property
from typing import Any, TypeVar

import gevent
import psycopg
from gevent import get_hub, getcurrent
from psycopg.waiting import Ready, Wait

from ticketsvc.store.postgres.errors import NotReplicated, ServerTimeout

_T = TypeVar("_T")

CHECK_SECONDS = 0.25
"""Interval at which a wait is checked. Most statements end before the first check, so that they pay nothing for it."""

CANCEL_SECONDS = 5.0
"""Timeout for sending a cancel request."""

GATHER_SECONDS = 0.002
"""The time after which a batch of writes no longer waits for a worker that is busy with other requests."""

_STANDBY_WAIT = "SyncRepWaitForLSN"
"""The function of Postgres that warns when a commit stops waiting for a standby. The message can be in any language."""


class GeventConnection(psycopg.Connection[Any]):
    """A connection for a process that gevent has patched.

    A wait ends after `response_timeout`: when the network drops packets silently, or a proxy accepts them for a server
    that is gone, nothing else would end it. A statement whose result nobody needs any more is cancelled.

    So is one after `cancel_after`: no timeout of Postgres limits a commit that waits for a synchronous standby. When it
    is cancelled, it has been done and ends with a warning; then NotReplicated is raised.
    """

    response_timeout = 20.0
    """Seconds after which a wait for the server raises ServerTimeout and closes the connection."""
    cancel_after = math.inf
    """Seconds after which a statement is cancelled."""
    is_server_lost: Callable[[], bool] | None = None
    """Tells that the server is known to be gone, so that a wait raises ServerTimeout. Called in the event loop."""

    is_unneeded: Callable[[], bool] | None = None
    """Returns whether to cancel the statement. The connection is closed after it, because a cancel request that is late
    would hit the next statement. Called in the event loop: it must not wait."""

    _started = 0.0
    _is_cancelled = False
    _is_unreplicated = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_notice_handler(self._notice)

    def _notice(self, notice: psycopg.errors.Diagnostic) -> None:
        if notice.source_function == _STANDBY_WAIT:
            self._is_unreplicated = True

    @cached_property
    def _watchers(self) -> dict[Wait, tuple[Any, Ready]]:
        loop, socket = get_hub().loop, self.pgconn.socket
        return {
            Wait.R: (loop.io(socket, 1), Ready.R),
            Wait.W: (loop.io(socket, 2), Ready.W),
            Wait.RW: (loop.io(socket, 3), Ready.RW),
        }

    @cached_property
    def _timer(self) -> Any:
        return get_hub().loop.timer(CHECK_SECONDS, CHECK_SECONDS)

    def limit_waits(self, seconds: float, cancel_after: float = math.inf) -> None:
        """Set `response_timeout` and `cancel_after` for all further waits."""
        self.response_timeout, self.cancel_after = seconds, cancel_after

    def wait(self, gen: Generator[Wait, Ready | int, _T], interval: float = 0.0, timeout: float | None = None) -> _T:
        """Run a generator of psycopg to its end. Other greenlets run while it waits for the server."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        hub, timer = get_hub(), self._timer
        self._started = time.monotonic()
        timer.again(self._check, getcurrent())
        try:
            state = next(gen)
            while True:
                watcher, ready = self._watchers[state]
                hub.wait(watcher)
                state = gen.send(ready)
        except StopIteration as finished:
            if self._is_unreplicated:
                self._is_unreplicated = False
                raise NotReplicated from None
            return finished.value  # type: ignore[no-any-return]
        except ServerTimeout:
            self.close()
            raise
        finally:
            timer.stop()
            if self._is_cancelled:
                self.close()

    def _check(self, waiting: gevent.Greenlet) -> None:
        waited = time.monotonic() - self._started
        if waited >= self.response_timeout or (self.is_server_lost and self.is_server_lost()):
            waiting.throw(ServerTimeout)
        elif not self._is_cancelled and (
            waited >= self.cancel_after or (self.is_unneeded is not None and self.is_unneeded())
        ):
            self._is_cancelled = True
            gevent.spawn(self._cancel)

    def _cancel(self) -> None:
        with suppress(psycopg.Error):
            self.cancel_safe(timeout=CANCEL_SECONDS)


def gather() -> None:
    """Wait until the process has nothing else to do: all requests that have arrived are read. Takes at most 2 ms."""
    with gevent.Timeout(GATHER_SECONDS, False):
        gevent.idle()

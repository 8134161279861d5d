"""A timeout for clients that send nothing or read nothing.

The worker checks all waits once a second, which costs less than a timer for each of them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent
from gevent import get_hub

if TYPE_CHECKING:
    from types import TracebackType


class ClientTimeout(TimeoutError):
    """The client sent nothing, or read nothing, for too long."""


class ClientWait:
    """Context manager around each wait of the current greenlet for its client. Others can cancel the wait.

    A wait is in `active_waits` while it lasts; they are ordered by their beginning. `idle` is true if the client is
    between two requests, `must_end` if the connection is to be closed for others, `is_counted` unless it waits for
    events. `address` is that of the peer.
    """

    def __init__(self, active_waits: dict[ClientWait, None], address: str) -> None:
        self.address = address
        self._active_waits = active_waits
        self._greenlet = gevent.getcurrent()
        self._started = 0.0
        self.idle = self.must_end = False
        self.is_counted = True

    def __enter__(self) -> None:
        self._started = time.monotonic()
        self._active_waits[self] = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._active_waits[self]

    def elapsed(self) -> float:
        """Return the seconds since the wait began."""
        return time.monotonic() - self._started

    def cancel(self) -> None:
        """Raise ClientTimeout in the waiting greenlet, unless this wait has ended by then."""
        get_hub().loop.run_callback(self._cancel, self._started)

    def _cancel(self, started: float) -> None:
        if self in self._active_waits and self._started == started:
            self._greenlet.throw(ClientTimeout())

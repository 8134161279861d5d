"""How long a client may be silent. One look a second at all who wait costs less than a timer for each wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent
from gevent import get_hub

if TYPE_CHECKING:
    from types import TracebackType


class ClientTimeout(TimeoutError):
    """The client sent nothing, or read nothing, for too long."""


class Patience:
    """`with` it around each wait for a client that the current greenlet makes; the wait can then be ended from outside.

    `waiting` has all that wait. `idle` tells a wait for the next request from one amid a request or an answer.
    """

    def __init__(self, waiting: set[Patience]) -> None:
        self._waiting = waiting
        self._greenlet = gevent.getcurrent()
        self._since = 0.0
        self.idle = False

    def __enter__(self) -> None:
        self._since = time.monotonic()
        self._waiting.add(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.discard(self)

    def lasted(self) -> float:
        """How many seconds the wait has lasted."""
        return time.monotonic() - self._since

    def end(self) -> None:
        """Raise Silence in the wait, unless it is over by then."""
        get_hub().loop.run_callback(self._end, self._since)

    def _end(self, since: float) -> None:
        if self in self._waiting and self._since == since:
            self._greenlet.throw(ClientTimeout())

"""Shares: how many places of a limited resource its clients may take in all, and each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

from ticketsvc import background
from ticketsvc.problems import Unavailable

SLOW_SECONDS = 1.0
"""Nobody waits for places that have been taken for longer than this. Ordinary searches take milliseconds."""

MAX_WAITING = 64
"""Requests of a client that wait at the same time."""


class Client:
    """The client that work is done for. This one stands for work without a request: commands and background tasks."""

    name = ""
    position = ""
    """Up to where in the database's log the client must see all changes, in its words (`postgres.positions`)."""

    def has_left(self) -> bool:
        """Return whether nobody is there any more to receive the result."""
        return False


class Shares:
    """At most `total` places are taken at once, and at most `each` by one client.

    Requests wait for a place up to `timeout` seconds, in the order of their arrival, while places change hands fast.
    When slow work has taken them all, requests are refused at once. So the many clients behind one address disturb each
    other only if their work is slow.
    """

    def __init__(self, total: int, each: int, timeout: float, refusal: Callable[[], Unavailable]) -> None:
        self._total = total
        self._each = each
        self._timeout = timeout
        self._refusal = refusal
        self._lock = Lock()
        self._places: list[Place] = []
        self._waiting: list[_Waiting] = []

    def take(self, clients: Sequence[Client]) -> Place:
        """Take a place of any of the clients that share the work. Raises the refusal if none can have one."""
        names = {client.name for client in clients}
        with self._lock:
            if place := self._find(names):
                return place
            deadline = time.monotonic() + self._timeout
            waiting = _Waiting(names)
            if sum(other.names == names for other in self._waiting) < MAX_WAITING:
                self._waiting.append(waiting)
        while (seconds := min(deadline, self._slow_at(names)) - time.monotonic()) > 0 and waiting in self._waiting:
            waiting.called.acquire(timeout=seconds)
        with self._lock:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
        if waiting.place:
            return waiting.place
        raise self._refusal()

    def release(self, place: Place) -> None:
        """Give a place to the next request that waits for it, or make it free."""
        with self._lock:
            self._places.remove(place)
            for waiting in self._waiting:
                if found := self._find(waiting.names):
                    waiting.place = found
                    self._waiting.remove(waiting)
                    waiting.called.release()
                    return

    def release_later(self, place: Place, seconds: float) -> None:
        """Release a place after some time."""

        def release() -> None:
            time.sleep(seconds)
            self.release(place)

        background.run_in_background(release)

    def _find(self, names: set[str]) -> Place | None:
        if len(self._places) < self._total:
            for name in names:
                if sum(place.name == name for place in self._places) < self._each:
                    self._places.append(place := Place(name))
                    return place
        return None

    def _slow_at(self, names: set[str]) -> float:
        """Return when all places in the way will have been taken for long."""
        is_full = len(self._places) >= self._total
        taken = [place.since for place in self._places if is_full or place.name in names]
        return max(taken, default=time.monotonic()) + SLOW_SECONDS


class Place:
    """A place that a client has taken."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.since = time.monotonic()


class _Waiting:
    """A request that waits for a place. The lock is released when it has one."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.place: Place | None = None
        self.called = Lock()
        self.called.acquire()

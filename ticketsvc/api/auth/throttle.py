"""Limits on the rate of something, in the memory of each worker."""

from __future__ import annotations

import time
from collections.abc import Callable

from ticketsvc.api.auth.client_ip import site

SITE_FACTOR = 16
"""All clients of an IPv6 /48 together may do as much as this many clients."""
MAX_NAMES = 10_000


class Throttle:
    """The generic cell rate algorithm. Keeps for each name when all its attempts will be available again."""

    def __init__(self, burst: int, recovery_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `burst` attempts at once, and one more after each `recovery_seconds`."""
        self._recovery = recovery_seconds
        self._most_ahead = (burst - 1) * recovery_seconds
        self._clock = clock
        self._theoretical_arrival: dict[str, float] = {}

    def wait(self, name: str) -> float:
        """Return the seconds until the next attempt is allowed; 0 means now."""
        ahead = self._theoretical_arrival.get(name, 0.0) - self._clock()
        return max(0.0, ahead - self._most_ahead)

    def add(self, name: str) -> None:
        """Count an attempt. Beyond MAX_NAMES, forget the name whose last attempt was longest ago."""
        now = self._clock()
        arrival = max(now, self._theoretical_arrival.pop(name, now))
        self._theoretical_arrival[name] = arrival + self._recovery
        if len(self._theoretical_arrival) > MAX_NAMES:
            del self._theoretical_arrival[next(iter(self._theoretical_arrival))]


class ClientThrottle:
    """A throttle for each client, and a larger one for each IPv6 /48, whose owner can be 65,536 clients."""

    def __init__(self, burst: int, recovery_seconds: float) -> None:
        self._clients = Throttle(burst, recovery_seconds)
        self._sites = Throttle(burst * SITE_FACTOR, recovery_seconds / SITE_FACTOR)

    def wait(self, client: str) -> float:
        """Return the seconds until the client may try again; 0 means now."""
        return max(self._clients.wait(client), self.wait_for_site(client))

    def wait_for_site(self, client: str) -> float:
        """Return the seconds until the /48 of the client may try again; 0 if it has none."""
        name = site(client)
        return self._sites.wait(name) if name else 0.0

    def add(self, client: str) -> None:
        """Count an attempt."""
        self._clients.add(client)
        if name := site(client):
            self._sites.add(name)

"""A limit on failed authentication by address, in the memory of each worker."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST = 10
"""Failures that an address may have at once before it must wait."""
RECOVERY_SECONDS = 6.0
"""Seconds until one more attempt is allowed: ten per minute."""
MAX_ADDRESSES = 10_000


class FailureThrottle:
    """The generic cell rate algorithm. Keeps for each address when all its attempts will be available again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._theoretical_arrival: dict[str, float] = {}

    def wait(self, address: str) -> float:
        """Return the seconds until the address may try another key; 0 means now."""
        ahead = self._theoretical_arrival.get(address, 0.0) - self._clock()
        return max(0.0, ahead - (BURST - 1) * RECOVERY_SECONDS)

    def add(self, address: str) -> None:
        """Count a failure. Beyond MAX_ADDRESSES, forget the address that failed longest ago."""
        now = self._clock()
        arrival = max(now, self._theoretical_arrival.pop(address, now))
        self._theoretical_arrival[address] = arrival + RECOVERY_SECONDS
        if len(self._theoretical_arrival) > MAX_ADDRESSES:
            del self._theoretical_arrival[next(iter(self._theoretical_arrival))]

"""Failed attempts are slowed, by address, in the memory of each worker."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST = 10
"""Failed attempts that an address has before it must wait."""
RECOVERY_SECONDS = 6.0
"""After which one attempt comes back: ten a minute."""
ADDRESSES = 10_000
"""How many addresses are remembered."""


class FailureThrottle:
    """For each address the time at which all its attempts have come back (the generic cell rate algorithm)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._forgiven: dict[str, float] = {}

    def wait(self, address: str) -> float:
        """The seconds until the address may try another key; 0: now."""
        left = self._forgiven.get(address, 0.0) - self._clock()
        return max(0.0, left - (BURST - 1) * RECOVERY_SECONDS)

    def add(self, address: str) -> None:
        """Count one; the address that failed longest ago is forgotten when there are too many."""
        now = self._clock()
        self._forgiven[address] = max(now, self._forgiven.pop(address, now)) + RECOVERY_SECONDS
        if len(self._forgiven) > ADDRESSES:
            del self._forgiven[next(iter(self._forgiven))]

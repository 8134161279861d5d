"""A circuit breaker: stops calls to a service that keeps failing, and tries it again at intervals.

The pattern is Michael Nygard's (Release It!, "Circuit Breaker"). Each process has its own state.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)


class CircuitBreaker:
    """Closed at first; `threshold` consecutive failures open it; a success closes it. Thread-safe.

    While it is open, it allows one trial call every `cooldown` seconds (half-open). `cooldown` should exceed the
    longest call, so that only one trial runs at a time. `clock` returns monotonic seconds.
    """

    def __init__(
        self, *, threshold: int = 5, cooldown: float = 30.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._threshold = threshold
        self._cooldown = cooldown
        self._clock = clock
        self._failures = 0
        self._next_trial = 0.0
        self._lock = threading.Lock()

    def allows_call(self) -> bool:
        """Return whether a call is allowed now. If so, report its outcome with `succeeded`, `failed` or `trip`.

        The cooldown of the next trial starts at once, so a trial that never reports blocks nothing.
        """
        with self._lock:
            if self._failures < self._threshold:
                return True
            if self._clock() < self._next_trial:
                return False
            self._next_trial = self._clock() + self._cooldown
            return True

    def succeeded(self) -> None:
        """Report a success, which closes the breaker."""
        with self._lock:
            was_open = self._failures >= self._threshold
            self._failures = 0
        if was_open:
            logger.info("circuit breaker closed")

    def failed(self) -> None:
        """Report a failure. The breaker opens if it is the last of `threshold` consecutive ones."""
        self._fail(1)

    def trip(self) -> None:
        """Report a failure that every call would have, such as a rejected key. The breaker opens at once."""
        self._fail(self._threshold)

    def _fail(self, weight: int) -> None:
        with self._lock:
            was_open = self._failures >= self._threshold
            self._failures += weight
            self._next_trial = self._clock() + self._cooldown
            is_open = self._failures >= self._threshold
        if is_open and not was_open:
            logger.warning("circuit breaker opened: next trial in %.0f s", self._cooldown)

"""A circuit breaker: stop calling a service that keeps failing, and try it again now and then.

The pattern is Michael Nygard's (Release It!, "Circuit Breaker"). Each process keeps its own state.
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
    """Closed at first; `threshold` failures in a row open it; a success closes it. Safe between threads.

    While it is open, one call each `cooldown` seconds is let through as a trial (half-open). `cooldown`
    should exceed the longest call, so that only one trial runs at a time. `clock` gives monotonic seconds.
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
        """Whether the caller may call now. A caller told True reports what came of it.

        Allowing a trial puts off the next one at once, so a caller that dies without reporting blocks
        nothing.
        """
        with self._lock:
            if self._failures < self._threshold:
                return True
            if self._clock() < self._next_trial:
                return False
            self._next_trial = self._clock() + self._cooldown
            return True

    def succeeded(self) -> None:
        """Report a success: the breaker is closed from now on."""
        with self._lock:
            was_open = self._failures >= self._threshold
            self._failures = 0
        if was_open:
            logger.info("circuit breaker closed")

    def failed(self) -> None:
        """Report a failure, which opens the breaker if it makes `threshold` in a row."""
        self._fail(1)

    def trip(self) -> None:
        """Report a failure that the next call would meet as well, such as a refused key: opens at once."""
        self._fail(self._threshold)

    def _fail(self, weight: int) -> None:
        with self._lock:
            was_open = self._failures >= self._threshold
            self._failures += weight
            self._next_trial = self._clock() + self._cooldown
            is_open = self._failures >= self._threshold
        if is_open and not was_open:
            logger.warning("circuit breaker opened: next trial in %.0f s", self._cooldown)

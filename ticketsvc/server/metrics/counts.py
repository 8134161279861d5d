"""What this process counts.

One for each process, not one for each application: it is processes that Prometheus knows.
"""

from __future__ import annotations

import time
from bisect import bisect_left

from ticketsvc.server.metrics.catalogue import BOUNDS

Key = tuple[str, ...]
"""The name of a metric in the catalogue, and the values of its labels."""

UNMATCHED = "unmatched"
"""The route of a request for which there is none: its path is the caller's and may be any."""

_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class Counts:
    """Numbers that only grow. A histogram is its sum in seconds, then how many were in each bucket.

    Nothing here waits or locks: under gevent nobody else runs meanwhile, and with threads a count might be lost.
    """

    def __init__(self) -> None:
        self.started = time.time()
        self.counters: dict[Key, float] = {}
        self.histograms: dict[Key, list[float]] = {}

    def request(self, route: str | None, method: str, status: str, seconds: float) -> None:
        """An answer is ready: the rule of its route (None: none), its status as three digits."""
        route = route or UNMATCHED
        method = method if method in _METHODS else "other"
        self.add("http_requests_total", route, method, status)
        self.observe(seconds, "http_request_duration_seconds", route, method)

    def add(self, *key: str) -> None:
        """One more."""
        self.counters[key] = self.counters.get(key, 0) + 1

    def observe(self, seconds: float, *key: str) -> None:
        """Something took so long."""
        histogram = self.histograms.get(key)
        if histogram is None:
            histogram = self.histograms[key] = [0.0] * (len(BOUNDS) + 2)
        histogram[0] += seconds
        histogram[1 + bisect_left(BOUNDS, seconds)] += 1


COUNTS = Counts()

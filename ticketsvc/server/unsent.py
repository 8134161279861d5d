"""Responses that are being sent. Their memory is bounded: a client that reads nothing keeps its response there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketsvc.server.client_wait import ClientWait

LARGE_BYTES = 65_536
"""Smaller responses do not count."""

MAX_BYTES = 32_000_000
"""The size of all large responses that a worker is sending at the same time."""


class Unsent:
    """The large responses of a worker, the oldest first.

    When they exceed MAX_BYTES, the client with the largest share loses its oldest one: its connection is closed.
    """

    def __init__(self) -> None:
        self._responses: dict[ClientWait, int] = {}

    @contextmanager
    def sending(self, wait: ClientWait, size: int) -> Iterator[None]:
        """Count a response of `size` bytes to the client of a connection during the block."""
        self._responses[wait] = size
        while sum(self._responses.values()) > MAX_BYTES:
            self._end_oldest()
        try:
            yield
        finally:
            self._responses.pop(wait, None)

    def _end_oldest(self) -> None:
        shares: Counter[str] = Counter()
        for wait, size in self._responses.items():
            shares[wait.address] += size
        largest = max(shares, key=shares.__getitem__)
        oldest = next(wait for wait in self._responses if wait.address == largest)
        del self._responses[oldest]
        oldest.cancel()


unsent = Unsent()

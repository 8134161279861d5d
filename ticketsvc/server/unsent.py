"""Responses that are being sent. Their memory is bounded: a client that reads nothing keeps its response there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
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
        self._responses: dict[ClientWait, tuple[Hashable, int]] = {}

    @contextmanager
    def sending(self, wait: ClientWait, address: Hashable, size: int) -> Iterator[None]:
        """Count a response of `size` bytes to the client at `address` during the block."""
        self._responses[wait] = address, size
        while sum(size for _, size in self._responses.values()) > MAX_BYTES:
            self._end_oldest()
        try:
            yield
        finally:
            self._responses.pop(wait, None)

    def _end_oldest(self) -> None:
        shares: Counter[Hashable] = Counter()
        for address, size in self._responses.values():
            shares[address] += size
        largest = max(shares, key=shares.__getitem__)
        oldest = next(wait for wait, (address, _) in self._responses.items() if address == largest)
        del self._responses[oldest]
        oldest.cancel()


unsent = Unsent()

"""The open connections of a worker: new clients find room, and no client takes all of it."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketsvc.server.client_wait import ClientWait

CROWDED_SHARE = 0.9
"""Above this share of `worker_connections`, connections that wait for their client are ended for new ones."""
CLIENT_SHARE = 0.5
"""The share of `worker_connections` that one client may have; a trusted proxy may have all."""


_TCP_INFO = getattr(socket, "TCP_INFO", None)  # Linux has it
_ESTABLISHED = 1


def has_left(connection: Any) -> bool:
    """Return whether a client closed its connection, or its sending half: who waits for a response does not.

    The state of the connection tells this even if bytes of a next request are unread. Elsewhere than on Linux, no
    client is known to have left.
    """
    if _TCP_INFO is None:
        return False
    try:
        return bool(connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, 1)[0] != _ESTABLISHED)
    except OSError:
        return True


class Connections:
    """Counts the connections, and ends those that have waited longest for their client when there are too many.

    `waits` has the waits for clients in progress, the longest first. `is_proxy` tells whether an address is that of a
    trusted proxy, whose connections belong to many clients.
    """

    def __init__(self, limit: int, is_proxy: Callable[[str], bool]) -> None:
        self.waits: dict[ClientWait, None] = {}
        self._crowd = int(limit * CROWDED_SHARE)
        self._share = int(limit * CLIENT_SHARE)
        self._is_proxy = is_proxy
        self._total = 0
        self._by_client: Counter[str] = Counter()

    @property
    def are_crowded(self) -> bool:
        """Return whether connections should be closed after their response."""
        return self._total >= self._crowd

    def add(self, wait: ClientWait) -> bool:
        """Count a new connection, and make room for it. Returns whether it may be served."""
        self._count(wait, 1)
        client = client_network(wait.address)
        while self._by_client[client] > self._share and not self._is_proxy(wait.address):
            if not self._end_longest_wait(client):
                return False
        while self._total > self._crowd and self._end_longest_wait():
            pass
        return True

    def remove(self, wait: ClientWait) -> None:
        """Uncount a connection that has been closed."""
        if not wait.must_end:
            self._count(wait, -1)

    @contextmanager
    def uncounted(self, wait: ClientWait) -> Iterator[None]:
        """Do not count a connection during the block: those that wait for events have a limit of their own."""
        self._count(wait, -1)
        wait.is_counted = False
        try:
            yield
        finally:
            wait.is_counted = True
            self._count(wait, 1)

    def _count(self, wait: ClientWait, change: int) -> None:
        self._total += change
        client = client_network(wait.address)
        self._by_client[client] += change
        if not self._by_client[client]:
            del self._by_client[client]

    def _end_longest_wait(self, client: str | None = None) -> bool:
        """End a connection, of this client if one is given: an idle one, or else one in the middle of a request.

        It no longer counts, although its greenlet closes it a moment later. Returns false if there is none.
        """
        waits = [
            wait
            for wait in self.waits
            if wait.is_counted and not wait.must_end and (client is None or client_network(wait.address) == client)
        ]
        if not waits:
            return False
        wait = next((wait for wait in waits if wait.idle), waits[0])
        self._count(wait, -1)
        wait.must_end = True
        wait.cancel()
        return True


@lru_cache(4096)
def client_network(address: str) -> str:
    """Return what counts as one client: an IPv4 address or an IPv6 /64, all of which one client can have."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return address

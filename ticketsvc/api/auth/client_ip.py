"""The IP address of the client. gunicorn sets REMOTE_ADDR to the peer, which may be a proxy."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_WITH_PORT = re.compile(r"\[([^]]*)](?::\d+)?|([^:]*):\d+")
"""[2001:db8::1]:4711, [2001:db8::1] and 192.0.2.1:4711, which some proxies write."""


class TrustedProxies:
    """The proxies whose X-Forwarded-For is trusted. Each appends the address of its own peer."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._trust_all = "*" in trusted
        self._networks = [ip_network(network) for network in trusted if network != "*"]
        self._trusts = lru_cache(4096)(self._is_trusted)

    def client_ip(self, environ: WSGIEnvironment) -> str:
        """Return the nearest address that is not a trusted proxy. For IPv6, return its /64: one client can have it all.

        If all peers are trusted (*), return the address that the peer appended. If a proxy appended something else than
        an address, return that of the proxy.
        """
        address = environ.get("REMOTE_ADDR", "")
        forwarded = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        while forwarded and self._trusts(address) and _parse(forwarded[-1]):
            address = forwarded.pop()
            if self._trust_all:
                break
        return _client_network(address)

    def _is_trusted(self, address: str) -> bool:
        if self._trust_all or not address:  # a Unix socket has no address
            return True
        parsed = _parse(address)
        return any(parsed in network for network in self._networks)


@lru_cache(4096)
def site(client: str) -> str | None:
    """Return the /48 of a client that `client_ip` or `clients.name` named by its /64; None for others."""
    try:
        network = ip_network(client.removeprefix("address "))
    except ValueError:
        return None
    return str(network.supernet(new_prefix=48)) if network.version == 6 else None


@lru_cache(4096)
def _client_network(address: str) -> str:
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed or "unknown")


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address, without its port. One that an IPv4 address owns (mapped, 6to4) is that IPv4 address."""
    if match := _WITH_PORT.fullmatch(text):
        text = match[1] or match[2]
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        return parsed.ipv4_mapped or parsed.sixtofour or parsed
    return parsed

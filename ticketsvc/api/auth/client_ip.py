"""The IP address of the client. gunicorn sets REMOTE_ADDR to the peer, which may be a proxy."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class TrustedProxies:
    """The proxies whose X-Forwarded-For is trusted. Each appends the address of its own peer."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._trust_all = "*" in trusted
        self._networks = [ip_network(network) for network in trusted if network != "*"]
        self._trusts = lru_cache(4096)(self._is_trusted)

    def client_ip(self, environ: WSGIEnvironment) -> str:
        """Return the nearest address that is not a trusted proxy. For IPv6, return its /64: one client can have it all.

        If all peers are trusted (*), return the address that the peer appended.
        """
        address = environ.get("REMOTE_ADDR", "")
        forwarded = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        while forwarded and self._trusts(address):
            address = forwarded.pop()
            if self._trust_all:
                break
        return _client_network(address)

    def _is_trusted(self, address: str) -> bool:
        if self._trust_all or not address:  # a Unix socket has no address
            return True
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


@lru_cache(4096)
def _client_network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)

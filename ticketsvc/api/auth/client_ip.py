"""Where a call comes from. gunicorn leaves REMOTE_ADDR to be the peer, which behind a proxy is the proxy."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class TrustedProxies:
    """The proxies whose X-Forwarded-For counts: each appends the address that it was called from."""

    def __init__(self, trusted: tuple[str, ...]) -> None:
        self._everyone = "*" in trusted
        self._networks = [ip_network(network) for network in trusted if network != "*"]
        self._trusts = lru_cache(4096)(self._is_trusted)

    def caller(self, environ: WSGIEnvironment) -> str:
        """The nearest address that no trusted proxy has; of IPv6 the network of 64 bits, which one customer has.

        Where every peer is trusted (*), what the peer itself appended is the address.
        """
        address = environ.get("REMOTE_ADDR", "")
        forwarded = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
        while forwarded and self._trusts(address):
            address = forwarded.pop()
            if self._everyone:
                break
        return _customer(address)

    def _is_trusted(self, address: str) -> bool:
        if self._everyone or not address:  # a Unix socket has no address
            return True
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


@lru_cache(4096)
def _customer(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)

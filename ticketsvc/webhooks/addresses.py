"""Tell public addresses from others. The address of a connection decides: names and spellings of addresses can mislead.

The rules are our own as far as `ipaddress` differs between patch releases of Python, or calls global what leads inside.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC = (
    ip_network("192.0.0.0/24"),  # protocol assignments, such as of a 464XLAT
    ip_network("192.88.99.0/24"),  # 6to4 relays
    ip_network("2001::/23"),  # Teredo and others that contain IPv4 addresses
    ip_network("2002::/16"),  # 6to4
    ip_network("3fff::/20"),  # documentation
)


class Endpoint(NamedTuple):
    """An address to connect to: the arguments of a socket, and its address in the form of the family."""

    family: socket.AddressFamily
    type: socket.SocketKind
    protocol: int
    address: tuple[Any, ...]

    @property
    def is_public(self) -> bool:
        """Return whether the address is on the internet."""
        return is_public(ip_address(str(self.address[0]).partition("%")[0]))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one on the internet of a single host."""
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOT_PUBLIC)


def resolve(host: str, port: int, flags: int = 0) -> list[Endpoint]:
    """Return the addresses of a host. Raises OSError when there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError:  # an empty label, or one that is too long
        raise socket.gaierror("no such host") from None
    return [Endpoint(family, kind, protocol, address) for family, kind, protocol, _, address in found]

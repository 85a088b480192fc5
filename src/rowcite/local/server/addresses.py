"""Which hosts a request may name, and which addresses the server calls for a client."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

PRIVATE = "the address is private, and the server was started without --private-addresses"
_NAT64 = IPv6Network("64:ff9b::/96")


def is_loopback(host: str) -> bool:
    """Return True if a host, with or without a port, is this machine by name or address."""
    try:
        name = host if host.count(":") > 1 and "[" not in host else urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def is_private(address: str) -> bool:
    """Return True unless an IP address is one of the public internet, also if IPv6 has an IPv4 address inside."""
    found: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        found = inner or found
    return not found.is_global or found.is_multicast


def names_private(url: str) -> bool:
    """Return True if a URL has a private address or the name of this machine. Other names are not looked up."""
    host = urlsplit(url).hostname or ""
    try:
        return is_private(host)
    except ValueError:
        return is_loopback(host)


def resolves_to_private(url: str) -> bool:
    """Return True if an address of a URL's host is private; False if the host is not found."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return any(is_private(str(address[0])) for *_, address in found)

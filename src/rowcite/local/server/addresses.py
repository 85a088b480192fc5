"""Which hosts a request may name, and which addresses the server calls for a client."""

from __future__ import annotations

import re
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

PRIVATE = "the address is private, and the server was started without --private-addresses"
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::[0-9]{1,5})?")
_WITH_IPV4 = tuple(
    map(
        IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/96", "::/96", "::ffff:0:0:0/96")
    )  # NAT64, compatible, translated
)


def is_loopback(host: str) -> bool:
    """Return True if a host, with or without a port, is this machine by name or address, and nothing else is in it."""
    found = _HOST.fullmatch(host.lower())
    name = found[1] or found[2] if found else host
    try:
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def is_private(address: str) -> bool:
    """Return True unless an IP address is one of the public internet, also if IPv6 has an IPv4 address inside."""
    found: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if any(found in network for network in _WITH_IPV4):
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if found.is_site_local:
            return True
        found = inner or found
    return not found.is_global or found.is_multicast


def names_private(url: str) -> bool:
    """Return True if a URL has a private address or the name of this machine. Other names are not looked up."""
    host = urlsplit(url).hostname or ""
    try:
        return is_private(host)
    except ValueError:
        return is_loopback(host)


def addresses_of(url: str) -> list[str]:
    """Return the IP addresses of a URL's host; none if the host is not found."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]

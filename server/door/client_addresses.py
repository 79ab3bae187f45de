"""The addresses of clients: their one form, and how they are counted."""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UNKNOWN = "unknown"
IPV6_NETWORK_BITS = 64
"""What one household or host is given: whoever has one address of it has them all."""


def normal_address(text: str) -> str:
    """An address in its one form (an IPv4 address inside an IPv6 one is itself), or `UNKNOWN`."""
    parsed = _parse(text)
    return UNKNOWN if parsed is None else str(parsed)


def neighbourhood(address: str) -> str:
    """What stands for an address where people are counted: an IPv6 address counts as its /64."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, IPV6_NETWORK_BITS), strict=False))
    return address


def is_within(address: str, networks: Sequence[Network]) -> bool:
    """Is this address in one of these networks?"""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in networks)


def is_loopback(address: str) -> bool:
    """Is this address one of this machine alone?"""
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, ipaddress.IPv6Address) else parsed

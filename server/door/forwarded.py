"""Who asks, and under which name we are asked: said by the connection, or by the proxies before us that we believe.

Only what comes from a trusted proxy counts (`USHER_TRUSTED_PROXIES`); from anybody else these headers are ignored.
Source: RFC 7239 (`Forwarded`), and the custom of proxies for `X-Forwarded-For`, `-Proto` and `-Host`.
"""

import logging
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from server.door.client_addresses import UNKNOWN, Network, is_loopback, is_within, normal_address
from server.services import services

HOPS_MAX = 20

_PAIR = re.compile(r'\s*([!#$%&\'*+.^_`|~\w-]+)=("(?:[^"\\]|\\.)*"|[^\s";,]*)\s*', re.ASCII)
_PORT = re.compile(r":\d{1,5}$", re.ASCII)

log = logging.getLogger(__name__)


class AskedBy(NamedTuple):
    """Who asks (an address in its one form, or "unknown"), and the scheme and host as the client wrote them."""

    address: str
    scheme: str
    host: str


class _Hop(NamedTuple):
    """What one proxy says about the request that it was sent."""

    address: str
    scheme: str
    host: str


_ASKED_BY: Final = web.RequestKey("asked_by", AskedBy)
_warned: set[str] = set()


def asked_by(request: web.Request) -> AskedBy:
    """Who sent this request, and to which address of ours."""
    if _ASKED_BY not in request:
        request[_ASKED_BY] = _asked_by(request, services(request).settings.door.trusted_proxies)
    return request[_ASKED_BY]


def _asked_by(request: web.Request, trusted: Sequence[Network]) -> AskedBy:
    peer = normal_address(request.remote or "")
    # Not `request.host`: without the header it asks the resolver for the name of this machine.
    direct = AskedBy(peer, request.scheme, request.headers.get(hdrs.HOST, ""))
    if not is_within(peer, trusted):
        _warn_of_unknown_proxy(request, peer)
        return direct
    by_custom, by_standard = _custom_hops(request, peer), _standard_hops(request)
    if by_custom and by_standard and _client(by_custom, trusted).address != _client(by_standard, trusted).address:
        # A proxy writes the one and passes on what the client wrote into the other: which, nobody can tell.
        return direct
    hops = by_custom or by_standard
    if not hops:
        return direct
    client = _client(hops, trusted)
    return AskedBy(
        peer if client.address == UNKNOWN else client.address,
        client.scheme if client.scheme in ("http", "https") else direct.scheme,
        client.host or direct.host,
    )


def _client(hops: Sequence[_Hop], trusted: Sequence[Network]) -> _Hop:
    """The last hop that is no proxy of ours: what stands before it, the client itself may have written."""
    for hop in reversed(hops[1:]):
        if not is_within(hop.address, trusted):
            return hop
    return hops[0]


def _custom_hops(request: web.Request, peer: str) -> list[_Hop]:
    """The hops of `X-Forwarded-*`. Scheme and host stand for each hop or, as most proxies do it, once for all."""
    addresses = _listed(request, hdrs.X_FORWARDED_FOR)
    schemes, hosts = _listed(request, hdrs.X_FORWARDED_PROTO), _listed(request, hdrs.X_FORWARDED_HOST)
    if schemes or hosts:
        addresses = addresses or [peer]
    return [
        _Hop(_address(text), _at(schemes, index, len(addresses)).lower(), _at(hosts, index, len(addresses)))
        for index, text in enumerate(addresses)
    ]


def _at(values: Sequence[str], index: int, count: int) -> str:
    if not values:
        return ""
    return values[index] if len(values) == count else values[-1]


def _listed(request: web.Request, name: str) -> list[str]:
    parts = ",".join(request.headers.getall(name, ())).rsplit(",", HOPS_MAX)[-HOPS_MAX:]
    return [part.strip() for part in parts if part.strip()]


def _standard_hops(request: web.Request) -> list[_Hop]:
    """The hops of `Forwarded`; none, when it cannot be read."""
    text, at, hops = ",".join(request.headers.getall(hdrs.FORWARDED, ())), 0, [dict[str, str]()]
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None or text[pair.end() : pair.end() + 1] not in ("", ",", ";"):
            return []
        hops[-1][pair[1].lower()] = re.sub(r"\\(.)", r"\1", pair[2].strip('"'))
        at = pair.end() + 1
        if text[pair.end() : at] == ",":
            hops.append({})
    return [
        _Hop(_address(hop.get("for", "")), hop.get("proto", "").lower(), hop.get("host", ""))
        for hop in hops[-HOPS_MAX:]
        if hop
    ]


def _address(text: str) -> str:
    """The address of `192.0.2.43`, `192.0.2.43:47011`, `2001:db8::1` and `[2001:db8::1]:4711`."""
    if text.startswith("[") or text.count(":") == 1:
        text = _PORT.sub("", text).removeprefix("[").removesuffix("]")
    return normal_address(text)


def _warn_of_unknown_proxy(request: web.Request, peer: str) -> None:
    """Once: an operator whose proxy is not believed has all customers under one address."""
    if not _warned and hdrs.X_FORWARDED_FOR in request.headers and is_loopback(peer):
        _warned.add(peer)
        log.warning("the proxy at %s is not in USHER_TRUSTED_PROXIES: whoever comes by it has its address", peer)

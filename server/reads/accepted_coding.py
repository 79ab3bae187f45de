"""Which content coding a client wants: gzip or none. Source: RFC 9110, 12.5.3."""

import re
from functools import lru_cache

from aiohttp import hdrs, web

_WEIGHT = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII | re.IGNORECASE)
_GZIP = ("gzip", "x-gzip")


def accepts_gzip(request: web.Request) -> bool:
    """Does the client take gzip, and like it no less than what is not packed?"""
    return wants_gzip(",".join(request.headers.getall(hdrs.ACCEPT_ENCODING, ())))


@lru_cache(maxsize=256)
def wants_gzip(accept_encoding: str) -> bool:
    """As `accepts_gzip`, from the header's value. A weight that makes no sense counts as 0."""
    weights: dict[str, float] = {}
    for one in accept_encoding.split(","):
        coding, _, parameter = (part.strip() for part in one.partition(";"))
        if coding:
            weights.setdefault(coding.lower(), _weight(parameter))
    anything = weights.get("*", 0.0)
    gzip = next((weights[name] for name in _GZIP if name in weights), anything)
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    found = _WEIGHT.fullmatch(parameter)
    return float(found[1]) if found else 0.0

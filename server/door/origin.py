"""From which page a request comes: the Origin rule, CORS for one other page, and our own name.

Source: rest-contract (Origin rule) and the Fetch standard (CORS protocol).
"""

import re

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.door.forwarded import asked_by
from server.rest.envelope import Refused
from server.services import services

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_HEADER = "X-Session-Id"
PREFLIGHT_DURATION_S = 600

_ORIGIN = re.compile(r"(https?)://([\w.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)
_USUAL_PORTS = {"http": ("", "80"), "https": ("", "443")}
_ALLOWED = (hdrs.CONTENT_TYPE, "Idempotency-Key", hdrs.IF_NONE_MATCH, "X-Request-Id", SESSION_HEADER)
_CORS_ALLOWED = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: ", ".join(_ALLOWED),
    hdrs.ACCESS_CONTROL_MAX_AGE: str(PREFLIGHT_DURATION_S),
}


def is_foreign(request: web.Request) -> bool:
    """Does this request come from a page that is neither ours nor `CORS_ORIGIN`'s?

    Without an Origin, `Sec-Fetch-Site` tells; with neither it is no browser, and not foreign. For sockets too.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
    own = own_origin(request)
    is_own = own is not None and _normal(origin) == own
    return not is_own and not is_allowed_other(request, origin)


def own_origin(request: web.Request) -> str | None:
    """The origin that browsers know us by: as set, or else the one under which this request was sent.

    None: its Host header makes no sense.
    """
    by = asked_by(request)
    return services(request).settings.public_origin or _normal(f"{by.scheme}://{by.host}")


def is_under_tls(request: web.Request) -> bool:
    """Does the browser speak TLS, be it to us or to a proxy?"""
    public_origin = services(request).settings.public_origin
    return (asked_by(request).scheme if public_origin is None else public_origin.partition(":")[0]) == "https"


def is_allowed_other(request: web.Request, origin: str) -> bool:
    """Is this the origin of the one other page that may use the API?"""
    return _normal(origin) == services(request).settings.cors_origin


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses unsafe requests from foreign pages, and answers the preflights of `CORS_ORIGIN`."""
    if request.method not in SAFE_METHODS and is_foreign(request):
        raise Refused(403, "This request comes from another site", "bad_origin")
    if _is_preflight(request):
        return web.Response(status=204, headers=_CORS_ALLOWED)
    return await handler(request)


def _is_preflight(request: web.Request) -> bool:
    origin = request.headers.get(hdrs.ORIGIN)
    return (
        request.method == hdrs.METH_OPTIONS
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        and origin is not None
        and is_allowed_other(request, origin)
    )


def _normal(origin: str) -> str | None:
    """An origin in its one form (lower case, no usual port), or None for what is no origin (`null` too)."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return None
    scheme, host, port = (part.lower() for part in found.groups(""))
    return f"{scheme}://{host}" if port in _USUAL_PORTS[scheme] else f"{scheme}://{host}:{port}"

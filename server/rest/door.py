"""The door: who may come in, from which page, and what every answer says to browsers.

Source: rest-contract (Origin rule, session cookie) and the Fetch standard (CORS protocol).
"""

import re
from datetime import datetime
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from protocol.limits import SESSION_DURATION_S
from server.rest.envelope import Refused
from server.services import services
from server.session_cache import Session

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_HEADER = "X-Session-Id"
PREFLIGHT_DURATION_S = 600

_COOKIE = "session"
_COOKIE_TLS = "__Host-session"
_SESSION: Final = web.RequestKey("session", Session)
_HAS_DEAD_COOKIE: Final = web.RequestKey("has_dead_cookie", bool)

_ORIGIN = re.compile(r"(https?)://([\w.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?", re.ASCII | re.IGNORECASE)
_USUAL_PORTS = {"http": ("", "80"), "https": ("", "443")}
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; {connect}; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_CORS_ALLOWED = {
    hdrs.ACCESS_CONTROL_ALLOW_METHODS: "GET, POST, PUT, PATCH, DELETE",
    hdrs.ACCESS_CONTROL_ALLOW_HEADERS: f"Content-Type, Idempotency-Key, {SESSION_HEADER}",
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
    return not is_own and not _is_allowed_other(request, origin)


def own_origin(request: web.Request) -> str | None:
    """The origin that browsers know us by: as set, which it must be behind a proxy that speaks TLS for us.

    Where it is not set, it is the one under which this request reached us; None: its Host header makes no sense.
    """
    return services(request).settings.public_origin or _normal(f"{request.scheme}://{request.host}")


@web.middleware
async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses unsafe requests from foreign pages, and answers the preflights of `CORS_ORIGIN`."""
    if request.method not in SAFE_METHODS and is_foreign(request):
        raise Refused(403, "This request comes from another site", "bad_origin")
    if _is_preflight(request):
        return web.Response(status=204, headers=_CORS_ALLOWED)
    return await handler(request)


async def prepare_response(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer carries; a signal handler for `on_response_prepare`. A handler's own headers win.

    A browser cannot read the cookie of a dead session, and would show it for ever: it is told to forget it.
    """
    headers = response.headers
    if request.get(_HAS_DEAD_COOKIE) and _cookie_name(request) not in response.cookies:
        clear_cookie(request, response)
        # The cookies of a response were written to its headers just before this signal.
        headers.add(hdrs.SET_COOKIE, response.cookies[_cookie_name(request)].OutputString())
    headers[hdrs.SERVER] = "usher"
    for name, value in _SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", _policy(request))
    if request.path.startswith("/api/"):
        headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    headers.add(hdrs.VARY, hdrs.ORIGIN)
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is not None and _is_allowed_other(request, origin):
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = hdrs.RETRY_AFTER


def session_id(request: web.Request) -> str | None:
    """The session id that this request shows, whatever it is worth: the cookie's, else the header's."""
    return request.cookies.get(_cookie_name(request)) or request.headers.get(SESSION_HEADER) or None


async def find_session(request: web.Request) -> Session | None:
    """The live session of this request, or None."""
    if _SESSION not in request:
        shown = session_id(request)
        found = await services(request).sessions.find(shown) if shown is not None else None
        if found is None:
            request[_HAS_DEAD_COOKIE] = _cookie_name(request) in request.cookies
            return None
        request[_SESSION] = found
    return request[_SESSION]


async def customer(request: web.Request) -> Session:
    """The live session of this request.

    Raises:
        Refused: 401, when there is none or it is dead.
    """
    found = await find_session(request)
    if found is not None:
        return found
    if session_id(request) is None:
        raise Refused(401, "Authentication required", "not_signed_in")
    raise Refused(401, "Invalid or expired session", "session_ended")


async def admin(request: web.Request) -> Session:
    """The live session of an admin.

    Raises:
        Refused: 401 as `customer`; 403, when it is somebody else's.
    """
    session = await customer(request)
    if session.role != "admin":
        raise Refused(403, "Admin access required", "not_admin")
    return session


def set_cookie(request: web.Request, response: web.StreamResponse, session: str, expires_at: datetime) -> None:
    """Have the browser keep the session's id until `expires_at`."""
    response.set_cookie(
        _cookie_name(request),
        session,
        max_age=SESSION_DURATION_S,
        expires=expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        path="/",
        httponly=True,
        samesite="Lax",
        secure=_is_under_tls(request),
    )


def clear_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser forget the session's id."""
    name = _cookie_name(request)
    response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=_is_under_tls(request))


def _is_allowed_other(request: web.Request, origin: str) -> bool:
    return _normal(origin) == services(request).settings.cors_origin


def _is_preflight(request: web.Request) -> bool:
    origin = request.headers.get(hdrs.ORIGIN)
    return (
        request.method == hdrs.METH_OPTIONS
        and hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        and origin is not None
        and _is_allowed_other(request, origin)
    )


def _cookie_name(request: web.Request) -> str:
    return _COOKIE_TLS if _is_under_tls(request) else _COOKIE


def _is_under_tls(request: web.Request) -> bool:
    public_origin = services(request).settings.public_origin
    return request.secure if public_origin is None else public_origin.startswith("https:")


def _policy(request: web.Request) -> str:
    """`'self'` does not cover WebSockets in every browser in use, so our own socket is named."""
    own = own_origin(request)
    socket = f" {own.replace('http', 'ws', 1)}" if own is not None else ""
    return _CONTENT_SECURITY_POLICY.format(connect=f"connect-src 'self'{socket}")


def _normal(origin: str) -> str | None:
    """An origin in its one form (lower case, no usual port), or None for what is no origin (`null` too)."""
    found = _ORIGIN.fullmatch(origin)
    if found is None:
        return None
    scheme, host, port = (part.lower() for part in found.groups(""))
    return f"{scheme}://{host}" if port in _USUAL_PORTS[scheme] else f"{scheme}://{host}:{port}"

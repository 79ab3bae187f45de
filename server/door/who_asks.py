"""The door: who comes in. The session of a request, by its cookie or header, and the cookie itself."""

from datetime import datetime
from typing import Final

from aiohttp import hdrs, web

from protocol.limits import SESSION_DURATION_S
from server.door.origin import SESSION_HEADER, is_under_tls
from server.people.session_cache import Session
from server.rest.envelope import Refused
from server.services import services

_COOKIE = "session"
_COOKIE_TLS = "__Host-session"
_SESSION: Final = web.RequestKey("session", Session)
_HAS_DEAD_COOKIE: Final = web.RequestKey("has_dead_cookie", bool)


def session_id(request: web.Request) -> str | None:
    """The session id that this request shows, whatever it is worth: the cookie's, else the header's."""
    return request.cookies.get(_cookie_name(request)) or request.headers.get(SESSION_HEADER) or None


async def find_session(request: web.Request) -> Session | None:
    """The live session of this request, or None."""
    if _SESSION in request:
        return request[_SESSION]
    if _HAS_DEAD_COOKIE in request:
        return None
    shown = session_id(request)
    found = await services(request).sessions.find(shown) if shown is not None else None
    if found is None:
        request[_HAS_DEAD_COOKIE] = _cookie_name(request) in request.cookies
    else:
        request[_SESSION] = found
        services(request).hub.saw(str(found.customer_id))
    return found


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
        secure=is_under_tls(request),
    )


def clear_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Have the browser forget the session's id."""
    name = _cookie_name(request)
    response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=is_under_tls(request))


def forget_dead_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """A browser cannot read the cookie of a dead session, and would show it for ever: tell it to forget it.

    For answers that are just about to leave.
    """
    if request.get(_HAS_DEAD_COOKIE) and _cookie_name(request) not in response.cookies:
        clear_cookie(request, response)
        # The cookies of a response are written to its headers before its last signal.
        response.headers.add(hdrs.SET_COOKIE, response.cookies[_cookie_name(request)].OutputString())


def _cookie_name(request: web.Request) -> str:
    return _COOKIE_TLS if is_under_tls(request) else _COOKIE

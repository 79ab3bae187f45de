"""What every answer says to browsers: what may be with it, who may read it, and which cookie is to be forgotten."""

from aiohttp import hdrs, web

from server.door.origin import is_allowed_other, is_under_tls, own_origin
from server.door.paced import RATE_HEADERS, rate_headers
from server.door.who_asks import forget_dead_cookie

HSTS_DURATION_S = 365 * 24 * 3600

FIXED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
"""Those that are the same on every answer, also on those to what was no request."""

NOTHING_ALLOWED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The policy of an answer to what was no request."""

_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; {connect}; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_EXPOSED = ", ".join((hdrs.RETRY_AFTER, hdrs.ETAG, "X-Request-Id", *RATE_HEADERS))


async def prepare_response(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer carries; a signal handler for `on_response_prepare`. A handler's own headers win."""
    headers = response.headers
    if not _is_for_everybody(response):
        forget_dead_cookie(request, response)
        headers.update(rate_headers(request))
    headers[hdrs.SERVER] = "usher"
    for name, value in FIXED_HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Content-Security-Policy", _policy(request))
    if is_under_tls(request):
        headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_DURATION_S}")
    if request.path.startswith("/api/"):
        headers.setdefault(hdrs.CACHE_CONTROL, "no-store")
    headers.add(hdrs.VARY, hdrs.ORIGIN)
    origin = request.headers.get(hdrs.ORIGIN)
    is_for_other = origin is not None and is_allowed_other(request, origin)
    headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin" if is_for_other else "same-origin")
    if is_for_other and origin is not None:
        headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = origin
        headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"
        headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = _EXPOSED


def _is_for_everybody(response: web.StreamResponse) -> bool:
    """May a cache on the way keep it? Then it says nothing of who asked: others would be told, too."""
    return "no-store" not in response.headers.get(hdrs.CACHE_CONTROL, "no-store")


def _policy(request: web.Request) -> str:
    """`'self'` does not cover WebSockets in every browser in use, so our own socket is named."""
    own = own_origin(request)
    socket = f" {own.replace('http', 'ws', 1)}" if own is not None else ""
    return _CONTENT_SECURITY_POLICY.format(connect=f"connect-src 'self'{socket}")

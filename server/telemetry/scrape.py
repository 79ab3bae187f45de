"""`/metrics`, as Prometheus reads it. Not open to the world."""

import secrets

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from server.door.this_machine import is_at_this_machine
from server.rest.envelope import Refused
from server.services import services

routes = web.RouteTableDef()


@routes.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """All metrics, to a peer on this machine or one who has the token; for all others there is no such page."""
    if not is_at_this_machine(request) and not _has_token(request):
        raise Refused(404, "Not found", "not_found")
    text = generate_latest(services(request).metrics.registry)
    headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST, hdrs.CACHE_CONTROL: "no-store"}
    return web.Response(body=text, headers=headers)


def _has_token(request: web.Request) -> bool:
    token = services(request).settings.metrics_token
    scheme, _, shown = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if token is None or scheme.lower() != "bearer":
        return False
    # A header may hold bytes that are no text.
    return secrets.compare_digest(shown.strip().encode("utf-8", "surrogateescape"), token.encode())

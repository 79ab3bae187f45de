"""What a browser loads: the application's files, the page for every route of it, and the seat maps."""

import os
import re
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.reads.accepted_coding import accepts_gzip
from server.reads.packed_maps import PackedMaps
from server.reads.revalidation import PACKED_BYTES_MIN
from server.rest.envelope import Refused
from server.services import SERVICES

STATIC_FOLDER = Path(__file__).resolve().parent.parent / "static"

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_FOR_EVER = "public, max-age=31536000, immutable"
_NO_PAGES = ("/api/", "/ws/", "/static/", "/maps/")

_MAPS = web.AppKey("maps", PackedMaps)

routes = web.RouteTableDef()


@routes.get("/")
@routes.get("/events")
@routes.get("/events/{event_id}")
@routes.get("/login")
@routes.get("/register")
@routes.get("/forgot-password")
@routes.get("/orders")
@routes.get("/orders/{order_id}")
async def page(_request: web.Request) -> web.StreamResponse:
    """The application: it reads its own route from the address."""
    return web.FileResponse(STATIC_FOLDER / "index.html", headers={hdrs.CACHE_CONTROL: "no-cache"})


@routes.get("/reset-password")
@routes.get("/verify-email")
async def mailed_page(request: web.Request) -> web.StreamResponse:
    """The same, with a token in its address that is told to nobody."""
    response = await page(request)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@web.middleware
async def unknown(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An address that is none of ours: the application says so to people who look at it, the envelope to programs.

    No route, because one for all addresses would answer 405 to the other methods.
    """
    _refuse_missing_file(request)
    try:
        return await handler(request)
    except web.HTTPNotFound:
        is_read = request.method in (hdrs.METH_GET, hdrs.METH_HEAD)
        is_for_people = "text/html" in request.headers.get(hdrs.ACCEPT, "")
        if not is_read or not is_for_people or request.path.startswith(_NO_PAGES):
            raise
    return web.FileResponse(STATIC_FOLDER / "index.html", status=404, headers={hdrs.CACHE_CONTROL: "no-cache"})


@routes.get("/maps/{sha256}.json")
async def seat_map(request: web.Request) -> web.Response:
    """The geometry of an event: named by its content, so it is cached for ever."""
    sha256 = request.match_info["sha256"]
    found = await request.app[_MAPS].get(sha256) if _SHA256.fullmatch(sha256) else None
    if found is None:
        raise Refused(404, "Not found", "not_found")
    headers = {hdrs.CACHE_CONTROL: _FOR_EVER, hdrs.VARY: hdrs.ACCEPT_ENCODING}
    body = found.plain
    if accepts_gzip(request) and len(body) >= PACKED_BYTES_MIN:
        body, headers[hdrs.CONTENT_ENCODING] = found.packed, "gzip"
    return web.Response(body=body, content_type="application/json", headers=headers)


def _refuse_missing_file(request: web.Request) -> None:
    """A file that is not there is unknown at once: aiohttp finds out while sending, too late for the envelope."""
    name = request.match_info.get("filename")
    if name is not None and not os.path.isfile(STATIC_FOLDER / name):  # noqa: PTH113 (Path's raises for long names)
        raise Refused(404, "Not found", "not_found")


async def _revalidate(request: web.Request, response: web.StreamResponse) -> None:
    if request.path.startswith("/static/"):
        response.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")


def add_pages(app: web.Application) -> None:
    """Serve the application's files under `/static`, its page and the maps."""
    app[_MAPS] = PackedMaps(app[SERVICES].database)
    app.add_routes(routes)
    app.router.add_static("/static", STATIC_FOLDER)
    app.middlewares.append(unknown)
    app.on_response_prepare.append(_revalidate)

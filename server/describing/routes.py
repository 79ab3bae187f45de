"""The description of the interface: the OpenAPI document for programs, a page for people. Outside `/api/v1`."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import msgspec
from aiohttp import web

from server.describing.docs_page import page
from server.describing.openapi import document
from server.rest import contract
from server.rest.operations import Handler, Operation, Operations
from server.telemetry import health, scrape

operations = Operations("server")

_OUTSIDE: Mapping[str, Mapping[str, Any]] = {
    "health": {"data": dict[str, Any], "refusals": {503: ("degraded",)}},
    "ready": {"data": dict[str, Any], "refusals": {503: ("stopping", "try_again")}},
    "live": {"data": dict[str, Any]},
    "metrics": {"is_enveloped": False, "refusals": {404: ("not_found",)}},
}
"""What the routes outside the contract answer, by the name of their handler."""


@operations.get("/api/openapi.json", is_enveloped=False, is_revalidated=True)
async def openapi_json(_request: web.Request) -> web.Response:
    """This document: OpenAPI 3.1."""
    return web.Response(body=_openapi(), content_type="application/json")


@operations.get("/api/docs", is_enveloped=False, is_revalidated=True)
async def docs(_request: web.Request) -> web.Response:
    """The same as a page for people."""
    return web.Response(body=_page(), content_type="text/html", charset="utf-8")


def described() -> list[Operation]:
    """All that the document is about: the contract, and what is beside it."""
    return [*contract.all_operations(), *_outside(), *operations.all]


def _outside() -> list[Operation]:
    found = []
    for route in (*health.routes, *scrape.routes):
        assert isinstance(route, web.RouteDef)
        handler = cast("Handler", route.handler)
        said = _OUTSIDE[handler.__name__]
        found.append(Operation(route.method, route.path, operations.tag, handler, **said))
    return found


@cache
def _openapi() -> bytes:
    return msgspec.json.encode(document(described()))


@cache
def _page() -> bytes:
    return page(document(described())).encode()

"""What ties the lines of one request together: its correlation id, and the line that says how it was answered.

The id belongs to the task that serves the request. It is no context variable: those are inherited, and what a
request starts (the seat manager of its event) would carry the id of that request for as long as it lives.
"""

import asyncio
import logging
import re
import secrets
import time
from http import HTTPStatus
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.typedefs import Handler

from server.door.forwarded import asked_by
from server.services import services

HEADER = "X-Request-Id"
UNMATCHED = "unmatched"
OTHER = "other"
ABANDONED = 499
"""Stands for the status of a request that was ended before it had an answer."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OFTEN_ASKED = frozenset({"/live", "/ready", "/metrics"})
"""By machines, every few seconds: of no interest in a log."""

_ids: WeakKeyDictionary[asyncio.Task[object], str] = WeakKeyDictionary()

log = logging.getLogger(__name__)


def current_id() -> str:
    """The correlation id of the request that the running task serves; empty in every other task or thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return ""
    return "" if task is None else _ids.get(task, "")


@web.middleware
async def correlated(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Gives the request its id, and tells the log and the metrics how it was answered."""
    task = asyncio.current_task()
    assert task is not None
    given = request.headers.get(HEADER, "")
    _ids[task] = given if _ID.fullmatch(given) else secrets.token_hex(8)
    began, status = time.perf_counter(), ABANDONED
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    else:
        return response
    finally:
        _tell(request, status, time.perf_counter() - began)


async def name_answer(_request: web.Request, response: web.StreamResponse) -> None:
    """Puts the id on every answer; a signal handler for `on_response_prepare`."""
    if correlation_id := current_id():
        response.headers[HEADER] = correlation_id


def route_of(request: web.Request) -> str:
    """The template of the route that serves this request: there are only so many of them."""
    resource = request.match_info.route.resource
    return UNMATCHED if resource is None else resource.canonical


def method_of(request: web.Request) -> str:
    """The request's method, if it is one of the usual ones."""
    return request.method if request.method in _METHODS else OTHER


def _tell(request: web.Request, status: int, took_s: float) -> None:
    route, method = route_of(request), method_of(request)
    if status != HTTPStatus.SWITCHING_PROTOCOLS:  # a socket's time is that of its watcher
        services(request).metrics.request_answered(route, method, status, took_s)
    level = logging.DEBUG if route in _OFTEN_ASKED else logging.INFO
    if log.isEnabledFor(level):
        said = {"method": method, "route": route, "status": status, "ms": round(took_s * 1000, 2)}
        log.log(level, "request", extra=said | {"peer": asked_by(request).address})

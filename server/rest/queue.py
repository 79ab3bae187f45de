"""The waiting room's routes. Without a waiting room everybody is let in at once: so far, that is every event."""

from typing import Literal

from aiohttp import web
from msgspec import Struct

from protocol.codes import SENTENCES, Code
from server.door.paced import Pace
from server.rest.envelope import Refused, ok
from server.rest.events import stored_event
from server.rest.finding import event_id_of
from server.rest.operations import Operations, Who
from server.rest.shapes import Said
from server.services import services

operations = Operations("queue")

_NOT_FOUND = {404: ("event_not_found",)}
_IS_OVER = ("completed", "cancelled")


class PlaceInLine(Struct):
    """Where the customer is. `position` is 0 unless waiting."""

    position: int
    status: Literal["waiting", "active", "not_in_queue"]
    estimated_wait_seconds: int


class QueueStats(Struct, rename="camel"):
    """How many wait, how many are in, and how many seconds the wait is."""

    queue_length: int
    active_count: int
    estimated_wait: int


@operations.post(
    "/api/v1/queue/{event_id}/join",
    who=Who.SIGNED_IN,
    pace=Pace.JOIN,
    data=PlaceInLine,
    refusals={400: (Code.NOT_ON_SALE,), **_NOT_FOUND},
)
async def join_queue(request: web.Request) -> web.Response:
    """Stand in line."""
    await _open_event(request)
    return ok(PlaceInLine(0, "active", 0))


@operations.get(
    "/api/v1/queue/{event_id}/status",
    who=Who.SIGNED_IN,
    data=PlaceInLine,
    refusals={400: (Code.NOT_ON_SALE,), **_NOT_FOUND},
)
async def queue_status(request: web.Request) -> web.Response:
    """Where the customer is in line."""
    await _open_event(request)
    return ok(PlaceInLine(0, "active", 0))


@operations.post("/api/v1/queue/{event_id}/leave", who=Who.SIGNED_IN, data=Said, refusals=_NOT_FOUND)
async def leave_queue(request: web.Request) -> web.Response:
    """Give the place in line up; not being in line is no mistake."""
    await stored_event(services(request), event_id_of(request))
    return ok(Said("Left the queue"))


@operations.get("/api/v1/queue/{event_id}/stats", data=QueueStats, refusals=_NOT_FOUND)
async def queue_stats(request: web.Request) -> web.Response:
    """How long the line is."""
    await stored_event(services(request), event_id_of(request))
    return ok(QueueStats(0, 0, 0))


async def _open_event(request: web.Request) -> None:
    if (await stored_event(services(request), event_id_of(request))).status in _IS_OVER:
        raise Refused(400, SENTENCES[Code.NOT_ON_SALE], Code.NOT_ON_SALE)

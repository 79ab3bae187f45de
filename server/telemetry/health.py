"""Is the server well: for people and machines that watch it. Outside `/api/v1`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from redis import RedisError

from server.database import TROUBLE
from server.rest.envelope import Refused, ok
from server.services import Services, services

CHECK_TIMEOUT_S = 1.0
MIRROR_LAG_MAX_S = 5.0
"""A mirror that lacks a change for longer is behind; a write takes some milliseconds."""

_WELL = ("up", "on", "off")
"""A mirror that is off was never there: nothing is wrong with this server."""

routes = web.RouteTableDef()


@routes.get("/health")
async def health(request: web.Request) -> web.Response:
    """Each dependency with its latency; 503 as soon as one is down or behind, though sales go on without Redis."""
    parts = services(request)
    postgres, redis = await asyncio.gather(_check(lambda: _ask_postgres(parts)), _check(lambda: _ask_redis(parts)))
    dependencies = {"postgres": postgres, "redis": redis, "lease": _lease(parts), "mirror": _mirror(parts)}
    is_well = all(dependency["status"] in _WELL for dependency in dependencies.values())
    data = {"status": "ok" if is_well else "degraded", "dependencies": dependencies}
    if not is_well:
        raise Refused(503, "A dependency is down", "degraded", data=data)
    return ok(data)


@routes.get("/ready")
async def ready(request: web.Request) -> web.Response:
    """May requests be sent here? It takes PostgreSQL, and a server that does not drain."""
    parts = services(request)
    if parts.is_stopping:
        raise Refused(503, "The server is stopping", "stopping")
    if (await _check(lambda: _ask_postgres(parts)))["status"] != "up":
        raise Refused(503, "The database is down", "try_again")
    return ok({"status": "ready"})


@routes.get("/live")
async def live(_request: web.Request) -> web.Response:
    """Does the process answer at all?"""
    return ok({"status": "live"})


async def _check(ask: Callable[[], Awaitable[object]]) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            await ask()
        status = "up"
    except (*TROUBLE, RedisError):
        status = "down"
    return {"status": status, "latency_ms": _ms(time.perf_counter() - start)}


async def _ask_postgres(parts: Services) -> None:
    await parts.database.fetchval("SELECT 1")


async def _ask_redis(parts: Services) -> None:
    await parts.redis.ping()


def _lease(parts: Services) -> dict[str, Any]:
    """May this node answer for its events? The latency is that of the last renewal."""
    node = parts.node
    return {"status": "up" if node.is_held(node.node_id) else "down", "latency_ms": _ms(node.renewal_s)}


def _mirror(parts: Services) -> dict[str, Any]:
    """How far Redis follows the holds: the latency is the age of what it lacks."""
    mirror = parts.mirror
    if not mirror.is_on:
        return {"status": "off", "latency_ms": 0}
    status = "behind" if mirror.lag_s > MIRROR_LAG_MAX_S else "on"
    return {"status": status, "latency_ms": _ms(mirror.lag_s)}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)

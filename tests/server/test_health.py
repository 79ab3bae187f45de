"""Health, readiness and liveness, with each dependency up and down."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiohttp import web

from actors.ports import Claim
from server.engines import PostgresAddress, RedisAddress
from server.mirror import RedisMirror
from server.node import Node
from server.redis_connection import open_redis
from server.services import Services
from server.telemetry import health
from tests.server.conftest import Client
from tests.server.parts import Usher, until


class Lease(Node):
    """A lease that is as the test says."""

    def __init__(self) -> None:
        self.is_ours = True
        self.renewal_s = 0.0015

    @property
    def node_id(self) -> str:
        return "n"

    def is_held(self, owner: str) -> bool:
        return self.is_ours and owner == "n"


@pytest.fixture(autouse=True)
async def surroundings(parts: Services) -> AsyncIterator[None]:
    """A node with its lease, and a mirror that has nothing to do."""
    parts.node, parts.mirror = Lease(), RedisMirror(parts.redis)
    await parts.mirror.start()
    yield
    await parts.mirror.stop()


async def test_all_is_well(client: Client) -> None:
    answer = await client.get("/health")
    assert answer.status == 200
    body = await answer.json()
    assert body["success"] is True
    assert body["data"]["status"] == "ok"
    dependencies = body["data"]["dependencies"]
    assert set(dependencies) == {"postgres", "redis", "lease", "mirror"}
    for name in ("postgres", "redis"):
        assert dependencies[name]["status"] == "up"
        assert 0 < dependencies[name]["latency_ms"] < 1000
    assert dependencies["lease"] == {"status": "up", "latency_ms": 1.5}
    assert dependencies["mirror"] == {"status": "on", "latency_ms": 0}
    assert (await client.get("/ready")).status == 200
    assert (await client.get("/live")).status == 200


async def test_without_redis_it_is_degraded_but_ready(client: Client, parts: Services) -> None:
    parts.redis = open_redis(RedisAddress("127.0.0.1", 1))
    answer = await client.get("/health")
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    body = await answer.json()
    assert (body["success"], body["code"]) == (False, "degraded")
    assert body["data"]["status"] == "degraded"
    assert body["data"]["dependencies"]["redis"]["status"] == "down"
    assert body["data"]["dependencies"]["postgres"]["status"] == "up"
    assert (await client.get("/ready")).status == 200
    assert (await client.get("/live")).status == 200
    await parts.redis.aclose()


async def test_without_postgres_it_is_not_ready_but_alive(
    client: Client, parts: Services, database_address: PostgresAddress
) -> None:
    parts.database = await asyncpg.create_pool(host="127.0.0.1", port=1, min_size=0, timeout=1)
    for path, status in (("/health", 503), ("/ready", 503), ("/live", 200)):
        answer = await client.get(path)
        assert answer.status == status, path
    body = await (await client.get("/health")).json()
    assert body["data"]["dependencies"]["postgres"]["status"] == "down"
    assert body["data"]["dependencies"]["redis"]["status"] == "up"
    assert "127.0.0.1" not in str(body)


async def test_a_dependency_that_hangs_is_down(
    client: Client, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CHECK_TIMEOUT_S", 0.01)
    held = [await parts.database.acquire() for _ in range(parts.database.get_max_size())]
    body = await (await client.get("/health")).json()
    assert body["data"]["dependencies"]["postgres"]["status"] == "down"
    for connection in held:
        await parts.database.release(connection)


async def test_a_server_that_stops_is_not_ready(client: Client, parts: Services) -> None:
    parts.is_stopping = True
    answer = await client.get("/ready")
    assert answer.status == 503
    assert (await answer.json())["code"] == "stopping"
    assert (await client.get("/health")).status == 200
    assert (await client.get("/live")).status == 200


async def test_without_postgres_a_request_says_try_again(
    client: Client, parts: Services, app: web.Application, signed_in: dict[str, str]
) -> None:
    pool = parts.database
    parts.database = await asyncpg.create_pool(host="127.0.0.1", port=1, min_size=0, timeout=1)
    for path in ("/api/v1/events", "/api/v1/venues"):
        answer = await client.get(path)
        assert answer.status == 503, path
        assert (await answer.json())["code"] == "try_again"
        assert int(answer.headers["Retry-After"]) >= 1
    parts.database = pool
    assert (await client.get("/api/v1/events")).status == 200


async def test_without_its_lease_it_is_degraded(client: Client, parts: Services) -> None:
    assert isinstance(parts.node, Lease)
    parts.node.is_ours = False
    answer = await client.get("/health")
    assert answer.status == 503
    assert (await answer.json())["data"]["dependencies"]["lease"]["status"] == "down"


async def test_a_mirror_that_redis_cannot_carry_is_off_and_all_is_well(client: Client, parts: Services) -> None:
    parts.mirror._is_on = False
    answer = await client.get("/health")
    assert answer.status == 200
    assert (await answer.json())["data"]["dependencies"]["mirror"] == {"status": "off", "latency_ms": 0}


async def test_a_mirror_that_lacks_a_change_for_long_is_behind(
    client: Client, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write, mirror = asyncio.Event(), parts.mirror
    refusals = 2

    async def write(writes: list[object]) -> list[object]:
        nonlocal refusals
        await may_write.wait()
        refusals -= 1
        return [ConnectionResetError() if refusals >= 0 else b"written"] * len(writes)

    monkeypatch.setattr(mirror, "_write", write)
    monkeypatch.setattr(health, "MIRROR_LAG_MAX_S", 0.0)
    claim = Claim("show", "n", 1)
    mirror.replace(claim, 1, "e", dict)
    since = mirror._events["show"].behind_since
    await asyncio.sleep(0)
    mirror.touch(claim, 2, {})
    assert mirror._events["show"].behind_since == since, "the oldest change counts"
    await until(lambda: mirror.lag_s > 0)
    answer = await client.get("/health")
    assert answer.status == 503
    dependency = (await answer.json())["data"]["dependencies"]["mirror"]
    assert dependency["status"] == "behind"
    assert dependency["latency_ms"] > 0
    may_write.set()
    await until(lambda: mirror.lag_s == 0)
    assert refusals < 0, "a change that could not be written is not forgotten"
    assert (await client.get("/health")).status == 200


async def test_a_real_server_is_well(own: Usher) -> None:
    async with own.http.get(own.url + "/health") as answer:
        body = await answer.json()
    assert answer.status == 200, body
    assert {name: one["status"] for name, one in body["data"]["dependencies"].items()} == {
        "postgres": "up",
        "redis": "up",
        "lease": "up",
        "mirror": "on",
    }
    assert body["data"]["dependencies"]["lease"]["latency_ms"] >= 0

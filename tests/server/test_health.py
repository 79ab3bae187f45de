"""Health, readiness and liveness, with each dependency up and down."""

import asyncpg
import pytest
from aiohttp import web

from server.engines import PostgresAddress, RedisAddress
from server.redis_connection import open_redis
from server.rest import health
from server.services import Services
from tests.server.conftest import Client


async def test_all_is_well(client: Client) -> None:
    answer = await client.get("/health")
    assert answer.status == 200
    body = await answer.json()
    assert body["success"] is True
    assert body["data"]["status"] == "ok"
    assert set(body["data"]["dependencies"]) == {"postgres", "redis"}
    for dependency in body["data"]["dependencies"].values():
        assert dependency["status"] == "up"
        assert 0 < dependency["latency_ms"] < 1000
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

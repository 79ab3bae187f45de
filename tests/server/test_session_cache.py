"""Many who ask for sessions at the same time: one round trip for all of them, and nobody is left waiting."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from server.engines import RedisAddress
from server.people.session_cache import Answer, Found, Gap, Session, SessionCache
from tests.conftest import REDIS_TEST_DATABASE
from tests.server.parts import until


class GatedCache(SessionCache):
    """Its round trips wait at a gate; `asked` has the size of each."""

    def __init__(self, address: RedisAddress) -> None:
        super().__init__(address, database=REDIS_TEST_DATABASE)
        self.gate = asyncio.Event()
        self.asked: list[int] = []

    async def _look_up_all(self, id_hashes: list[bytes]) -> list[Found]:
        self.asked.append(len(id_hashes))
        answer = await super()._look_up_all(id_hashes)
        await self.gate.wait()
        return answer


@pytest.fixture
async def cache(redis_address: RedisAddress) -> AsyncIterator[GatedCache]:
    made = GatedCache(redis_address)
    await made.healed()
    yield made
    await made.close()


def begun(work: Coroutine[Any, Any, Found]) -> asyncio.Task[Found]:
    return asyncio.create_task(work)


async def asking(cache: GatedCache, *id_hashes: bytes) -> list[asyncio.Task[Found]]:
    """One whose round trip is under way, and all others, who wait for the next."""
    tasks = [begun(cache.look_up(id_hashes[0]))]
    await until(lambda: bool(cache.asked))
    tasks += [begun(cache.look_up(id_hash)) for id_hash in id_hashes[1:]]
    await asyncio.sleep(0)
    return tasks


def a_session() -> Session:
    return Session(
        secrets.token_bytes(32), uuid4(), "Ada", "ada@x.org", "user", True, datetime(2030, 1, 1, tzinfo=UTC)
    )


async def test_who_asks_while_a_round_trip_is_under_way_goes_with_the_next(cache: GatedCache) -> None:
    cache.gate.set()
    session = a_session()
    gap = await cache.look_up(session.id_hash)
    assert isinstance(gap, Gap)
    await cache.fill(gap, session)
    cache.gate.clear()
    cache.asked.clear()
    tasks = await asking(cache, session.id_hash, session.id_hash, secrets.token_bytes(32))
    cache.gate.set()
    first, second, third = await asyncio.gather(*tasks)
    assert (first, second) == (session, session)
    assert isinstance(third, Gap)
    assert cache.asked == [1, 2]


async def test_after_a_doubt_nobody_who_waits_is_told_what_redis_holds(cache: GatedCache) -> None:
    """A redis that may be rolled back still has its old mark until the new one is written."""
    session = a_session()
    cache.gate.set()
    gap = await cache.look_up(session.id_hash)
    assert isinstance(gap, Gap)
    await cache.fill(gap, session)
    cache.gate.clear()
    cache.asked.clear()
    tasks = await asking(cache, session.id_hash, session.id_hash)
    cache._doubt("a test")
    cache.gate.set()
    assert (await asyncio.gather(*tasks))[1] is Answer.CANNOT_TELL


async def test_an_entry_that_cannot_be_read_is_nobody_elses_trouble(cache: GatedCache, redis: Redis) -> None:
    cache.gate.set()
    broken, other = secrets.token_bytes(32), secrets.token_bytes(32)
    await redis.set(f"usher:session:{broken.hex()}", b'["\xff",1]')
    found = await asyncio.gather(*await asking(cache, other, broken, other))
    assert all(isinstance(one, Gap) for one in found)


async def test_at_the_end_nobody_is_left_waiting(cache: GatedCache) -> None:
    tasks = await asking(cache, *(secrets.token_bytes(32) for _ in range(3)))
    await cache.close()
    assert set(await asyncio.gather(*tasks)) == {Answer.CANNOT_TELL}

"""What every test may ask for: PostgreSQL and Redis, started once per run, and a database of its own.

`DB_HOST` and `REDIS_HOST` (and their relatives) name servers to be used instead of the embedded engines.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from server import redis_connection
from server.database import open_pool
from server.engines import Engines, PostgresAddress, RedisAddress
from server.redis_connection import open_redis
from server.settings import Settings
from tests.databases import Databases, LoopThread

BROWSER_TESTS = Path(__file__).parent / "browser"
REDIS_TEST_DATABASE = 15
"""The Redis database that tests flush: never 0, where somebody's real data may be."""

_MARK = "usher:test"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: once used, Playwright has a loop running in the thread that all tests share."""
    items.sort(key=lambda item: BROWSER_TESTS in item.path.parents)


@pytest.fixture(scope="session", autouse=True)
def redis_may_take_its_time() -> Iterator[None]:
    """A busy machine is not taken for a Redis that is away."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("ANSWER_TIMEOUT_S", "CONNECT_TIMEOUT_S"):
            patched.setattr(redis_connection, name, 10.0)
        yield


@pytest.fixture(scope="session")
def loop_thread() -> Iterator[LoopThread]:
    """Where work goes that belongs to the whole run."""
    thread = LoopThread()
    yield thread
    thread.close()


@pytest.fixture(scope="session")
def engines(loop_thread: LoopThread) -> Iterator[tuple[PostgresAddress, RedisAddress]]:
    """The addresses of a PostgreSQL and a Redis that live as long as the run. Most tests want those below."""
    settings = Settings.from_env(os.environ)
    database, redis = settings.database, settings.redis
    if database is not None and redis is not None:
        yield database, redis
        return
    folder = Path(tempfile.mkdtemp(prefix="usher-"))
    try:
        start = Engines.start(folder / "data", postgres=database is None, redis=redis is None)
        started = loop_thread.run(start)
        try:
            database, redis = database or started.postgres, redis or started.redis
            assert database is not None
            assert redis is not None
            yield database, redis
        finally:
            loop_thread.run(started.stop())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def databases(engines: tuple[PostgresAddress, RedisAddress], loop_thread: LoopThread) -> Iterator[Databases]:
    """Where fresh databases come from."""
    made = Databases(engines[0], f"usher_test_{os.getpid()}", loop_thread)
    yield made
    made.close()


@pytest.fixture
def database_address(databases: Databases) -> Iterator[PostgresAddress]:
    """A migrated database without rows, for this test alone; the test may change it in any way."""
    address = databases.take()
    yield address
    databases.give_back(address)


@pytest.fixture
async def database(database_address: PostgresAddress) -> AsyncIterator[asyncpg.Pool]:
    """A pool on this test's own database, as the server opens it."""
    pool = await open_pool(database_address, min_size=1, max_size=10)
    yield pool
    try:
        await asyncio.wait_for(pool.close(), 5)
    except TimeoutError:
        pool.terminate()


@pytest.fixture(scope="session")
def redis_server(engines: tuple[PostgresAddress, RedisAddress], loop_thread: LoopThread) -> Iterator[RedisAddress]:
    """The Redis whose database `REDIS_TEST_DATABASE` is ours for this run.

    It fails where that database has entries that are not an earlier run's.
    """
    address = engines[1]
    loop_thread.run(_take_redis(address))
    yield address
    loop_thread.run(_flush(address, mark=False))


@pytest.fixture
def redis_address(redis_server: RedisAddress, loop_thread: LoopThread) -> RedisAddress:
    """Where Redis is; its database `REDIS_TEST_DATABASE` has just been emptied."""
    loop_thread.run(_flush(redis_server, mark=True))
    return redis_server


@pytest.fixture
async def redis(redis_address: RedisAddress) -> AsyncIterator[Redis]:
    """A client on the emptied test database."""
    async with open_redis(redis_address, database=REDIS_TEST_DATABASE) as client:
        yield client


async def _take_redis(address: RedisAddress) -> None:
    async with open_redis(address, database=REDIS_TEST_DATABASE) as client:
        if await client.dbsize() and not await client.exists(_MARK):
            pytest.fail(f"Redis database {REDIS_TEST_DATABASE} is in use: the tests would empty it", pytrace=False)
        await client.set(_MARK, "1")


async def _flush(address: RedisAddress, *, mark: bool) -> None:
    async with open_redis(address, database=REDIS_TEST_DATABASE) as client:
        await client.flushdb()
        if mark:
            await client.set(_MARK, "1")

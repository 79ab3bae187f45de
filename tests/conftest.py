"""What every test may ask for: PostgreSQL and Redis, started once per run, and a database of its own.

`DB_HOST` and `REDIS_HOST` (and their relatives) name servers to be used instead of the embedded engines.
"""

import asyncio
import itertools
import os
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from redis.asyncio import Redis

from server.database import connect, open_pool
from server.engines import Engines, PostgresAddress, RedisAddress
from server.migrate import migrate
from server.redis_connection import open_redis
from server.settings import Settings

REDIS_TEST_DATABASE = 15
"""The Redis database that tests flush: never 0, where somebody's real data may be."""

_MARK = "usher:test"
_WORK_MAX_S = 120
_numbers = itertools.count(1)

T = TypeVar("T")


class LoopThread:
    """An event loop in a thread of its own, which outlives the loops of single tests."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="engines", daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Begin `work` there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, run there."""
        return self.start(work).result(_WORK_MAX_S)

    def close(self) -> None:
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


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
def template(engines: tuple[PostgresAddress, RedisAddress], loop_thread: LoopThread) -> Iterator[str]:
    """The name of a migrated database without rows, from which each test's own is copied."""
    server = engines[0]
    name = f"usher_test_{os.getpid()}"
    loop_thread.run(_statement(server, f'CREATE DATABASE "{name}"'))
    loop_thread.run(_migrate(replace(server, database=name)))
    yield name
    loop_thread.run(_statement(server, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def databases(
    engines: tuple[PostgresAddress, RedisAddress], template: str, loop_thread: LoopThread
) -> Iterator["Databases"]:
    """Where fresh databases come from."""
    made = Databases(engines[0], template, loop_thread)
    yield made
    made.close()


@pytest.fixture
def database_address(databases: "Databases") -> Iterator[PostgresAddress]:
    """A fresh, migrated database for this test alone."""
    address = databases.take()
    yield address
    databases.drop(address)


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


class Databases:
    """Copies of the template. One is always made ahead, while a test runs: it takes a tenth of a second."""

    def __init__(self, server: PostgresAddress, template: str, loop_thread: LoopThread) -> None:
        self._server = server
        self._template = template
        self._loop_thread = loop_thread
        self._spare = loop_thread.start(self._copy())

    def take(self) -> PostgresAddress:
        """A database that nobody has used."""
        address = self._spare.result(_WORK_MAX_S)
        self._spare = self._loop_thread.start(self._copy())
        return address

    def drop(self, address: PostgresAddress) -> None:
        """Drop a database, whoever is still connected."""
        statement = f'DROP DATABASE "{address.database}" WITH (FORCE)'
        self._loop_thread.run(_statement(self._server, statement))

    def close(self) -> None:
        """Drop the one made ahead."""
        self.drop(self._spare.result(_WORK_MAX_S))

    async def _copy(self) -> PostgresAddress:
        name = f"{self._template}_{next(_numbers)}"
        await _statement(self._server, f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')
        return replace(self._server, database=name)


async def _statement(address: PostgresAddress, statement: str) -> None:
    connection = await connect(address)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(address: PostgresAddress) -> None:
    connection = await connect(address)
    try:
        await migrate(connection)
    finally:
        await connection.close()


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

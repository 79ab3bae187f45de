"""A server in this process without rate limits, to be attacked and looked into."""

from collections.abc import AsyncIterator

import aiohttp
import pytest_asyncio

from server.app import listening, running_parts
from server.engines import PostgresAddress, RedisAddress
from server.settings import Settings
from tests.conftest import REDIS_TEST_DATABASE
from tests.server.parts import Usher, shared_database

__all__ = ["shared_database"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def usher(shared_database: PostgresAddress, redis_server: RedisAddress) -> AsyncIterator[Usher]:
    """A server for the tests of one module, which are marked `SHARED`."""
    settings = Settings(
        port=0, demo=False, database=shared_database, redis=redis_server, node_name="fuzz", is_rate_limited=False
    )
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        running_parts(settings, shared_database, redis_server, redis_database=REDIS_TEST_DATABASE) as parts,
        listening(parts, settings) as port,
    ):
        yield Usher(parts, f"http://127.0.0.1:{port}", http)

"""One bench after the other: every test that asks for `bench` is held against both stores."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from server.engines import PostgresAddress
from tests.contract.benches import Bench, FakeBench, PostgresBench


@pytest.fixture
async def postgres_bench(database: asyncpg.Pool, database_address: PostgresAddress) -> AsyncIterator[PostgresBench]:
    """The real store."""
    bench = PostgresBench(database, database_address)
    yield bench
    await bench.close()


@pytest.fixture(params=["fake", "postgres"])
def bench(request: Any) -> Bench:
    """Either store."""
    if request.param == "fake":
        return FakeBench()
    found = request.getfixturevalue("postgres_bench")
    assert isinstance(found, Bench)
    return found

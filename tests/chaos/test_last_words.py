"""A connection that PostgreSQL has told its end and that is not closed yet: away, for all who use it.

asyncpg takes the next statement for a fault of its caller then, and raises an error of a kind of its own.
"""

import asyncpg
import pytest

from actors.ports import StoreUnavailable
from server import node as node_module
from server.database import connect, open_pool
from server.engines import PostgresAddress
from server.node import Node
from server.store import PostgresStore
from tests.chaos.postgres_proxy import PostgresProxy
from tests.server.parts import until


async def test_the_store_is_away(database_address: PostgresAddress) -> None:
    async with PostgresProxy(database_address) as proxy:
        pool = await open_pool(proxy.address, min_size=1, max_size=1)
        store = PostgresStore(pool, lambda: "nobody")
        assert await store.neglected(1) == []
        await proxy.speak_last_words()
        with pytest.raises(StoreUnavailable, match="InternalClientError"):
            await store.neglected(1)
        proxy.cut()
        await until(lambda: _is_there(store))
        await store.close()
        await pool.close()


async def _is_there(store: PostgresStore) -> bool:
    try:
        await store.neglected(1)
    except StoreUnavailable:
        return False
    return True


async def test_the_lease_goes_on(
    database_address: PostgresAddress, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(node_module, "RENEW_S", 0.05)
    opened: list[asyncpg.Connection] = []
    async with PostgresProxy(database_address) as proxy:

        async def open_another() -> asyncpg.Connection:
            opened.append(await connect(proxy.address))
            return opened[-1]

        node = Node("test", open_another)
        await node.start()
        owner = node.node_id
        await proxy.speak_last_words()
        await until(lambda: "cannot switch to state" in caplog.text)
        proxy.cut()
        await until(lambda: len(opened) == 2 and node.is_held(owner))
        await node.stop()

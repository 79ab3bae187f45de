"""The pool: settings that it carries, and that giving a connection back costs nothing."""

import asyncio

import asyncpg
import pytest

from server.database import connect, open_pool
from server.engines import PostgresAddress


async def test_every_connection_carries_the_limits(database: asyncpg.Pool) -> None:
    rows = await database.fetch("SELECT name, setting FROM pg_settings WHERE name ~ 'timeout|application_name'")
    settings = {row["name"]: row["setting"] for row in rows}
    assert settings["application_name"] == "usher"
    assert settings["idle_in_transaction_session_timeout"] == "1000"
    assert settings["transaction_timeout"] == "5000"
    assert settings["lock_timeout"] == "250"


async def test_a_release_sends_nothing(database: asyncpg.Pool, database_address: PostgresAddress) -> None:
    async with database.acquire() as connection:
        pid = connection.get_server_pid()
        await connection.execute("SELECT 1 -- mine")
    watcher = await connect(database_address)
    last = await watcher.fetchval("SELECT query FROM pg_stat_activity WHERE pid = $1", pid)
    await watcher.close()
    assert last == "SELECT 1 -- mine"


async def test_a_connection_left_in_a_transaction_is_ended(database_address: PostgresAddress) -> None:
    pool = await open_pool(database_address, min_size=1, max_size=1)
    async with pool.acquire() as connection:
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _: ended.set())
        await connection.execute("BEGIN")
        await asyncio.wait_for(ended.wait(), 5)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
            await connection.execute("COMMIT")
    assert await pool.fetchval("SELECT 1") == 1
    await pool.close()


async def test_a_connection_of_ones_own_keeps_its_locks(database_address: PostgresAddress) -> None:
    connection = await connect(database_address)
    await connection.execute("SELECT pg_advisory_lock(1)")
    assert await connection.fetchval("SHOW lock_timeout") == "0"
    await connection.close()


async def test_each_test_has_an_empty_database(database: asyncpg.Pool) -> None:
    assert await database.fetchval("SELECT count(*) FROM customer") == 0
    assert await database.fetchval("SELECT count(*) FROM migration") > 0

"""The pool: settings that it carries, and that giving a connection back costs nothing."""

import asyncio

import asyncpg
import pytest

from server.database import connect, open_pool
from server.engines import PostgresAddress
from tests.databases import Databases


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


async def given_back(databases: Databases, *statements: str) -> tuple[str, PostgresAddress | None]:
    """The name of a database after these statements and a return, and where it is if it is lent again."""
    address = await asyncio.to_thread(databases.take)
    connection = await connect(address)
    for statement in statements:
        await connection.execute(statement)
    databases.give_back(address)  # while somebody is still connected
    await asyncio.to_thread(databases._coming[-1].result, 10)
    connection.terminate()
    return address.database, await asyncio.wrap_future(databases._coming[-1])


async def test_a_database_that_was_filled_is_emptied_and_lent_again(databases: Databases) -> None:
    name, again = await given_back(
        databases, "INSERT INTO customer VALUES (gen_random_uuid(), 'a', 'b', 'c', 'user', now())"
    )
    assert again is not None
    assert again.database == name
    connection = await connect(again)
    assert await connection.fetchval("SELECT count(*) FROM customer") == 0
    await connection.close()


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX ticket_seat_once",
        "ALTER TABLE seat DROP CONSTRAINT seat_state_check",
        "ALTER TABLE seat ALTER COLUMN state DROP NOT NULL",
        "CREATE TABLE another (a integer)",
        "CREATE OR REPLACE FUNCTION node_lock_key(p_node uuid) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
        "CREATE RULE gone AS ON UPDATE TO seat DO INSTEAD NOTHING",
        "DELETE FROM migration",
    ],
)
async def test_a_database_that_was_altered_is_not_lent_again(databases: Databases, change: str) -> None:
    assert (await given_back(databases, change))[1] is None

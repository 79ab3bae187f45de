"""Databases for tests: copied from a migrated template, emptied after a test, and used again while unchanged."""

import asyncio
import itertools
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

import asyncpg

from server.database import connect
from server.engines import PostgresAddress
from server.migrate import migrate

WORK_MAX_S = 120
LOCK_WAIT_S = 2

T = TypeVar("T")

_END_OTHERS = """
SELECT pg_terminate_backend(pid, 2000)
  FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()"""

# Everything that a test may have changed beside rows; the migrations' own rows count as well.
_SHAPE = """
WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'),
parts AS (
    SELECT format('class %s %s %s', relname, relkind, reloptions) AS part
      FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('column %s %s %s %s', c.relname, attname, atttypid, attnotnull)
      FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
     WHERE relnamespace IN (SELECT oid FROM ours) AND attnum > 0
    UNION ALL
    SELECT format('function %s %s %s', proname, proargtypes, md5(prosrc))
      FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('constraint %s %s', conname, pg_get_constraintdef(oid))
      FROM pg_constraint WHERE connamespace IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('index %s', pg_get_indexdef(indexrelid))
      FROM pg_index i JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace IN (SELECT oid FROM ours)
    UNION ALL
    SELECT format('trigger %s %s %s', c.relname, tgname, tgenabled)
      FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL
    SELECT format('rule %s %s', c.relname, rulename)
      FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class WHERE relnamespace IN (SELECT oid FROM ours)
    UNION ALL SELECT format('setting %s', setconfig) FROM pg_db_role_setting s
      JOIN pg_database d ON d.oid = s.setdatabase WHERE datname = current_database()
    UNION ALL SELECT format('prepared %s', gid) FROM pg_prepared_xacts WHERE database = current_database()
    UNION ALL SELECT format('migration %s %s', name, sha256) FROM migration
)
SELECT md5(string_agg(part, ' ' ORDER BY part COLLATE "C")) FROM parts"""

# A table that never had a row has no pages.
_USED_TABLES = """
SELECT string_agg(format('%I.%I', nspname, relname), ', ')
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE nspname = 'public' AND relkind = 'r' AND relname <> 'migration' AND pg_relation_size(c.oid) > 0"""


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
        return self.start(work).result(WORK_MAX_S)

    def close(self) -> None:
        """End the loop and its thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Databases:
    """Lends databases whose names begin with `prefix`. They are made and cleaned while other tests run."""

    def __init__(self, server: PostgresAddress, prefix: str, thread: LoopThread) -> None:
        self._server = server
        self._template = replace(server, database=prefix)
        self._thread = thread
        self._numbers = itertools.count(1)
        self._shape = thread.run(self._make_template())
        self._coming: list[Future[PostgresAddress | None]] = [thread.start(self._copy())]

    def take(self) -> PostgresAddress:
        """A migrated database without rows, for the caller alone until it is given back."""
        if len(self._coming) < 2:
            self._coming.append(self._thread.start(self._copy()))
        while True:
            coming = next((found for found in self._coming if found.done()), self._coming[0])
            self._coming.remove(coming)
            address = coming.result(WORK_MAX_S)
            if address is not None:
                return address
            self._coming.append(self._thread.start(self._copy()))

    def give_back(self, address: PostgresAddress) -> None:
        """The test is over; whoever is still connected will be cut off."""
        self._coming.append(self._thread.start(self._clean(address)))

    def close(self) -> None:
        """Drop them all."""
        for coming in self._coming:
            address = coming.result(WORK_MAX_S)
            if address is not None:
                self._thread.run(self._drop(address))
        self._thread.run(self._drop(self._template))

    async def _make_template(self) -> str:
        await self._say(f'CREATE DATABASE "{self._template.database}"')
        connection = await connect(self._template)
        try:
            await migrate(connection)
            return str(await connection.fetchval(_SHAPE))
        finally:
            await connection.close()

    async def _copy(self) -> PostgresAddress:
        name = f"{self._template.database}_{next(self._numbers)}"
        await self._say(f'CREATE DATABASE "{name}" TEMPLATE "{self._template.database}"')
        return replace(self._server, database=name)

    async def _clean(self, address: PostgresAddress) -> PostgresAddress | None:
        """Make it as new; None when it had to be dropped because the test changed more than rows."""
        try:
            connection = await connect(address)
            try:
                await connection.execute(_END_OTHERS)
                await connection.execute(f"SET lock_timeout = '{LOCK_WAIT_S}s'")
                if tables := await connection.fetchval(_USED_TABLES):
                    await connection.execute(f"TRUNCATE {tables} CASCADE")
                if await connection.fetchval(_SHAPE) == self._shape:
                    return address
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            pass
        await self._drop(address)
        return None

    async def _drop(self, address: PostgresAddress) -> None:
        await self._say(f'DROP DATABASE IF EXISTS "{address.database}" WITH (FORCE)')

    async def _say(self, statement: str) -> None:
        connection = await connect(self._server)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

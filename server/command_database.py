"""The database of a command that is no server: the one named by `DB_HOST`, or that of a data directory."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg

from server.database import connected
from server.engines import DataDirInUse, Engines, PostgresAddress, postgres_at
from server.migrate import migrate
from server.settings import Settings


@asynccontextmanager
async def command_database(settings: Settings, say: Callable[[str], None]) -> AsyncIterator[asyncpg.Connection]:
    """A connection without time limits to a migrated database.

    While a server has the data directory, its PostgreSQL is used; else it is started for this command.

    Raises:
        EngineError: there is no database to be had.
        MigrationError: the database does not fit this version.
    """
    async with command_address(settings, say) as at, connected(at) as connection:
        for name in await migrate(connection):
            say(f"applied {name}")
        yield connection


@asynccontextmanager
async def command_address(settings: Settings, say: Callable[[str], None]) -> AsyncIterator[PostgresAddress]:
    """Where that PostgreSQL is, as it is: nothing is migrated. Raises EngineError."""
    if settings.database is not None:
        yield settings.database
        return
    try:
        engines = await Engines.start(settings.data_dir, redis=False, progress=say)
    except DataDirInUse:
        yield postgres_at(settings.data_dir)
        return
    try:
        assert engines.postgres is not None
        yield engines.postgres
    finally:
        await engines.stop()

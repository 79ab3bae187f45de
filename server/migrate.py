"""Bring a database to this version's schema: migrations forward only, functions re-applied each time."""

import hashlib
from datetime import UTC, datetime

import asyncpg

from server.statements import SQL_FOLDER, sql

_LOCK_KEY = 740_740
_HISTORY = """
CREATE TABLE IF NOT EXISTS migration (
    name       text PRIMARY KEY,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL
)"""


class MigrationError(Exception):
    """The database and this version's migrations do not fit each other."""


async def migrate(connection: asyncpg.Connection) -> list[str]:
    """Apply what is missing, in order, each in a transaction; answer the names applied.

    Safe when several processes start at once: they go one after the other.

    Raises:
        MigrationError: a migration that was applied has changed since, or the database is newer than this version.
    """
    await connection.execute("SELECT pg_advisory_lock($1)", _LOCK_KEY)
    try:
        await connection.execute(_HISTORY)
        applied = await _apply_missing(connection)
        await _apply_functions(connection)
        await connection.execute(sql("journal_partitions"))
        return applied
    finally:
        await connection.execute("SELECT pg_advisory_unlock($1)", _LOCK_KEY)


async def _apply_missing(connection: asyncpg.Connection) -> list[str]:
    known = {row["name"]: row["sha256"] for row in await connection.fetch("SELECT name, sha256 FROM migration")}
    files = {path.name: path for path in sorted((SQL_FOLDER / "migrations").glob("*.sql"))}
    if strangers := known.keys() - files.keys():
        raise MigrationError(f"the database is newer than this version: it knows {', '.join(sorted(strangers))}")
    applied = []
    for name, path in files.items():
        text = path.read_text()
        digest = hashlib.sha256(text.encode()).hexdigest()
        if name in known:
            if known[name] != digest:
                raise MigrationError(f"{name} has changed since it was applied")
            continue
        async with connection.transaction():
            await connection.execute(text)
            await connection.execute("INSERT INTO migration VALUES ($1, $2, $3)", name, digest, datetime.now(UTC))
        applied.append(name)
    return applied


async def _apply_functions(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        for path in sorted((SQL_FOLDER / "functions").glob("*.sql")):
            await connection.execute(path.read_text())

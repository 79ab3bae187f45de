"""The seat maps as they are sent: read and packed once, for they never change."""

import asyncio
import gzip

import asyncpg
from msgspec import Struct

from server.reads.kept import Kept
from server.statements import sql

BYTES_MAX = 64 * 1024 * 1024
"""So much of them is kept, both forms together."""


class PackedMap(Struct, frozen=True):
    """One map in both forms in which it is sent."""

    plain: bytes
    packed: bytes


class PackedMaps:
    """The maps asked for last."""

    def __init__(self, database: asyncpg.Pool) -> None:
        self._database = database
        self._kept = Kept(self._read, lambda one: len(one.plain) + len(one.packed), BYTES_MAX)

    async def get(self, sha256: str) -> PackedMap | None:
        """The map of this name, None where there is none."""
        return await self._kept.get(sha256)

    async def _read(self, sha256: str) -> PackedMap | None:
        plain = await self._database.fetchval(sql("seat_map"), sha256)
        if plain is None:
            return None
        return PackedMap(plain, await asyncio.to_thread(gzip.compress, plain, 6, mtime=0))

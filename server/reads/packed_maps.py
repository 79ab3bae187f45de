"""The seat maps as they are sent: read and packed once, for they never change."""

import asyncio
import gzip
from collections import OrderedDict

import asyncpg
from msgspec import Struct

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
        self._known: OrderedDict[str, PackedMap] = OrderedDict()
        self._coming: dict[str, asyncio.Task[PackedMap | None]] = {}
        self._bytes = 0

    async def get(self, sha256: str) -> PackedMap | None:
        """The map of this name, None where there is none; who asks while it is read waits for the same reading."""
        known = self._known.get(sha256)
        if known is not None:
            self._known.move_to_end(sha256)
            return known
        coming = self._coming.get(sha256)
        if coming is None:
            coming = self._coming[sha256] = asyncio.create_task(self._read(sha256))
            coming.add_done_callback(lambda done: self._end(sha256, done))
        return await asyncio.shield(coming)

    async def _read(self, sha256: str) -> PackedMap | None:
        plain = await self._database.fetchval(sql("seat_map"), sha256)
        if plain is None:
            return None
        found = PackedMap(plain, await asyncio.to_thread(gzip.compress, plain, 6, mtime=0))
        self._known[sha256] = found
        self._bytes += _size(found)
        while self._bytes > BYTES_MAX:
            _, dropped = self._known.popitem(last=False)
            self._bytes -= _size(dropped)
        return found

    def _end(self, sha256: str, done: asyncio.Task[PackedMap | None]) -> None:
        del self._coming[sha256]
        if not done.cancelled():
            done.exception()  # who asked may have gone meanwhile


def _size(one: PackedMap) -> int:
    return len(one.plain) + len(one.packed)

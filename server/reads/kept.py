"""Things that never change once they are there: read once and kept; the longest unused are dropped."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """`read` finds a thing by its name, None where there is none yet.

    By `size` all of them are at most `size_max`; the one read last is kept whatever its size.
    """

    def __init__(self, read: Callable[[K], Awaitable[V | None]], size: Callable[[V], int], size_max: int) -> None:
        self._read = read
        self._size_of = size
        self._size_max = size_max
        self._size = 0
        self._known: OrderedDict[K, V] = OrderedDict()
        self._coming: dict[K, asyncio.Task[V | None]] = {}

    async def get(self, name: K) -> V | None:
        """The thing of this name. Who asks while it is read waits for the same reading, and gets what it raises."""
        known = self._known.get(name)
        if known is not None:
            self._known.move_to_end(name)
            return known
        coming = self._coming.get(name)
        if coming is None:
            coming = self._coming[name] = asyncio.create_task(self._find(name))
            coming.add_done_callback(lambda done: self._end(name, done))
        return await asyncio.shield(coming)

    async def _find(self, name: K) -> V | None:
        found = await self._read(name)
        if found is not None:
            self._known[name] = found
            self._size += self._size_of(found)
            while self._size > self._size_max and len(self._known) > 1:
                _, dropped = self._known.popitem(last=False)
                self._size -= self._size_of(dropped)
        return found

    def _end(self, name: K, done: asyncio.Task[V | None]) -> None:
        del self._coming[name]
        if not done.cancelled():
            done.exception()  # who asked may have gone meanwhile

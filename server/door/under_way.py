"""The requests under way, so that the end of the server can wait for them, and end those that take too long."""

import asyncio
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from server.ending import end


class RequestsUnderWay:
    """Knows every request from its first middleware to its last. `counted` is to be the outermost one.

    aiohttp can end them itself, but a request that ends in the very moment in which its patience does makes it
    log an InvalidStateError.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    @web.middleware
    async def counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The middleware."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await handler(request)
        finally:
            self._tasks.discard(task)

    async def finish(self, patience_s: float) -> None:
        """Wait until all have ended; those that have not within `patience_s` are ended."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=patience_s)
        await end(*self._tasks)

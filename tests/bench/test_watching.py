"""Those who read nothing tell at the end what was left for them, and who was cut off."""

import asyncio
import select

import pytest

from tests.bench.orders import Leave, Watchers
from tests.bench.watching import WatchingCrowd

HOST = "127.0.0.1"
needs_epoll = pytest.mark.skipif(
    not hasattr(select, "epoll"), reason="watchers are written on epoll, which is Linux's"
)


@needs_epoll
async def test_what_was_left_and_who_was_cut_off() -> None:
    """One is sent something and stays, one is sent something and is cut off, one is cut off, one stays."""
    cases = iter([(b"x", False), (b"x", True), (b"", True), (b"", False)])
    are_served = asyncio.Semaphore(0)
    writers = []

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text, cuts_off = next(cases)
        writers.append(writer)
        writer.write(text)
        if cuts_off:
            writer.close()
            await writer.wait_closed()
        are_served.release()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        crowd = WatchingCrowd(Watchers(HOST, port, "", 4, is_bare=True, reads=False))
        await crowd.arrive()
        for _ in range(4):
            await are_served.acquire()
        assert await crowd.do(Leave()) == {"had_unread": 2, "cut_off": 2}
        for writer in writers:
            writer.close()
            await writer.wait_closed()

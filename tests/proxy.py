"""A TCP proxy in front of Redis that a test can cut and mend."""

import asyncio
from dataclasses import replace

from server.engines import RedisAddress


class RedisProxy:
    """Stands before a Redis at `address`. While it is cut, connections break and new ones are refused."""

    def __init__(self, behind: RedisAddress) -> None:
        self._behind = behind
        self._server: asyncio.Server | None = None
        self._port = 0
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> RedisAddress:
        """Where clients are to connect."""
        return replace(self._behind, host="127.0.0.1", port=self._port, unix_socket=None)

    async def mend(self) -> None:
        """Let connections through (again)."""
        assert self._server is None
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        pumps = list(self._pumps)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pumps.add(task)
        task.add_done_callback(self._pumps.discard)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._behind.unix_socket is not None:
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._behind.unix_socket)
        else:
            inner_reader, inner_writer = await asyncio.open_connection(self._behind.host, self._behind.port)
        ways = [
            asyncio.create_task(_pump(reader, inner_writer)),
            asyncio.create_task(_pump(inner_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            inner_writer.close()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()

"""A TCP proxy before a PostgreSQL that can hold back what clients send, and tell them that the end is near."""

import asyncio
from dataclasses import replace

from server.engines import PostgresAddress

LAST_WORDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
"""What PostgreSQL says to its clients before it goes. Source: its protocol, ErrorResponse."""


class PostgresProxy:
    """Stands before the PostgreSQL at `behind`. Use as a context manager."""

    def __init__(self, behind: PostgresAddress) -> None:
        self._behind = behind
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._clients: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self.is_held_back = asyncio.Event()
        """Set as soon as a client has sent something that is held back."""
        self.held_back = bytearray()
        self.late_answers: list[asyncio.Event] = []
        """For each statement held back and let go: set when PostgreSQL has answered it after all."""
        self.has_let_go = asyncio.Event()

    async def __aenter__(self) -> "PostgresProxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._clients, return_exceptions=True)

    @property
    def address(self) -> PostgresAddress:
        """Where clients are to connect."""
        assert self._server is not None
        return replace(self._behind, host="127.0.0.1", port=self._server.sockets[0].getsockname()[1])

    def hold_back(self) -> None:
        """Let nothing through to PostgreSQL; its answers still come."""
        self._flows.clear()
        self.is_held_back.clear()
        self.held_back.clear()

    def let_go(self) -> None:
        """Let through what was held back, and all that follows."""
        self._flows.set()

    async def speak_last_words(self) -> None:
        """Tell all clients that their connections end, and do not end them. Clients in this loop know it then."""
        message = b"E" + (len(LAST_WORDS) + 4).to_bytes(4) + LAST_WORDS
        for writer in self._clients.values():
            writer.write(message)
        for _ in range(10):
            await asyncio.sleep(0)

    def cut(self) -> None:
        """Break all connections; new ones get through."""
        self.let_go()
        for task in list(self._clients):
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            del self._clients[task]
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = f"{self._behind.host}/.s.PGSQL.{self._behind.port}"
        if self._behind.host.startswith("/"):
            inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        else:
            inner_reader, inner_writer = await asyncio.open_connection(self._behind.host, self._behind.port)
        owed: list[asyncio.Event] = []
        ways = [
            asyncio.create_task(self._upstream(reader, inner_writer, owed)),
            asyncio.create_task(_downstream(inner_reader, writer, owed)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            inner_writer.close()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _upstream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, owed: list[asyncio.Event]
    ) -> None:
        while data := await reader.read(65536):
            if not self._flows.is_set():
                self.held_back += data
                self.is_held_back.set()
                await self._flows.wait()
                owed.append(asyncio.Event())
                self.late_answers.append(owed[-1])
                self.has_let_go.set()
            writer.write(data)
            await writer.drain()


async def _downstream(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, owed: list[asyncio.Event]
) -> None:
    while data := await reader.read(65536):
        while owed:
            owed.pop().set()
        writer.write(data)
        await writer.drain()

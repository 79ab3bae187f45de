"""HTTP by hand, for what no decent client sends."""

import asyncio
import json
import socket
from types import TracebackType
from typing import Any, NamedTuple, Self, cast
from urllib.parse import urlsplit

from multidict import CIMultiDict

from tests.server.parts import DEADLINE_S

DEAF_BUFFER_BYTES = 2048


class RawAnswer(NamedTuple):
    """An answer as it came."""

    status: int
    headers: CIMultiDict[str]
    body: bytes

    @property
    def refusal(self) -> tuple[int, str]:
        """Status and code, of what is in the envelope."""
        found: dict[str, Any] = json.loads(self.body)
        assert found["success"] is False
        assert found["error"]
        return self.status, found["code"]


class RawHttp:
    """One connection, on which bytes are sent as they are. A deaf one reads nothing, and its kernel little."""

    def __init__(self, url: str, *, is_deaf: bool = False) -> None:
        self._at = urlsplit(url)
        self._is_deaf = is_deaf
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        sock = socket.socket()
        sock.setblocking(False)
        if self._is_deaf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DEAF_BUFFER_BYTES)
        await asyncio.get_running_loop().sock_connect(sock, (self._at.hostname, self._at.port))
        self.reader, self.writer = await asyncio.open_connection(sock=sock)
        if self._is_deaf:
            cast("asyncio.Transport", self.writer.transport).pause_reading()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.writer.transport.abort()

    async def answer(self, sent: bytes = b"", *, has_body: bool = True) -> RawAnswer:
        """Send bytes, and read one answer."""
        self.writer.write(sent)
        async with asyncio.timeout(DEADLINE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers: CIMultiDict[str] = CIMultiDict()
            for name, _, value in (line.partition(": ") for line in head[1:] if line):
                headers.add(name, value)
            size = int(headers.get("Content-Length", 0)) if has_body else 0
            return RawAnswer(int(head[0].split()[1]), headers, await self.reader.readexactly(size))

    async def ended(self) -> bytes:
        """Read to the end; what came before it."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


async def ask(url: str, sent: bytes, *, has_body: bool = True) -> RawAnswer:
    """Send bytes on a connection of their own, and read one answer."""
    async with RawHttp(url) as http:
        return await http.answer(sent, has_body=has_body)

"""A WebSocket by hand, for what no decent client sends. It reads nothing unless it is told to."""

import asyncio
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from bots.rest import ServerAway
from protocol.limits import SUBPROTOCOL

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
SWITCHING = b"HTTP/1.1 101 "
READ_AHEAD_BYTES = 4096
RECEIVE_BUFFER_BYTES = 4096
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def frame(opcode: int, payload: bytes, *, is_final: bool = True) -> bytes:
    """One frame. Its mask is 0: what is masked with it stays as it is."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes(((0x80 if is_final else 0) | opcode,)) + length + b"\0\0\0\0" + payload


def head(url: str, path: str) -> bytes:
    """What asks for a socket."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {KEY}",
        f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
    )
    return "\r\n".join((*lines, "", "")).encode()


class RawSocket:
    """One connection, as a context manager which cuts it at the end. Entering raises ServerAway."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        at = urlsplit(self.url)
        is_secure = at.scheme == "https"
        try:
            self._reader, self._writer = await asyncio.open_connection(
                at.hostname, at.port or (443 if is_secure else 80), ssl=is_secure or None, limit=READ_AHEAD_BYTES
            )
        except OSError as problem:
            raise ServerAway(f"no connection: {problem}") from problem
        # As little as can be is taken from the server unread.
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.transport.abort()

    @property
    def is_cut(self) -> bool:
        """Has the connection broken, as far as one sees who only writes?"""
        return self._writer.transport.is_closing()

    async def shake_hands(self, event_id: str, ticket: str | None = None) -> None:
        """Open a socket. Raises ServerAway when there is none to be had."""
        self.send(head(self.url, f"/ws/events/{event_id}" + (f"?ticket={ticket}" if ticket else "")))
        try:
            answer = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError) as problem:
            raise ServerAway(f"no handshake: {type(problem).__name__}") from problem
        if not answer.startswith(SWITCHING):
            raise ServerAway(f"the handshake was answered with {answer[:40]!r}")

    def send(self, data: bytes) -> None:
        """Send bytes as they are, without waiting."""
        if not self.is_cut:
            self._writer.write(data)

    async def drained(self) -> None:
        """Wait until what was sent has left, or can not."""
        try:
            await self._writer.drain()
        except OSError:
            pass

    def send_no_more(self) -> None:
        """Tell the server that nothing more comes."""
        try:
            self._writer.write_eof()
        except OSError:
            pass

    async def read_to_end(self, hear: Callable[[bytes], bool] = lambda _text: False) -> int | None:
        """Read until the server has closed, or `hear` has heard enough; answers the close code, if one came."""
        try:
            while True:
                first, second = await self._reader.readexactly(2)
                size = second & 0x7F
                if size >= 126:
                    size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
                payload = await self._reader.readexactly(size)
                if first & 0x0F == CLOSE:
                    return int.from_bytes(payload[:2], "big")
                if first & 0x0F == TEXT and hear(payload):
                    return None
        except (asyncio.IncompleteReadError, OSError):
            return None

"""A socket by hand, for what no decent client does: bad frames, and never reading."""

import asyncio
import json
import os
import socket
from typing import Any, Self
from urllib.parse import urlsplit

from tests.server.parts import DEADLINE_S, Customer, Json, Usher

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
READ_AHEAD_BYTES = 1024
RECEIVE_BUFFER_BYTES = 2048


class RawSocket:
    """One connection. It reads nothing by itself, apart from the little that the kernel takes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, usher: Usher, event_id: str, by: Customer | None = None) -> Self:
        """Connect with small buffers and do the handshake."""
        at = urlsplit(usher.url)
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        await asyncio.get_running_loop().sock_connect(sock, (at.hostname, at.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=READ_AHEAD_BYTES)
        session = "" if by is None else f"X-Session-Id: {by.session_id}\r\n"
        writer.write(
            f"GET /ws/events/{event_id} HTTP/1.1\r\nHost: {at.netloc}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: usher.v1\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{session}\r\n".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
        while await reader.readline() != b"\r\n":
            pass
        return cls(reader, writer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()

    def send(self, **fields: Any) -> None:
        """Send a command; never waits."""
        self.frame(TEXT, json.dumps(fields).encode())

    def frame(self, opcode: int, payload: bytes, *, is_final: bool = True, is_masked: bool = True) -> None:
        """Send one frame as it is told."""
        head = bytes([(0x80 if is_final else 0) | opcode])
        size, mask_bit = len(payload), 0x80 if is_masked else 0
        if size < 126:
            head += bytes([mask_bit | size])
        elif size < 1 << 16:
            head += bytes([mask_bit | 126]) + size.to_bytes(2, "big")
        else:
            head += bytes([mask_bit | 127]) + size.to_bytes(8, "big")
        if is_masked:
            mask = os.urandom(4)
            head += mask
            long_mask = (mask * (size // 4 + 1))[:size]
            payload = (int.from_bytes(payload, "big") ^ int.from_bytes(long_mask, "big")).to_bytes(size, "big")
        self._writer.write(head + payload)

    async def read(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame."""
        async with asyncio.timeout(DEADLINE_S):
            first, second = await self._reader.readexactly(2)
            assert first & 0x70 == 0, "a reserved bit is set: compressed?"
            assert second & 0x80 == 0, "the server masks"
            size = second & 0x7F
            if size == 126:
                size = int.from_bytes(await self._reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self._reader.readexactly(8), "big")
            return first & 0x0F, await self._reader.readexactly(size)

    async def message(self) -> Json:
        """The next text frame."""
        opcode, payload = await self.read()
        assert opcode == TEXT, (opcode, payload)
        found: Json = json.loads(payload)
        return found

    async def close_code(self) -> int:
        """Read to the close frame and answer its code."""
        while True:
            opcode, payload = await self.read()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big")

    async def gone(self) -> None:
        """Wait until the server has let go of the connection."""
        async with asyncio.timeout(DEADLINE_S):
            try:
                while await self._reader.read(65536):
                    pass
            except ConnectionError:
                return

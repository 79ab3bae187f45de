"""A connection by hand to any server: any handshake, any bytes; what comes back is checked."""

import asyncio
import re
from typing import Self
from urllib.parse import urlsplit

import msgspec

from protocol.codes import CloseCode
from protocol.outbound import Outbound, Pong, decode
from tests.server.raw_socket import CLOSE, PONG, TEXT, RawSocket

DEADLINE_S = 15.0
"""How long an answer may take; far more than it does."""
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
CLOSE_CODES = frozenset({1000, *CloseCode})
"""1000: the server's answer to a client that says so."""
STATUSES = frozenset({101, *range(400, 500), 501, 505})
"""What a handshake may be answered with: never that something in the server has failed."""

_NEVER_SAID = re.compile(rb"asyncpg|psycopg|relation|SQLSTATE|Traceback|syntax error at", re.IGNORECASE)


class Finding(AssertionError):
    """The server did what it must not do."""


class Closed(Exception):
    """The server has closed the connection; `code` is None where it just went."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Wire(RawSocket):
    """One connection, to be used as a context manager that cuts it off at the end."""

    @classmethod
    async def dial(cls, url: str) -> Self:
        """Connect and say nothing yet."""
        at = urlsplit(url)
        return cls(*await asyncio.open_connection(at.hostname, at.port))

    @classmethod
    async def join(cls, url: str, event_id: str, session_id: str | None) -> Self:
        """Connect and do the handshake as it should be."""
        wire = await cls.dial(url)
        await wire.write(
            handshake(f"/ws/events/{event_id}", {} if session_id is None else {"X-Session-Id": session_id})
        )
        status, _ = await wire.response()
        if status != 101:
            raise Finding(f"a good handshake was answered with {status}")
        return wire

    def put(self, text: bytes) -> None:
        """Send bytes as they are, without waiting; that the server has gone already is no failure."""
        if not self._writer.transport.is_closing():
            self._writer.write(text)

    def frame(self, opcode: int, payload: bytes, *, is_final: bool = True, is_masked: bool = True) -> None:
        if not self._writer.transport.is_closing():
            super().frame(opcode, payload, is_final=is_final, is_masked=is_masked)

    async def write(self, text: bytes) -> None:
        """As `put`, and wait until they have left."""
        self.put(text)
        try:
            await self._writer.drain()
        except ConnectionError:
            pass

    async def end(self) -> None:
        """Say that nothing more comes."""
        try:
            self._writer.write_eof()
        except OSError:
            pass

    def abort(self) -> None:
        """Cut it off."""
        self._writer.transport.abort()

    async def response(self, *, may_be_a_page: bool = False) -> tuple[int | None, bytes]:
        """Status and head of the answer to a handshake; None: the server has gone without one."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None, b""
        except TimeoutError:
            raise Finding("no answer to a handshake") from None
        check_words(head)
        status = int(head.split(b" ", 2)[1])
        if status == 100:  # whoever expects it is told to go on
            return await self.response(may_be_a_page=may_be_a_page)
        if status not in STATUSES and not (may_be_a_page and status == 200):
            raise Finding(f"a handshake was answered with {status}")
        return status, head

    async def rest(self) -> bytes:
        """All that comes until the server has gone."""
        text = b""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while part := await self._reader.read(65536):
                    text += part
        except ConnectionError:
            pass
        except TimeoutError:
            raise Finding("the server does not let go of a broken connection") from None
        check_words(text)
        return text

    async def hear(self) -> Outbound:
        """The next message.

        Raises:
            Closed: there is none.
            Finding: nothing comes, or something that is not of the protocol.
        """
        while True:
            try:
                opcode, payload = await self.read()
            except (asyncio.IncompleteReadError, ConnectionError):
                raise Closed(None) from None
            except TimeoutError:
                raise Finding("no answer") from None
            if opcode == TEXT:
                return checked(payload)
            if opcode == CLOSE:
                raise Closed(_close_code(payload))
            if opcode != PONG:
                raise Finding(f"a frame of the kind {opcode}: {payload[:100]!r}")

    async def settled(self) -> None:
        """Wait until all is done that was sent before. The server must not have closed."""
        closed = await self._until_pong(424_242)
        if closed is not None:
            raise Finding(f"{closed} without need")

    async def heard_out(self) -> None:
        """As `settled`, for those who have left much unread: the server may have lost patience."""
        closed = await self._until_pong(434_343)
        if closed is not None and closed.code not in (None, CloseCode.TOO_SLOW, CloseCode.TOO_MUCH):
            raise Finding(f"{closed} because of a flood")

    async def closed(self) -> None:
        """Hear all that is still said."""
        try:
            while True:
                await self.hear()
        except Closed:
            return

    async def _until_pong(self, number: int) -> Closed | None:
        self.frame(TEXT, b'{"type":"ping","at":%d}' % number)
        try:
            while True:
                message = await self.hear()
                if isinstance(message, Pong) and message.at == number:
                    return None
        except Closed as closed:
            return closed


def handshake(path: str, headers: dict[str, str]) -> bytes:
    """The head of a good handshake, and these headers."""
    usual = {
        "Host": "127.0.0.1",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Protocol": "usher.v1",
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (usual | headers).items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def checked(payload: bytes) -> Outbound:
    """The message in a text frame, which must be one of the protocol's."""
    check_words(payload)
    try:
        message: Outbound = decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Finding(f"not of the protocol ({problem}): {payload[:200]!r}") from None
    return message


def check_words(text: bytes) -> None:
    """Nothing that is said may tell of the inside."""
    if found := _NEVER_SAID.search(text):
        raise Finding(f"the server says {found[0]!r}: {text[:300]!r}")


def _close_code(payload: bytes) -> int:
    code = int.from_bytes(payload[:2], "big")
    if code not in CLOSE_CODES:
        raise Finding(f"closed with {code}, which the protocol does not know")
    check_words(payload)
    return code

"""The way out to one connection: what is written to it, and how far it has come.

Nothing here waits. A connection that does not read costs its kernel buffer and at most `BUFFER_BYTES_MAX`: above
`PATCH_BUFFER_BYTES_MAX` it gets no patches until it has drained, and a reply that does not fit cuts it off.
"""

import asyncio
import socket
from collections.abc import Callable

from actors.core.pace import WaitRange
from protocol.codes import CloseCode
from protocol.outbound import Outbound, encode
from server.sockets.frames import text_frame

PATCH_BUFFER_BYTES_MAX = 64 * 1024
DRAINED_BYTES = 4 * 1024
BUFFER_BYTES_MAX = 256 * 1024
SEND_BUFFER_BYTES = 64 * 1024
RECEIVE_BUFFER_BYTES = 16 * 1024
"""Of the kernel; Linux doubles both."""


class Outbox:
    """One connection's way out. `close` starts the closing handshake and never waits."""

    __slots__ = (
        "_close",
        "_soon",
        "_transport",
        "behind_since",
        "customer",
        "is_closing",
        "revision",
        "session_hash",
        "told_wait",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        customer: str | None,
        session_hash: bytes | None,
        close: Callable[[CloseCode], None],
    ) -> None:
        self.customer = customer
        self.session_hash = session_hash
        self.revision = 0
        """What it has been sent up to."""
        self.told_wait: WaitRange | None = None
        """How long its customer's wait in line may be, as it was told last."""
        self.behind_since: float | None = None
        self.is_closing = False
        self._transport = transport
        self._close = close
        self._soon: list[bytes] = []
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        transport.set_write_buffer_limits(high=BUFFER_BYTES_MAX)

    @property
    def is_drained(self) -> bool:
        """Has nearly everything left?"""
        return self._transport.get_write_buffer_size() <= DRAINED_BYTES

    def send(self, message: Outbound) -> None:
        """Write a message of this connection's own."""
        self.send_text(encode(message))

    def send_text(self, text: bytes) -> None:
        """Write an encoded message; a connection that has left too much unread is cut off."""
        self._write(text_frame(text))

    def _write(self, frames: bytes) -> None:
        if self.is_closing or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > BUFFER_BYTES_MAX:
            self.close(CloseCode.TOO_SLOW)
            return
        self._transport.write(frames)

    def send_soon(self, text: bytes) -> None:
        """Write an encoded message with all others that come in this round of the loop."""
        if not self._soon:
            asyncio.get_running_loop().call_soon(self._send_gathered)
        self._soon.append(text_frame(text))

    def _send_gathered(self) -> None:
        frames, self._soon = b"".join(self._soon), []
        self._write(frames)

    def push(self, frame: bytes) -> bool:
        """Write a shared frame; False: it was left out, because too much is unread."""
        if self.is_closing or self._transport.is_closing():
            return True
        if self._transport.get_write_buffer_size() > PATCH_BUFFER_BYTES_MAX:
            return False
        self._transport.write(frame)
        return True

    def close(self, code: CloseCode) -> None:
        """Nothing more is written; the connection is closed with this code."""
        if not self.is_closing:
            self.is_closing = True
            self._close(code)

    def forget(self) -> None:
        """The connection is gone: keep nothing of it."""
        self.is_closing = True
        self._close = _nothing


def _nothing(_code: CloseCode) -> None:
    """There is no connection left to be closed."""

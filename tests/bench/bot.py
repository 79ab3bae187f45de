"""One lean customer on a socket: it sends, tells its crowd of answers, counts all else and reads no map."""

import asyncio
from typing import Protocol

from picows import WSFrame, WSListener, WSMsgType, WSTransport

OPEN = b'{"type":"open"}'
ID_FROM = len(b'{"type":"accepted","id":"')
"""Answers begin like this, or with `rejected`, which is as long."""


class Broken(Exception):
    """The server did what it must not do."""


class Crowd(Protocol):
    """Whoever is told what a bot was told."""

    def answered(self, bot: "Bot", text: bytes, *, is_accepted: bool) -> None:
        """A command has its answer."""

    def heard(self) -> None:
        """Something else has come."""

    def gone(self, problem: Exception | None) -> None:
        """The connection has ended; with `problem`, because of it."""


class Bot(WSListener):
    """`holds`: the next command is to release (or to pay), by this bot's knowledge."""

    def __init__(self, crowd: Crowd, number: int, seat_count: int) -> None:
        self.number = number
        self.seat_count = seat_count
        self.holds = False
        self.asked_seat = -1
        self.is_there: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._crowd = crowd
        self._problem: Exception | None = None
        self._transport: WSTransport

    def send(self, text: bytes) -> None:
        """One frame."""
        self._transport.send(WSMsgType.TEXT, text)

    def send_all(self, texts: list[bytes]) -> None:
        """Many short frames in one write. Their mask is 0: what is masked with it stays as it is."""
        frames = (b"\x81" + bytes((0x80 | len(text),)) + b"\0\0\0\0" + text for text in texts)
        self._transport.underlying_transport.write(b"".join(frames))

    def leave(self) -> None:
        """Break the connection off."""
        self._transport.disconnect(graceful=False)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport
        self.send(OPEN)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has come."""
        text = frame.get_payload_as_bytes()
        kind = text[9:12]
        try:
            if kind == b"acc":
                self._crowd.answered(self, text, is_accepted=True)
            elif kind == b"rej":
                self._crowd.answered(self, text, is_accepted=False)
            elif frame.msg_type is WSMsgType.CLOSE:
                transport.disconnect()
            elif kind == b"sna" and not self.is_there.done():
                self.is_there.set_result(None)
            else:
                self._crowd.heard()
        except Exception as problem:  # whatever it is, the crowd is to end
            self._problem = problem
            transport.disconnect(graceful=False)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self._crowd.gone(self._problem)
        if not self.is_there.done():
            self.is_there.set_exception(Broken("a bot was sent away at the door"))

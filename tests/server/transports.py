"""A transport for tests of what is written."""

import asyncio
import socket as sockets
from typing import Any


class Transport(asyncio.Transport):
    """A transport that keeps what is written until it is told to send it."""

    def __init__(self, sock: sockets.socket | None = None) -> None:
        super().__init__({"socket": sock})
        self.unsent = b""
        self.high: int | None = None
        self.is_closed = False

    def write(self, data: Any) -> None:
        self.unsent += bytes(data)

    def get_write_buffer_size(self) -> int:
        return len(self.unsent)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high

    def is_closing(self) -> bool:
        return self.is_closed

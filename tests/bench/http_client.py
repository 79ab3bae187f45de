"""One connection over which one request after the other is asked, written and read as octets."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import NamedTuple, cast

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_TAG = re.compile(rb"\r\netag: ([^\r]+)", re.IGNORECASE)


class Answer(NamedTuple):
    """An answer that is whole. `tag` is its ETag, or nothing."""

    status: int
    tag: bytes
    body: bytes


class HttpClient(asyncio.Protocol):
    """`on_answer` is told of each answer and of how long it was waited for, s; `on_end` of the end."""

    def __init__(
        self,
        number: int,
        on_answer: Callable[["HttpClient", Answer, float], None],
        on_end: Callable[["HttpClient"], None],
    ) -> None:
        self.number = number
        self._on_answer = on_answer
        self._on_end = on_end
        self._asked_at = 0.0
        self._read = b""
        self._transport: asyncio.Transport

    def ask(self, request: bytes) -> None:
        """Write a request; there must be none under way."""
        self._asked_at = time.perf_counter()
        self._transport.write(request)

    def leave(self) -> None:
        """Break the connection off; nobody is told of anything any more."""
        self._on_answer = _ignore_answer
        self._on_end = _ignore_end
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not made from asyncio's classes

    def data_received(self, data: bytes) -> None:
        """A part of an answer has come."""
        self._read = self._read + data if self._read else data
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(self._read, 0, end)
        size = end + 4 + (int(length[1]) if length else 0)
        if len(self._read) < size:
            return
        tag = _TAG.search(self._read, 0, end)
        answer = Answer(int(self._read[9:12]), tag[1] if tag else b"", self._read[end + 4 : size])
        self._read = b""
        self._on_answer(self, answer, time.perf_counter() - self._asked_at)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._on_end(self)


def _ignore_answer(_client: HttpClient, _answer: Answer, _wait_s: float) -> None: ...


def _ignore_end(_client: HttpClient) -> None: ...

"""The connections of this process: how many there may be, and those that are ended because they only take up room.

aiohttp has no limit of its own on how many there are, how slowly the head of a request may come, or how slowly an
answer may be read.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from server.door.client_addresses import UNKNOWN, Network, is_loopback, is_within, neighbourhood, normal_address
from server.door.door_settings import DoorSettings
from server.door.open_files import connections_that_fit

HEAD_S = 10.0
"""How long the line and headers of a request may take; the first one's count from the connection on."""

UNREAD_S = 30.0
"""How long a client may take no byte of what waits for it."""

GOODBYE_S = 1.0
GOODBYES_MAX = 100
"""Refused connections that are given the time to read why; the others are cut at once."""

SWEEP_S = 1.0
TELL_S = 60.0
"""How often the log is told that there are too many."""

RETRY_AFTER_S = 5
log = logging.getLogger(__name__)


class Connection(Protocol):
    """What is asked of a connection here."""

    def head_is_late(self) -> None:
        """End it: its request does not come."""


class Connections:
    """All connections of clients. `monotonic` gives seconds.

    This machine itself and the trusted proxies are bound by the number in all alone.
    """

    def __init__(self, settings: DoorSettings, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._exempt: tuple[Network, ...] = settings.trusted_proxies
        self._max = settings.connections_max or connections_that_fit()
        self._monotonic = monotonic
        self._open: dict[asyncio.Transport, str | None] = {}
        self._by_address: Counter[str] = Counter()
        self._heads: dict[Connection, float] = {}
        self._unread: dict[asyncio.Transport, tuple[int, float]] = {}
        self._leaving: dict[asyncio.Transport, float] = {}
        self._tell_again_at = -math.inf

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, transport: asyncio.Transport) -> bool:
        """May this new connection stay? Tell `gone` of it in either case."""
        address = _counted_as(transport, self._exempt)
        is_full = len(self._open) >= self._max
        if is_full and self._monotonic() >= self._tell_again_at:
            self._tell_again_at = self._monotonic() + TELL_S
            log.warning("there are %d connections: no more are taken", self._max)
        per_address = self._settings.connections_per_address
        if is_full or (address is not None and 0 < per_address <= self._by_address[address]):
            return False
        self._open[transport] = address
        if address is not None:
            self._by_address[address] += 1
        return True

    def gone(self, transport: asyncio.Transport) -> None:
        """A connection has ended."""
        self._unread.pop(transport, None)
        self._leaving.pop(transport, None)
        address = self._open.pop(transport, None)
        if address is not None:
            self._by_address[address] -= 1
            if self._by_address[address] == 0:
                del self._by_address[address]

    def head_begins(self, connection: Connection) -> None:
        """The head of a request is waited for; said again, it is still the same one."""
        self._heads.setdefault(connection, self._monotonic())

    def head_ends(self, connection: Connection) -> None:
        """The head is there, or the connection gone."""
        self._heads.pop(connection, None)

    def is_unread(self, transport: asyncio.Transport) -> None:
        """Something waits to be read by the client; nothing more is written before `is_read` or this, again."""
        self._unread[transport] = (transport.get_write_buffer_size(), self._monotonic())

    def is_read(self, transport: asyncio.Transport) -> None:
        """The client has read much of it."""
        self._unread.pop(transport, None)

    def says_goodbye(self, transport: asyncio.Transport) -> None:
        """All has been said to this connection; it may read that, and is then cut."""
        if len(self._leaving) >= GOODBYES_MAX:
            transport.abort()
        else:
            self._leaving[transport] = self._monotonic()

    async def run(self) -> None:
        """Sweep each second. Ends when cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.sweep()

    def sweep(self) -> None:
        """End those that have taken too long."""
        now = self._monotonic()
        for connection, since in list(self._heads.items()):
            if now - since < HEAD_S:
                break  # the oldest come first
            self.head_ends(connection)
            connection.head_is_late()
        for transport, since in list(self._leaving.items()):
            if now - since < GOODBYE_S:
                break
            del self._leaving[transport]
            transport.abort()
        for transport, (size, since) in list(self._unread.items()):
            left = transport.get_write_buffer_size()
            if left == 0:
                del self._unread[transport]
            elif left < size:
                self._unread[transport] = (left, now)
            elif now - since >= UNREAD_S:
                del self._unread[transport]
                transport.abort()


def _counted_as(transport: asyncio.Transport, exempt: Sequence[Network]) -> str | None:
    """Under which address a connection counts; None: under none."""
    peer: Any = transport.get_extra_info("peername")
    address = normal_address(peer[0]) if isinstance(peer, tuple) else UNKNOWN
    return None if is_loopback(address) or is_within(address, exempt) else neighbourhood(address)

"""Those who only watch: thousands of plain sockets that one thread drains, or that nobody reads.

Written on `epoll`, because a frame is to cost the one who reads it less than the one who sends it.
"""

import base64
import os
import secrets
import select
import socket
import threading
import time
from urllib.parse import urlsplit

from protocol.limits import SUBPROTOCOL
from tests.bench.bot import OPEN, Broken
from tests.bench.orders import Await, Forget, Leave, Order, Watchers

READ_BYTES = 1 << 16
SHORT_BYTES = 1 << 10
"""What is longer is no patch of a few seats, and is only counted."""
CONNECTS_AT_ONCE = 64
CONNECT_S = 30.0
POLL_S = 0.2
QUIET_S = 1.0
"""Where nothing comes for so long, nothing is left."""
EVENTS_MAX = 256
UNREAD_BYTES = 4_096
"""The kernel's buffer of a socket that nobody reads: little, so that what is unread stays with the sender."""

_OPEN_FRAME = bytes((0x81, 0x80 | len(OPEN))) + b"\0\0\0\0" + OPEN


def watchers_of(
    url: str, event_id: str, count: int, *, reads: bool = True, opens: int = 1, waits_for: str = "patch"
) -> Watchers:
    """The job of those who watch an event of the server at `url`."""
    at = urlsplit(url)
    path = f"/ws/events/{event_id}"
    return Watchers(at.hostname or "", at.port or 0, path, count, reads=reads, opens=opens, waits_for=waits_for)


class WatchingCrowd:
    """All watchers of this process."""

    def __init__(self, job: Watchers) -> None:
        if not hasattr(select, "epoll"):
            raise Broken("watchers need epoll, which is Linux's")
        self._job = job
        self._awaited = b'{"type":"%b"' % job.waits_for.encode()
        self._sockets: dict[int, socket.socket] = {}
        self._ready = select.epoll()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._ends = False
        self._patches = 0
        self._patch_octets = 0
        self._first_at = 0.0
        self._last_at = 0.0
        self._all_have_it = threading.Event()

    async def arrive(self) -> None:
        """Connect everybody; each watches when this returns. Raises Broken, OSError."""
        for start in range(0, self._job.count, CONNECTS_AT_ONCE):
            self._come(min(CONNECTS_AT_ONCE, self._job.count - start))
        if self._job.reads:
            self._thread.start()

    async def do(self, order: Order) -> dict[str, float]:
        """Carry an order out. Raises Broken."""
        if isinstance(order, Await):
            return self._await_patch(order.within_s)
        if isinstance(order, Forget):
            self._forget()
            return {}
        if isinstance(order, Leave) and not self._job.reads:
            return self._leave_counted()
        raise Broken(f"watchers know no {order}")

    def leave(self) -> None:
        """Break all connections off."""
        self._ends = True
        if self._thread.is_alive():
            self._thread.join()
        for one in self._sockets.values():
            one.close()
        self._ready.close()

    def _await_patch(self, within_s: float) -> dict[str, float]:
        if not self._all_have_it.wait(within_s):
            raise Broken(f"{self._patches} of {self._job.count} watchers had the patch after {within_s} s")
        found = {"span_ms": 1000 * (self._last_at - self._first_at), "octets": self._patch_octets / self._patches}
        self._forget()
        return found

    def _forget(self) -> None:
        self._patches = self._patch_octets = 0
        self._all_have_it.clear()

    def _leave_counted(self) -> dict[str, float]:
        """A connection that was cut off ends after what the kernel had taken for it."""
        unread, cut_off = set(), 0
        for number in self._sockets:
            self._ready.register(number, select.EPOLLIN)
        while ready := self._ready.poll(QUIET_S, EVENTS_MAX):
            for number, _ in ready:
                try:
                    is_over = not os.read(number, READ_BYTES)
                except OSError:
                    is_over = True
                if is_over:
                    self._ready.unregister(number)
                    cut_off += 1
                else:
                    unread.add(number)
        self.leave()
        return {"had_unread": float(len(unread)), "cut_off": float(cut_off)}

    def _drain(self) -> None:
        while not self._ends:
            for number, _ in self._ready.poll(POLL_S, EVENTS_MAX):
                try:
                    read = os.read(number, READ_BYTES)
                except BlockingIOError:
                    continue
                except OSError:
                    read = b""
                if not read:
                    self._ready.unregister(number)
                    self._sockets.pop(number).close()
                    continue
                if len(read) < SHORT_BYTES and self._awaited in read:
                    self._note_patch(len(read))

    def _note_patch(self, size: int) -> None:
        self._last_at = time.perf_counter()
        if self._patches == 0:
            self._first_at = self._last_at
        self._patches += 1
        self._patch_octets += size
        if self._patches == self._job.count:
            self._all_have_it.set()

    def _come(self, count: int) -> None:
        """So many more, each step for all of them at once: the other side is one process."""
        some = [self._connected() for _ in range(count)]
        if not self._job.is_bare:
            for one in some:
                one.sendall(self._handshake())
            for one in some:
                head = _read_to(one, b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 101"):
                    raise Broken(f"a watcher was answered {head[:80]!r}")
                one.sendall(_OPEN_FRAME * self._job.opens)
            if self._job.reads:
                for one in some:
                    _read_to(one, b'"snapshot"')
        for one in some:
            one.setblocking(False)
            if self._job.reads:
                self._ready.register(one.fileno(), select.EPOLLIN)

    def _connected(self) -> socket.socket:
        one = socket.socket()
        self._sockets[one.fileno()] = one
        one.settimeout(CONNECT_S)
        if not self._job.reads:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, UNREAD_BYTES)
        one.connect((self._job.host, self._job.port))
        return one

    def _handshake(self) -> bytes:
        lines = (
            f"GET {self._job.path} HTTP/1.1",
            f"Host: {self._job.host}:{self._job.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(secrets.token_bytes(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}",
        )
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _read_to(one: socket.socket, mark: bytes) -> bytes:
    """What comes, up to and with what has this mark in it."""
    read = b""
    while mark not in read:
        more = one.recv(READ_BYTES)
        if not more:
            raise Broken(f"a watcher was sent away after {read[:80]!r}")
        read += more
    return read

"""All open sockets of this process: closed with their session, checked each minute, sent away at the end."""

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection

from protocol.codes import CloseCode
from server.sockets.outbox import Outbox

log = logging.getLogger(__name__)

CHECK_S = 60.0
GOODBYE_S = 3.0
ENDED_MAX = 10_000
"""Sessions remembered as ended here, for sockets whose handshake is under way."""

Alive = Callable[[Collection[bytes]], Awaitable[set[bytes]]]


class Sockets:
    """The open sockets. `alive` answers which sessions (by hash) still live."""

    def __init__(self, alive: Alive) -> None:
        self._alive = alive
        self._open: set[Outbox] = set()
        self._by_session: dict[bytes, set[Outbox]] = {}
        self._ended: OrderedDict[bytes, None] = OrderedDict()
        self._all_gone = asyncio.Event()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, outbox: Outbox) -> None:
        """A socket has opened."""
        self._open.add(outbox)
        if outbox.session_hash in self._ended:
            outbox.close(CloseCode.SESSION_ENDED)  # the session ended during the handshake
        if outbox.session_hash is not None:
            self._by_session.setdefault(outbox.session_hash, set()).add(outbox)

    def remove(self, outbox: Outbox) -> None:
        """A socket is gone."""
        self._open.discard(outbox)
        if not self._open:
            self._all_gone.set()
        session_hash = outbox.session_hash
        if session_hash is not None and (others := self._by_session.get(session_hash)) is not None:
            others.discard(outbox)
            if not others:
                del self._by_session[session_hash]

    def end_session(self, session_hash: bytes) -> None:
        """Close the sockets of a session that has ended."""
        self._ended[session_hash] = None
        if len(self._ended) > ENDED_MAX:
            self._ended.popitem(last=False)
        for outbox in list(self._by_session.get(session_hash, ())):
            outbox.close(CloseCode.SESSION_ENDED)

    async def run(self) -> None:
        """Each minute, close the sockets whose session has ended elsewhere or run out. Ends when cancelled."""
        while True:
            await asyncio.sleep(CHECK_S)
            await self.check()

    async def check(self) -> None:
        """Close the sockets whose session is no longer alive; when that cannot be told, none."""
        hashes = list(self._by_session)
        try:
            alive = await self._alive(hashes)
        except Exception:
            log.exception("the sessions of open sockets could not be checked")
            return
        for session_hash in hashes:
            if session_hash not in alive:
                self.end_session(session_hash)

    async def close_all(self) -> None:
        """Send everybody away: they come back, with jitter, and resume. Waits until they are gone, a while."""
        self._all_gone.clear()
        for outbox in list(self._open):
            outbox.close(CloseCode.RESTARTING)
        if self._open:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._all_gone.wait()

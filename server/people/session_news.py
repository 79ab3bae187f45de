"""Which sessions end, heard from PostgreSQL by every server process, so that their sockets are closed everywhere.

PostgreSQL and not Redis: who ends a session has just written it there, and it works while Redis is away.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

import asyncpg

from server.database import TROUBLE
from server.statements import sql

CHANNEL = "session_ended"
RETRY_S = 0.5
PING_S = 5.0
PING_ANSWER_S = 2.0
"""A connection whose other end is gone without a word is noticed by a ping that is not answered."""

log = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class SessionNews:
    """Listens on a connection of its own, and never gives up.

    `ended` is told the hashes of sessions that ended; `missed` is called whenever listening has begun (again):
    what ended before that was told to nobody.
    """

    def __init__(
        self,
        connect: Connect,
        ended: Callable[[Collection[bytes]], Awaitable[None]],
        missed: Callable[[], Awaitable[None]],
    ) -> None:
        self._connect = connect
        self._ended = ended
        self._missed = missed

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                await self._listen()
            except TROUBLE as problem:
                log.warning("not hearing which sessions end elsewhere: %r", problem)
            except Exception:  # whatever it is, this has to go on
                log.exception("not hearing which sessions end elsewhere")
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        heard: asyncio.Queue[bytes | None] = asyncio.Queue()
        connection = await self._connect()
        try:
            connection.add_termination_listener(lambda *_: heard.put_nowait(None))
            await connection.add_listener(CHANNEL, lambda *told: heard.put_nowait(_hash_of(told[-1])))
            await self._missed()
            while True:
                try:
                    async with asyncio.timeout(PING_S):
                        id_hash = await heard.get()
                except TimeoutError:
                    await connection.execute(sql("ping"), timeout=PING_ANSWER_S)
                    continue
                if id_hash is None:
                    raise ConnectionError("the connection to PostgreSQL was lost")
                await self._ended([id_hash])
        finally:
            connection.terminate()


def _hash_of(told: object) -> bytes:
    return bytes.fromhex(str(told))

"""Sessions in Redis: a cache that may be lost, cut off or rolled back and never brings an ended session to life.

An entry counts only if it carries the current *generation*, a random mark in Redis that is read together with it.
Whoever has reason to doubt what Redis holds (a session ended that it could not be told about, another server
process answers, the mark is missing) puts a new generation there, which makes every earlier entry worthless for
everybody. Until then, and for as long as Redis is away, the cache is not in use and nobody waits for it.

An entry lives 60 s from the moment before PostgreSQL was read for it, by Redis's clock. Ending a session leaves
a tombstone in its place, which no fill replaces and which lives longer than any entry that was read before.
"""

import asyncio
import logging
import re
import secrets
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from redis import RedisError
from redis.asyncio.connection import AbstractConnection

from server.ending import end
from server.redis_connection import open_redis

if TYPE_CHECKING:
    from server.engines import RedisAddress

ENTRY_DURATION_MS = 60_000
TOMBSTONE_DURATION_MS = 2 * ENTRY_DURATION_MS
RETRY_S = 0.5

_GENERATION = "usher:session:generation"
_TOMBSTONE = b""
_RUN_ID = re.compile(rb"run_id:(\w+)")
_TROUBLE = (RedisError, OSError)

log = logging.getLogger(__name__)


class Session(msgspec.Struct, frozen=True):
    """Who is signed in, and until when. `id_hash` is the SHA-256 of the session's id (32 bytes)."""

    id_hash: bytes
    customer_id: UUID
    name: str
    email: str
    role: str
    is_email_verified: bool
    expires_at: datetime


class Gap(msgspec.Struct, frozen=True):
    """A place without an entry, as it was found at `read_at_ms` (Redis's clock); it may be filled."""

    generation: str
    read_at_ms: int


class Answer(Enum):
    """What the cache may say beside a session or a gap."""

    ENDED = "ended"
    CANNOT_TELL = "cannot tell"


Found = Session | Gap | Answer


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    generation: str
    session: Session


class SessionCache:
    """The sessions in one Redis; `database` is its number. No method raises because of Redis."""

    def __init__(self, address: "RedisAddress", *, database: int = 0) -> None:
        self._redis = open_redis(address, database=database, on_connect=self._meet)
        self._server: bytes | None = None
        self._troubles = 1
        self._troubles_healed = 0
        self._is_in_doubt = True  # a process that died may have left a logout half done
        self._healing: asyncio.Task[None] | None = None
        self._asked: list[tuple[bytes, asyncio.Future[Found]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def look_up(self, id_hash: bytes) -> Found:
        """What Redis knows about a session; `CANNOT_TELL` when it is not in use now.

        One round trip, which begins after this was called. Whoever asks while one is under way goes with the next.
        """
        if not self.is_in_use:
            self._heal_soon()
            return Answer.CANNOT_TELL
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._asked.append((id_hash, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(), name="session-cache-ask")
        return await answer

    async def _ask(self) -> None:
        """Ask for all who wait, until nobody does."""
        asked: list[tuple[bytes, asyncio.Future[Found]]] = []
        try:
            while self._asked:
                asked, self._asked = self._asked, []
                found = await self._look_up_all([id_hash for id_hash, _ in asked])
                for (_, answer), one in zip(asked, found, strict=True):
                    if not answer.done():
                        answer.set_result(one)
        finally:
            for _, answer in (*asked, *self._asked):
                if not answer.done():  # this task was ended: nobody is to wait for it
                    answer.set_result(Answer.CANNOT_TELL)
            self._asked = []

    async def _look_up_all(self, id_hashes: list[bytes]) -> list[Found]:
        if not self.is_in_use:  # since they asked
            return [Answer.CANNOT_TELL] * len(id_hashes)
        troubles = self._troubles
        try:
            pipeline: Any = self._redis.pipeline(transaction=False)
            pipeline.time().mget(_GENERATION, *map(_key, id_hashes))
            (second, microsecond), (mark, *entries) = await pipeline.execute()
        except _TROUBLE as error:
            self._pause(error)
            return [Answer.CANNOT_TELL] * len(id_hashes)
        if mark is None:
            self._doubt("it was emptied")
        gap = None
        if mark is not None and self._troubles == troubles:
            gap = Gap(mark.decode(), second * 1000 + microsecond // 1000)
        return [_found(entry, gap) for entry in entries]

    async def fill(self, gap: Gap, session: Session) -> None:
        """Put in what PostgreSQL said after `gap` was found; an entry or tombstone that came meanwhile stays."""
        if not self.is_in_use:
            return
        entry = msgspec.json.encode(_Entry(gap.generation, session))
        end_ms = gap.read_at_ms + ENTRY_DURATION_MS
        try:
            await self._redis.set(_key(session.id_hash), entry, nx=True, pxat=end_ms)
        except _TROUBLE as error:
            self._pause(error)

    async def end(self, id_hash: bytes) -> None:
        """Have everybody see that this session has ended. Call it after PostgreSQL knows."""
        if not self.is_in_use:
            self._doubt("a session ended meanwhile")
            return
        try:
            await self._redis.set(_key(id_hash), _TOMBSTONE, px=TOMBSTONE_DURATION_MS)
        except _TROUBLE as error:
            self._doubt(error)

    @property
    def is_in_use(self) -> bool:
        """Is the cache in use?"""
        return self._troubles_healed == self._troubles

    async def healed(self) -> None:
        """Wait until the cache is in use (for tests and start-up; may take as long as Redis is away)."""
        while not self.is_in_use:
            self._heal_soon()
            assert self._healing is not None
            await asyncio.shield(self._healing)

    async def close(self) -> None:
        """Give the connections back."""
        await end(self._healing, self._asking)
        await self._redis.aclose()

    def _doubt(self, why: object) -> None:
        """Redis may hold what is no longer true."""
        self._is_in_doubt = True
        self._pause(why)

    def _pause(self, why: object) -> None:
        """Do not ask Redis until it has answered in the background."""
        if self.is_in_use:
            log.warning("sessions: going on without Redis (%s)", why)
        self._troubles += 1
        self._heal_soon()

    def _heal_soon(self) -> None:
        if self._healing is None or self._healing.done():
            self._healing = asyncio.create_task(self._heal(), name="session-cache-heal")

    async def _heal(self) -> None:
        """Try Redis until it answers, with a new generation if in doubt, and nothing goes wrong meanwhile."""
        while not self.is_in_use:
            troubles, was_in_doubt = self._troubles, self._is_in_doubt
            try:
                if was_in_doubt:
                    await self._redis.set(_GENERATION, secrets.token_hex(16))
                else:
                    await self._redis.ping()
            except _TROUBLE:
                await asyncio.sleep(RETRY_S)
                continue
            if troubles == self._troubles:
                self._is_in_doubt = False
                self._troubles_healed = troubles
                log.info("sessions: using Redis")

    async def _meet(self, connection: AbstractConnection) -> None:
        """A new connection: is the server behind it the one that we know? A restarted one may have forgotten."""
        await connection.send_command("INFO", "server")
        found = _RUN_ID.search(await connection.read_response())
        server = found[1] if found else None
        if server != self._server:
            if self._server is not None:
                self._doubt("another server process answers")
            self._server = server


def _key(id_hash: bytes) -> str:
    return f"usher:session:{id_hash.hex()}"


def _found(entry: bytes | None, gap: Gap | None) -> Found:
    """What an entry says; without a gap nothing can be believed but a tombstone."""
    if entry == _TOMBSTONE:
        return Answer.ENDED
    if gap is None:
        return Answer.CANNOT_TELL
    return _session(entry, gap.generation) or gap


def _session(entry: bytes | None, generation: str) -> Session | None:
    """The session of an entry, if there is one of this generation and it can be read."""
    if entry is None:
        return None
    try:
        decoded = msgspec.json.decode(entry, type=_Entry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return decoded.session if decoded.generation == generation else None

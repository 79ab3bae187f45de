"""Sessions and socket tickets: PostgreSQL is the truth, Redis a cache, and only hashes are stored in either."""

import asyncio
import hashlib
import logging
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import asyncpg

from protocol.limits import SESSION_DURATION_S, TICKET_DURATION_S
from server.database import TROUBLE, drop_old
from server.people.session_cache import Answer, Gap, Session, SessionCache
from server.statements import sql

__all__ = ["Caller", "CannotBegin", "NewSession", "Session", "Sessions"]

LIVE_MAX = 50
"""So many sessions an account may have; the oldest ends for one more."""
SEEN_S = 60.0
SEEN_MAX = 100_000
"""So many sessions are noted as used, at most, until the notes are written."""
SEEN_PER_WRITE = 1_000
FOUND_MAX = 50_000
"""So many sessions that were found here are remembered; beyond, the one found longest ago is forgotten."""

_ID_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

log = logging.getLogger(__name__)


class Caller(NamedTuple):
    """Where a session was begun, to be shown to its owner: nothing follows from it."""

    user_agent: str = ""
    address: str = ""


class NewSession(NamedTuple):
    """A session that is about to begin. `id` is told once and stored nowhere."""

    id: str
    id_hash: bytes
    begins_at: datetime
    expires_at: datetime


_NOWHERE = Caller()


class CannotBegin(Exception):
    """The account is gone, or its password was changed while it was being verified."""


class Sessions:
    """Makes, finds and ends sessions. `now` gives the time in UTC.

    `on_end` is called with the `id_hash` of every session that has ended, so that its sockets are closed at once:
    for those that this process ends, and for those that it hears of (`SessionNews`).
    """

    def __init__(self, database: asyncpg.Pool, cache: SessionCache, now: Callable[[], datetime]) -> None:
        self.on_end: list[Callable[[bytes], None]] = []
        self.created = 0
        """How many this process has begun."""
        self._database = database
        self._cache = cache
        self._now = now
        self._seen: set[bytes] = set()
        self._found: OrderedDict[bytes, None] = OrderedDict()

    async def create(
        self, customer_id: UUID, caller: Caller = _NOWHERE, password_hash: str | None = None
    ) -> tuple[str, datetime]:
        """A new session: its id, which is told once and stored nowhere, and its end in 24 h.

        `password_hash` is what the password was compared with: one that was changed since opens nothing.

        Raises:
            CannotBegin
        """
        new = self.new()
        ended = await self._database.fetchval(
            sql("begin_session"),
            new.id_hash,
            customer_id,
            password_hash,
            *caller,
            new.begins_at,
            new.expires_at,
            LIVE_MAX,
        )
        if ended is None:
            raise CannotBegin
        self.created += 1
        await self.ended(ended)
        return new.id, new.expires_at

    def new(self) -> NewSession:
        """What a session begins with; whoever begins it elsewhere than here counts it in `created`."""
        session_id, now = secrets.token_urlsafe(_ID_BYTES), self._now()
        return NewSession(session_id, _hash(session_id), now, now + timedelta(seconds=SESSION_DURATION_S))

    @property
    def is_cache_in_use(self) -> bool:
        """Are sessions looked up in Redis? Without it PostgreSQL is asked each time."""
        return self._cache.is_in_use

    async def find(self, session_id: str) -> Session | None:
        """The live session of this id. Whatever is no id of ours, has run out or has ended is None."""
        if not _ID.fullmatch(session_id):
            return None
        id_hash = _hash(session_id)
        found = await self._look_up(id_hash)
        self._found.pop(id_hash, None)
        if found is not None:
            self._note_seen(id_hash)
            self._found[id_hash] = None
            if len(self._found) > FOUND_MAX:
                self._found.popitem(last=False)
        return found

    def was_live(self, session_id: str) -> bool:
        """Was the session of this id live when it was last looked up here? It is no proof that it is now."""
        return _ID.fullmatch(session_id) is not None and _hash(session_id) in self._found

    async def of(self, customer_id: UUID) -> list[asyncpg.Record]:
        """The live sessions of a customer, the newest first."""
        return await self._database.fetch(sql("sessions_of_customer"), customer_id, self._now())

    async def end(self, session: Session) -> None:
        """End a session, for good and everywhere.

        When this returns, no node that shares our Redis accepts the id any more. One that reaches Redis while we
        do not notices when it hears of it, within a second.
        """
        await self._end(session.id_hash)

    async def end_one(self, customer_id: UUID, name: UUID) -> bytes | None:
        """End a customer's session by its public name; its hash, or None where there is none of that name."""
        id_hash: bytes | None = await self._database.fetchval(
            sql("session_of_customer"), name, customer_id, self._now()
        )
        if id_hash is not None:
            await self._end(id_hash)
        return id_hash

    async def end_others(self, session: Session) -> int:
        """End all other sessions of this one's customer; how many these were."""
        hashes = await self._database.fetchval(
            sql("end_other_sessions"), session.customer_id, session.id_hash, self._now()
        )
        await self.ended(hashes)
        return len(hashes)

    async def ended(self, id_hashes: Collection[bytes]) -> None:
        """These have ended in PostgreSQL: tell Redis, and whoever wants to know here. Twice is as good as once."""
        for id_hash in id_hashes:
            await self._cache.end(id_hash)
            for callback in self.on_end:
                try:
                    callback(id_hash)
                except Exception:
                    log.exception("a callback failed after a session ended")

    async def alive(self, id_hashes: Collection[bytes]) -> set[bytes]:
        """Which of these sessions, whose sockets are open, live by PostgreSQL."""
        rows = await self._database.fetch(sql("live_sessions"), list(id_hashes), self._now())
        alive = {row["id_hash"] for row in rows}
        for id_hash in alive:
            self._note_seen(id_hash)
        return alive

    async def make_ticket(self, session: Session) -> tuple[str, datetime]:
        """A ticket that lets one socket in as this session, and its end in 30 s."""
        ticket = secrets.token_urlsafe(_ID_BYTES)
        expires_at = self._now() + timedelta(seconds=TICKET_DURATION_S)
        await self._database.execute(sql("make_socket_ticket"), _hash(ticket), session.id_hash, expires_at)
        return ticket, expires_at

    async def take_ticket(self, ticket: str) -> Session | None:
        """The session of this ticket, once; None when it is unknown, used or old, or its session is dead."""
        if not _ID.fullmatch(ticket):
            return None
        row = await self._database.fetchrow(sql("take_socket_ticket"), _hash(ticket), self._now())
        return Session(**row) if row is not None else None

    async def run(self) -> None:
        """Each minute, write down which sessions were used. Ends when cancelled."""
        while True:
            await asyncio.sleep(SEEN_S)
            try:
                await self.write_seen()
            except TROUBLE as problem:
                log.warning("it was not noted which sessions are in use: %s", problem)

    async def write_seen(self) -> None:
        """Write down which sessions were used since the last time."""
        seen, self._seen = list(self._seen), set()
        for start in range(0, len(seen), SEEN_PER_WRITE):
            part = seen[start : start + SEEN_PER_WRITE]
            await self._database.execute(sql("note_sessions_seen"), part, self._now())

    async def sweep(self) -> None:
        """Drop what has run out: tickets at once, sessions a day later. To be called now and then."""
        now = self._now()
        await drop_old(self._database, "drop_old_tickets", now)
        await drop_old(self._database, "drop_old_sessions", now - timedelta(days=1))

    async def close(self) -> None:
        """Let go of Redis. The pool is the caller's."""
        await self._cache.close()

    async def _look_up(self, id_hash: bytes) -> Session | None:
        known = await self._cache.look_up(id_hash)
        if known is Answer.ENDED:
            return None
        if isinstance(known, Session):
            return known if known.expires_at > self._now() else None
        row = await self._database.fetchrow(sql("live_session"), id_hash, self._now())
        if row is None:
            return None
        session = Session(**row)
        if isinstance(known, Gap):
            await self._cache.fill(known, session)
        return session

    async def _end(self, id_hash: bytes) -> None:
        await self._database.execute(sql("end_session"), id_hash, self._now())
        await self.ended([id_hash])

    def _note_seen(self, id_hash: bytes) -> None:
        if len(self._seen) < SEEN_MAX:
            self._seen.add(id_hash)


def _hash(secret: str) -> bytes:
    """The SHA-256 under which an id or a ticket is known. No salt: what is hashed is 256 random bits."""
    return hashlib.sha256(secret.encode("ascii")).digest()

"""Sessions and socket tickets: PostgreSQL is the truth, Redis a cache, and only hashes are stored in either."""

import hashlib
import logging
import re
import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from protocol.limits import SESSION_DURATION_S, TICKET_DURATION_S
from server.session_cache import Answer, Gap, Session, SessionCache
from server.statements import sql

__all__ = ["Session", "Sessions"]

_ID_BYTES = 32
_ID = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)

log = logging.getLogger(__name__)


class Sessions:
    """Makes, finds and ends sessions. `now` gives the time in UTC.

    `on_end` is called with the `id_hash` of every session that this process ends, so that its sockets are closed
    at once. Sessions that end elsewhere are found by `alive`.
    """

    def __init__(self, database: asyncpg.Pool, cache: SessionCache, now: Callable[[], datetime]) -> None:
        self.on_end: list[Callable[[bytes], None]] = []
        self._database = database
        self._cache = cache
        self._now = now

    async def create(self, customer_id: UUID) -> tuple[str, datetime]:
        """A new session: its id, which is told once and stored nowhere, and its end in 24 h."""
        session_id = secrets.token_urlsafe(_ID_BYTES)
        now = self._now()
        expires_at = now + timedelta(seconds=SESSION_DURATION_S)
        await self._database.execute(sql("create_session"), _hash(session_id), customer_id, now, expires_at)
        return session_id, expires_at

    async def find(self, session_id: str) -> Session | None:
        """The live session of this id. Whatever is no id of ours, has run out or has ended is None."""
        if not _ID.fullmatch(session_id):
            return None
        id_hash = _hash(session_id)
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

    async def end(self, session: Session) -> None:
        """End a session, for good and everywhere.

        When this returns, no node that shares our Redis accepts the id any more. One that reaches Redis while we
        do not may take up to 60 s to notice.
        """
        await self._database.execute(sql("end_session"), session.id_hash, self._now())
        await self._cache.end(session.id_hash)
        for callback in self.on_end:
            try:
                callback(session.id_hash)
            except Exception:
                log.exception("a callback failed after a session ended")

    async def alive(self, id_hashes: Collection[bytes]) -> set[bytes]:
        """Which of these sessions live, by PostgreSQL."""
        rows = await self._database.fetch(sql("live_sessions"), list(id_hashes), self._now())
        return {row["id_hash"] for row in rows}

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

    async def sweep(self) -> None:
        """Drop what has run out: tickets at once, sessions a day later. To be called now and then."""
        now = self._now()
        await self._database.execute(sql("drop_old_tickets"), now)
        await self._database.execute(sql("drop_old_sessions"), now - timedelta(days=1))

    async def close(self) -> None:
        """Let go of Redis. The pool is the caller's."""
        await self._cache.close()


def _hash(secret: str) -> bytes:
    """The SHA-256 under which an id or a ticket is known. No salt: what is hashed is 256 random bits."""
    return hashlib.sha256(secret.encode("ascii")).digest()

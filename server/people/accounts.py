"""Accounts: another password, tokens that come by mail, browsers that are known. Stored are hashes alone."""

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from server.database import drop_old
from server.people.sessions import LIVE_MAX, Caller, NewSession, Sessions
from server.statements import sql

DEVICE_DURATION_S = 400 * 24 * 3600
"""As long as browsers keep a cookie."""
DEVICES_MAX = 20
"""So many browsers an account knows; the longest unused is forgotten for one more."""
TOKEN_REMEMBERED_S = 24 * 3600
"""For how long an old token is told from one that never was."""

_SECRET_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Purpose(StrEnum):
    """What a mailed token is for."""

    RESET_PASSWORD = "reset_password"  # noqa: S105 (no password)
    VERIFY_EMAIL = "verify_email"

    @property
    def duration_s(self) -> int:
        """For how long such a token can be used."""
        return 3600 if self is Purpose.RESET_PASSWORD else 24 * 3600


class Account(msgspec.Struct, frozen=True):
    """Who an account is."""

    id: UUID
    email: str
    name: str


class BadToken(StrEnum):
    """Why a mailed token cannot be used."""

    UNKNOWN = "token_unknown"
    USED = "token_used"
    EXPIRED = "token_expired"


class Device(NamedTuple):
    """What a browser keeps so that it is known again. `secret` is told to it and stored nowhere."""

    secret: str
    hash: bytes


class Accounts:
    """Changes accounts. `now` gives the time in UTC; sessions end through `sessions`."""

    def __init__(self, database: asyncpg.Pool, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self.logins_failed = 0
        """How many logins with a wrong address or password this process has seen."""
        self._database = database
        self._sessions = sessions
        self._now = now

    async def change_password(
        self, customer_id: UUID, old_hash: str, new_hash: str, caller: Caller, device: Device | None = None
    ) -> NewSession | None:
        """Another password instead of `old_hash`; all sessions end, and all devices but this are forgotten.

        One session begins in their place, in the same step. None, and nothing done, where the password has been
        changed meanwhile.
        """
        new = self._sessions.new()
        ended = await self._database.fetchval(
            sql("change_own_password"),
            customer_id,
            old_hash,
            new_hash,
            device.hash if device is not None else None,
            new.id_hash,
            *caller,
            new.begins_at,
            new.expires_at,
            LIVE_MAX,
        )
        if not await self._end_all(ended):
            return None
        self._sessions.created += 1
        return new

    async def make_token(self, purpose: Purpose, customer_id: UUID) -> str:
        """A token that can be used once. It is told to nobody but the reader of the customer's mail."""
        token = secrets.token_urlsafe(_SECRET_BYTES)
        expires_at = self._now() + timedelta(seconds=purpose.duration_s)
        await self._database.execute(sql("make_mail_token"), _hash(token), customer_id, purpose, expires_at)
        return token

    async def look_at(self, purpose: Purpose, token: str) -> Account | BadToken:
        """Whose token this is, while it can be used; looking does not use it up."""
        if not _SECRET.fullmatch(token):
            return BadToken.UNKNOWN
        row = await self._database.fetchrow(sql("mail_token"), _hash(token), purpose, self._now())
        if row is None:
            return BadToken.UNKNOWN
        if row["is_used"]:
            return BadToken.USED
        return BadToken.EXPIRED if row["is_over"] else Account(row["id"], row["email"], row["name"])

    async def reset_password(self, token: str, new_hash: str) -> bool:
        """Use a token up for another password; all sessions end. False where another was faster with it."""
        return await self._end_all(
            await self._database.fetchval(sql("reset_password"), _hash(token), new_hash, self._now())
        )

    async def verify_email(self, token: str) -> bool:
        """Use a token up to prove an address. False where another was faster with it."""
        return await self._database.fetchval(sql("verify_email"), _hash(token), self._now()) is not None

    async def is_email_verified(self, customer_id: UUID) -> bool:
        """Is the address of this account proven?"""
        return bool(await self._database.fetchval(sql("is_email_verified"), customer_id))

    async def remember(self, customer_id: UUID, device: Device) -> None:
        """This customer has signed in with this browser."""
        await self._database.execute(sql("remember_device"), customer_id, device.hash, self._now(), DEVICES_MAX)

    async def sweep(self) -> None:
        """Drop old tokens and devices. To be called now and then."""
        now = self._now()
        await drop_old(self._database, "drop_old_mail_tokens", now - timedelta(seconds=TOKEN_REMEMBERED_S))
        await drop_old(self._database, "drop_old_devices", now - timedelta(seconds=DEVICE_DURATION_S))

    async def _end_all(self, ended: list[bytes] | None) -> bool:
        if ended is None:
            return False
        await self._sessions.ended(ended)
        return True


def new_device() -> Device:
    """A browser that is not known yet."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    return Device(secret, _hash(secret))


def shown_device(secret: str) -> Device | None:
    """The browser that shows this; None for what none of ours can have."""
    return Device(secret, _hash(secret)) if _SECRET.fullmatch(secret) else None


def _hash(secret: str) -> bytes:
    """The SHA-256 under which it is known. No salt: what is hashed is 256 random bits."""
    return hashlib.sha256(secret.encode("ascii")).digest()

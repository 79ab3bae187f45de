"""What this installation signs with Ed25519, so that anybody can verify it offline: tickets, receipts, draws.

The keys are in the database: all nodes share them. The first is made at first use. One key signs; a retired one
stays public, so that what it has signed can be verified.

What is signed is `usher.signed.v1.`, the kind of the document, a zero byte, then the document's bytes. So a receipt
can never pass for a ticket. A Struct's bytes are its JSON with sorted keys and no spaces (`canonical`).
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

import asyncpg
import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from server.statements import sql

Kind: TypeAlias = Literal["ticket", "draw-receipt", "draw-head", "draw"]
"""What a document is, signed along with it."""

FRESH_S = 60.0
"""For how long the keys are taken to be as they were read: a retired one may sign for so long on another node."""
ASK_AGAIN_S = 1.0
"""A key id that nobody knows makes us read the keys again, but not more often than this."""

_TAG = b"usher.signed.v1."


class Signature(NamedTuple):
    """Which key has signed, and its 64 bytes."""

    key_id: str
    value: bytes


class PublicKey(NamedTuple):
    """What anybody may know of a key. `retired_at` is None for the one that signs."""

    key_id: str
    public_key: bytes
    created_at: datetime
    retired_at: datetime | None


class SigningKeys:
    """The installation's keys. `now` gives the time in UTC, `monotonic` seconds. Raises what asyncpg raises."""

    def __init__(
        self,
        database: asyncpg.Pool,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._public: dict[str, PublicKey] = {}
        self._signer: tuple[str, Ed25519PrivateKey] | None = None
        self._read_at = -FRESH_S

    async def sign(self, kind: Kind, document: bytes) -> Signature:
        """Sign a document's bytes. The first call of all makes the first key."""
        if self._signer is None or not self._is_fresh(FRESH_S):
            await self._read()
        if self._signer is None:
            await self._make(only_the_first=True)
        assert self._signer is not None
        key_id, key = self._signer
        return Signature(key_id, key.sign(_signed(kind, document)))

    async def verify(self, kind: Kind, document: bytes, signature: Signature) -> bool:
        """Has one of our keys signed this?"""
        if signature.key_id not in self._public and not self._is_fresh(ASK_AGAIN_S):
            await self._read()
        known = self._public.get(signature.key_id)
        return known is not None and is_signed_by(known.public_key, kind, document, signature.value)

    async def public_keys(self) -> list[PublicKey]:
        """All keys, the one that signs first; there is always one."""
        if self._signer is None or not self._is_fresh(FRESH_S):
            await self._read()
        if self._signer is None:
            await self._make(only_the_first=True)
        return list(self._public.values())

    async def rotate(self) -> str:
        """Retire the key that signs and make another; answers its id. Other nodes use it within `FRESH_S`."""
        await self._make(only_the_first=False)
        assert self._signer is not None
        return self._signer[0]

    async def _make(self, *, only_the_first: bool) -> None:
        """Make a key, unless another node was faster and only the first is wanted."""
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        async with self._database.acquire() as connection, connection.transaction():
            await connection.execute(sql("lock_signing_keys"))
            rows = await connection.fetch(sql("signing_keys"))
            if not only_the_first or not any(row["retired_at"] is None for row in rows):
                moment = self._now()
                await connection.execute(sql("retire_signing_keys"), moment)
                await connection.execute(
                    sql("add_signing_key"), key_id_of(public), public, key.private_bytes_raw(), moment
                )
        await self._read()

    async def _read(self) -> None:
        rows = await self._database.fetch(sql("signing_keys"))
        self._read_at = self._monotonic()
        self._public = {
            row["key_id"]: PublicKey(row["key_id"], row["public_key"], row["created_at"], row["retired_at"])
            for row in rows
        }
        in_use = next((row for row in rows if row["retired_at"] is None), None)
        self._signer = (
            None
            if in_use is None
            else (in_use["key_id"], Ed25519PrivateKey.from_private_bytes(in_use["private_key"]))
        )

    def _is_fresh(self, seconds: float) -> bool:
        return self._monotonic() - self._read_at < seconds


def canonical(document: msgspec.Struct | Mapping[str, object]) -> bytes:
    """The bytes of a small document that are signed: JSON, keys sorted, no spaces, UTF-8."""
    return msgspec.json.encode(document, order="sorted")


def is_signed_by(public_key: bytes, kind: Kind, document: bytes, signature: bytes) -> bool:
    """Is this the signature of that key's owner? False, too, for bytes that are no key or signature at all."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _signed(kind, document))
    except (InvalidSignature, ValueError):
        return False
    return True


def key_id_of(public_key: bytes) -> str:
    """What a key is called: the first 16 hex digits of its public half's SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def _signed(kind: Kind, document: bytes) -> bytes:
    return _TAG + kind.encode() + b"\0" + document

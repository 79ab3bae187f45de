"""The gate before the waiting room: what is asked of who wants to join, beside the rate limits.

Checks are behind a port (`LobbyCheck`): each sees who wants to join what, with the proof that was sent, and may
refuse. There are two: a confirmed e-mail address, where an event asks for one (`verified_email`), and a proof of
work (ALTCHA). That one makes a crowd of accounts cost computing time, and proves nothing else.

A challenge is bound to one account and one event and expires. So a solution is worth nothing to anybody else; sent
again by its owner, it finds the place that is there. Nothing has to be remembered, on whichever node.
"""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import altcha
import asyncpg

from protocol.codes import Code
from protocol.limits import PROOF_CHARS_MAX
from server.people.session_cache import Session
from server.statements import sql

ALGORITHM, COST = "PBKDF2/SHA-256", 1_000
TRIES_MIN, TRIES_MAX = 2_000, 6_000
"""How many keys are derived to find the solution, each of `COST` rounds: seconds in a browser."""
EXPIRES_AFTER = timedelta(minutes=10)
NAME_OF_KEY = "lobby challenge"


class LobbyCheck(Protocol):
    """Something that is asked before somebody may join. Whoever joins waits for it, and nobody else does."""

    async def refusal(self, event_id: str, session: Session, proof: str | None, /) -> Code | None:
        """Why this customer may not join with this proof; None: they may."""


class LobbyGate:
    """All checks, in order; with none, everybody may join."""

    def __init__(self, checks: Sequence[LobbyCheck] = ()) -> None:
        self._checks = checks

    async def refusal(self, event_id: str, session: Session, proof: str | None) -> Code | None:
        """The first refusal; None: come in."""
        for check in self._checks:
            code = await check.refusal(event_id, session, proof)
            if code is not None:
                return code
        return None


class ProofOfWork:
    """Challenges of ALTCHA, and the check of their solutions. `now` gives the time in UTC."""

    def __init__(
        self,
        secret: bytes,
        now: Callable[[], datetime],
        tries: tuple[int, int] = (TRIES_MIN, TRIES_MAX),
    ) -> None:
        self._secret = b"challenge" + secret
        self._key_secret = b"key" + secret
        self._now = now
        self._tries = tries

    def challenge(self, event_id: str, customer: str) -> dict[str, Any]:
        """A new challenge for this customer and event, as ALTCHA's clients read it. Takes 1 ms."""
        low, high = self._tries
        made = altcha.create_challenge(
            ALGORITHM,
            COST,
            counter=low + secrets.randbelow(high - low + 1),
            expires_at=self._now() + EXPIRES_AFTER,
            data={"event": event_id, "customer": customer},
            hmac_secret=self._secret,
            hmac_key_secret=self._key_secret,
        )
        found: dict[str, Any] = made.to_dict()
        return found

    async def refusal(self, event_id: str, session: Session, proof: str | None) -> Code | None:
        """Is this a solution of a challenge of ours for this customer and event?"""
        return None if self.is_proven(event_id, str(session.customer_id), proof) else Code.PROOF_REQUIRED

    def is_proven(self, event_id: str, customer: str, proof: str | None) -> bool:
        """The same. It takes two HMACs."""
        if proof is None or len(proof) > PROOF_CHARS_MAX:
            return False
        try:
            payload = altcha.Payload.from_base64(proof)
            # Ours are signed: a solution without the key's signature would make us derive one ourselves.
            is_quick = isinstance(payload.challenge.parameters.key_signature, str)
            is_theirs = payload.challenge.parameters.data == {"event": event_id, "customer": customer}
            return is_quick and is_theirs and self._is_solved(payload)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False

    def _is_solved(self, payload: altcha.Payload) -> bool:
        expires_at = payload.challenge.parameters.expires_at
        if not isinstance(expires_at, int) or expires_at < self._now().timestamp():
            return False
        found = altcha.verify_solution(payload, self._secret, hmac_key_secret=self._key_secret)
        return found.verified is True


async def lobby_secret(database: asyncpg.Pool) -> bytes:
    """The secret of the challenges, which all nodes share; the first one makes it."""
    await database.execute(sql("keep_secret"), NAME_OF_KEY, secrets.token_bytes(32))
    found: bytes = await database.fetchval(sql("shared_secret"), NAME_OF_KEY)
    return found

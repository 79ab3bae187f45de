"""The check of events whose waiting room is for those alone who have confirmed their e-mail address.

It makes many accounts cost as many mailboxes, and proves nothing else.
"""

from collections.abc import Callable
from uuid import UUID

import asyncpg

from protocol.codes import Code
from server.people.accounts import Accounts
from server.people.session_cache import Session
from server.statements import sql

KNOWN_S = 1.0
"""For so long it is known what an event asks for; so late a change of it counts."""


class VerifiedEmail:
    """A `LobbyCheck`. Who has confirmed an address is asked of nobody; of the others, only where it matters."""

    def __init__(self, database: asyncpg.Pool, accounts: Accounts, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._accounts = accounts
        self._monotonic = monotonic
        self._asks: dict[str, tuple[float, bool]] = {}

    async def refusal(self, event_id: str, session: Session, _proof: str | None) -> Code | None:
        """Has this customer to confirm an address first?"""
        if session.is_email_verified or not await self._asks_for_it(event_id):
            return None
        # What was proven stays so; that it is not may be a minute old in the session.
        is_verified = await self._accounts.is_email_verified(session.customer_id)
        return None if is_verified else Code.EMAIL_NOT_VERIFIED

    async def _asks_for_it(self, event_id: str) -> bool:
        now = self._monotonic()
        known_until, asks = self._asks.get(event_id, (0.0, False))
        if now >= known_until:
            asks = bool(await self._database.fetchval(sql("asks_for_verified_email"), UUID(event_id)))
            self._asks = {event: one for event, one in self._asks.items() if one[0] > now}
            self._asks[event_id] = now + KNOWN_S, asks
        return asks

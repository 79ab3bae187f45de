"""The mails about accounts. What depends on whether there is one happens here, after the answer."""

from functools import partial
from uuid import UUID

import asyncpg

from server.mail.letters import reset_letter, verification_letter
from server.mail.outgoing import Outgoing
from server.mail.port import Mail
from server.people.accounts import Accounts, Purpose
from server.people.throttle import Budget, Throttle
from server.statements import sql

MAILS_MAX = 5
MAILS_WINDOW_S = 3600


class AccountMails:
    """Has mails written and sent, and never waits for it. `origin` is what their links begin with."""

    def __init__(
        self, database: asyncpg.Pool, accounts: Accounts, outgoing: Outgoing, throttle: Throttle, origin: str
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._outgoing = outgoing
        self._throttle = throttle
        self._origin = origin

    def send_reset(self, email: str) -> None:
        """Send what a new password can be chosen with, if somebody has this address. Nobody is told whether."""
        self._outgoing.post(partial(self._reset, email))

    def send_verification(self, customer_id: UUID, email: str) -> None:
        """Send what the address can be proven with."""
        self._outgoing.post(partial(self._verification, customer_id, email))

    async def _reset(self, email: str) -> Mail | None:
        account = await self._database.fetchrow(sql("customer_by_email"), email)
        if account is None or (await self._throttle.begin(mail_budget("reset", account["id"]))).wait_s:
            return None
        token = await self._accounts.make_token(Purpose.RESET_PASSWORD, account["id"])
        return reset_letter(self._origin, account["email"], token)

    async def _verification(self, customer_id: UUID, email: str) -> Mail:
        token = await self._accounts.make_token(Purpose.VERIFY_EMAIL, customer_id)
        return verification_letter(self._origin, email, token)


def mail_budget(kind: str, customer_id: UUID) -> Budget:
    """How many mails of this kind an account gets, whoever asks for them."""
    return Budget(f"mail:{kind}:{customer_id}", MAILS_MAX, MAILS_WINDOW_S)

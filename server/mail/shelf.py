"""The demo's mail: kept in memory, to be looked at under `/dev/mail`."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from server.mail.port import Mail, Mailer

MAILS_MAX = 100


class Kept(NamedTuple):
    """A mail, and when it would have been sent."""

    sent_at: datetime
    mail: Mail


class Shelf(Mailer):
    """Keeps the last mails. `now` gives the time in UTC."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: deque[Kept] = deque(maxlen=MAILS_MAX)

    async def send(self, mail: Mail) -> None:
        self._kept.append(Kept(self._now(), mail))

    @property
    def kept(self) -> list[Kept]:
        """The mails, the newest first."""
        return list(reversed(self._kept))

"""The line before the mailer: bounded, in the background, with a few tries. No request waits for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from server.mail.port import Mail, MailAway, Mailer, MailRefused

LETTERS_MAX = 1_000
"""So many letters are not sent yet, at most: those that wait, are under way, and are to be tried again."""
WRITERS = 4
PAUSES_S = (1.0, 10.0)
FINISH_S = 2.0

log = logging.getLogger(__name__)

Letter = Callable[[], Awaitable[Mail | None]]
"""Writes a mail when its turn comes; None: there is none to be sent."""


class _Try(NamedTuple):
    """A letter in the line. `pauses_s`: before its later tries; `mail`: as it was written for an earlier one."""

    letter: Letter
    pauses_s: tuple[float, ...]
    mail: Mail | None = None


class Outgoing:
    """Sends what it is given, one try and one more after each of `pauses_s`.

    A letter that pauses keeps nobody waiting: it stands in the line again when its pause is over.
    """

    def __init__(self, mailer: Mailer, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._mailer = mailer
        self._pauses_s = tuple(pauses_s)
        self._line: asyncio.Queue[_Try] = asyncio.Queue()
        self._unsent = 0
        self._none_unsent = asyncio.Event()
        self._none_unsent.set()

    def post(self, letter: Letter) -> None:
        """Have it written and sent. Never waits; beyond `LETTERS_MAX` it is lost."""
        if self._unsent >= LETTERS_MAX:
            log.error("a mail is lost: too many are waiting")
            return
        self._unsent += 1
        self._none_unsent.clear()
        self._line.put_nowait(_Try(letter, self._pauses_s))

    async def run(self) -> None:
        """Send what comes, one mail after the other, until cancelled; start `WRITERS` of these.

        Each is a task of its own: a task group passes on the first cancellation alone, and that may be lost (see
        `server.ending`).
        """
        while True:
            turn = await self._line.get()
            is_over = True
            try:
                is_over = await self._take(turn)
            except Exception:  # whatever it is, the others are to be sent
                log.exception("a mail was not sent")
            finally:
                if is_over:
                    self._unsent -= 1
                    if self._unsent == 0:
                        self._none_unsent.set()

    async def all_sent(self) -> None:
        """Wait until all that was posted is sent or given up."""
        await self._none_unsent.wait()

    async def finish(self) -> None:
        """At the end: give what is not sent yet a moment."""
        try:
            async with asyncio.timeout(FINISH_S):
                await self.all_sent()
        except TimeoutError:
            log.error("mails are lost: %d were not sent yet", self._unsent)

    async def _take(self, turn: _Try) -> bool:
        """One try; is this letter sent or given up? If not, it comes again."""
        mail = turn.mail or await turn.letter()
        if mail is None:
            return True
        try:
            await self._mailer.send(mail)
        except MailAway as problem:
            if turn.pauses_s:
                log.warning("a mail could not be sent yet: %s", problem)
                pause_s, *later_s = turn.pauses_s
                again = _Try(turn.letter, tuple(later_s), mail)
                asyncio.get_running_loop().call_later(pause_s, self._line.put_nowait, again)
                return False
            log.error("a mail was not sent: %s", problem)
        except MailRefused as problem:
            log.error("a mail was not sent: %s", problem)
        return True

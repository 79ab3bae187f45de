"""The line before the mailer: bounded, in the background, with a few tries. No request waits for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from server.mail.port import Mail, MailAway, Mailer, MailRefused

LETTERS_MAX = 1_000
WRITERS = 4
PAUSES_S = (1.0, 10.0)
FINISH_S = 2.0

log = logging.getLogger(__name__)

Letter = Callable[[], Awaitable[Mail | None]]
"""Writes a mail when its turn comes; None: there is none to be sent."""


class Outgoing:
    """Sends what it is given, one try and one more after each of `pauses_s`."""

    def __init__(self, mailer: Mailer, pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._mailer = mailer
        self._pauses_s = pauses_s
        self._waiting: asyncio.Queue[Letter] = asyncio.Queue(LETTERS_MAX)
        self._under_way = 0

    def post(self, letter: Letter) -> None:
        """Have it written and sent. Never waits; beyond `LETTERS_MAX` it is lost."""
        try:
            self._waiting.put_nowait(letter)
        except asyncio.QueueFull:
            log.error("a mail is lost: too many are waiting")

    async def run(self) -> None:
        """Send what comes, one mail after the other, until cancelled; start `WRITERS` of these.

        Each is a task of its own: a task group passes on the first cancellation alone, and that may be lost (see
        `server.ending`).
        """
        while True:
            letter = await self._waiting.get()
            self._under_way += 1
            try:
                mail = await letter()
                if mail is not None:
                    await self._send(mail)
            except Exception:  # whatever it is, the others are to be sent
                log.exception("a mail was not sent")
            finally:
                self._under_way -= 1
                self._waiting.task_done()

    async def all_sent(self) -> None:
        """Wait until all that was posted is sent or given up."""
        await self._waiting.join()

    async def finish(self) -> None:
        """At the end: give what is not sent yet a moment."""
        try:
            async with asyncio.timeout(FINISH_S):
                await self.all_sent()
        except TimeoutError:
            log.error("mails are lost: %d were not sent yet", self._waiting.qsize() + self._under_way)

    async def _send(self, mail: Mail) -> None:
        for pause_s in (*self._pauses_s, None):
            try:
                return await self._mailer.send(mail)
            except MailRefused as problem:
                log.error("a mail was not sent: %s", problem)
                return None
            except MailAway as problem:
                if pause_s is None:
                    log.error("a mail was not sent: %s", problem)
                    return None
                log.warning("a mail could not be sent yet: %s", problem)
            await asyncio.sleep(pause_s)
        return None

"""Who takes mails: by SMTP in a real installation, a shelf in the demo, nobody where none is set."""

import logging
from abc import ABC, abstractmethod

import msgspec

log = logging.getLogger(__name__)


class Mail(msgspec.Struct, frozen=True):
    """One mail to one person. `link` is the address in it that is to be opened."""

    to: str
    subject: str
    text: str
    link: str


class MailRefused(Exception):
    """This mail will never be taken; trying again is of no use."""


class MailAway(Exception):
    """It could not be handed over now; another time it may."""


class Mailer(ABC):
    """The port."""

    @abstractmethod
    async def send(self, mail: Mail) -> None:
        """Hand it over.

        Raises:
            MailRefused, MailAway
        """


class NoMailer(Mailer):
    """Where no mail is configured."""

    async def send(self, mail: Mail) -> None:
        log.warning("not sent: no mail is configured (%s)", mail.subject)

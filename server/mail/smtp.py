"""Mail by SMTP: the standard library's client in a few threads, each step of it bounded in time."""

import asyncio
import smtplib
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid

from server.door.client_addresses import is_loopback
from server.mail.port import Mail, MailAway, Mailer, MailRefused
from server.mail.smtp_address import SmtpAddress

STEP_MAX_S = 5.0
THREADS = 2


class SmtpMailer(Mailer):
    """Hands mails to one SMTP server, a connection for each."""

    def __init__(self, at: SmtpAddress) -> None:
        self._at = at
        self._places = asyncio.Semaphore(THREADS)

    async def send(self, mail: Mail) -> None:
        async with self._places:
            sent: Future[None] = Future()
            # A daemon, and so of no pool: a process that ends waits for the threads of pools, however long.
            threading.Thread(target=self._work, args=(mail, sent), name="mail", daemon=True).start()
            await asyncio.wrap_future(sent)

    def _work(self, mail: Mail, sent: Future[None]) -> None:
        if not sent.set_running_or_notify_cancel():
            return
        try:
            self._send(mail)
        except Exception as problem:
            sent.set_exception(problem)
        else:
            sent.set_result(None)

    def _send(self, mail: Mail) -> None:
        message = self._message(mail)
        # What a server says may name the customer: of its answer, only the number goes on.
        try:
            with self._connected() as client:
                client.send_message(message, self._at.sender.addr_spec, [mail.to])
        except smtplib.SMTPRecipientsRefused as problem:
            raise _of_code(max(code for code, _ in problem.recipients.values())) from None
        except smtplib.SMTPResponseException as problem:
            raise _of_code(problem.smtp_code) from None
        except smtplib.SMTPNotSupportedError as problem:
            raise MailRefused(type(problem).__name__) from None
        except (OSError, smtplib.SMTPException) as problem:
            raise MailAway(type(problem).__name__) from None

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        at, context = self._at, ssl.create_default_context()
        if at.is_tls:
            client: smtplib.SMTP = smtplib.SMTP_SSL(at.host, at.port, timeout=STEP_MAX_S, context=context)
        else:
            client = smtplib.SMTP(at.host, at.port, timeout=STEP_MAX_S)
        with client:
            client.ehlo_or_helo_if_needed()
            is_private = at.is_tls
            if not is_private and client.has_extn("starttls"):
                client.starttls(context=context)
                is_private = True
            if at.user is not None:
                if not is_private and at.host != "localhost" and not is_loopback(at.host):
                    raise MailRefused("the server offers no TLS: the password is not told in the clear")
                client.login(at.user, at.password or "")
            yield client

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        try:
            # As one parsed address: a comma in it makes no second recipient.
            message["To"] = Address(addr_spec=mail.to)
        except Exception:  # for what is no address the library raises all kinds, AttributeError too
            raise MailRefused("no address that mail knows") from None
        message["From"] = self._at.sender
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = make_msgid(domain=self._at.sender.domain)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        return message


def _of_code(smtp_code: int) -> MailRefused | MailAway:
    return MailRefused(f"SMTP {smtp_code}") if smtp_code >= 500 else MailAway(f"SMTP {smtp_code}")

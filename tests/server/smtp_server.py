"""A little SMTP server: takes mails, or refuses them as it is told."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import NamedTuple


class Taken(NamedTuple):
    """A mail as it came: the envelope and what is in it."""

    sender: str
    recipients: list[str]
    message: EmailMessage


class SmtpServer:
    """`refusals` are consumed one per RCPT: what is answered instead of 250. `logins` are user and password."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.logins: list[tuple[str, str]] = []
        self.refusals: list[str] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, to its QUIT."""
        self.connections += 1
        writer.write(b"220 here\r\n")
        sender, recipients = "", list[str]()
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                answer = "250-here\r\n250 AUTH PLAIN"
            elif verb == "AUTH":
                _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                self.logins.append((user, password))
                answer = "235 welcome"
            elif verb == "MAIL":
                sender, recipients, answer = _address(line), [], "250 ok"
            elif verb == "RCPT":
                answer = self.refusals.pop(0) if self.refusals else "250 ok"
                recipients.append(_address(line))
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                message = message_from_bytes(raw[:-3], policy=default)
                assert isinstance(message, EmailMessage)
                self.taken.append(Taken(sender, recipients, message))
                answer = "250 taken"
            else:
                answer = "221 bye" if verb == "QUIT" else "250 ok"
            writer.write(answer.encode() + b"\r\n")
            if verb == "QUIT":
                break
        writer.close()


@asynccontextmanager
async def smtp_server() -> AsyncIterator[SmtpServer]:
    """One on any free port of this machine."""
    made = SmtpServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]

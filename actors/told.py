"""A command on its way to a seat manager, and the way back of its answer."""

from collections.abc import Callable

from msgspec import Struct

from actors.core.verdict import Asked
from protocol.codes import Code
from protocol.outbound import Rejected, encode, rejected

RETRY_AFTER_MS = 1_000

Reply = Callable[[bytes, Rejected | None], None]
"""Takes the encoded answer, and the refusal if it is one. Never waits, never raises."""


class Told(Struct, frozen=True):
    """A command in an inbox. `origin` is the socket it came from, which needs no news of its own doing.

    `correlation_id` names the request or the socket that it came by, wherever the log tells of it.
    """

    asked: Asked
    reply: Reply
    origin: object | None = None
    correlation_id: str = ""


def refuse(told: Told, code: Code) -> None:
    """Answer a command that was not decided; it had no effect, or has an answer that the same id will get."""
    refusal = rejected(told.asked.command.id, code, retry_after_ms=RETRY_AFTER_MS)
    told.reply(encode(refusal), refusal)

"""What bots were told, as a file of JSON lines: `usher audit --answers` compares it with what is stored.

accepted           a command took effect; `answer` is the frame as it came
refused            it had none; `code` says why
unanswered         nobody knows: its answer never came
cancelled          the server has said over REST that an order is cancelled
cancel_unanswered  nobody knows whether it is
"""

from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from protocol.codes import Code
from protocol.inbound import CommandId

BUFFER_BYTES = 1 << 16

_encode = msgspec.json.Encoder().encode


class _Line(Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    event_id: UUID
    customer: UUID


class AcceptedLine(_Line, frozen=True, tag="accepted"):
    """A command was accepted."""

    command_id: CommandId
    answer: Raw


class RefusedLine(_Line, frozen=True, tag="refused"):
    """A command was refused."""

    command_id: CommandId
    code: Code


class UnansweredLine(_Line, frozen=True, tag="unanswered"):
    """A command was sent, and whoever sent it was interrupted before the answer came."""

    command_id: CommandId


class CancelledLine(_Line, frozen=True, tag="cancelled"):
    """An order was cancelled."""

    order_id: str


class CancelUnansweredLine(_Line, frozen=True, tag="cancel_unanswered"):
    """An order was to be cancelled, and no answer came."""

    order_id: str


Line = AcceptedLine | RefusedLine | UnansweredLine | CancelledLine | CancelUnansweredLine


class AnswerFile:
    """Writes such a file, through a buffer. A context manager; ids are those that the server gave, as text."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Begin a file anew. Raises OSError."""
        return cls(path.open("wb", buffering=BUFFER_BYTES))

    def close(self) -> None:
        """Write what is in the buffer; nothing can be added any more."""
        self._output.close()

    def accepted(self, event_id: str, customer: str, command_id: str, frame: bytes) -> None:
        """A command was accepted with this frame; a checkout only once it is settled."""
        # JSON has a line end only between its parts, where a blank says the same.
        rest = b'"command_id":%b,"answer":%b' % (_encode(command_id), frame.replace(b"\n", b" "))
        self._add(b"accepted", event_id, customer, rest)

    def refused(self, event_id: str, customer: str, command_id: str, code: Code) -> None:
        """A command was refused."""
        self._add(
            b"refused", event_id, customer, b'"command_id":%b,"code":%b' % (_encode(command_id), _encode(code))
        )

    def unanswered(self, event_id: str, customer: str, command_id: str) -> None:
        """No answer to a command has come, and nobody waits for it any more."""
        self._add(b"unanswered", event_id, customer, b'"command_id":%b' % _encode(command_id))

    def cancelled(self, event_id: str, customer: str, order_id: str) -> None:
        """The server has said over REST that this order is cancelled."""
        self._add(b"cancelled", event_id, customer, b'"order_id":%b' % _encode(order_id))

    def cancel_unanswered(self, event_id: str, customer: str, order_id: str) -> None:
        """This order was to be cancelled, no answer has come, and nobody waits for it any more."""
        self._add(b"cancel_unanswered", event_id, customer, b'"order_id":%b' % _encode(order_id))

    def _add(self, kind: bytes, event_id: str, customer: str, rest: bytes) -> None:
        self._output.write(
            b'{"kind":"%b","event_id":"%b","customer":"%b",%b}\n'
            % (kind, event_id.encode(), customer.encode(), rest)
        )

"""What bots were told: every answer, in a file of their own, so that it can be compared with what is true later."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from protocol.codes import Code
from protocol.inbound import Command
from protocol.outbound import Accepted, LineNow, QueueNow, Rejected

_encode = msgspec.json.Encoder().encode


class Answered(Struct, frozen=True):
    """The answer that one customer was given to one command. `at_s` is monotonic."""

    customer: str
    command: Command
    answer: Accepted | Rejected
    at_s: float
    took_s: float


class Cancelled(Struct, frozen=True):
    """A customer's order, of which the server has said over REST that it is cancelled."""

    customer: str
    order_id: str


class AnswerLog:
    """All answers of one run, in the order in which they came. A context manager when it writes to a file."""

    def __init__(self, file: Path | None = None) -> None:
        self.entries: list[Answered | Cancelled] = []
        self.accepted = 0
        self.heard = asyncio.Event()
        """Set at every entry; whoever waits for it clears it."""
        self.seats_bought = 0
        """Also those that were given back since."""
        self.sent_again = 0
        """Commands that were sent once more, with the same id, because no answer had come."""
        self._output = None if file is None else file.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._output is not None:
            self._output.close()

    def answer(
        self, customer: str, command: Command, answer: Accepted | Rejected, took_s: float, _frame: bytes = b""
    ) -> None:
        """An answer has come."""
        if isinstance(answer, Accepted):
            self.accepted += 1
            self.seats_bought += len(answer.order.seats) if answer.order else 0
        self._add(Answered(customer, command, answer, time.monotonic(), took_s))

    def cancel(self, customer: str, order_id: str) -> None:
        """The server has said that this order is cancelled."""
        self._add(Cancelled(customer, order_id))

    def asks_again(self, _code: Code | None) -> None:
        """A command is sent once more."""
        self.sent_again += 1

    def unanswered(self, customer: str, command: Command) -> None:
        """Nobody waits for this answer any more: such a run is not compared with what is stored."""

    def cancel_unanswered(self, customer: str, order_id: str) -> None:
        """Nobody waits any more to hear whether this order is cancelled: as above."""

    def line(self, news: QueueNow | LineNow) -> None:
        """Not kept."""

    @property
    def answered(self) -> list[Answered]:
        """The answers to commands."""
        return [entry for entry in self.entries if isinstance(entry, Answered)]

    @property
    def last_at_s(self) -> float:
        """When the last answer came, on the monotonic clock; now, if there was none."""
        answered = self.answered
        return answered[-1].at_s if answered else time.monotonic()

    @property
    def refusals(self) -> Counter[str]:
        """How often each refusal was the answer."""
        return Counter(str(entry.answer.code) for entry in self.answered if isinstance(entry.answer, Rejected))

    def took_ms(self, share: float) -> float:
        """Within what time this share of the answers came, ms."""
        times = sorted(entry.took_s for entry in self.answered)
        return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 2) if times else 0.0

    def _add(self, entry: Answered | Cancelled) -> None:
        self.entries.append(entry)
        self.heard.set()
        if self._output is not None:
            self._output.write(_encode(entry) + b"\n")
            self._output.flush()

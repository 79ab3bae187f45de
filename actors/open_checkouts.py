"""The checkouts whose payment is open: who waits for which order, and until when."""

from dataclasses import dataclass
from itertools import takewhile

from actors.core.model import Order
from actors.core.ordering import payment_failed, summary
from actors.core.seating import Seating
from actors.told import Told
from protocol.outbound import Accepted, OrderStatus, encode


@dataclass
class _Waiting:
    deadline: float
    told: list[Told]


class OpenCheckouts:
    """Answers a checkout when its order is settled, or after `answer_s` seconds with the pending order."""

    def __init__(self, answer_s: float) -> None:
        self._answer_s = answer_s
        self._waiting: dict[str, _Waiting] = {}

    @property
    def next_deadline(self) -> float | None:
        """When the next one is to be answered at the latest, in loop time."""
        return next((waiting.deadline for waiting in self._waiting.values()), None)  # the first is the oldest

    def add(self, order_id: str, told: Told, now: float) -> None:
        """Have this command wait for the order."""
        self._waiting.setdefault(order_id, _Waiting(now + self._answer_s, [])).told.append(told)

    def origin(self, order_id: str) -> object | None:
        """The socket that waits for this order, which needs no news of it."""
        waiting = self._waiting.get(order_id)
        return None if waiting is None else waiting.told[0].origin

    def waiting(self, order_id: str) -> list[Told]:
        """The commands that wait for this order."""
        waiting = self._waiting.get(order_id)
        return [] if waiting is None else waiting.told

    def answer(self, order: Order, frame: bytes) -> None:
        """The order is settled: tell those who wait."""
        refusal = payment_failed(order) if order.status is OrderStatus.PAYMENT_FAILED else None
        waiting = self._waiting.pop(order.order_id, None)
        for told in waiting.told if waiting is not None else ():
            told.reply(frame, refusal)

    def answer_late(self, seating: Seating, now: float) -> None:
        """Tell those who have waited long enough that their order is pending."""
        entries = self._waiting.items()  # the first is the oldest
        for order_id, _ in list(takewhile(lambda entry: entry[1].deadline <= now, entries)):
            order = seating.orders[order_id]
            frame = encode(Accepted(order.command_id, seating.revision, order=summary(order)))
            for told in self._waiting.pop(order_id).told:
                told.reply(frame, None)

    def give_up(self) -> list[Told]:
        """All who still wait; nobody waits after that."""
        told = [told for waiting in self._waiting.values() for told in waiting.told]
        self._waiting.clear()
        return told

"""What one customer has, by what the server has said."""

from bots.answer_log import Answered, AnswerLog
from protocol.outbound import Accepted


class Account:
    """An account of what was acknowledged: each accepted answer is put in, in its order."""

    def __init__(self) -> None:
        self.held: tuple[int, ...] = ()
        self.held_until_ms = 0
        """When the hold ends, by the server's clock."""
        self.orders: dict[str, tuple[int, ...]] = {}
        """The seats of each completed order that was not cancelled."""
        self.most = 0
        """The most seats that were held and bought at one time."""

    @property
    def bought(self) -> list[int]:
        """The seats of all orders."""
        return [seat for seats in self.orders.values() for seat in seats]

    def take(self, answer: Accepted) -> None:
        """A command was accepted."""
        if answer.hold:
            self.held = answer.hold.seats
            self.held_until_ms = answer.hold.expires_at_ms or 0
        elif answer.order:
            self.held = ()
            self.orders[answer.order.order_id] = answer.order.seats
        self.most = max(self.most, len(self.held) + len(self.bought))

    def lose_hold(self) -> None:
        """The hold has run out."""
        self.held = ()

    def cancel(self, order_id: str) -> None:
        """An order was cancelled."""
        self.orders.pop(order_id, None)


def accounts(log: AnswerLog) -> dict[str, Account]:
    """What each customer has at the end. The same answer given again adds nothing."""
    found: dict[str, Account] = {}
    seen: set[tuple[str, str]] = set()
    for entry in log.entries:
        account = found.setdefault(entry.customer, Account())
        if not isinstance(entry, Answered):
            account.cancel(entry.order_id)
        elif isinstance(entry.answer, Accepted) and (key := (entry.customer, entry.command.id)) not in seen:
            seen.add(key)
            account.take(entry.answer)
    return found

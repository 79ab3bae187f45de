"""An event on sale with a clock in the hand, driven as the seat manager drives the core: one command a batch."""

from collections.abc import Sequence
from typing import Any

from msgspec import UNSET

from actors.core.holding import due
from actors.core.layout import Run, layout_of
from actors.core.memory import Remembered
from actors.core.model import Hold, IdempotencyKey, Order, OrderMoved, Stage, Terms
from actors.core.ordering import settle
from actors.core.rules import decide
from actors.core.seating import Draft, Seating
from actors.core.verdict import Accept, Asked, Await, CancelOrder, OrganiserCommand, Refuse, Repeat, Settle, Verdict
from protocol import outbound
from protocol.codes import Code
from protocol.inbound import Checkout, Command, ExtendHold, HoldBest, HoldSeats, ReleaseSeats
from protocol.outbound import Accepted, OrderStatus, Rejected
from protocol.seat_state import SeatState

OPENING_MS = 1_000_000_000
MINUTE_MS = 60_000


def terms(**changes: Any) -> Terms:
    """An event that is on sale now, four tickets a customer."""
    fields: dict[str, Any] = {
        "event_id": "e",
        "stage": Stage.SCHEDULED,
        "on_sale_at_ms": OPENING_MS,
        "event_at_ms": OPENING_MS + 1_000 * MINUTE_MS,
        "max_tickets_per_user": 4,
        "currency": "USD",
    }
    return Terms(**(fields | changes))


def rows_of(*counts: int, price_cents: int = 1_000) -> list[Run]:
    """Rows of so many seats, the first one the nearest and the dearest."""
    runs, first = [], 0
    for number, count in enumerate(counts):
        price = price_cents * (len(counts) - number)
        tier = "vip" if number == 0 else "standard"
        runs.append(Run("Floor" if number < 2 else "Upper", tier, price, first, count, 10.0 * number))
        first += count
    return runs


class Sale:
    """`tell` decides one command and makes it true; `batch` gives a draft to look at."""

    def __init__(
        self,
        runs: Sequence[Run] | None = None,
        *,
        blocked: tuple[int, ...] = (),
        accessible: frozenset[int] = frozenset(),
        companion: frozenset[int] = frozenset(),
        **changes: Any,
    ) -> None:
        layout = layout_of(rows_of(10, 10) if runs is None else runs, accessible, companion)
        states = bytearray(len(layout.prices_cents))
        for seat in blocked:
            states[seat] = SeatState.BLOCKED
        self.seating = Seating(terms(**changes), layout, states, {}, 0, "epoch")
        self.now_ms = OPENING_MS
        self._ids = 0

    def next_id(self) -> str:
        """A command id that was not used before."""
        self._ids += 1
        return f"c-{self._ids}"

    def wait(self, *, s: float = 0, ms: int = 0) -> None:
        """Let time pass, without the clock's part being done."""
        self.now_ms += int(s * 1000) + ms

    def judge(
        self, customer: str, command: Command | CancelOrder | OrganiserCommand, key: IdempotencyKey | None = None
    ) -> Verdict:
        """What would become of the command, on a draft that is dropped."""
        return decide(Draft(self.seating), Asked(customer, command, key), self.now_ms)

    def tell(
        self, customer: str, command: Command | CancelOrder | OrganiserCommand, key: IdempotencyKey | None = None
    ) -> Accepted | Rejected | Order:
        """The answer; for a checkout that waits for its payment, the pending order."""
        draft = Draft(self.seating)
        verdict = decide(draft, Asked(customer, command, key), self.now_ms)
        if isinstance(verdict, Refuse):
            return verdict.rejected
        if isinstance(verdict, Repeat):
            return read(verdict.frame)
        if isinstance(verdict, Await):
            return self.seating.orders[verdict.order_id]
        self._commit(draft, verdict)
        if verdict.frame is not None:
            return read(verdict.frame)
        (begun,) = [change.order for change in verdict.changes if isinstance(change, OrderMoved)]
        return begun

    def hold(self, customer: str, *seats: int) -> Accepted | Rejected:
        return self._answer(customer, HoldSeats(self.next_id(), seats))

    def hold_best(self, customer: str, count: int, **wishes: Any) -> Accepted | Rejected:
        return self._answer(customer, HoldBest(self.next_id(), count, **wishes))

    def release(self, customer: str, *seats: int) -> Accepted | Rejected:
        return self._answer(customer, ReleaseSeats(self.next_id(), seats))

    def extend(self, customer: str) -> Accepted | Rejected:
        return self._answer(customer, ExtendHold(self.next_id()))

    def cancel(self, customer: str, order_id: str) -> Accepted | Rejected:
        return self._answer(customer, CancelOrder(self.next_id(), order_id))

    def begin(self, customer: str, method: str = "card") -> Order:
        """Check out; the pending order."""
        order = self.tell(customer, Checkout(self.next_id(), method))
        assert isinstance(order, Order), order
        return order

    def settle(self, order: Order, failure: str | None = None) -> Accepted | Rejected | None:
        """The provider answers; None: nobody waited for that."""
        draft = Draft(self.seating)
        verdict = settle(draft, Settle(order.order_id, None if failure else f"paid-{order.order_id}", failure))
        if verdict is None:
            return None
        self._commit(draft, verdict)
        assert verdict.frame is not None
        return read(verdict.frame)

    def buy(self, customer: str, *seats: int) -> Order:
        """Hold, check out, pay; the completed order."""
        assert isinstance(self.hold(customer, *seats), Accepted)
        order = self.begin(customer)
        self.settle(order)
        bought = self.seating.orders[order.order_id]
        assert bought.status is OrderStatus.COMPLETED
        return bought

    def end_due(self) -> list[str]:
        """Do the clock's part; whose holds ended, in order."""
        ended = due(self.seating, self.now_ms)
        draft = Draft(self.seating)
        for verdict in ended:
            draft.add(verdict.changes)
        self._apply(draft)
        return [verdict.entry.customer for verdict in ended]

    def held_by(self, customer: str) -> Hold:
        """The customer's hold, which must be there."""
        hold = self.seating.hold(customer)
        assert hold is not None
        return hold

    def _answer(self, customer: str, command: Command | CancelOrder | OrganiserCommand) -> Accepted | Rejected:
        answer = self.tell(customer, command)
        assert isinstance(answer, Accepted | Rejected)
        return answer

    def _commit(self, draft: Draft, verdict: Accept) -> None:
        draft.add(verdict.changes)
        self._apply(draft)
        entry = verdict.entry
        if entry.command_id is not None and entry.content_hash is not None and entry.frame is not None:
            remembered = Remembered(entry.content_hash, entry.frame)
            self.seating.memory.keep(entry.customer, entry.command_id, remembered)

    def _apply(self, draft: Draft) -> None:
        self.seating.apply(draft.changes)
        self.seating.revision += 1


def read(frame: bytes) -> Accepted | Rejected:
    """The answer in a frame."""
    answer = outbound.decode(frame)
    assert isinstance(answer, Accepted | Rejected)
    return answer


def refusal(answer: object) -> tuple[Code, tuple[int, ...]]:
    """Code and seats at fault."""
    assert isinstance(answer, Rejected), answer
    return answer.code, () if answer.seats is UNSET else answer.seats


def code(answer: object) -> Code:
    """The refusal's code."""
    return refusal(answer)[0]


def holding(answer: object) -> tuple[tuple[int, ...], int | None, int]:
    """Seats, end and total of the hold in an answer."""
    assert isinstance(answer, Accepted), answer
    assert answer.hold is not UNSET
    return answer.hold.seats, answer.hold.expires_at_ms, answer.hold.total_cents

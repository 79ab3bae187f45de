"""The state of an event's seats: what is committed (`Seating`) and what one batch would add to it (`Draft`).

Both answer the same questions, so the rules in `actors.core.rules` do not know which of them they read; both take
the same changes, so what was decided on a draft is applied to the committed state unchanged.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from actors.core.layout import Layout
from actors.core.line import Line, LineDraft
from actors.core.memory import Memory, Remembered
from actors.core.model import (
    TRANSITIONS,
    Change,
    DrawTerms,
    EntryMoved,
    Hold,
    HoldMoved,
    LineDrawn,
    LobbyClosed,
    Order,
    OrderMoved,
    SeatsMoved,
    Status,
    Terms,
    TermsMoved,
)
from actors.core.ranking import Ranked
from actors.core.view import Occupied
from protocol import limits
from protocol.outbound import Counts, OrderStatus
from protocol.seat_state import SeatState

_STATES = tuple(SeatState)
ENDED_ORDERS_MAX = 10_000
"""Orders that can change no more and are still known here; of older ones the store knows."""
ENDS_SLACK = 1_000
"""So many ends more than twice the holds may be on the heap before those that count no more are thrown away."""

_HAS_HOLDER = (SeatState.HELD, SeatState.SOLD)
_CAN_CHANGE = (OrderStatus.PENDING, OrderStatus.COMPLETED)


class Seating:
    """The committed state of one event. Only `apply` changes it, and only after the batch has committed."""

    def __init__(
        self,
        terms: Terms,
        layout: Layout,
        states: bytearray,
        holders: dict[int, str],
        revision: int,
        epoch: str,
    ) -> None:
        self.terms = terms
        self.layout = layout
        self.prices_cents = layout.prices_cents
        self.states = states
        self.revision = revision
        self.epoch = epoch
        self.ranked = Ranked(layout)
        self._drafted: list[int] = []
        self.memory = Memory()
        self.line = Line(terms, DrawTerms())
        self.holds: dict[str, Hold] = {}
        self.orders: dict[str, Order] = {}
        self._holders = holders
        self._pending: dict[str, str] = {}
        self._ran_out: dict[str, int] = {}
        sold = (customer for index, customer in holders.items() if states[index] == SeatState.SOLD)
        self._bought: dict[str, int] = Counter(sold)
        self.available = states.count(SeatState.AVAILABLE)
        """How many seats nobody has. It is asked for with every place in line: counting takes 20 µs for 80,000."""
        self._ends: list[tuple[int, str]] = []
        self._ended_orders: deque[str] = deque()

    def restore(self, holds: dict[str, Hold], orders: Iterable[Order], ran_out_ms: dict[str, int]) -> None:
        """Take over holds, orders and recently ended holds as they were loaded; seats are not touched."""
        for customer, hold in holds.items():
            self._put_hold(HoldMoved(customer, hold))
        for order in orders:
            self._put_order(order)
        self._ran_out.update(ran_out_ms)

    @property
    def next_revision(self) -> int:
        """The revision that the next batch makes."""
        return self.revision + 1

    @property
    def counts(self) -> Counts:
        """Seats in each state."""
        return Counts(*(self.states.count(state) for state in SeatState))

    def status(self, now_ms: int) -> Status:
        """What customers see of the event."""
        seats_open = self.states.count(SeatState.AVAILABLE) or self.states.count(SeatState.HELD)
        return self.terms.status(now_ms, seats_open)

    @property
    def pending_orders(self) -> list[Order]:
        """The orders whose payment is open."""
        return [self.orders[order_id] for order_id in self._pending.values()]

    def seat(self, index: int) -> Occupied:
        return _STATES[self.states[index]], self._holders.get(index)

    def states_of(self, first: int, end: int) -> bytearray:
        """The states of these seats in index order, one byte a seat."""
        return self.states[first:end]

    def hold(self, customer: str) -> Hold | None:
        return self.holds.get(customer)

    def ran_out_ms(self, customer: str) -> int | None:
        return self._ran_out.get(customer)

    def bought(self, customer: str) -> int:
        return self._bought.get(customer, 0)

    def order(self, order_id: str) -> Order | None:
        return self.orders.get(order_id)

    def pending(self, customer: str) -> Order | None:
        order_id = self._pending.get(customer)
        return None if order_id is None else self.orders[order_id]

    def remembered(self, customer: str, command_id: str) -> Remembered | None:
        return self.memory.find(customer, command_id)

    def next_end_ms(self) -> int | None:
        """When the first hold ends that may end; None: no such hold."""
        while self._ends:
            expires_ms, customer = self._ends[0]
            if self._may_end(expires_ms, customer):
                return expires_ms
            heapq.heappop(self._ends)
        return None

    def ended(self, now_ms: int) -> list[str]:
        """The customers whose hold has run out, in order of its end. Asking twice answers the same."""
        found: list[tuple[int, str]] = []
        while (end := self.next_end_ms()) is not None and end <= now_ms:
            found.append(heapq.heappop(self._ends))
        for entry in found:
            heapq.heappush(self._ends, entry)
        return list(dict.fromkeys(customer for _, customer in found))

    def apply(self, changes: Iterable[Change]) -> None:
        """Make committed changes true in memory.

        Raises:
            AssertionError: a change does not follow from the state: memory and database have parted.
        """
        self._drafted.clear()
        for change in changes:
            if isinstance(change, SeatsMoved):
                self._move_seats(change)
                self.ranked.changed(change.seats)
            elif isinstance(change, HoldMoved):
                self._put_hold(change)
            elif isinstance(change, TermsMoved):
                self.terms = change.terms
            elif isinstance(change, OrderMoved):
                self._put_order(change.order)
            elif isinstance(change, EntryMoved):
                self.line.put(change.entry, self.terms)
            elif isinstance(change, LineDrawn):
                self.line.draw(replace(self.line.draws, drawn=change.drawn))
            elif isinstance(change, LobbyClosed):
                self.line.draws = replace(self.line.draws, closed_ms=change.at_ms)

    def drafted(self, seats: Sequence[int]) -> None:
        """The draft changes these seats."""
        self._drafted += seats
        self.ranked.changed(seats)

    def forget_draft(self) -> None:
        """A new draft begins: where the one before it was dropped, its seats are again as they are committed."""
        self.ranked.changed(self._drafted)
        self._drafted.clear()

    def _move_seats(self, change: SeatsMoved) -> None:
        before, after = TRANSITIONS[change.cause]
        for index in change.seats:
            assert self.states[index] == before, f"seat {index} is not {before.name}"
            assert before not in _HAS_HOLDER or self._holders[index] == change.customer, f"seat {index}"
            self.states[index] = after
            if after in _HAS_HOLDER:
                self._holders[index] = change.customer
            else:
                self._holders.pop(index, None)
        self.available += _freed(change)
        sold = len(change.seats) * ((after is SeatState.SOLD) - (before is SeatState.SOLD))
        if sold:
            self._bought[change.customer] = self._bought.get(change.customer, 0) + sold

    def _put_hold(self, change: HoldMoved) -> None:
        customer, hold = change.customer, change.hold
        if hold is None:
            self.holds.pop(customer, None)
            self.line.check_at(customer, 0)  # it may have been all that kept the admission
        else:
            self.holds[customer] = hold
            self._ran_out.pop(customer, None)
            heapq.heappush(self._ends, (hold.expires_ms, customer))
            if len(self._ends) > 2 * len(self.holds) + ENDS_SLACK:
                self._ends = [(hold.expires_ms, customer) for customer, hold in self.holds.items()]
                heapq.heapify(self._ends)
        if change.ran_out_ms is not None:
            self._ran_out[customer] = change.ran_out_ms
            self._forget_old_ends(change.ran_out_ms)

    def _forget_old_ends(self, now_ms: int) -> None:
        while self._ran_out:
            customer, ran_out_ms = next(iter(self._ran_out.items()))
            if ran_out_ms + limits.HOLD_EXPIRED_MEMORY_S * 1000 > now_ms:
                return
            del self._ran_out[customer]

    def _put_order(self, order: Order) -> None:
        self.orders[order.order_id] = order
        if order.status is OrderStatus.PENDING:
            self._pending[order.customer] = order.order_id
        elif self._pending.get(order.customer) == order.order_id:
            del self._pending[order.customer]
        if order.status not in _CAN_CHANGE:
            self._ended_orders.append(order.order_id)
            if len(self._ended_orders) > ENDED_ORDERS_MAX:
                self.orders.pop(self._ended_orders.popleft(), None)

    def _may_end(self, expires_ms: int, customer: str) -> bool:
        # A hold in payment may not; settling puts its end back on the heap.
        hold = self.holds.get(customer)
        return hold is not None and hold.expires_ms == expires_ms and customer not in self._pending


class Draft:
    """What is committed, as one batch would leave it. Dropping it undoes the batch."""

    def __init__(self, committed: Seating) -> None:
        self.committed = committed
        self.terms = committed.terms
        self.layout = committed.layout
        self.prices_cents = committed.prices_cents
        self.changes: list[Change] = []
        self.seats: dict[int, Occupied] = {}
        self.holds: dict[str, HoldMoved] = {}
        self.orders: dict[str, Order] = {}
        self.answers: dict[tuple[str, str], Remembered] = {}
        self._bought: dict[str, int] = {}
        self._pending: dict[str, str | None] = {}
        self.available = committed.available
        self.ranked = committed.ranked
        self.line = LineDraft(committed.line)
        committed.forget_draft()

    @property
    def next_revision(self) -> int:
        return self.committed.next_revision

    def seat(self, index: int) -> Occupied:
        return self.seats.get(index) or self.committed.seat(index)

    def states_of(self, first: int, end: int) -> bytearray:
        states = self.committed.states_of(first, end)
        for index in range(first, end):
            drafted = self.seats.get(index)
            if drafted is not None:
                states[index - first] = drafted[0]
        return states

    def hold(self, customer: str) -> Hold | None:
        moved = self.holds.get(customer)
        return self.committed.hold(customer) if moved is None else moved.hold

    def ran_out_ms(self, customer: str) -> int | None:
        moved = self.holds.get(customer)
        return self.committed.ran_out_ms(customer) if moved is None else moved.ran_out_ms

    def bought(self, customer: str) -> int:
        return self.committed.bought(customer) + self._bought.get(customer, 0)

    def order(self, order_id: str) -> Order | None:
        return self.orders.get(order_id) or self.committed.order(order_id)

    def pending(self, customer: str) -> Order | None:
        if customer not in self._pending:
            return self.committed.pending(customer)
        order_id = self._pending[customer]
        return None if order_id is None else self.order(order_id)

    def remembered(self, customer: str, command_id: str) -> Remembered | None:
        return self.answers.get((customer, command_id)) or self.committed.remembered(customer, command_id)

    def add(self, changes: Iterable[Change]) -> None:
        """Let the rest of the batch see these changes.

        Raises:
            AssertionError: a change does not follow from what is committed and drafted.
        """
        for change in changes:
            self.changes.append(change)
            if isinstance(change, SeatsMoved):
                self._move_seats(change)
            elif isinstance(change, HoldMoved):
                self.holds[change.customer] = change
            elif isinstance(change, TermsMoved):
                self.terms = change.terms
            elif isinstance(change, OrderMoved):
                self._put_order(change)
            elif isinstance(change, EntryMoved):
                self.line.put(change.entry, self.terms)
            elif isinstance(change, LineDrawn):
                self.line.draw(replace(self.line.draws, drawn=change.drawn))
            elif isinstance(change, LobbyClosed):
                self.line.draws = replace(self.line.draws, closed_ms=change.at_ms)

    def _move_seats(self, change: SeatsMoved) -> None:
        before, after = TRANSITIONS[change.cause]
        expected = change.customer if before in _HAS_HOLDER else None
        drafted = (after, change.customer if after in _HAS_HOLDER else None)
        for index in change.seats:
            assert self.seat(index) == (before, expected), f"seat {index} is not {before.name}"
            self.seats[index] = drafted
        self.committed.drafted(change.seats)
        self.available += _freed(change)
        sold = len(change.seats) * ((after is SeatState.SOLD) - (before is SeatState.SOLD))
        if sold:
            self._bought[change.customer] = self._bought.get(change.customer, 0) + sold

    def _put_order(self, change: OrderMoved) -> None:
        order = change.order
        before = self.pending(order.customer)
        self.orders[order.order_id] = order
        if order.status is OrderStatus.PENDING:
            self._pending[order.customer] = order.order_id
        elif before is not None and before.order_id == order.order_id:
            self._pending[order.customer] = None


def _freed(change: SeatsMoved) -> int:
    """How many more seats nobody has then."""
    before, after = TRANSITIONS[change.cause]
    return len(change.seats) * ((after is SeatState.AVAILABLE) - (before is SeatState.AVAILABLE))

"""The waiting room against the naive model: customers come, buy, leave, vanish and come back while time passes.

The organiser changes mode and limits meanwhile.
"""

import itertools
from collections.abc import Iterable, Sequence
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from actors.core.draw import drawn_order, entry_id
from actors.core.layout import layout_of
from actors.core.line import Line
from actors.core.model import DrawTerms, EntryMoved, QueueMode, QueueState
from actors.core.seating import Seating
from actors.core.verdict import Asked, CancelOrder, ChangeTerms, Settle
from actors.core.waiting_room import next_turn_ms
from actors.ports import Claim
from actors.told import Told
from actors.turn import Turn, batch_of, decide_turn, make_true
from protocol.inbound import Checkout, Command, HoldBest, HoldSeats, JoinQueue, LeaveQueue, ReleaseSeats
from protocol.outbound import OrderStatus, Rejected
from protocol.seat_state import SeatState
from tests.core.naive_line import NaiveRoom
from tests.core.sale import OPENING_MS, rows_of, terms

EVENT = "550e8400-e29b-41d4-a716-446655440299"
CUSTOMERS = [f"c{number}" for number in range(7)]
LOBBY_MS = 600_000
LONG_TERM = OPENING_MS * 1_000

ORGANISER = "organiser"

customers = st.sampled_from(CUSTOMERS)
slots = st.sampled_from([1, 2, 3])
rooms = [QueueMode.FIFO, QueueMode.DRAW]
paces = st.sampled_from([0, 0, 1, 7, 600])


class LineMachine(RuleBasedStateMachine):
    """Each rule is one turn, or one that is dropped and decided again. The event begins in the lobby."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = OPENING_MS
        self.seen: dict[str, int] = {}
        self.present: set[str] = set(CUSTOMERS)
        self.ids = itertools.count()
        self.draws = DrawTerms(operator_seed=b"s" * 32)
        self.seating = Seating(terms(), layout_of(rows_of(9)), bytearray(9), {}, 0, "epoch")
        self.naive = NaiveRoom(1)
        self.rows: dict[str, EntryMoved] = {}
        self.admitted_upto = self.admitted_ms = 0
        self.before: dict[str, int] = {}
        """Who held something before the turn, and until when."""

    @initialize(slots=slots, mode=st.sampled_from(rooms), per_minute=paces, is_on_sale=st.booleans())
    def open_room(self, slots: int, mode: QueueMode, per_minute: int, is_on_sale: bool) -> None:
        self.now_ms = OPENING_MS if is_on_sale else OPENING_MS - LOBBY_MS
        self.seen = dict.fromkeys(CUSTOMERS, self.now_ms)
        self.naive = NaiveRoom(slots, str(mode), per_minute)
        self.seating.terms = terms(
            event_id=EVENT,
            queue_mode=mode,
            max_concurrent_shoppers=slots,
            admit_per_minute=per_minute,
            event_at_ms=LONG_TERM,
        )
        self.seating.line = Line(self.seating.terms, self.draws)

    @rule(ms=st.sampled_from([0, 1, 400, 999, 1_000, 29_999, 30_000, 119_999, 120_000, 600_000, 899_999, 900_000]))
    def wait(self, ms: int) -> None:
        # Each time that the manager would wake up at is a turn.
        target = self.now_ms + ms
        self.catch_up()
        while self.now_ms < target:
            wakes = (next_turn_ms(self.seating, self.now_ms), self.seating.next_end_ms(), OPENING_MS)
            later = [at_ms for at_ms in wakes if at_ms is not None and at_ms > self.now_ms]
            self.now_ms = min(target, *later) if later else target
            self.turn()
            self.catch_up()

    @precondition(lambda self: self.now_ms < OPENING_MS)
    @rule()
    def begin_the_sale(self) -> None:
        self.wait(OPENING_MS - self.now_ms)

    @rule(customer=customers)
    def join(self, customer: str) -> None:
        self.turn(customer, JoinQueue(self.id()))

    @rule()
    def all_come(self) -> None:
        for customer in CUSTOMERS:
            self.join(customer)

    @rule(customer=customers)
    def leave(self, customer: str) -> None:
        self.turn(customer, LeaveQueue(self.id()))

    @rule(mode=st.sampled_from([*rooms, *rooms, QueueMode.OFF, QueueMode.CLOSED]))
    def change_mode(self, mode: QueueMode) -> None:
        self.naive.mode = str(mode)
        self.turn(ORGANISER, ChangeTerms(self.id(), queue_mode=mode))

    @rule(slots=slots, per_minute=paces)
    def change_limits(self, slots: int, per_minute: int) -> None:
        self.naive.slots, self.naive.per_minute = slots, per_minute
        limits = ChangeTerms(self.id(), max_concurrent_shoppers=slots, admit_per_minute=per_minute)
        self.turn(ORGANISER, limits)

    @rule(customer=customers)
    def pay(self, customer: str) -> None:
        customer = self.one_of(customer, self.seating.holds)
        self.turn(customer, Checkout(self.id(), "card"))

    @rule(is_paid=st.booleans())
    def hear_from_the_provider(self, is_paid: bool) -> None:
        failure = None if is_paid else "declined"
        pending = [one for one in self.seating.orders.values() if one.status is OrderStatus.PENDING]
        self.turn(settled=[Settle(one.order_id, None if failure else "paid", failure) for one in pending])

    @rule(customer=customers)
    def shop(self, customer: str) -> None:
        """Somebody who is inside buys as much as may be."""
        customer = self.one_of(customer, [entry.customer for entry in self.naive.inside()])
        if self.turn(customer, HoldBest(self.id(), 4)) is not None:
            self.hold(customer, self.free_seat(), is_kept=True)
        self.turn(customer, Checkout(self.id(), "card"))
        self.hear_from_the_provider(is_paid=True)

    @rule(customer=customers)
    def cancel(self, customer: str) -> None:
        """What was bought can be bought again: where all was sold, turns come again."""
        bought = [one for one in self.seating.orders.values() if one.customer == customer]
        for order in bought:
            self.turn(customer, CancelOrder(self.id(), order.order_id))

    @rule(customer=customers)
    def vanish(self, customer: str) -> None:
        self.present.discard(customer)
        self.seen[customer] = self.now_ms

    @rule(customer=customers)
    def come_back(self, customer: str) -> None:
        self.present.add(customer)
        self.turn()

    @rule(customer=customers, seat=st.integers(0, 8), is_kept=st.booleans())
    def hold(self, customer: str, seat: int, is_kept: bool) -> None:
        is_inside = self.is_inside(customer)
        refusal = self.turn(customer, HoldSeats(self.id(), (seat,)))
        if refusal is not None and refusal.code == "not_admitted":
            assert not is_inside or not self.is_inside(customer) or self.is_past_its_time(customer)
        elif self.now_ms >= OPENING_MS:
            assert self.is_inside(customer) or self.naive.mode == "off"
        if not is_kept:
            self.turn(customer, ReleaseSeats(self.id(), ()))

    @rule(customer=customers)
    def drop_a_batch(self, customer: str) -> None:
        """It was decided and never written: nothing of it may be seen."""
        told = Told(Asked(customer, JoinQueue(self.id())), lambda _frame, _refusal: None)
        decide_turn(Turn([told], []), self.seating, self.now_ms, self.seen_ms)

    @rule()
    def load_anew(self) -> None:
        """Another node takes over, with nothing but the rows."""
        old, entries = self.seating.line, [moved.entry for moved in self.rows.values()]
        there = [entry for entry in entries if entry.state is not QueueState.OUT or entry.position is not None]
        line = Line(self.seating.terms, old.draws, there)
        line.restore(
            max((entry.place or 0 for entry in entries), default=0),
            self.admitted_upto,
            self.admitted_ms,
        )
        assert (line.tail, line.lobby, line.waiting, line.inside) == (
            old.tail,
            old.lobby,
            old.waiting,
            old.inside,
        )
        assert (line.chained, line.head, line.by_place) == (old.chained, old.head, old.by_place)
        assert line.admitted_upto == old.admitted_upto
        self.seating.line = line
        for entry in self.naive.inside():
            entry.look_at_ms = 0  # the new owner looks after all of them at once
        self.naive.paced_us = self.admitted_ms * 1_000

    @invariant()
    def it_is_as_the_naive_one(self) -> None:
        line = self.seating.line
        shown = {
            customer: (str(entry.state), entry.place, entry.until_ms or 0, entry.has_missed)
            for customer, entry in line.entries.items()
            if entry.state is not QueueState.OUT
        }
        assert shown == {
            entry.customer: (entry.state, entry.place, entry.until_ms, entry.has_missed)
            for entry in self.naive.entries.values()
        }
        waiting = self.naive.waiting()
        assert [line.ahead(entry.place or 0) for entry in waiting] == list(range(len(waiting)))

    @invariant()
    def admissions_are_in_order_of_places(self) -> None:
        places = [place for _, place in self.naive.admissions]
        assert places == sorted(places)

    def turn(
        self,
        customer: str = "",
        command: Command | ChangeTerms | CancelOrder | None = None,
        settled: Sequence[Settle] = (),
    ) -> Rejected | None:
        for one in {*self.present, customer} - {"", ORGANISER}:
            self.seen[one] = self.now_ms
        busy = {order.customer for order in self.seating.orders.values() if order.status is OrderStatus.PENDING}
        heard: list[Rejected | None] = []
        told = []
        if command is not None:
            told = [Told(Asked(customer, command), lambda _frame, _refusal: None)]
        decided = decide_turn(Turn(told, list(settled)), self.seating, self.now_ms, self.seen_ms)
        batch = batch_of(decided, Claim(EVENT, "me", 1), self.seating, set())
        make_true(decided, self.seating)
        self.seating.revision += 1
        for entry in batch.queue:
            self.rows[entry.customer] = EntryMoved(entry)
            if entry.admitted_ms is not None:
                self.admitted_upto = max(self.admitted_upto, entry.place or 0)
                self.admitted_ms = max(self.admitted_ms, entry.admitted_ms)
        heard = [getattr(verdict, "rejected", None) for _, verdict in decided.by_customers]
        bought = {order.customer for order in batch.orders if order.status is OrderStatus.COMPLETED}
        self.follow(customer, command, busy, bought, was_drawn=batch.drawn is not None)
        return heard[0] if heard else None

    def follow(self, customer: str, command: object, busy: set[str], bought: set[str], *, was_drawn: bool) -> None:
        """What the same turn does to the naive room."""
        naive, is_on_sale = self.naive, self.now_ms >= OPENING_MS
        kept = {one for one, expires_ms in self.before.items() if expires_ms > self.now_ms} | busy
        naive.clock(self.now_ms, self.seen, kept)
        if was_drawn:
            event = UUID(EVENT)
            ids = {
                entry_id(event, entry.nonce): one
                for one, entry in self.seating.line.entries.items()
                if entry.position is not None
            }
            drawn = self.seating.line.draws.drawn
            assert drawn is not None
            naive.draw([ids[one] for one in drawn_order(drawn.seed, ids)])
        for one in bought:
            naive.leave(one)
        if isinstance(command, LeaveQueue) and customer not in busy:
            naive.leave(customer)
        elif isinstance(command, JoinQueue):
            naive.join(customer, is_on_sale)
        if is_on_sale and not was_drawn and self.seating.counts.available:
            naive.admit(self.now_ms, self.seen)
        for one in self.before.keys() - self.seating.holds.keys():
            naive.gave_back(one)
        self.before = {one: hold.expires_ms for one, hold in self.seating.holds.items()}

    def one_of(self, customer: str, others: Iterable[str]) -> str:
        """One of the others, if there are any."""
        found = sorted(others)
        return found[CUSTOMERS.index(customer) % len(found)] if found else customer

    def free_seat(self) -> int:
        """The first free one, or the first."""
        free = [seat for seat in range(9) if self.seating.seat(seat)[0] is SeatState.AVAILABLE]
        return free[0] if free else 0

    def catch_up(self) -> None:
        """The manager wakes up at once for what is due by now."""
        for _ in range(len(CUSTOMERS)):
            due_ms = next_turn_ms(self.seating, self.now_ms)
            if due_ms is None or due_ms > self.now_ms:
                return
            self.turn()
        raise AssertionError("it would never sleep again")

    def is_past_its_time(self, customer: str) -> bool:
        return self.naive.entries[customer].until_ms <= self.now_ms

    def is_inside(self, customer: str) -> bool:
        return any(entry.customer == customer for entry in self.naive.inside())

    def seen_ms(self, customer: str) -> int:
        return self.seen[customer]

    def id(self) -> str:
        return f"id-{next(self.ids)}"


TestLineMachine = LineMachine.TestCase
TestLineMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)

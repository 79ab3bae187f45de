"""The core against the naive model: random commands in random batches, some dropped, with time passing."""

import itertools
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import UNSET

from actors.core.holding import due
from actors.core.layout import layout_of
from actors.core.memory import Remembered
from actors.core.model import OrderMoved, OrphanRule, Stage
from actors.core.ordering import settle
from actors.core.rules import decide
from actors.core.seating import Draft, Seating
from actors.core.verdict import (
    Accept,
    Asked,
    Await,
    BlockSeats,
    CancelOrder,
    ChangeTerms,
    Entry,
    OrganiserCommand,
    Refuse,
    Repeat,
    Settle,
    UnblockSeats,
    Verdict,
)
from protocol.codes import Code
from protocol.inbound import Checkout, Command, ExtendHold, HoldBest, HoldSeats, JoinQueue, LeaveQueue, ReleaseSeats
from protocol.outbound import Accepted, Rejected
from protocol.seat_state import SeatState
from tests.core.naive import Answer, Naive, NaiveOrder
from tests.core.sale import OPENING_MS, read, rows_of, terms

CUSTOMERS = ["ada", "bob", "cyd"]
RUNS = rows_of(4, 3, 2)
SEATS = range(9)
BLOCKED = (8,)

customers = st.sampled_from(CUSTOMERS)
ids = st.sampled_from(["", "", "", "", "", "", "1", "2"])
"""Mostly empty: one that was not used before."""
some_seats = st.lists(st.integers(0, 9), min_size=1, max_size=3, unique=True).map(tuple)
wishes = st.fixed_dictionaries(
    {},
    optional={
        "section": st.sampled_from(["Floor", "Upper"]),
        "price_tier": st.sampled_from(["vip", "standard"]),
        "max_price_cents": st.sampled_from([1_000, 2_500]),
    },
)
waits_ms = st.sampled_from([0, 1, 1_000, 60_000, 299_999, 300_000, 599_999, 600_000, 900_000, 1_200_000])


class CoreMachine(RuleBasedStateMachine):
    """A batch is open from its first command to `end_batch`; time passes between batches only."""

    def __init__(self) -> None:
        super().__init__()
        states = bytearray(len(SEATS))
        self.naive = Naive(list(RUNS), 4, seats=dict.fromkeys(SEATS, "available"))
        for seat in BLOCKED:
            states[seat], self.naive.seats[seat] = SeatState.BLOCKED, "blocked"
        self.seating = Seating(terms(), layout_of(RUNS), states, {}, 0, "epoch")
        self.now_ms = OPENING_MS
        self.draft: Draft | None = None
        self.before = self.naive
        self.answers: dict[tuple[str, str], Remembered] = {}
        self.fresh_ids = itertools.count(100)

    @initialize(limit=st.sampled_from([2, 4, 9]))
    def set_limit(self, limit: int) -> None:
        self.naive.limit = limit
        for_ever = OPENING_MS * 1_000
        self.seating.terms = terms(max_tickets_per_user=limit, stage=Stage.ON_SALE, event_at_ms=for_ever)

    @rule(ms=waits_ms)
    def wait(self, ms: int) -> None:
        self.end_batch()
        self.now_ms += ms

    @precondition(lambda self: self.naive.holds)
    @rule(early_ms=st.sampled_from([0, 0, 1]))
    def wait_for_an_end(self, early_ms: int) -> None:
        self.end_batch()
        first_ms = min(hold.ends_ms for hold in self.naive.holds.values())
        self.now_ms = max(self.now_ms, first_ms - early_ms)

    @precondition(lambda self: self.naive.holds)
    @rule(data=st.data(), by=st.sampled_from(["seat", "seat", "extension"]), early_ms=st.sampled_from([1, 1_000]))
    def prolong_at_the_last_moment(self, data: st.DataObject, by: str, early_ms: int) -> None:
        self.end_batch()
        customer = self.a_holder(data)
        self.now_ms = max(self.now_ms, self.naive.holds[customer].ends_ms - early_ms)
        self.tell(customer, HoldBest(self.id(), 1) if by == "seat" else ExtendHold(self.id()))
        self.end_batch()

    @rule(customer=customers, id_=ids, seats=some_seats)
    def hold_seats(self, customer: str, id_: str, seats: tuple[int, ...]) -> None:
        self.tell(customer, HoldSeats(self.id(id_), seats))

    @rule(customer=customers, id_=ids, count=st.integers(1, 3), wish=wishes)
    def hold_best(self, customer: str, id_: str, count: int, wish: dict[str, Any]) -> None:
        self.tell(customer, HoldBest(self.id(id_), count, **wish))

    @precondition(lambda self: self.naive.holds)
    @rule(data=st.data(), id_=ids, seats=st.just(()) | some_seats | some_seats)
    def release(self, data: st.DataObject, id_: str, seats: tuple[int, ...]) -> None:
        self.tell(self.a_holder(data), ReleaseSeats(self.id(id_), seats))

    @rule(data=st.data(), id_=ids, kind=st.sampled_from([ExtendHold] * 4 + [JoinQueue, LeaveQueue]))
    def say(self, data: st.DataObject, id_: str, kind: type[Any]) -> None:
        self.tell(self.a_holder(data), kind(self.id(id_)))

    @precondition(lambda self: self.naive.holds)
    @rule(data=st.data(), id_=ids, method=st.sampled_from(["card", "cash"]))
    def checkout(self, data: st.DataObject, id_: str, method: str) -> None:
        self.tell(self.a_holder(data), Checkout(self.id(id_), method))

    @precondition(lambda self: self.naive.holds)
    @rule(data=st.data())
    def buy(self, data: st.DataObject) -> None:
        """Check out and pay, so that there is something to cancel."""
        self.checkout(data, "", "card")
        self.end_batch()
        if self.naive.orders:
            self.provider_answers(data, True)

    @precondition(lambda self: self.naive.orders)
    @rule(customer=customers, id_=ids, data=st.data())
    def cancel(self, customer: str, id_: str, data: st.DataObject) -> None:
        order = self.an_order(data, "completed")
        who = data.draw(st.sampled_from([order.customer, order.customer, customer]), label="who")
        self.tell(who, CancelOrder(self.id(id_), order.order_id))

    @rule(id_=ids, kind=st.sampled_from([BlockSeats, UnblockSeats]), seats=some_seats)
    def block_or_sell(self, id_: str, kind: type[Any], seats: tuple[int, ...]) -> None:
        command = kind(self.id(id_), seats, "why") if kind is BlockSeats else kind(self.id(id_), seats)
        self.tell("olga", command)

    @rule(id_=ids, orphan_rule=st.sampled_from([OrphanRule.OFF, OrphanRule.ENFORCE]))
    def set_orphan_rule(self, id_: str, orphan_rule: OrphanRule) -> None:
        self.tell("olga", ChangeTerms(self.id(id_), orphan_rule=orphan_rule))

    @precondition(lambda self: self.naive.accepted)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """An accepted command again has no effect and the very same answer."""
        accepted = sorted(self.naive.accepted.items(), key=lambda item: item[0])
        (customer, id_), (command, _) = data.draw(st.sampled_from(accepted), label="which")
        verdict = self.tell(customer, command)
        assert isinstance(verdict, Repeat)
        known = self.open_batch().answers.get((customer, id_)) or self.answers[customer, id_]
        assert verdict.frame == known.frame

    @precondition(lambda self: self.naive.orders)
    @rule(data=st.data(), paid=st.booleans())
    def provider_answers(self, data: st.DataObject, paid: bool) -> None:
        order = self.an_order(data, "pending")
        draft = self.open_batch()
        settled = Settle(order.order_id, "p" if paid else None, None if paid else "declined")
        verdict, expected = settle(draft, settled), self.naive.settle(order, paid)
        assert (verdict is None) == (expected is None)
        if verdict is not None:
            assert verdict.frame is not None
            self.accept(draft, verdict)
            assert told(read(verdict.frame)) == expected

    @precondition(lambda self: self.draft is not None)
    @rule(keep=st.sampled_from([True, True, True, False]))
    def end_batch(self, keep: bool = True) -> None:
        """Commit; or fail, and the world is as it was before."""
        if self.draft is None:
            return
        if keep:
            self.seating.apply(self.draft.changes)
            self.seating.revision += 1
            for (customer, id_), remembered in self.draft.answers.items():
                self.seating.memory.keep(customer, id_, remembered)
            self.answers.update(self.draft.answers)
        else:
            self.naive = self.before
        self.draft = None

    def id(self, id_: str = "") -> str:
        return id_ or str(next(self.fresh_ids))

    def a_holder(self, data: st.DataObject) -> str:
        """A customer who holds, if one does."""
        return data.draw(st.sampled_from(sorted(self.naive.holds) or CUSTOMERS), label="customer")

    def an_order(self, data: st.DataObject, status: str) -> NaiveOrder:
        """An order with this status, if there is one."""
        fitting = [order for order in self.naive.orders if order.status == status]
        return data.draw(st.sampled_from(fitting or self.naive.orders), label="order")

    def tell(self, customer: str, command: Command | CancelOrder | OrganiserCommand) -> Verdict:
        draft = self.open_batch()
        verdict = decide(draft, Asked(customer, command), self.now_ms)
        expected = self.naive.tell(customer, command, self.now_ms)
        if isinstance(verdict, Accept):
            self.accept(draft, verdict)
        if isinstance(verdict, Refuse):
            assert told(verdict.rejected) == expected
        elif isinstance(verdict, Await):
            assert expected[0] == "waits"
        elif verdict.frame is None:
            assert expected[0] == "waits"
            (order,) = [change.order for change in verdict.changes if isinstance(change, OrderMoved)]
            assert list(order.seats) == expected[1]
            self.naive.orders[-1].order_id = order.order_id
        else:
            assert told(read(verdict.frame)) == expected
        return verdict

    def open_batch(self) -> Draft:
        if self.draft is None:
            self.before = self.naive.copy()
            self.draft = Draft(self.seating)
            self.naive.end_due(self.now_ms)
            for ended in due(self.seating, self.now_ms):
                self.accept(self.draft, ended)
        return self.draft

    def accept(self, draft: Draft, verdict: Accept) -> None:
        draft.add(verdict.changes)
        remember(draft, verdict.entry)

    @invariant()
    def views_equal_the_model(self) -> None:
        view = self.draft or self.seating
        for seat in SEATS:
            assert view.seat(seat) == occupied(self.naive.seats[seat])
        for customer in CUSTOMERS:
            hold, expected = view.hold(customer), self.naive.holds.get(customer)
            assert (hold is None) == (expected is None)
            if hold is not None and expected is not None:
                assert hold.seats == tuple(sorted(expected.seats))
                assert (hold.started_ms, hold.expires_ms, hold.extended) == (
                    expected.started_ms,
                    expected.ends_ms,
                    expected.extended,
                )
            assert view.bought(customer) == self.naive.bought(customer)
            assert (view.pending(customer) is None) == (self.naive.pending(customer) is None)

    @invariant()
    def committed_state_is_sound(self) -> None:
        seating = self.seating
        held = [seat for seat in SEATS if seating.seat(seat)[0] is SeatState.HELD]
        in_holds = sorted(seat for hold in seating.holds.values() for seat in hold.seats)
        assert in_holds == held, "each held seat belongs to exactly one hold"
        for customer, hold in seating.holds.items():
            assert hold.seats
            assert list(hold.seats) == sorted(hold.seats)
            assert all(seating.seat(seat) == (SeatState.HELD, customer) for seat in hold.seats)
            assert hold.started_ms < hold.expires_ms <= hold.started_ms + 1_200_000
            assert hold.started_ms <= hold.changed_ms
        counts = seating.counts
        assert counts.available + counts.held + counts.sold + counts.blocked == len(SEATS)
        assert counts.held == len(held)
        for customer in CUSTOMERS:
            mine = [o for o in seating.orders.values() if o.customer == customer and o.status == "completed"]
            assert seating.bought(customer) == sum(len(order.seats) for order in mine)
            pending = seating.pending(customer)
            assert pending is None or pending.seats == seating.holds[customer].seats
        open_ends = [h.expires_ms for c, h in seating.holds.items() if seating.pending(c) is None]
        assert seating.next_end_ms() == min(open_ends, default=None)

    @invariant()
    def no_hold_is_past_its_end_unless_it_is_being_paid(self) -> None:
        if self.draft is not None:
            paying = {order.customer for order in self.seating.pending_orders}
            for customer in CUSTOMERS:
                hold = self.draft.hold(customer)
                assert hold is None or hold.expires_ms > self.now_ms or customer in paying


def remember(draft: Draft, entry: Entry) -> None:
    if entry.command_id is not None and entry.content_hash is not None and entry.frame is not None:
        draft.answers[entry.customer, entry.command_id] = Remembered(entry.content_hash, entry.frame)


def occupied(state: Any) -> tuple[SeatState, str | None]:
    if isinstance(state, tuple):
        return (SeatState.HELD if state[0] == "held" else SeatState.SOLD, state[1])
    return (SeatState[state.upper()], None)


def told(answer: Accepted | Rejected) -> Answer:
    """An answer in the words of the naive model."""
    if isinstance(answer, Rejected):
        return ("refused", (Code(answer.code), () if answer.seats is UNSET else answer.seats))
    if answer.hold is not UNSET:
        return ("hold", (answer.hold.seats, answer.hold.expires_at_ms, answer.hold.total_cents))
    if answer.queue is not UNSET:
        return ("queue", answer.queue.status)
    if answer.order is UNSET:
        return ("done", None)
    order = answer.order
    return ("order", (order.order_id, str(order.status), order.total_cents, order.seats))


TestCore = CoreMachine.TestCase
TestCore.settings = settings(max_examples=150, stateful_step_count=60, deadline=None, print_blob=True)

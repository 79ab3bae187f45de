"""The waiting room against the naive model: customers come, leave, vanish and come back while time passes."""

import itertools
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from actors.core.draw import drawn_order, entry_id
from actors.core.layout import layout_of
from actors.core.line import Line
from actors.core.model import DrawTerms, EntryMoved, QueueMode, QueueState
from actors.core.seating import Seating
from actors.core.verdict import Asked
from actors.core.waiting_room import next_turn_ms
from actors.ports import Claim
from actors.told import Told
from actors.turn import Turn, batch_of, decide_turn, make_true
from protocol.inbound import Command, HoldSeats, JoinQueue, LeaveQueue, ReleaseSeats
from protocol.outbound import Rejected
from tests.core.naive_line import NaiveRoom
from tests.core.sale import OPENING_MS, rows_of, terms

EVENT = "550e8400-e29b-41d4-a716-446655440299"
CUSTOMERS = [f"c{number}" for number in range(7)]
LOBBY_MS = 600_000
LONG_TERM = OPENING_MS * 1_000

customers = st.sampled_from(CUSTOMERS)


class LineMachine(RuleBasedStateMachine):
    """Each rule is one turn, or one that is dropped and decided again. The event begins in the lobby."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = OPENING_MS - LOBBY_MS
        self.seen = dict.fromkeys(CUSTOMERS, self.now_ms)
        self.present: set[str] = set(CUSTOMERS)
        self.ids = itertools.count()
        self.draws = DrawTerms(operator_seed=b"s" * 32)
        self.seating = Seating(terms(), layout_of(rows_of(9)), bytearray(9), {}, 0, "epoch")
        self.naive = NaiveRoom(1)
        self.rows: dict[str, EntryMoved] = {}
        self.admitted_upto = self.admitted_ms = 0
        self.before: set[str] = set()
        """Who held something before the turn."""

    @initialize(slots=st.sampled_from([1, 2, 3]))
    def open_lobby(self, slots: int) -> None:
        self.naive.slots = slots
        self.seating.terms = terms(
            event_id=EVENT,
            queue_mode=QueueMode.DRAW,
            max_concurrent_shoppers=slots,
            event_at_ms=LONG_TERM,
        )
        self.seating.line = Line(self.seating.terms, self.draws)

    @rule(ms=st.sampled_from([0, 1, 400, 999, 1_000, 29_999, 30_000, 119_999, 120_000, 600_000, 899_999, 900_000]))
    def wait(self, ms: int) -> None:
        # Each time that the manager would wake up at is a turn.
        target = self.now_ms + ms
        while self.now_ms < target:
            wakes = (next_turn_ms(self.seating, self.now_ms), self.seating.next_end_ms(), OPENING_MS)
            later = [at_ms for at_ms in wakes if at_ms is not None and at_ms > self.now_ms]
            self.now_ms = min(target, *later) if later else target
            self.turn()

    @rule(customer=customers)
    def join(self, customer: str) -> None:
        self.turn(customer, JoinQueue(self.id()))

    @rule(customer=customers)
    def leave(self, customer: str) -> None:
        self.turn(customer, LeaveQueue(self.id()))

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
            assert not is_inside or not self.is_inside(customer)
        elif self.now_ms >= OPENING_MS:
            assert self.is_inside(customer)
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
        assert line.inside <= self.naive.slots

    @invariant()
    def admissions_are_in_order_of_places(self) -> None:
        places = [place for _, place in self.naive.admissions]
        assert places == sorted(places)

    def turn(self, customer: str = "", command: Command | None = None) -> Rejected | None:
        for one in {*self.present, customer} - {""}:
            self.seen[one] = self.now_ms
        heard: list[Rejected | None] = []
        told = []
        if command is not None:
            told = [Told(Asked(customer, command), lambda _frame, _refusal: None)]
        decided = decide_turn(Turn(told, []), self.seating, self.now_ms, self.seen_ms)
        batch = batch_of(decided, Claim(EVENT, "me", 1), self.seating, set())
        make_true(decided, self.seating)
        self.seating.revision += 1
        for entry in batch.queue:
            self.rows[entry.customer] = EntryMoved(entry)
            if entry.admitted_ms is not None:
                self.admitted_upto = max(self.admitted_upto, entry.place or 0)
                self.admitted_ms = max(self.admitted_ms, entry.admitted_ms)
        heard = [getattr(verdict, "rejected", None) for _, verdict in decided.by_customers]
        self.follow(customer, command, was_drawn=batch.drawn is not None)
        return heard[0] if heard else None

    def follow(self, customer: str, command: Command | None, *, was_drawn: bool) -> None:
        """What the same turn does to the naive room."""
        naive, is_on_sale = self.naive, self.now_ms >= OPENING_MS
        naive.clock(self.now_ms, self.seen, {one for one in self.seating.holds if one != customer} | self.before)
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
        if isinstance(command, LeaveQueue):
            naive.leave(customer)
        elif isinstance(command, JoinQueue):
            naive.join(customer, is_on_sale)
        if is_on_sale and not was_drawn:
            naive.admit(self.now_ms, self.seen)
        self.before = set(self.seating.holds)

    def is_inside(self, customer: str) -> bool:
        return any(entry.customer == customer for entry in self.naive.inside())

    def seen_ms(self, customer: str) -> int:
        return self.seen[customer]

    def id(self) -> str:
        return f"id-{next(self.ids)}"


TestLineMachine = LineMachine.TestCase
TestLineMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

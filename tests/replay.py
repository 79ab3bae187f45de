"""A sale lived through once more from its journal, by the plainest rules there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from msgspec import UNSET

from actors.core.verdict import Entry
from protocol import outbound
from protocol.outbound import Accepted
from tests.fake_database import FakeEvent, FakeJournalRow

GIVES_BACK = ("release", "queue", "expired")


@dataclass
class _Life:
    """A hold as the journal tells it. Times in milliseconds of the store's clock."""

    seats: set[int]
    started_ms: int
    ends_ms: int


class Replay:
    """The sale once more, from the journal. `findings` is what was wrong, `maps` has the states at each revision.

    `opening_ms`, `excuses`: as in the auditor.
    """

    def __init__(
        self,
        event: FakeEvent,
        prices_cents: Sequence[int],
        limit: int,
        opening_ms: int | None,
        excuses: Sequence[tuple[float, float]],
    ) -> None:
        self.findings: list[str] = []
        self._event = event
        self._prices_cents = prices_cents
        self._limit = limit
        self._opening_ms = opening_ms
        self._excuses = excuses
        self._seats: dict[int, tuple[str, str]] = {}
        self._blocked = self._blocked_at_first()
        self._lives: dict[str, _Life] = {}
        self.maps: dict[int, bytes] = {0: self._map()}
        self._paying: set[str] = set()
        self._failed_at: dict[str, float] = {}

        self._live_through()
        self._check_rows()

    def _live_through(self) -> None:
        for row in self._event.journal:
            try:
                self._live(row)
            except AssertionError as broken:
                self.findings.append(f"revision {row.revision}.{row.position} {row.entry.kind}: {broken}")
            self.maps[row.revision] = self._map()

    def _live(self, row: FakeJournalRow) -> None:
        entry, customer = row.entry, row.entry.customer
        if entry.kind == "hold":
            self._assert_free(entry.seats)
            for seat in entry.seats:
                self._seats[seat] = ("held", customer)
            if entry.seats:
                self._grow(customer, entry.seats, row.at_ms)
            mine = [seat for seat, (_, who) in self._seats.items() if who == customer]
            assert len(mine) <= self._limit, f"{customer} has {len(mine)} seats"
        elif entry.kind in GIVES_BACK:
            if entry.kind == "expired":
                life = self._life(customer)
                assert life.ends_ms <= row.at_ms, (
                    f"the hold of {customer} ended {life.ends_ms - row.at_ms} ms early"
                )
            if entry.seats:
                self._give_back(customer, entry.seats)
        elif entry.kind == "extend":
            self._prolong(self._life(customer), row.at_ms)
        elif entry.kind == "checkout_begun":
            assert self._life(customer).ends_ms > row.at_ms, "a hold that is over is being paid"
            self._paying.add(customer)
        elif entry.kind == "payment_failed":
            self._end_payment(customer)
            self._failed_at[customer] = row.written_at
        elif entry.kind == "completed":
            self._end_payment(customer)
            assert set(entry.seats) == self._life(customer).seats, "what was held is not what was bought"
            del self._lives[customer]
            self._move(customer, entry.seats, "held", "sold")
        elif entry.kind == "cancelled":
            self._move(customer, entry.seats, "sold", None)
        else:
            self._block(entry)
        self._check_answer(row)

    def _block(self, entry: Entry) -> None:
        if entry.kind == "blocked":
            self._assert_free(entry.seats)
            self._blocked |= set(entry.seats)
        elif entry.kind == "unblocked":
            assert self._blocked.issuperset(entry.seats), f"{entry.seats} are not blocked"
            self._blocked -= set(entry.seats)

    def _assert_free(self, seats: Iterable[int]) -> None:
        assert not [seat for seat in seats if seat in self._seats or seat in self._blocked], f"{seats} are not free"

    def _blocked_at_first(self) -> set[int]:
        """What is blocked now without a word in the journal, and what the journal first tells to be sold again."""
        first: dict[int, str] = {}
        for row in self._event.journal:
            if row.entry.kind in ("blocked", "unblocked"):
                first = dict.fromkeys(row.entry.seats, row.entry.kind) | first
        ever = [seat for seat, state in enumerate(self._event.states) if state == 3 and seat not in first]
        return {*ever, *(seat for seat, kind in first.items() if kind == "unblocked")}

    def _check_punctual(self, row: FakeJournalRow, life: _Life) -> None:
        if self._opening_ms is None:
            return
        due_at = (life.ends_ms - self._opening_ms) / 1000
        assert row.written_at > due_at - 0.002, f"a hold ended {due_at - row.written_at} s early"
        due_at = max(due_at, self._failed_at.get(row.entry.customer, 0))
        is_excused = any(begin <= row.written_at and end >= due_at for begin, end in self._excuses)
        assert is_excused or row.written_at <= due_at + 1, f"a hold ended {row.written_at - due_at} s late"

    def _check_answer(self, row: FakeJournalRow) -> None:
        """The answer in the journal says what the hold is at this point."""
        if row.entry.frame is None or row.entry.command_id is None:
            return
        answer = outbound.decode(row.entry.frame)
        assert isinstance(answer, Accepted)
        assert answer.revision == row.revision, "the answer names another revision"
        assert answer.id == row.entry.command_id
        if answer.hold is not UNSET:
            life = self._lives.get(row.entry.customer)
            seats = () if life is None else tuple(sorted(life.seats))
            total = sum(self._prices_cents[seat] for seat in seats)
            told = (answer.hold.seats, answer.hold.expires_at_ms, answer.hold.total_cents)
            assert told == (seats, None if life is None else life.ends_ms, total), f"{told} was told"

    def _grow(self, customer: str, seats: Iterable[int], at_ms: int) -> None:
        assert customer not in self._paying, "a hold grew while it was being paid"
        life = self._lives.get(customer)
        if life is None:
            life = self._lives[customer] = _Life(set(), at_ms, at_ms)
        else:
            assert life.ends_ms > at_ms, "a hold that is over came to life again"
        life.seats |= set(seats)
        self._prolong(life, at_ms)

    def _life(self, customer: str) -> _Life:
        life = self._lives.get(customer)
        assert life is not None, f"{customer} holds nothing"
        return life

    def _end_payment(self, customer: str) -> None:
        assert customer in self._paying, f"{customer} is paying for nothing"
        self._paying.remove(customer)

    def _prolong(self, life: _Life, at_ms: int) -> None:
        life.ends_ms = max(life.ends_ms, min(at_ms + 600_000, life.started_ms + 1_200_000))

    def _give_back(self, customer: str, seats: Iterable[int]) -> None:
        assert customer not in self._paying, "a hold shrank while it was being paid"
        life = self._life(customer)
        life.seats -= set(seats)
        self._move(customer, seats, "held", None)
        if not life.seats:
            del self._lives[customer]

    def _move(self, customer: str, seats: Iterable[int], before: str, after: str | None) -> None:
        for seat in seats:
            assert self._seats.pop(seat, None) == (before, customer), f"seat {seat} was not {before} by {customer}"
            if after is not None:
                self._seats[seat] = (after, customer)

    def _map(self) -> bytes:
        states = bytearray(3 if seat in self._blocked else 0 for seat in range(len(self._event.states)))
        for seat, (state, _) in self._seats.items():
            states[seat] = 1 if state == "held" else 2
        return bytes(states)

    def _check_rows(self) -> None:
        event, blame = self._event, self.findings.append
        expected = {seat: customer for seat, (_, customer) in self._seats.items()}
        if bytes(event.states) != self._map() or event.holders != expected:
            blame(f"the seats are {event.holders}, and {expected} by the journal")
        if not self._blocked.issuperset(event.blocks):
            blame(f"there are reasons for blocks {event.blocks}, blocked are {self._blocked}")
        rows = {customer: hold.expires_ms for customer, hold in event.hold_rows.items()}
        lives = {customer: life.ends_ms for customer, life in self._lives.items()}
        if rows != lives:
            blame(f"the holds end at {rows}, and at {lives} by the journal")
        counted = (event.states.count(0), event.states.count(1))
        if (event.available, event.held) != counted:
            blame(f"the head counts {(event.available, event.held)}, the seats are {counted}")

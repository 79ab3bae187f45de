"""The line of an event: who is in the waiting room, in which state and place.

`Line` is what is committed, `LineDraft` one batch on top. Both move an entry by the same `put`, so that counts
follow from the entries alone. A step takes O(log n); the draw itself, once, O(n log n).
"""

import heapq
from collections.abc import Callable, Iterable
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from actors.core import draw
from actors.core.ahead import Ahead
from actors.core.model import Drawn, DrawTerms, QueueEntry, QueueState, Terms
from actors.core.pace import Pace

PACE_SLACK_MS = 250
"""What a late turn may catch up of the pace."""
IN_ROOM = (QueueState.LOBBY, QueueState.WAITING, QueueState.CALLED, QueueState.ACTIVE)
INSIDE = (QueueState.CALLED, QueueState.ACTIVE)
_PASSED_SLACK = 1_000


class _Given(NamedTuple):
    """What a draw gives: entries with their places; who waits where then, with those behind; the first place."""

    drawn: Drawn
    entries: dict[str, QueueEntry]
    by_place: dict[int, str]
    ahead: Ahead
    first: int | None


class LineCounts:
    """What is counted of a line. `tail` is the last place given, `chained` the last position in the chain."""

    def __init__(self) -> None:
        self.tail = 0
        self.lobby = 0
        self.waiting = 0
        self.inside = 0
        self.chained = 0
        self.head: bytes | None = None
        self.admitted_upto = 0
        self.paced_us = 0
        """When the last one was admitted, as the pace has it: in whole microseconds, so that nothing adds up."""

    def copy_counts(self, other: "LineCounts") -> None:
        """Be at the same counts."""
        self.tail, self.lobby, self.waiting, self.inside = other.tail, other.lobby, other.waiting, other.inside
        self.chained, self.head = other.chained, other.head
        self.admitted_upto, self.paced_us = other.admitted_upto, other.paced_us

    @property
    def next_place(self) -> int:
        """The place at the end of the line. Those in the lobby will have the first ones."""
        return max(self.tail, self.chained) + 1

    def count(self, before: QueueEntry | None, after: QueueEntry, terms: Terms, draws: DrawTerms) -> None:
        """The entry has become another one."""
        was = QueueState.OUT if before is None else before.state
        now = after.state
        self.lobby += (now is QueueState.LOBBY) - (was is QueueState.LOBBY)
        self.waiting += (now is QueueState.WAITING) - (was is QueueState.WAITING)
        self.inside += (now in INSIDE) - (was in INSIDE)
        self.tail = max(self.tail, after.place or 0)
        if now in INSIDE and was not in INSIDE:
            self.admitted_upto = max(self.admitted_upto, after.place or 0)
            admitted_ms = after.admitted_ms or 0
            self.paced_us = max(self.paced_us + interval_us(terms), (admitted_ms - PACE_SLACK_MS) * 1_000)
        if after.position is not None and after.position > self.chained:
            event = UUID(terms.event_id)
            self.head = draw.next_head(self.head or genesis(event, draws), draw.entry_id(event, after.nonce))
            self.chained = after.position


class Line(LineCounts):
    """The committed line of one event."""

    def __init__(self, terms: Terms, draws: DrawTerms, entries: Iterable[QueueEntry] = ()) -> None:
        """Take over the entries as they were loaded; those of the chain are complete."""
        super().__init__()
        self.draws = draws
        self._event_id = terms.event_id
        self._given: _Given | None = None
        """What a draw gives, from `order` to `draw`."""
        self.entries: dict[str, QueueEntry] = {}
        self.by_place: dict[int, str] = {}
        self.nonces: set[bytes] = set()
        """Those of the chain: no two entries may be the same."""
        self.first = 1
        """Nobody waits in a place before this one."""
        self.pace = Pace()
        self._ahead = Ahead()
        self._checks: dict[str, int] = {}
        self._check_heap: list[tuple[int, str]] = []
        for entry in sorted(entries, key=lambda entry: entry.position or 0):
            self.put(entry, terms)
        if draws.drawn is not None:
            self._give_places()

    def restore(self, tail: int, admitted_upto: int, admitted_ms: int) -> None:
        """Go on after places that were given, and turns that came, to entries which are no more."""
        self.tail = max(self.tail, tail)
        self.admitted_upto, self.paced_us = admitted_upto, admitted_ms * 1_000

    def entry(self, customer: str) -> QueueEntry | None:
        """The customer's entry, whatever became of it."""
        return self.entries.get(customer)

    def is_taken(self, nonce: bytes) -> bool:
        """Is an entry of the chain made of this nonce?"""
        return nonce in self.nonces

    def ahead(self, place: int) -> int:
        """How many wait before this place."""
        return self._ahead.before(place)

    def put(self, entry: QueueEntry, terms: Terms) -> None:
        """The entry is this now."""
        before = self.entries.get(entry.customer)
        self._given = None
        if entry.position is not None:
            self.nonces.add(entry.nonce)
        self._measure(before, entry, terms)
        self.count(before, entry, terms, self.draws)
        self.pace.inside, self.pace.waiting = self.inside, self.waiting
        if before is not None and before.state is QueueState.WAITING and before.place is not None:
            del self.by_place[before.place]
            self._ahead.add(before.place, -1)
        if entry.state is QueueState.WAITING and entry.place is not None:
            self.by_place[entry.place] = entry.customer
            self._ahead.add(entry.place)
        if entry.state is QueueState.OUT and entry.position is None:
            self.entries.pop(entry.customer, None)
        else:
            self.entries[entry.customer] = entry
        if entry.state in INSIDE:
            self.check_at(entry.customer, entry.admitted_ms or 0)
        else:
            self._checks.pop(entry.customer, None)
        while self.first <= self.tail and self.first not in self.by_place:
            self.first += 1
        if entry.state is QueueState.WAITING and entry.place is not None:
            self.first = min(self.first, entry.place)

    def draw(self, draws: DrawTerms) -> None:
        """The draw was made: everybody in the lobby has a place."""
        self.draws = draws
        self._give_places()

    def order(self, drawn: Drawn) -> None:
        """Find what a draw gives that is about to be made: nearly all of its work, and it changes nothing yet."""
        event = UUID(self._event_id)
        # Those who have left are drawn like all others: the chain that was published has them.
        chain = {
            draw.entry_id(event, entry.nonce): entry.customer
            for entry in self.entries.values()
            if entry.position is not None and entry.position <= drawn.entries
        }
        assert len(chain) == drawn.entries, f"{len(chain)} entries of {drawn.entries} that were drawn are there"
        entries: dict[str, QueueEntry] = {}
        by_place = dict(self.by_place)
        for place, entry_id in enumerate(draw.drawn_order(drawn.seed, chain), 1):
            entry = self.entries[chain[entry_id]]
            if entry.state is QueueState.LOBBY:
                entries[entry.customer] = replace(entry, state=QueueState.WAITING, place=place)
                by_place[place] = entry.customer
        self._given = _Given(drawn, entries, by_place, Ahead(by_place), min(by_place, default=None))

    def check_at(self, customer: str, at_ms: int) -> None:
        """Look after this customer at that time and not before; who is not inside is not looked after."""
        entry = self.entries.get(customer)
        if entry is None or entry.state not in INSIDE:
            return
        self._checks[customer] = at_ms
        heapq.heappush(self._check_heap, (at_ms, customer))
        if len(self._check_heap) > 2 * len(self._checks) + _PASSED_SLACK:
            self._check_heap = [(at, customer) for customer, at in self._checks.items()]
            heapq.heapify(self._check_heap)

    def next_check_ms(self) -> int | None:
        """When somebody inside is to be looked after."""
        while self._check_heap:
            at_ms, customer = self._check_heap[0]
            if self._checks.get(customer) == at_ms:
                return at_ms
            heapq.heappop(self._check_heap)
        return None

    def to_check(self, now_ms: int) -> list[str]:
        """Who is to be looked after now. Asking twice answers the same."""
        found: list[tuple[int, str]] = []
        while (at_ms := self.next_check_ms()) is not None and at_ms <= now_ms:
            found.append(heapq.heappop(self._check_heap))
        for one in found:
            heapq.heappush(self._check_heap, one)
        return list(dict.fromkeys(customer for _, customer in found))

    def _measure(self, before: QueueEntry | None, after: QueueEntry, terms: Terms) -> None:
        was_inside = before is not None and before.state in INSIDE
        if after.state in INSIDE and not was_inside:
            self.pace.admitted(after.customer, after.admitted_ms or 0)
        elif was_inside and after.state not in INSIDE:
            self.pace.freed()
        elif after.state is QueueState.WAITING and before is None:
            wait = self.pace.wait(self.waiting, terms.max_concurrent_shoppers, terms.admit_per_minute)
            self.pace.waits(after.customer, after.joined_ms, wait)
        elif after.state is QueueState.OUT and before is not None and before.state is QueueState.WAITING:
            self.pace.gave_up(after.customer)

    def _give_places(self) -> None:
        drawn = self.draws.drawn
        assert drawn is not None, "no draw was made"
        if self._given is None or self._given.drawn != drawn:
            self.order(drawn)
        assert self._given is not None
        given, self._given = self._given, None
        # All at once, not by `put`: everybody else waits for this.
        self.entries.update(given.entries)
        self.by_place, self._ahead = given.by_place, given.ahead
        self.lobby, self.waiting = 0, len(given.by_place)
        self.pace.waiting = self.waiting
        self.tail = max(self.tail, drawn.entries)
        self.first = self.tail + 1 if given.first is None else given.first


class LineDraft(LineCounts):
    """The line as one batch would leave it. Dropping it undoes the batch."""

    def __init__(self, committed: Line) -> None:
        super().__init__()
        self.copy_counts(committed)
        self.committed = committed
        self.draws = committed.draws
        self.pace = committed.pace
        self.entries: dict[str, QueueEntry] = {}
        self._by_place: dict[int, str] = {}
        self._nonces: set[bytes] = set()
        self._cursor = committed.first

    def entry(self, customer: str) -> QueueEntry | None:
        found = self.entries.get(customer)
        return self.committed.entry(customer) if found is None else found

    def is_taken(self, nonce: bytes) -> bool:
        """Is an entry of the chain, or one of this batch, made of this nonce?"""
        return self.committed.is_taken(nonce) or nonce in self._nonces

    def ahead(self, place: int) -> int:
        """How many wait before this place: of what is committed, so that asking costs O(log n) in any batch."""
        return self.committed.ahead(place)

    def put(self, entry: QueueEntry, terms: Terms) -> None:
        """The entry would be this."""
        if entry.position is not None:
            self._nonces.add(entry.nonce)
        self.count(self.entry(entry.customer), entry, terms, self.draws)
        self.entries[entry.customer] = entry
        if entry.state is QueueState.WAITING and entry.place is not None:
            self._by_place[entry.place] = entry.customer

    def draw(self, draws: DrawTerms) -> None:
        """The draw would be made. Its places are given when it is committed."""
        self.draws = draws
        if draws.drawn is not None:
            self.tail = max(self.tail, draws.drawn.entries)

    def next_waiting(self) -> QueueEntry | None:
        """Who is first in line."""
        while self._cursor <= self.tail:
            place = self._cursor
            customer = self._by_place.get(place) or self.committed.by_place.get(place)
            found = None if customer is None else self.entry(customer)
            if found is not None and found.state is QueueState.WAITING and found.place == place:
                return found
            self._cursor += 1
        return None


Seen = Callable[[str], int]
"""When a customer was seen last, in Unix milliseconds."""


def interval_us(terms: Terms) -> int:
    """The time between two admissions as the pace has it; 0: no limit.

    A minute may begin with those that the slack lets in early, and they count: so it is a minute and the slack that
    is divided, and rounded up.
    """
    return -(-(60_000 + PACE_SLACK_MS) * 1_000 // terms.admit_per_minute) if terms.admit_per_minute else 0


def genesis(event: UUID, draws: DrawTerms) -> bytes:
    """The head of the chain before its first entry."""
    return draw.genesis(event, draw.commitment(event, draws.operator_seed), draws.beacon_chain)

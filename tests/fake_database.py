"""The database that the fake store is a way to: the rows in memory, each method one transaction.

A negative control is a subclass of `FakeDatabase` that leaves one safeguard out.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from actors.core.layout import Run
from actors.core.model import DrawTerms, Hold, Order, QueueEntry, QueueState, Terms
from actors.core.verdict import Entry
from actors.ports import (
    Batch,
    BrokenPromise,
    Claim,
    Committed,
    HeadBusy,
    Known,
    Loaded,
    LoadedLine,
    Outcome,
    OwnershipLost,
    SeatsBusy,
    SeatWrite,
    Stored,
    StoreUnavailable,
)
from protocol import limits
from protocol.outbound import OrderStatus
from protocol.seat_state import SeatState

BEFORE = {
    OrderStatus.COMPLETED: OrderStatus.PENDING,
    OrderStatus.PAYMENT_FAILED: OrderStatus.PENDING,
    OrderStatus.CANCELLED: OrderStatus.COMPLETED,
}
"""What an order must have been to become this."""


class FakeTicket(Struct, frozen=True):
    """A row of `ticket`."""

    order_id: str
    seat: int
    customer: str
    is_valid: bool


class FakeJournalRow(Struct, frozen=True):
    """A row of `journal`. `written_at` is when it was written by the test's own clock."""

    revision: int
    position: int
    at_ms: int
    entry: Entry
    written_at: float


@dataclass
class FakeEvent:
    """The rows of one event. `locked_seats` and `head_is_locked` are locks held by somebody outside."""

    terms: Terms
    runs: Sequence[Run]
    states: bytearray
    accessible: frozenset[int] = frozenset()
    companion: frozenset[int] = frozenset()
    holders: dict[int, str] = field(default_factory=dict)
    hold_rows: dict[str, Hold] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    tickets: list[FakeTicket] = field(default_factory=list)
    blocks: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    """Why a seat is blocked, by whom, and when."""
    journal: list[FakeJournalRow] = field(default_factory=list)
    owner: str | None = None
    term: int = 0
    revision: int = 0
    epoch: str = "epoch-1"
    available: int = -1
    held: int = 0
    queue: dict[str, QueueEntry] = field(default_factory=dict)
    admitted_upto: int = 0
    admitted_ms: int = 0
    draws: DrawTerms = field(default_factory=DrawTerms)
    locked_seats: set[int] = field(default_factory=set)
    head_is_locked: bool = False

    def __post_init__(self) -> None:
        if self.available < 0:
            self.available = self.states.count(SeatState.AVAILABLE)

    def row(self, seat: int) -> tuple[int, str | None]:
        return self.states[seat], self.holders.get(seat)

    def copy(self) -> "FakeEvent":
        """What a transaction works on. The journal is shared: it is written last."""
        return dataclasses.replace(
            self,
            states=bytearray(self.states),
            holders=dict(self.holders),
            hold_rows=dict(self.hold_rows),
            orders=dict(self.orders),
            tickets=list(self.tickets),
            blocks=dict(self.blocks),
            queue=dict(self.queue),
        )


class FakeDatabase:
    """The truth of all nodes. Each method is one transaction; `living` are the nodes that live."""

    def __init__(self, clock_ms: Callable[[], int], uptime: Callable[[], float] = lambda: 0.0) -> None:
        self.clock_ms = clock_ms
        self.uptime = uptime
        self.events: dict[str, FakeEvent] = {}
        self.living: set[str] = set()

    def claim(self, event_id: str, owner: str) -> Claim | None:
        event = self.events.get(event_id)
        if event is None or (event.owner != owner and self._is_owned(event)):
            return None
        if event.head_is_locked:
            raise StoreUnavailable("the head is locked")
        event.owner, event.term = owner, event.term + 1
        return Claim(event_id, owner, event.term)

    def release(self, claim: Claim) -> None:
        event = self.events[claim.event_id]
        if (event.owner, event.term) == (claim.owner, claim.term):
            event.owner = None

    def neglected(self, limit: int) -> list[str]:
        def is_neglected(event: FakeEvent) -> bool:
            pending = any(order.status is OrderStatus.PENDING for order in event.orders.values())
            in_room = any(entry.state is not QueueState.OUT for entry in event.queue.values())
            return not self._is_owned(event) and (pending or bool(event.hold_rows) or in_room)

        return [event_id for event_id, event in self.events.items() if is_neglected(event)][:limit]

    def load(self, claim: Claim) -> Loaded:
        event, now_ms = self.events[claim.event_id], self.clock_ms()
        if (event.owner, event.term) != (claim.owner, claim.term):
            raise OwnershipLost(f"event {claim.event_id} was claimed by another node")
        held = [(seat, who) for seat, who in event.holders.items() if event.states[seat] == SeatState.HELD]
        open_orders = [o for o in event.orders.values() if o.status in ("pending", "completed")]
        since_ms = now_ms - limits.HOLD_EXPIRED_MEMORY_S * 1000
        ended = [row for row in event.journal if row.entry.kind == "expired" and row.at_ms > since_ms]
        return Loaded(
            now_ms=now_ms,
            read_at_s=asyncio.get_running_loop().time(),
            terms=event.terms,
            revision=event.revision,
            epoch=event.epoch,
            runs=event.runs,
            accessible=event.accessible,
            companion=event.companion,
            states=bytes(event.states),
            holders=dict(event.holders),
            holds={
                customer: replace(row, seats=tuple(sorted(seat for seat, who in held if who == customer)))
                for customer, row in event.hold_rows.items()
            },
            orders=[replace(order, failure=None, idempotency=None) for order in open_orders],
            ran_out_ms={
                customer: max(row.at_ms for row in ended if row.entry.customer == customer)
                for customer in dict.fromkeys(row.entry.customer for row in ended)
            },
            line=_line(event),
        )

    def commit(self, batch: Batch) -> Outcome:
        event = self.events[batch.claim.event_id]
        if not batch.writes:
            known = self.look_up(event, batch.lookups)
            return Known(known) if known else Committed(batch.revision)
        if self.is_fenced(event, batch):
            return self.after_the_fence(event, batch)
        if event.head_is_locked:
            return HeadBusy()
        if known := self.look_up(event, batch.lookups):
            return Known(known)
        if busy := event.locked_seats.intersection(write.index for write in batch.seats):
            return SeatsBusy(frozenset(busy))
        after = event.copy()
        self._write(after, batch)
        self.events[batch.claim.event_id] = after
        return Committed(after.revision)

    def is_fenced(self, event: FakeEvent, batch: Batch) -> bool:
        """The fence on (owner, term, revision): the last of the three is the compare-and-set."""
        claim = batch.claim
        return (event.owner, event.term, event.revision) != (claim.owner, claim.term, batch.revision)

    def after_the_fence(self, event: FakeEvent, batch: Batch) -> Outcome:
        claim = batch.claim
        if (event.owner, event.term, event.revision) == (claim.owner, claim.term, batch.revision + 1):
            return Committed(batch.revision + 1)
        raise OwnershipLost(f"the event is at {event.owner}/{event.term}/{event.revision}, not at {batch.claim}")

    def look_up(self, event: FakeEvent, lookups: Iterable[tuple[str, str]]) -> tuple[Stored, ...]:
        wanted = set(lookups)
        entries = [row.entry for row in event.journal] if wanted else []
        return tuple(
            Stored(entry.customer, entry.command_id, entry.content_hash or b"", entry.frame or b"")
            for entry in entries
            if entry.command_id is not None and (entry.customer, entry.command_id) in wanted
        )

    def _is_owned(self, event: FakeEvent) -> bool:
        return event.owner is not None and event.owner in self.living

    def _write(self, event: FakeEvent, batch: Batch) -> None:
        for write in batch.seats:
            _write_seat(event, write)
        for customer, hold in batch.holds:
            if hold is None:
                event.hold_rows.pop(customer, None)
            else:
                event.hold_rows[customer] = replace(hold, seats=())
        for order in batch.orders:
            _write_order(event, order)
        if batch.terms is not None:
            event.terms = batch.terms
        for block in batch.blocks:
            for seat in block.seats:
                event.blocks.pop(seat, None)
                if block.reason is not None:
                    event.blocks[seat] = (block.reason, block.by, batch.at_ms)
        _write_queue(event, batch)
        revision = event.revision + 1
        event.journal.extend(
            FakeJournalRow(revision, position, batch.at_ms, entry, self.uptime())
            for position, entry in enumerate(batch.entries, 1)
        )
        event.revision = revision


def _line(event: FakeEvent) -> LoadedLine:
    entries = list(event.queue.values())
    return LoadedLine(
        event.draws,
        [entry for entry in entries if entry.state is not QueueState.OUT or entry.position is not None],
        max((entry.place or 0 for entry in entries), default=0),
        event.admitted_upto,
        event.admitted_ms,
    )


def _write_queue(event: FakeEvent, batch: Batch) -> None:
    if batch.closed is not None:
        if event.draws.closed_ms is not None or event.draws.drawn is not None:
            raise BrokenPromise("the lobby was closed before")
        event.draws = replace(event.draws, closed_ms=batch.closed.at_ms)
    if batch.drawn is not None:
        if event.draws.drawn is not None:
            raise BrokenPromise("the draw was made before")
        event.draws = replace(event.draws, drawn=batch.drawn)
    for entry in batch.queue:
        before = event.queue.get(entry.customer)
        is_chained = before is not None and before.position is not None
        if before is not None and is_chained and (before.position, before.nonce) != (entry.position, entry.nonce):
            raise BrokenPromise(f"the entry of {entry.customer} would be another one")
        event.queue[entry.customer] = entry
        if entry.admitted_ms is not None:
            event.admitted_upto = max(event.admitted_upto, entry.place or 0)
            event.admitted_ms = max(event.admitted_ms, entry.admitted_ms)


def _write_seat(event: FakeEvent, write: SeatWrite) -> None:
    if write.index >= len(event.states) or event.row(write.index) != (write.from_state, write.from_holder):
        raise BrokenPromise(f"seat {write.index} is not as expected")
    if write.to_state not in list(SeatState):
        raise BrokenPromise(f"{write.to_state} is no state of a seat")
    if (write.to_holder is not None) != (write.to_state in (SeatState.HELD, SeatState.SOLD)):
        raise BrokenPromise(f"seat {write.index} would have a holder without need, or none")
    event.states[write.index] = write.to_state
    event.holders.pop(write.index, None)
    if write.to_holder is not None:
        event.holders[write.index] = write.to_holder
    moved = (write.from_state, write.to_state)
    event.available += (moved[1] == SeatState.AVAILABLE) - (moved[0] == SeatState.AVAILABLE)
    event.held += (moved[1] == SeatState.HELD) - (moved[0] == SeatState.HELD)


def _write_order(event: FakeEvent, order: Order) -> None:
    found = event.orders.get(order.order_id)
    if order.status is OrderStatus.PENDING:
        others = [one for one in event.orders.values() if one.status is OrderStatus.PENDING]
        if found is not None or any(one.customer == order.customer for one in others):
            raise BrokenPromise(f"order {order.order_id} is there, or another one of its customer is pending")
        event.orders[order.order_id] = order
        return
    if found is None or found.status is not BEFORE[order.status]:
        raise BrokenPromise(f"order {order.order_id} is not {BEFORE[order.status]}")
    event.orders[order.order_id] = replace(
        found,
        status=order.status,
        payment_id=order.payment_id or found.payment_id,
        failure=order.failure or found.failure,
    )
    if order.status is OrderStatus.COMPLETED:
        for seat in order.seats:
            if any(ticket.seat == seat and ticket.is_valid for ticket in event.tickets):
                raise BrokenPromise(f"seat {seat} has a valid ticket")
            event.tickets.append(FakeTicket(order.order_id, seat, order.customer, True))
    elif order.status is OrderStatus.CANCELLED:
        mine = [ticket for ticket in event.tickets if ticket.order_id == order.order_id and ticket.is_valid]
        if len(mine) != len(order.seats):
            raise BrokenPromise(f"order {order.order_id} has {len(mine)} valid tickets")
        event.tickets = [replace(one, is_valid=False) if one in mine else one for one in event.tickets]

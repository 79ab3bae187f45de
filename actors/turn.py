"""One turn of a seat manager without its waiting: what is decided, the batch it makes, the news of it."""

from dataclasses import dataclass, field

from msgspec.structs import astuple

from actors.core.holding import due, shown
from actors.core.line import Seen
from actors.core.memory import Remembered
from actors.core.model import (
    BeaconRound,
    BlockMoved,
    EntryMoved,
    HoldMoved,
    LineDrawn,
    LobbyClosed,
    Order,
    OrderMoved,
)
from actors.core.ordering import settle
from actors.core.rules import decide
from actors.core.seating import Draft, Seating
from actors.core.verdict import Accept, Entry, Refuse, Settle, Verdict, refuse
from actors.core.waiting_room import admit, end_lobby, look_after, may_admit, place_of
from actors.ports import Batch, Claim, News, PersonalNews, SeatWrite
from actors.told import Told
from protocol.codes import Code
from protocol.outbound import HoldNow, HoldReason, OrderNow, OrderStatus, QueueNow

ADMITTED_PER_TURN_MAX = 500


@dataclass
class Turn:
    """What one turn works on.

    `cleared` were looked up and not found; `busy` seats are locked from outside; `found` is what the beacon said.
    """

    told: list[Told]
    settled: list[Settle]
    cleared: set[tuple[str, str]] = field(default_factory=set)
    busy: frozenset[int] = frozenset()
    found: BeaconRound | None = None


@dataclass
class Decided:
    """A draft with the verdicts that made it; `postponed` could not be settled because a seat is busy."""

    draft: Draft
    at_ms: int
    by_clock: list[Accept] = field(default_factory=list)
    look_again: list[tuple[str, int]] = field(default_factory=list)
    """Customers inside for whom there was nothing to do, and when to look after them again."""
    by_provider: list[tuple[Settle, Accept]] = field(default_factory=list)
    by_customers: list[tuple[Told, Verdict]] = field(default_factory=list)
    admitted: list[Accept] = field(default_factory=list)
    postponed: list[Settle] = field(default_factory=list)

    @property
    def accepts(self) -> list[Accept]:
        """All that takes effect, in the order in which it was decided."""
        return [
            *self.by_clock,
            *(accept for _, accept in self.by_provider),
            *(verdict for _, verdict in self.by_customers if isinstance(verdict, Accept)),
            *self.admitted,
        ]


def decide_turn(turn: Turn, seating: Seating, now_ms: int, seen: Seen | None = None) -> Decided:
    """End the holds and admissions that are due, settle what the provider has answered, judge each command, and
    admit to the slots that are free then; in that order. Without `seen` everybody is there.
    """
    seen = seen or (lambda _customer: now_ms)
    decided = Decided(Draft(seating), now_ms)
    for ended in due(seating, now_ms):
        if not turn.busy.intersection(ended.entry.seats):
            decided.by_clock.append(_drafted(decided.draft, ended))
    _look_after_line(decided, now_ms, seen, turn.found)
    for settled in turn.settled:
        accept = settle(decided.draft, settled)
        if accept is None:
            continue
        if turn.busy.intersection(accept.entry.seats):
            decided.postponed.append(settled)
        else:
            decided.by_provider.append((settled, _drafted(decided.draft, accept)))
    for told in turn.told:
        decided.by_customers.append((told, _judge(decided.draft, told, now_ms, turn.busy)))
    _admit(decided, now_ms, seen)
    return decided


def batch_of(decided: Decided, claim: Claim, seating: Seating, cleared: set[tuple[str, str]]) -> Batch:
    """What is to be written: net changes of seats and holds, every step of an order, one entry for each accept."""
    draft = decided.draft
    lookups = dict.fromkeys(
        (told.asked.customer, told.asked.command.id)
        for told, verdict in decided.by_customers
        if isinstance(verdict, Accept | Refuse)
    )
    moved = ((index, seating.seat(index), drafted) for index, drafted in draft.seats.items())
    return Batch(
        claim=claim,
        revision=seating.revision,
        at_ms=decided.at_ms,
        lookups=tuple(pair for pair in lookups if pair not in cleared),
        entries=tuple(accept.entry for accept in decided.accepts),
        seats=tuple(SeatWrite(index, *before, *after) for index, before, after in moved if before != after),
        holds=tuple(
            (customer, moved.hold)
            for customer, moved in draft.holds.items()
            if moved.hold != seating.hold(customer)
        ),
        orders=tuple(change.order for change in draft.changes if isinstance(change, OrderMoved)),
        terms=draft.terms if draft.terms != seating.terms else None,
        blocks=tuple(change for change in draft.changes if isinstance(change, BlockMoved)),
        queue=tuple(draft.line.entries.values()),
        drawn=next((change.drawn for change in draft.changes if isinstance(change, LineDrawn)), None),
        closed=next((change for change in draft.changes if isinstance(change, LobbyClosed)), None),
    )


def make_true(decided: Decided, seating: Seating) -> None:
    """The batch is written: memory follows."""
    seating.line.pace.tick(decided.at_ms)
    # Before the changes: a hold that is given back in the same turn is a reason to look at once.
    for customer, at_ms in decided.look_again:
        seating.line.check_at(customer, at_ms)
    seating.apply(decided.draft.changes)
    for (customer, command_id), remembered in decided.draft.answers.items():
        seating.memory.keep(customer, command_id, remembered)


def news_of(
    decided: Decided,
    batch: Batch,
    seating: Seating,
    origins: dict[str, object | None],
    correlation_ids: tuple[str, ...] = (),
) -> News:
    """What a committed batch means for those who watch; `origins` has the socket that began each order.

    Of a customer's hold the last state is told, once: a hold that ran out and was taken anew is the new one.
    """
    holds: dict[str, PersonalNews] = {}
    orders: list[PersonalNews] = []
    places: dict[str, PersonalNews] = {}

    def tell(accept: Accept, reason: HoldReason, origin: object | None) -> None:
        for change in accept.changes:
            if isinstance(change, HoldMoved):
                holds[change.customer] = _hold_news(change, seating, reason, origin)
            elif isinstance(change, OrderMoved) and change.order.status is OrderStatus.CANCELLED:
                orders.append(_order_news(change.order, origin))
            elif isinstance(change, EntryMoved):
                # The answer to joining or leaving says the place itself; that to a purchase does not.
                knows = None if reason is HoldReason.SOLD else origin
                places[change.entry.customer] = place_news(seating, change.entry.customer, knows)

    for ended in decided.by_clock:
        tell(ended, HoldReason.EXPIRED, None)
    for settled, accept in decided.by_provider:
        order, origin = decided.draft.orders[settled.order_id], origins.get(settled.order_id)
        if order.status is not OrderStatus.PAYMENT_FAILED:
            tell(accept, HoldReason.SOLD, origin)
        orders.append(_order_news(order, origin))
    for told, verdict in decided.by_customers:
        if isinstance(verdict, Accept):
            tell(verdict, HoldReason.COMMAND, told.origin)
    for admitted in decided.admitted:
        tell(admitted, HoldReason.COMMAND, None)
    seats = {write.index: int(write.to_state) for write in batch.seats if write.from_state != write.to_state}
    return News(seating.revision, seats, (*holds.values(), *orders, *places.values()), correlation_ids)


def place_news(seating: Seating, customer: str, origin: object | None = None) -> PersonalNews:
    """The customer's place as it now is."""
    place = place_of(seating, seating.line.entry(customer))
    now = QueueNow(*astuple(place))
    return PersonalNews(customer, now, origin)


def _look_after_line(decided: Decided, now_ms: int, seen: Seen, found: BeaconRound | None) -> None:
    draft = decided.draft
    for customer in draft.committed.line.to_check(now_ms):
        entry = draft.line.entry(customer)
        assert entry is not None, "somebody inside has no entry"
        becomes = look_after(draft, entry, now_ms, seen)
        if isinstance(becomes, int):
            decided.look_again.append((customer, becomes))
        else:
            decided.by_clock.append(_drafted(draft, becomes))
    ended = end_lobby(draft.terms, draft.line, now_ms, found)
    if ended is not None:
        decided.by_clock.append(_drafted(draft, ended))


def _admit(decided: Decided, now_ms: int, seen: Seen) -> None:
    draft = decided.draft
    if any(isinstance(change, LineDrawn) for accept in decided.by_clock for change in accept.changes):
        return  # the places are given when it is committed; the next turn admits
    while draft.line.waiting and len(decided.admitted) < ADMITTED_PER_TURN_MAX and may_admit(draft, now_ms):
        first = draft.line.next_waiting()
        assert first is not None, "nobody is first in a line in which somebody waits"
        decided.admitted.append(_drafted(draft, admit(first, now_ms, seen)))


def _judge(draft: Draft, told: Told, now_ms: int, busy: frozenset[int]) -> Verdict:
    verdict = decide(draft, told.asked, now_ms)
    if not isinstance(verdict, Accept):
        return verdict
    if locked := busy.intersection(verdict.entry.seats):
        return refuse(told.asked.command.id, Code.BUSY, tuple(sorted(locked)))
    return _drafted(draft, verdict)


def _drafted(draft: Draft, accept: Accept) -> Accept:
    draft.add(accept.changes)
    _remember(draft, accept.entry)
    return accept


def _remember(draft: Draft, entry: Entry) -> None:
    if entry.command_id is not None and entry.content_hash is not None and entry.frame is not None:
        draft.answers[entry.customer, entry.command_id] = Remembered(entry.content_hash, entry.frame)


def _hold_news(moved: HoldMoved, seating: Seating, reason: HoldReason, origin: object | None) -> PersonalNews:
    hold = shown(seating, moved.hold)
    now = HoldNow(hold.seats, hold.expires_at_ms, hold.total_cents, reason)
    return PersonalNews(moved.customer, now, origin)


def _order_news(order: Order, origin: object | None) -> PersonalNews:
    now = OrderNow(order.order_id, order.status, order.total_cents, order.currency, order.seats)
    return PersonalNews(order.customer, now, origin)

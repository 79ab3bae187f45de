"""The rules of holds: what may be held, for how long, and how a hold ends.

A customer has at most one hold in an event, with one end: 600 s after the last command that added a seat, and at
most 1,200 s after its first seat, an extension included. The end never moves earlier.
"""

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from actors.core import orphans
from actors.core.best_available import best_seats
from actors.core.model import Cause, Change, Hold, HoldMoved, SeatsMoved
from actors.core.seating import Seating
from actors.core.verdict import Accept, Asked, Entry, Refuse, Verdict, entry_of, refuse
from actors.core.view import View
from actors.core.waiting_room import is_admitted, left, place_of
from protocol import limits
from protocol.codes import Code
from protocol.inbound import ExtendHold, HoldBest, HoldSeats, LeaveQueue, ReleaseSeats
from protocol.outbound import NOTHING_HELD, Accepted, encode
from protocol.outbound import Hold as HoldShown
from protocol.seat_state import SeatState

_HOLD_MS = limits.HOLD_DURATION_S * 1000
_LIFETIME_MS = limits.HOLD_LIFETIME_MAX_S * 1000
_RAN_OUT_MEMORY_MS = limits.HOLD_EXPIRED_MEMORY_S * 1000


def hold_seats(view: View, asked: Asked, command: HoldSeats, now_ms: int) -> Verdict:
    """Hold all of these seats or none; what the customer holds already is fine."""
    customer = asked.customer
    if not view.terms.is_on_sale(now_ms):
        return refuse(command.id, Code.NOT_ON_SALE)
    if not is_admitted(view, customer, now_ms):
        return refuse(command.id, Code.NOT_ADMITTED)
    new = _free_ones(view, customer, command)
    if isinstance(new, Refuse):
        return new
    hold = view.hold(customer)
    held = 0 if hold is None else len(hold.seats)
    room = view.terms.max_tickets_per_user - view.bought(customer) - held
    if len(new) > room and new:
        return refuse(command.id, Code.LIMIT_REACHED, new)
    if not new:
        return _accept_hold(view, asked, "hold", hold, ())
    orphaned = orphans.against_hold(view, command.id, new, room)
    if orphaned is not None:
        return orphaned
    if _may_not_grow(view, customer, now_ms):
        return refuse(command.id, Code.BUSY)
    moved = (SeatsMoved(Cause.HOLD, customer, new),)
    return _accept_hold(view, asked, "hold", _grown(hold, new, now_ms), moved)


def hold_best(view: View, asked: Asked, command: HoldBest, now_ms: int) -> Verdict:
    """Hold the best adjacent seats that fit the wish."""
    if not view.terms.is_on_sale(now_ms):
        return refuse(command.id, Code.NOT_ON_SALE)
    if not is_admitted(view, asked.customer, now_ms):
        return refuse(command.id, Code.NOT_ADMITTED)
    hold = view.hold(asked.customer)
    held = 0 if hold is None else len(hold.seats)
    if view.bought(asked.customer) + held + command.count > view.terms.max_tickets_per_user:
        return refuse(command.id, Code.LIMIT_REACHED)
    found = best_seats(view, command)
    if found is None:
        return refuse(command.id, Code.NO_BLOCK)
    if _may_not_grow(view, asked.customer, now_ms):
        return refuse(command.id, Code.BUSY)
    moved = (SeatsMoved(Cause.HOLD, asked.customer, found.seats),)
    return _accept_hold(view, asked, "hold", _grown(hold, found.seats, now_ms), moved, together=found.together)


def release_seats(view: View, asked: Asked, command: ReleaseSeats, now_ms: int) -> Verdict:
    """Give seats back; what the customer does not hold is ignored."""
    hold = view.hold(asked.customer)
    given_back, kept = _shrunk(hold, command.seats, now_ms)
    if given_back and view.pending(asked.customer) is not None:
        return refuse(command.id, Code.BUSY)
    if hold is not None and given_back:
        orphaned = orphans.against_release(view, command.id, hold.seats, given_back)
        if orphaned is not None:
            return orphaned
    changes = (SeatsMoved(Cause.RELEASE, asked.customer, given_back),) if given_back else ()
    return _accept_hold(view, asked, "release", kept, changes)


def extend_hold(view: View, asked: Asked, command: ExtendHold, now_ms: int) -> Verdict:
    """Move the end of the hold, once."""
    hold = view.hold(asked.customer)
    if hold is None or (hold.expires_ms <= now_ms and view.pending(asked.customer) is None):
        return refuse(command.id, why_no_hold(view, asked.customer, now_ms))
    if hold.extended:
        return refuse(command.id, Code.EXTEND_USED)
    extended = replace(hold, expires_ms=_later_end(hold, now_ms), extended=True, changed_ms=now_ms)
    return _accept_hold(view, asked, "extend", extended, ())


def leave_queue(view: View, asked: Asked, command: LeaveQueue, now_ms: int) -> Verdict:
    """Leave, and give back what is held."""
    given_back, kept = _shrunk(view.hold(asked.customer), (), now_ms)
    if given_back and view.pending(asked.customer) is not None:
        return refuse(command.id, Code.BUSY)
    changes: tuple[Change, ...] = left(view, asked.customer)
    if given_back:
        moved = SeatsMoved(Cause.RELEASE, asked.customer, given_back), HoldMoved(asked.customer, kept)
        changes = (*moved, *changes)
    frame = encode(Accepted(command.id, view.next_revision, queue=place_of(view, None)))
    return Accept(changes, entry_of(asked, "queue", given_back, frame), frame)


def due(seating: Seating, now_ms: int) -> list[Accept]:
    """The ends of all holds that have run out."""
    verdicts = []
    for customer in seating.ended(now_ms):
        hold = seating.holds[customer]
        changes = (
            SeatsMoved(Cause.EXPIRE, customer, hold.seats),
            HoldMoved(customer, None, ran_out_ms=hold.expires_ms),
        )
        verdicts.append(Accept(changes, Entry("expired", customer, hold.seats)))
    return verdicts


def shown(view: View, hold: Hold | None) -> HoldShown:
    """The hold as a customer's frame carries it."""
    if hold is None:
        return NOTHING_HELD
    return HoldShown(hold.seats, hold.expires_ms, sum(view.prices_cents[seat] for seat in hold.seats))


def why_no_hold(view: View, customer: str, now_ms: int) -> Code:
    """The refusal for a customer who holds nothing (any more)."""
    hold = view.hold(customer)
    ran_out_ms = view.ran_out_ms(customer) if hold is None else hold.expires_ms
    if ran_out_ms is not None and now_ms < ran_out_ms + _RAN_OUT_MEMORY_MS:
        return Code.HOLD_EXPIRED
    return Code.HOLD_NOT_FOUND


def _free_ones(view: View, customer: str, command: HoldSeats) -> tuple[int, ...] | Refuse:
    """Those of the seats that the customer does not hold yet; all are free, or it is refused."""
    seat_count = len(view.prices_cents)
    if max(command.seats, default=0) >= seat_count:
        unknown = tuple(seat for seat in command.seats if seat >= seat_count)
        return refuse(command.id, Code.SEAT_NOT_FOUND, unknown)
    new: list[int] = []
    blocked: list[int] = []
    taken: list[int] = []
    for seat in command.seats:
        state, holder = view.seat(seat)
        if state is SeatState.AVAILABLE:
            new.append(seat)
        elif state is SeatState.BLOCKED:
            blocked.append(seat)
        elif state is SeatState.SOLD or holder != customer:
            taken.append(seat)
    if blocked:
        return refuse(command.id, Code.SEAT_BLOCKED, tuple(blocked))
    if taken:
        return refuse(command.id, Code.SEAT_TAKEN, tuple(taken))
    return tuple(new)


def _accept_hold(
    view: View,
    asked: Asked,
    kind: str,
    hold: Hold | None,
    moved: tuple[SeatsMoved, ...],
    together: bool | UnsetType = UNSET,
) -> Accept:
    accepted = Accepted(asked.command.id, view.next_revision, hold=shown(view, hold), together=together)
    frame = encode(accepted)
    changes: tuple[Change, ...] = moved
    if hold != view.hold(asked.customer):
        changes = (*moved, HoldMoved(asked.customer, hold))
    seats = moved[0].seats if moved else ()
    return Accept(changes, entry_of(asked, kind, seats, frame), frame)


def _may_not_grow(view: View, customer: str, now_ms: int) -> bool:
    # It is being paid, or its time is over and it is about to end: what has run out does not come to life again.
    hold = view.hold(customer)
    return view.pending(customer) is not None or (hold is not None and hold.expires_ms <= now_ms)


def _grown(hold: Hold | None, new: tuple[int, ...], now_ms: int) -> Hold:
    if hold is None:
        return Hold(tuple(sorted(new)), now_ms, now_ms, now_ms + _HOLD_MS)
    seats = tuple(sorted(hold.seats + new))
    return replace(hold, seats=seats, changed_ms=now_ms, expires_ms=_later_end(hold, now_ms))


def _shrunk(hold: Hold | None, seats: tuple[int, ...], now_ms: int) -> tuple[tuple[int, ...], Hold | None]:
    if hold is None:
        return (), None
    given_back = tuple(seat for seat in hold.seats if seat in seats) if seats else hold.seats
    left = tuple(seat for seat in hold.seats if seat not in given_back)
    if not left:
        return given_back, None
    return given_back, replace(hold, seats=left, changed_ms=now_ms) if given_back else hold


def _later_end(hold: Hold, now_ms: int) -> int:
    return max(hold.expires_ms, min(now_ms + _HOLD_MS, hold.started_ms + _LIFETIME_MS))

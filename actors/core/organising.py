"""The rules of the organiser's commands: the terms of the sale, and which seats are not for sale."""

from typing import Any

from msgspec.structs import replace

from actors.core.model import BlockMoved, Cause, Change, SeatsMoved, TermsMoved
from actors.core.verdict import Accept, Asked, BlockSeats, ChangeTerms, UnblockSeats, Verdict, entry_of, refuse
from actors.core.view import View
from protocol.codes import Code
from protocol.outbound import Accepted, encode
from protocol.seat_state import SeatState

_TAKEN = (SeatState.HELD, SeatState.SOLD)


def change_terms(view: View, asked: Asked, command: ChangeTerms, _now_ms: int) -> Accept:
    """Sell by other terms from now on. Who holds or has bought more than a new limit keeps it."""
    wanted: dict[str, Any] = {
        "stage": command.stage,
        "on_sale_at_ms": command.on_sale_at_ms,
        "event_at_ms": command.event_at_ms,
        "max_tickets_per_user": command.max_tickets_per_user,
        "orphan_rule": command.orphan_rule,
        "queue_mode": command.queue_mode,
        "max_concurrent_shoppers": command.max_concurrent_shoppers,
        "admit_per_minute": command.admit_per_minute,
    }
    terms = replace(view.terms, **{name: value for name, value in wanted.items() if value is not None})
    return _accept(view, asked, "terms", (), (TermsMoved(terms),))


def block_seats(view: View, asked: Asked, command: BlockSeats, _now_ms: int) -> Verdict:
    """Take all of these seats out of the sale, or none: somebody has one."""
    unknown = _unknown(view, command.seats)
    if unknown:
        return refuse(command.id, Code.SEAT_NOT_FOUND, unknown)
    taken = _in_state(view, command.seats, *_TAKEN)
    if taken:
        return refuse(command.id, Code.SEAT_TAKEN, taken)
    free = _in_state(view, command.seats, SeatState.AVAILABLE)
    reason = BlockMoved(asked.customer, command.seats, command.reason)
    return _accept(view, asked, "blocked", free, (*_moved(Cause.BLOCK, asked, free), reason))


def unblock_seats(view: View, asked: Asked, command: UnblockSeats, _now_ms: int) -> Verdict:
    """Sell these seats again; who blocked them does not matter."""
    unknown = _unknown(view, command.seats)
    if unknown:
        return refuse(command.id, Code.SEAT_NOT_FOUND, unknown)
    blocked = _in_state(view, command.seats, SeatState.BLOCKED)
    changes: tuple[Change, ...] = ()
    if blocked:
        changes = (*_moved(Cause.UNBLOCK, asked, blocked), BlockMoved(asked.customer, blocked, None))
    return _accept(view, asked, "unblocked", blocked, changes)


def _unknown(view: View, seats: tuple[int, ...]) -> tuple[int, ...]:
    seat_count = len(view.prices_cents)
    return tuple(seat for seat in seats if seat >= seat_count)


def _in_state(view: View, seats: tuple[int, ...], *states: SeatState) -> tuple[int, ...]:
    return tuple(seat for seat in seats if view.seat(seat)[0] in states)


def _moved(cause: Cause, asked: Asked, seats: tuple[int, ...]) -> tuple[SeatsMoved, ...]:
    return (SeatsMoved(cause, asked.customer, seats),) if seats else ()


def _accept(view: View, asked: Asked, kind: str, seats: tuple[int, ...], changes: tuple[Change, ...]) -> Accept:
    frame = encode(Accepted(asked.command.id, view.next_revision))
    return Accept(changes, entry_of(asked, kind, seats, frame), frame)

"""The rules of a sale: one asked command in, one verdict out.

    decide(view, asked, now_ms) ──► Accept | Repeat | Await | Refuse
    settle(view, settled)       ──► Accept        the provider has answered (ordering)
    due(seating, now_ms)        ──► [Accept, …]   holds that the clock ends (holding)

The order in which refusals are checked is part of the socket protocol.
"""

from collections.abc import Callable
from typing import Any

from actors.core import holding, ordering, organising, waiting_room
from actors.core.memory import content_hash
from actors.core.verdict import (
    Asked,
    Await,
    BlockSeats,
    CancelOrder,
    ChangeTerms,
    Repeat,
    UnblockSeats,
    Verdict,
    refuse,
)
from actors.core.view import View
from protocol.codes import Code
from protocol.inbound import Checkout, ExtendHold, HoldBest, HoldSeats, JoinQueue, LeaveQueue, ReleaseSeats

_RULES: dict[type, Callable[[View, Asked, Any, int], Verdict]] = {
    HoldSeats: holding.hold_seats,
    HoldBest: holding.hold_best,
    ReleaseSeats: holding.release_seats,
    ExtendHold: holding.extend_hold,
    JoinQueue: waiting_room.join,
    LeaveQueue: holding.leave_queue,
    Checkout: ordering.checkout,
    CancelOrder: ordering.cancel_order,
    ChangeTerms: organising.change_terms,
    BlockSeats: organising.block_seats,
    UnblockSeats: organising.unblock_seats,
}


def decide(view: View, asked: Asked, now_ms: int) -> Verdict:
    """What becomes of a customer's or the organiser's command."""
    command = asked.command
    known = view.remembered(asked.customer, command.id)
    if known is not None:
        same = known.content_hash == content_hash(command)
        return Repeat(known.frame) if same else refuse(command.id, Code.ID_REUSED)
    pending = view.pending(asked.customer)
    if pending is not None and pending.command_id == command.id:
        same = pending.content_hash == content_hash(command)
        return Await(pending.order_id) if same else refuse(command.id, Code.ID_REUSED)
    return _RULES[type(command)](view, asked, command, now_ms)

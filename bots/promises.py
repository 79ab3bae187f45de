"""What the answers alone can show: promises that were broken, whatever is stored."""

from bots.account import Account, accounts
from bots.answer_log import AnswerLog
from protocol.inbound import (
    Checkout,
    Command,
    ExtendHold,
    HoldBest,
    HoldSeats,
    JoinQueue,
    LeaveQueue,
    ReleaseSeats,
)
from protocol.outbound import Accepted, OrderStatus, OrderSummary

HOLD_END_SLACK_S = 5.0
"""So long around its end nobody can tell whether a hold is still there."""


def broken_promises(log: AnswerLog, limit: int) -> list[str]:
    """Each broken promise in a sentence. `limit` is what a customer may hold and buy together."""
    broken = [*_two_answers(log), *_wrong_answers(log)]
    owners: dict[int, list[str]] = {}
    for customer, account in accounts(log).items():
        for seat in (*account.bought, *account.held):
            owners.setdefault(seat, []).append(customer)
        if account.most > limit:
            broken.append(f"{customer} had {account.most} seats at one time, {limit} are allowed")
    broken += [f"seat {seat} was given to {' and '.join(who)}" for seat, who in owners.items() if len(who) > 1]
    return broken


def _two_answers(log: AnswerLog) -> list[str]:
    first: dict[tuple[str, str], Accepted] = {}
    broken = []
    for entry in log.answered:
        key = (entry.customer, entry.command.id)
        if isinstance(entry.answer, Accepted):
            if first.setdefault(key, entry.answer) != entry.answer:
                broken.append(f"command {entry.command.id} of {entry.customer} was accepted with two answers")
        elif key in first:
            broken.append(f"command {entry.command.id} of {entry.customer} was accepted, then {entry.answer.code}")
    return broken


def is_right(command: Command, answer: Accepted) -> bool:
    """Does an accepted answer say that what was asked has happened?"""
    held = set(answer.hold.seats) if answer.hold else set()
    if isinstance(command, HoldSeats):
        is_done = held.issuperset(command.seats)
    elif isinstance(command, HoldBest):
        is_done = len(held) >= command.count
    elif isinstance(command, ReleaseSeats):
        is_done = held.isdisjoint(command.seats) and bool(command.seats or not held)
    elif isinstance(command, Checkout):
        is_done = isinstance(answer.order, OrderSummary) and answer.order.status is OrderStatus.COMPLETED
    elif isinstance(command, JoinQueue | LeaveQueue):
        status = answer.queue.status if answer.queue else None
        is_done = status is not None and (status == "not_in_queue") == isinstance(command, LeaveQueue)
    else:
        is_done = True
    return is_done and answer.id == command.id


def is_right_for(account: Account, command: Command, answer: Accepted, now_ms: float) -> bool:
    """As `is_right`, to the seat, for a customer who had this until now and asks one thing at a time.

    `now_ms`: when the answer came, by the server's clock. Near its end, a hold may have been gone already.
    """
    befores = [set(account.held)]
    if account.held_until_ms - now_ms <= 1000 * HOLD_END_SLACK_S:
        befores.append(set())
    return is_right(command, answer) and any(_fits(account, before, command, answer) for before in befores)


def _fits(account: Account, before: set[int], command: Command, answer: Accepted) -> bool:
    """Is this what has to come of it, for who held `before`?"""
    if isinstance(command, Checkout):
        order = answer.order or None
        return order is not None and order.status is OrderStatus.COMPLETED and set(order.seats) == before
    if not answer.hold:
        return not isinstance(command, HoldSeats | HoldBest | ReleaseSeats | ExtendHold)
    after = set(answer.hold.seats)
    if isinstance(command, HoldSeats):
        return after == before | set(command.seats)
    if isinstance(command, HoldBest):
        return after >= before and len(after) == len(before) + command.count
    if isinstance(command, ReleaseSeats):
        return after == (before - set(command.seats) if command.seats else set())
    # At the longest that a hold may last, an extension adds nothing.
    return after == before and (answer.hold.expires_at_ms or 0) >= account.held_until_ms


def _wrong_answers(log: AnswerLog) -> list[str]:
    return [
        f"{entry.command} was answered with {entry.answer}"
        for entry in log.answered
        if isinstance(entry.answer, Accepted) and not is_right(entry.command, entry.answer)
    ]

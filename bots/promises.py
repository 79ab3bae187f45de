"""What the answers alone can show: promises that were broken, whatever is stored."""

from bots.account import accounts
from bots.answer_log import AnswerLog
from protocol.inbound import Checkout, Command, HoldBest, HoldSeats, ReleaseSeats
from protocol.outbound import Accepted


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
        is_done = bool(answer.order)
    else:
        is_done = True
    return is_done and answer.id == command.id


def _wrong_answers(log: AnswerLog) -> list[str]:
    return [
        f"{entry.command} was answered with {entry.answer}"
        for entry in log.answered
        if isinstance(entry.answer, Accepted) and not is_right(entry.command, entry.answer)
    ]

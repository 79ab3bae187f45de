"""The orphan rule: no customer's choice leaves a single seat alone, while there is a better one.

A seat is left alone when it is free and no seat beside it in its run is: hardly anybody buys it. What was alone
before is nobody's fault. The rule does not count

- when there is no other way: nowhere in the section, and at no higher price, is room for as many next to each other
  who leave nobody alone
- at the end of a sale, when no more than `FEW_SEATS_LEFT` of the seats are free: then each of them counts
- for a hold that is given back whole, or runs out, and for an order that is cancelled
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import groupby

from actors.core.best_available import Others
from actors.core.layout import Access, Run
from actors.core.model import OrphanRule
from actors.core.ranking import BlockTerms
from actors.core.verdict import Refuse
from actors.core.view import View
from protocol.codes import SENTENCES, Code
from protocol.outbound import rejected
from protocol.seat_state import SeatState

FEW_SEATS_LEFT = 0.05
"""Of all seats of the event."""

_FREE = SeatState.AVAILABLE
_TAKE_TOO = "take it as well"
_MOVE_ALONG = "move along the row"
_ELSEWHERE = "choose seats in another row"
_OTHERS_BACK = "give back other seats, or all of them"


def left_alone(view: View, seats: Collection[int]) -> tuple[int, ...]:
    """Which seats would be alone if these free ones were taken, and are not alone now."""
    found = set()
    for seat in seats:
        run = _run(view, seat)
        for beside, beyond in ((seat - 1, seat - 2), (seat + 1, seat + 2)):
            if _is_free(view, run, beside, seats) and not _is_free(view, run, beyond, seats):
                found.add(beside)
    return tuple(sorted(found))


def given_back_alone(view: View, seats: Collection[int]) -> tuple[int, ...]:
    """Which of these seats would be alone if they were free again."""
    return tuple(
        seat
        for seat in sorted(seats)
        if not any(
            _is_in(run := _run(view, seat), beside) and (beside in seats or _is_free(view, run, beside))
            for beside in (seat - 1, seat + 1)
        )
    )


def against_hold(view: View, command_id: str, seats: tuple[int, ...], room: int) -> Refuse | None:
    """The refusal of a hold of these free seats, if there is one; `room`: so many may the customer have."""
    if view.terms.orphan_rule is not OrphanRule.ENFORCE:
        return None
    alone = left_alone(view, seats)
    if not alone or _is_at_its_end(view):
        return None
    instead: list[int] = []
    at_fault: list[int] = []
    for group in map(list, _by_run(view, seats)):
        run = _run(view, group[0])
        beside = [seat for seat in alone if _is_in(run, seat)]
        others = [seat for seat in seats if seat not in group]
        better = _another_way(view, run, group, others) if beside else None
        instead += better or group
        if better is not None:
            at_fault += beside
    if not at_fault:
        return None
    rows = {view.layout.run_of[seat] for seat in seats}
    is_along = all(view.layout.run_of[seat] in rows for seat in instead)
    ways = [_TAKE_TOO] if len(seats) + len(at_fault) <= room else []
    if len(set(instead)) < len(seats) or left_alone(view, instead):
        instead = []  # each group has a better place, but not all of them at the same time
    return _refuse(command_id, at_fault, instead, [*ways, _MOVE_ALONG if is_along else _ELSEWHERE])


def against_release(
    view: View, command_id: str, held: tuple[int, ...], given_back: tuple[int, ...]
) -> Refuse | None:
    """The refusal to give back a part of what is held, if there is one: others in the same row would do."""
    if view.terms.orphan_rule is not OrphanRule.ENFORCE or len(given_back) == len(held):
        return None
    alone = given_back_alone(view, given_back)
    if not alone or _is_at_its_end(view):
        return None
    instead: list[int] = []
    at_fault: list[int] = []
    for group in map(list, _by_run(view, given_back)):
        run = _run(view, group[0])
        beside = [seat for seat in alone if _is_in(run, seat)]
        better = _from_the_ends(view, [seat for seat in held if _is_in(run, seat)], len(group)) if beside else None
        instead += better or group
        if better is not None:
            at_fault += beside
    return _refuse(command_id, at_fault, instead, [_OTHERS_BACK]) if at_fault else None


def _another_way(view: View, run: Run, group: Sequence[int], others: Sequence[int]) -> Sequence[int] | None:
    """Free seats for the group which leave nobody alone, while the others of its party sit where they want to."""
    around = Others(view)
    around.sit(others)
    try:
        access = view.layout.access_of(group)
        near = _along_the_row(around, run, group, access)
        if near is not None:
            return near
        terms = BlockTerms(len(group), True, access, run.section, None, run.price_cents)
        block = around.ranked.best(around, terms)
        return None if block is None else block.seats
    finally:
        around.stand_up()


def _along_the_row(around: Others, run: Run, group: Sequence[int], access: Access) -> range | None:
    """The same in the group's own run, as near as can be to its own seats."""
    size = len(group)
    states = around.states_of(run.first, run.first + run.count)
    is_free = [state == _FREE for state in states] + [False, False]  # what is beyond the end, and before the start
    wanted = group[0] - run.first
    for at in sorted(range(run.count - size + 1), key=lambda at: abs(at - wanted)):
        end = at + size
        if not all(is_free[at:end]):
            continue
        before, after = is_free[at - 1] and not is_free[at - 2], is_free[end] and not is_free[end + 1]
        seats = range(run.first + at, run.first + end)
        if not before and not after and around.layout.suits(seats, access):
            return seats
    return None


def _from_the_ends(view: View, held: Sequence[int], count: int) -> Sequence[int] | None:
    """So many of these held seats of a run, from its two ends, that leave nobody alone."""
    for left in range(count, -1, -1):
        seats = [*held[:left], *held[len(held) - (count - left) :]]
        if not given_back_alone(view, seats):
            return seats
    return None


def _refuse(command_id: str, alone: Iterable[int], instead: Iterable[int], ways: Sequence[str]) -> Refuse:
    message = f"{SENTENCES[Code.ORPHAN_SEAT]}: {' or '.join(ways)}"
    seats, better = tuple(sorted(alone)), tuple(sorted(instead))
    return Refuse(rejected(command_id, Code.ORPHAN_SEAT, seats, message=message, instead=better))


def _is_at_its_end(view: View) -> bool:
    return view.available <= FEW_SEATS_LEFT * len(view.prices_cents)


def _by_run(view: View, seats: Iterable[int]) -> Iterator[Iterator[int]]:
    run_of = view.layout.run_of
    return (group for _, group in groupby(sorted(seats), key=lambda seat: run_of[seat]))


def _run(view: View, seat: int) -> Run:
    return view.layout.runs[view.layout.run_of[seat]]


def _is_in(run: Run, seat: int) -> bool:
    return run.first <= seat < run.first + run.count


def _is_free(view: View, run: Run, seat: int, taken: Collection[int] = ()) -> bool:
    return _is_in(run, seat) and seat not in taken and view.seat(seat)[0] is _FREE

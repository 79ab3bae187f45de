"""The best seats for a party: next to each other, nobody beside them left alone, near to the focal point.

In this order, each step only when the one before finds nothing:

1. together, and no single seat is left beside them
2. together, leaving a single seat
3. in groups as large as can be, nobody sitting alone if that can be avoided, in one section if it can

Seats with wheelchair access are never given away unasked. Who asks for access gets such a seat in each group.
"""

from typing import NamedTuple

from msgspec import UNSET

from actors.core.ranking import Block, BlockTerms, best_in
from actors.core.seating import View
from protocol.inbound import HoldBest


class Found(NamedTuple):
    """Seats in index order, and whether they are all next to each other."""

    seats: tuple[int, ...]
    together: bool


def best_seats(view: View, wish: HoldBest) -> Found | None:
    """`wish.count` available seats that fit the wish; None: there are not so many."""
    block = _nearest(view, wish, wish.count)
    if block is not None:
        return Found(block.seats, True)
    seats = _in_groups(view, wish)
    return None if seats is None else Found(tuple(sorted(seats)), False)


def _in_groups(view: View, wish: HoldBest) -> list[int] | None:
    seats: list[int] = []
    section = ""
    while (left := wish.count - len(seats)) > 0:
        for size in sorted(range(min(left, wish.count - 1), 0, -1), key=lambda size: (left - size == 1, size == 1)):
            block = _beside(view, wish, size, seats, section) if seats else _nearest(view, wish, size)
            if block is not None:
                break
        else:
            return None
        section = section or view.layout.runs[block.place].section
        seats += block.seats
    return seats


def _nearest(view: View, wish: HoldBest, count: int) -> Block | None:
    """The nearest block to the focal point, if need be one that leaves a single seat."""
    return view.ranked.best(view, _terms(wish, count, True)) or view.ranked.best(view, _terms(wish, count, False))


def _beside(view: View, wish: HoldBest, count: int, taken: list[int], section: str) -> Block | None:
    """Another group, in this section or anywhere; `taken` are the seats of those before it."""
    for is_clean in (True, False):
        terms = _terms(wish, count, is_clean)
        for places in (view.layout.sections[section], range(len(view.layout.runs))):
            blocks = (best_in(view, place, terms, taken) for place in places if terms.fits(view.layout.runs[place]))
            block = min((block for block in blocks if block is not None), default=None)
            if block is not None:
                return block
    return None


def _terms(wish: HoldBest, count: int, is_clean: bool) -> BlockTerms:
    return BlockTerms(
        count,
        is_clean,
        wish.accessible is True,
        None if wish.section is UNSET else wish.section,
        None if wish.price_tier is UNSET else wish.price_tier,
        None if wish.max_price_cents is UNSET else wish.max_price_cents,
    )

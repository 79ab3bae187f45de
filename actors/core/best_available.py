"""The best seats for a party: next to each other, nobody beside them left alone, near to the focal point.

In this order, each step only when the one before finds nothing:

1. together, and no single seat is left beside them
2. together, leaving a single seat
3. in groups as large as can be, nobody sitting alone if that can be avoided; the first group sits where it is best,
   the others in its section if they can

Wheelchair places are never given away unasked, companion seats only to whom no other seats can be given. Who asks
for access gets one wheelchair place with companion seats beside it; if there is no such block, one with ordinary
seats in it, then one with more wheelchair places. In groups, the first has the wheelchair place, the others have
none unless nothing else is left.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

from msgspec import UNSET

from actors.core.layout import Access, Layout
from actors.core.ranking import Block, BlockTerms
from actors.core.view import View
from protocol.inbound import HoldBest

_TAKEN = 1
_WITH_ACCESS = (Access.ONE_WITH_COMPANIONS, Access.ONE_WHEELCHAIR_PLACE, Access.SOME_WHEELCHAIR_PLACE)
_BESIDE_IT = (Access.NO_WHEELCHAIR_PLACE, Access.SOME_WHEELCHAIR_PLACE)


class Found(NamedTuple):
    """Seats in index order, and whether they are all next to each other."""

    seats: tuple[int, ...]
    together: bool


def best_seats(view: View, wish: HoldBest) -> Found | None:
    """`wish.count` available seats that fit the wish; None: there are not so many."""
    if wish.accessible is True:
        return _seats(view, wish, _WITH_ACCESS, _BESIDE_IT)
    found = _seats(view, wish, (Access.NEITHER,), (Access.NEITHER,))
    if found is None and view.layout.companion:
        return _seats(view, wish, (Access.NO_WHEELCHAIR_PLACE,), (Access.NO_WHEELCHAIR_PLACE,))
    return found


def _seats(view: View, wish: HoldBest, first: Sequence[Access], further: Sequence[Access]) -> Found | None:
    """The same. `first` and `further`: what is tried in turn for the first group, and for the others."""
    block = _nearest(view, wish, wish.count, first)
    if block is not None:
        return Found(block.seats, True)
    if view.available < wish.count:
        return None
    others = Others(view)
    try:
        while (left := wish.count - len(others.seats)) > 0:
            block = _group(others, wish, left, further if others.seats else first)
            if block is None:
                return None
            others.sit(block.seats)
    finally:
        others.stand_up()
    return Found(tuple(sorted(others.seats)), False)


class Others:
    """The seats as they are when others of a party have sat down."""

    def __init__(self, view: View) -> None:
        self.layout: Layout = view.layout
        self.ranked = view.ranked
        self.seats: list[int] = []
        self.section: str | None = None
        self._view = view

    def sit(self, seats: Sequence[int]) -> None:
        """Another group sits down."""
        if seats and self.section is None:
            self.section = self.layout.runs[self.layout.run_of[seats[0]]].section
        self.seats += seats
        self.ranked.changed(seats)

    def stand_up(self) -> None:
        """All seats are again as they were."""
        self.ranked.changed(self.seats)

    def states_of(self, first: int, end: int) -> bytearray:
        """As that of a view."""
        states = self._view.states_of(first, end)
        for seat in self.seats:
            if first <= seat < end:
                states[seat - first] = _TAKEN
        return states


def _group(others: Others, wish: HoldBest, left: int, accesses: Sequence[Access]) -> Block | None:
    """The next group: as large as there is room for, unless somebody would sit alone."""
    largest = min(left, wish.count - 1, others.ranked.longest(others))
    for size in sorted(range(largest, 0, -1), key=lambda size: size == 1 or left - size == 1):
        block = _nearest(others, wish, size, accesses, others.section)
        if block is not None:
            return block
    return None


def _nearest(
    view: View | Others, wish: HoldBest, count: int, accesses: Sequence[Access], section: str | None = None
) -> Block | None:
    """The nearest block that leaves no single seat, else one that does; in this section if it can be."""
    for access, is_clean in product(accesses, (True, False)):
        anywhere = _terms(wish, count, is_clean, access)
        for terms in (anywhere,) if section is None else (anywhere._replace(section=section), anywhere):
            block = view.ranked.best(view, terms)
            if block is not None:
                return block
    return None


def _terms(wish: HoldBest, count: int, is_clean: bool, access: Access) -> BlockTerms:
    return BlockTerms(
        count,
        is_clean,
        access,
        None if wish.section is UNSET else wish.section,
        None if wish.price_tier is UNSET else wish.price_tier,
        None if wish.max_price_cents is UNSET else wish.max_price_cents,
    )

"""The best seats for a party: next to each other, nobody beside them left alone, near to the focal point.

In this order, each step only when the one before finds nothing:

1. together, and no single seat is left beside them
2. together, leaving a single seat
3. in groups as large as can be, nobody sitting alone if that can be avoided; the first group sits where it is best,
   the others in its section if they can

Seats with wheelchair access are never given away unasked. Who asks for access gets such a seat in each group.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import UNSET

from actors.core.layout import Layout
from actors.core.ranking import Block, BlockTerms
from actors.core.view import View
from protocol.inbound import HoldBest

_TAKEN = 1


class Found(NamedTuple):
    """Seats in index order, and whether they are all next to each other."""

    seats: tuple[int, ...]
    together: bool


def best_seats(view: View, wish: HoldBest) -> Found | None:
    """`wish.count` available seats that fit the wish; None: there are not so many."""
    block = _nearest(view, wish, wish.count)
    if block is not None:
        return Found(block.seats, True)
    if view.available < wish.count:
        return None
    others = Others(view)
    try:
        while (left := wish.count - len(others.seats)) > 0:
            block = _group(others, wish, left)
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


def _group(others: Others, wish: HoldBest, left: int) -> Block | None:
    """The next group: as large as there is room for, unless somebody would sit alone."""
    largest = min(left, wish.count - 1, others.ranked.longest(others))
    for size in sorted(range(largest, 0, -1), key=lambda size: size == 1 or left - size == 1):
        block = _nearest(others, wish, size, others.section)
        if block is not None:
            return block
    return None


def _nearest(view: View | Others, wish: HoldBest, count: int, section: str | None = None) -> Block | None:
    """The nearest block that leaves no single seat, else one that does; in this section if it can be."""
    for is_clean in (True, False):
        anywhere = _terms(wish, count, is_clean)
        for terms in (anywhere,) if section is None else (anywhere._replace(section=section), anywhere):
            block = view.ranked.best(view, terms)
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

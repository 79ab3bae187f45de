"""Where the nearest block of free seats is, kept up to date change by change.

For each kind of wish that is asked for there is a heap of runs by the distance of their best block. A change of a
seat makes what is known of its run old; the run goes onto every heap anew, with the least distance that it can
have, and is looked at when it comes to the top. So a wish costs a look at the few runs that have changed since.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from heapq import heapify, heappop, heappush, heapreplace
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from actors.core.layout import Layout, Run

if TYPE_CHECKING:
    from actors.core.seating import View

RANKINGS_MAX = 64
"""Kinds of wishes whose heaps are kept; the one that was asked for longest ago is forgotten first."""
CHANGES_MAX = 10_000

_FREE = re.compile(b"\x00+")
_TAKEN = 1
_UNKNOWN = -1


class BlockTerms(NamedTuple):
    """What a block is to be. `is_clean`: it leaves no single seat beside it. None: any."""

    size: int
    is_clean: bool
    wants_access: bool
    section: str | None
    price_tier: str | None
    max_price_cents: int | None

    def fits(self, run: Run) -> bool:
        """May it be in this run?"""
        return (
            run.count >= self.size
            and self.section in (None, run.section)
            and self.price_tier in (None, run.price_tier)
            and (self.max_price_cents is None or run.price_cents <= self.max_price_cents)
        )


class Block(NamedTuple):
    """Seats next to each other, their mean distance to the focal point, the place of their run in the layout."""

    distance: float
    place: int
    seats: tuple[int, ...]


class Ranked:
    """The heaps of one event. Whoever changes a seat says so by `changed`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._versions = [0] * len(layout.runs)
        self._changes: list[int] = []
        self._rankings: OrderedDict[BlockTerms, _Ranking] = OrderedDict()

    def changed(self, seats: Sequence[int]) -> None:
        """What was known of the runs of these seats is no longer true."""
        if not self._rankings:
            return
        run_of = self._layout.run_of
        for place in {run_of[seat] for seat in seats}:
            self._versions[place] += 1
            self._changes.append(place)
        if len(self._changes) > CHANGES_MAX:
            self._rankings.clear()
            self._changes.clear()

    def best(self, view: "View", terms: BlockTerms) -> Block | None:
        """The nearest such block among the seats that are free in this view."""
        terms = terms._replace(max_price_cents=self._layout.price_level(terms.max_price_cents))
        ranking = self._rankings.get(terms)
        if ranking is None:
            ranking = self._rankings[terms] = _Ranking(self._layout, terms, self._versions, len(self._changes))
            if len(self._rankings) > RANKINGS_MAX:
                self._rankings.popitem(last=False)
        else:
            self._rankings.move_to_end(terms)
        ranking.hear(self._changes)
        return ranking.best(view)


class _Ranking:
    def __init__(self, layout: Layout, terms: BlockTerms, versions: list[int], heard: int) -> None:
        self._layout = layout
        self._terms = terms
        self._versions = versions
        self._heard = heard
        places = range(len(layout.runs)) if terms.section is None else layout.sections.get(terms.section, ())
        self._fitting = {place for place in places if terms.fits(layout.runs[place])}
        self._heap = [self._unknown(place) for place in self._fitting]
        heapify(self._heap)

    def hear(self, changes: list[int]) -> None:
        for place in set(changes[self._heard :]) & self._fitting:
            heappush(self._heap, self._unknown(place))
        self._heard = len(changes)

    def best(self, view: "View") -> Block | None:
        heap, versions = self._heap, self._versions
        while heap:
            distance, place, version, at = heap[0]
            if version != versions[place]:
                heappop(heap)
            elif at != _UNKNOWN:
                first = self._layout.runs[place].first + at
                return Block(distance, place, tuple(range(first, first + self._terms.size)))
            elif (block := best_in(view, place, self._terms)) is None:
                heappop(heap)
            else:
                at = block.seats[0] - self._layout.runs[place].first
                heapreplace(heap, (block.distance, place, version, at))
        return None

    def _unknown(self, place: int) -> tuple[float, int, int, int]:
        return self._layout.runs[place].distance, place, self._versions[place], _UNKNOWN


def best_in(view: "View", place: int, terms: BlockTerms, taken: Sequence[int] = ()) -> Block | None:
    """The nearest such block in one run; `taken` are seats to be left out though they are free."""
    run = view.layout.runs[place]
    states = view.states_of(run.first, run.first + run.count)
    for seat in taken:
        if run.first <= seat < run.first + run.count:
            states[seat - run.first] = _TAKEN
    best: Block | None = None
    wanted = floor(view.layout.nearest[place] - (terms.size - 1) / 2)
    for span in _FREE.finditer(states):
        at = _start(view, run, span.start(), span.end(), wanted, terms)
        if at is not None:
            seats = tuple(range(run.first + at, run.first + at + terms.size))
            block = Block(run.distance_of(at, terms.size), place, seats)
            best = block if best is None else min(best, block)
    return best


def _start(view: "View", run: Run, first: int, end: int, wanted: int, terms: BlockTerms) -> int | None:
    """Where in the free seats [first, end) of a run the nearest block begins.

    Along a row the distance falls up to one place and rises from there: the search begins about there.
    """
    size, accessible = terms.size, view.layout.accessible
    last = end - size
    if last < first:
        return None
    low = min(max(wanted, first), last)
    while low < last and run.distance_of(low + 1, size) < run.distance_of(low, size):
        low += 1
    while low > first and run.distance_of(low - 1, size) <= run.distance_of(low, size):
        low -= 1
    high = low + 1
    while low >= first or high <= last:
        if high > last or (low >= first and run.distance_of(low, size) <= run.distance_of(high, size)):
            at, low = low, low - 1
        else:
            at, high = high, high + 1
        if terms.is_clean and (at - first == 1 or last - at == 1):
            continue
        here = range(run.first + at, run.first + at + size)
        if not accessible or terms.wants_access != accessible.isdisjoint(here):
            return at
    return None

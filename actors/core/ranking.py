"""Where the nearest block of free seats is, kept up to date change by change.

For each kind of wish that is asked for there is a heap of runs by the distance of their best block. A change of a
seat makes what is known of its run old; the run goes onto every heap anew, with the least distance that it can
have, and is looked at when it comes to the top. So a wish costs a look at the few runs that have changed since.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from math import floor
from typing import NamedTuple, Protocol

from actors.core.layout import Access, Layout, Run

RANKINGS_MAX = 128
"""Kinds of wishes whose heaps are kept; the one that was asked for longest ago is forgotten first."""
CHANGES_MAX = 10_000
HEAP_SLACK = 64

_FREE = re.compile(b"\x00+")
_ROOM_UNKNOWN = 255
_UNKNOWN = -1


class States(Protocol):
    """Where the states of seats are read."""

    layout: Layout

    def states_of(self, first: int, end: int) -> bytearray:
        """The states of these seats in index order, one byte a seat."""


class BlockTerms(NamedTuple):
    """What a block is to be. `is_clean`: it leaves no single seat beside it. None: any."""

    size: int
    is_clean: bool
    access: Access
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
        self._room = bytearray([_ROOM_UNKNOWN]) * len(layout.runs)

    def changed(self, seats: Sequence[int]) -> None:
        """What was known of the runs of these seats is no longer true."""
        if not self._rankings:
            return
        run_of = self._layout.run_of
        for place in {run_of[seat] for seat in seats}:
            self._versions[place] += 1
            self._changes.append(place)
            self._room[place] = _ROOM_UNKNOWN
        if len(self._changes) > CHANGES_MAX:
            self._changes.clear()
            for ranking in self._rankings.values():
                ranking.begin_anew(0)

    def longest(self, states: States) -> int:
        """How many free seats stand next to each other where there are most of them; 254 or more count as 254."""
        while (place := self._room.find(_ROOM_UNKNOWN)) >= 0:
            self._look_for_room(states, place)
        return max(self._room, default=0)

    def room(self, states: States, place: int) -> int:
        """The same of one run."""
        if self._room[place] == _ROOM_UNKNOWN:
            self._look_for_room(states, place)
        return self._room[place]

    def _look_for_room(self, states: States, place: int) -> None:
        run = self._layout.runs[place]
        free = _FREE.findall(states.states_of(run.first, run.first + run.count))
        self._room[place] = min(max(map(len, free), default=0), _ROOM_UNKNOWN - 1)

    def best(self, states: States, terms: BlockTerms) -> Block | None:
        """The nearest such block among the seats that are free there."""
        if not self._layout.knows(terms.section, terms.price_tier):
            return None
        terms = terms._replace(max_price_cents=self._layout.price_level(terms.max_price_cents))
        ranking = self._rankings.get(terms)
        if ranking is None:
            ranking = self._rankings[terms] = _Ranking(self._layout, terms, self._versions, len(self._changes))
            if len(self._rankings) > RANKINGS_MAX:
                self._rankings.popitem(last=False)
        else:
            self._rankings.move_to_end(terms)
        ranking.hear(self._changes)
        return ranking.best(states, self)


class _Ranking:
    """The heap of one kind of wish: distance, run, its version, and where in it the block begins, if known."""

    def __init__(self, layout: Layout, terms: BlockTerms, versions: list[int], heard: int) -> None:
        self._layout = layout
        self._terms = terms
        self._versions = versions
        places: Collection[int] = (
            range(len(layout.runs)) if terms.section is None else layout.sections[terms.section]
        )
        if terms.access not in (Access.NEITHER, Access.NO_WHEELCHAIR_PLACE):
            places = layout.with_access.intersection(places)
        self._fitting = {place for place in places if terms.fits(layout.runs[place])}
        self.begin_anew(heard)

    def begin_anew(self, heard: int) -> None:
        """Know nothing but what was changed so far: the first `heard` of the changes."""
        self._heap = [self._unknown(place) for place in self._fitting]
        heapify(self._heap)
        self._heard = heard

    def hear(self, changes: list[int]) -> None:
        for place in set(changes[self._heard :]) & self._fitting:
            heappush(self._heap, self._unknown(place))
        self._heard = len(changes)
        if len(self._heap) > 2 * len(self._fitting) + HEAP_SLACK:
            self.begin_anew(len(changes))

    def best(self, states: States, ranked: Ranked) -> Block | None:
        heap, versions, size = self._heap, self._versions, self._terms.size
        while heap:
            distance, place, version, at = heap[0]
            if version != versions[place] or ranked.room(states, place) < min(size, _ROOM_UNKNOWN - 1):
                heappop(heap)
            elif at != _UNKNOWN:
                first = self._layout.runs[place].first + at
                return Block(distance, place, tuple(range(first, first + size)))
            elif (block := _best_in(states, place, self._terms)) is None:
                heappop(heap)
            else:
                at = block.seats[0] - self._layout.runs[place].first
                heapreplace(heap, (block.distance, place, version, at))
        return None

    def _unknown(self, place: int) -> tuple[float, int, int, int]:
        return self._layout.runs[place].distance, place, self._versions[place], _UNKNOWN


def _best_in(states: States, place: int, terms: BlockTerms) -> Block | None:
    """The nearest such block in one run."""
    run = states.layout.runs[place]
    best: Block | None = None
    wanted = floor(states.layout.nearest[place] - (terms.size - 1) / 2)
    for span in _FREE.finditer(states.states_of(run.first, run.first + run.count)):
        at = _start(states, run, span.start(), span.end(), wanted, terms)
        if at is not None:
            seats = tuple(range(run.first + at, run.first + at + terms.size))
            block = Block(run.distance_of(at, terms.size), place, seats)
            best = block if best is None else min(best, block)
    return best


def _start(states: States, run: Run, first: int, end: int, wanted: int, terms: BlockTerms) -> int | None:
    """Where in the free seats [first, end) of a run the nearest block begins.

    Along a row the distance falls up to one place and rises from there: the search begins about there.
    """
    size = terms.size
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
        if states.layout.suits(here, terms.access):
            return at
    return None

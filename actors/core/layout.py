"""What never changes about the seats of an event: prices, and which seats stand next to each other."""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from enum import Enum, auto

from msgspec import Struct


class Run(Struct, frozen=True):
    """`count` seats from index `first` on, next to each other and of one price.

    `distances` has each seat's to the focal point, in the units of the map, and `distance` is the least of them.
    Without `distances` the middle of the run is nearest, and each seat is one unit farther than the one before.
    """

    section: str
    price_tier: str
    price_cents: int
    first: int
    count: int
    distance: float
    distances: tuple[float, ...] = ()

    @property
    def nearest(self) -> float:
        """Where in the run it is nearest to the focal point, counted in seats from the first."""
        if not self.distances:
            return (self.count - 1) / 2
        return self.distances.index(min(self.distances))

    def distance_of(self, at: int, count: int) -> float:
        """The mean distance of `count` seats from the `at`-th of the run on."""
        if self.distances:
            return sum(self.distances[at : at + count]) / count
        return self.distance + abs(at + (count - 1) / 2 - self.nearest)


class Access(Enum):
    """Which wheelchair places and companion seats a block has. Ordinary seats may be in each but one."""

    NEITHER = auto()
    NO_WHEELCHAIR_PLACE = auto()
    ONE_WITH_COMPANIONS = auto()
    """One wheelchair place, and otherwise companion seats alone."""
    ONE_WHEELCHAIR_PLACE = auto()
    SOME_WHEELCHAIR_PLACE = auto()


class Layout(Struct, frozen=True):
    """The runs, the nearest to the focal point first; a price for each seat; which seats are for whom.

    `accessible` are the wheelchair places, `companion` the seats kept for who comes with somebody who needs one.

    `run_of` has the place of each seat's run among `runs`, `nearest` that of each run's best seat within it,
    `sections` the places of their runs in order, `with_access` those of the runs that have a wheelchair place,
    `price_levels` the prices that there are, rising.
    """

    prices_cents: Sequence[int]
    runs: tuple[Run, ...]
    accessible: frozenset[int]
    companion: frozenset[int]
    run_of: Sequence[int]
    nearest: tuple[float, ...]
    sections: Mapping[str, tuple[int, ...]]
    with_access: frozenset[int]
    price_tiers: frozenset[str]
    price_levels: tuple[int, ...]

    def suits(self, seats: Collection[int], access: Access) -> bool:
        """May a block of these seats be given to who asked so?"""
        if access is Access.NEITHER:
            return self.accessible.isdisjoint(seats) and self.companion.isdisjoint(seats)
        places = len(self.accessible.intersection(seats))
        if access is Access.NO_WHEELCHAIR_PLACE:
            return places == 0
        if access is Access.SOME_WHEELCHAIR_PLACE:
            return places > 0
        if access is Access.ONE_WHEELCHAIR_PLACE:
            return places == 1
        return places == 1 and len(self.companion.intersection(seats)) == len(seats) - 1

    def access_of(self, seats: Collection[int]) -> Access:
        """What who picks these seats is taken to need."""
        if not self.accessible.isdisjoint(seats):
            return Access.SOME_WHEELCHAIR_PLACE
        return Access.NEITHER if self.companion.isdisjoint(seats) else Access.NO_WHEELCHAIR_PLACE

    def knows(self, section: str | None, price_tier: str | None) -> bool:
        """Is there such a section, and such a tier? None: any."""
        return (section is None or section in self.sections) and (
            price_tier is None or price_tier in self.price_tiers
        )

    def price_level(self, max_price_cents: int | None) -> int | None:
        """The highest price up to this one, below all: -1. So there are no more wishes than prices."""
        if max_price_cents is None:
            return None
        level = bisect_right(self.price_levels, max_price_cents)
        return self.price_levels[level - 1] if level else -1


def layout_of(
    runs: Sequence[Run], accessible: frozenset[int] = frozenset(), companion: frozenset[int] = frozenset()
) -> Layout:
    """The layout that these runs, given in index order, make together. A wheelchair place is no companion seat.

    Raises:
        ValueError: the runs leave a gap or overlap.
    """
    prices_cents: list[int] = []
    for run in runs:
        if run.first != len(prices_cents):
            raise ValueError(f"a run begins at {run.first} where {len(prices_cents)} was next")
        prices_cents.extend([run.price_cents] * run.count)
    ordered = tuple(sorted(runs, key=lambda run: (run.distance, run.first)))
    run_of = [0] * len(prices_cents)
    sections: dict[str, list[int]] = {}
    for place, run in enumerate(ordered):
        run_of[run.first : run.first + run.count] = [place] * run.count
        sections.setdefault(run.section, []).append(place)
    return Layout(
        prices_cents,
        ordered,
        accessible,
        companion - accessible,
        run_of,
        tuple(run.nearest for run in ordered),
        {name: tuple(places) for name, places in sections.items()},
        frozenset(run_of[seat] for seat in accessible),
        frozenset(run.price_tier for run in runs),
        tuple(sorted({run.price_cents for run in runs})),
    )

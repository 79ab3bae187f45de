"""What never changes about the seats of an event: prices, and which seats stand next to each other."""

from collections.abc import Sequence

from msgspec import Struct


class Run(Struct, frozen=True):
    """`count` seats from index `first` on, next to each other and of one price; `distance` to the focal point."""

    section: str
    price_tier: str
    price_cents: int
    first: int
    count: int
    distance: float


class Layout(Struct, frozen=True):
    """The runs, the nearest to the focal point first, and one price a seat; the seats with wheelchair access."""

    prices_cents: Sequence[int]
    runs: tuple[Run, ...]
    accessible: frozenset[int] = frozenset()
    accessible_runs: tuple[Run, ...] = ()
    """Those of `runs` that have such a seat."""


def layout_of(runs: Sequence[Run], accessible: frozenset[int] = frozenset()) -> Layout:
    """The layout that these runs, given in index order, make together.

    Raises:
        ValueError: the runs leave a gap or overlap.
    """
    prices_cents: list[int] = []
    for run in runs:
        if run.first != len(prices_cents):
            raise ValueError(f"a run begins at {run.first} where {len(prices_cents)} was next")
        prices_cents.extend([run.price_cents] * run.count)
    ordered = tuple(sorted(runs, key=lambda run: (run.distance, run.first)))
    with_access = tuple(
        run for run in ordered if not accessible.isdisjoint(range(run.first, run.first + run.count))
    )
    return Layout(prices_cents, ordered, accessible, with_access)

"""Wheelchair places and companion seats in the plainest way: all blocks are looked at."""

from collections.abc import Sequence, Set
from enum import IntEnum

from actors.core.layout import Run
from tests.core import naive_orphans


class Worth(IntEnum):
    """How well a block serves who asks for access; less is better."""

    ONE_AND_COMPANIONS = 0
    ONE = 1
    MORE = 2


def together(
    runs: Sequence[Run], free: Set[int], count: int, access: Set[int], companion: Set[int]
) -> dict[tuple[int, ...], tuple[Worth, bool, float]]:
    """All blocks of so many free seats with a wheelchair place: their worth, is somebody left alone, how far."""
    found = {}
    before = naive_orphans.alone(runs, free)
    for run in runs:
        for at in range(run.count - count + 1):
            seats = set(range(run.first + at, run.first + at + count))
            if not seats <= free or not seats & access:
                continue
            worth = Worth.MORE if len(seats & access) > 1 else Worth.ONE
            if worth is Worth.ONE and seats - access <= companion:
                worth = Worth.ONE_AND_COMPANIONS
            leaves = bool(naive_orphans.alone(runs, free - seats) - before)
            found[tuple(sorted(seats))] = (worth, leaves, run.distance_of(at, count))
    return found

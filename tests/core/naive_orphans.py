"""The orphan rule in the plainest way: all seats are looked at before and after, all other blocks are tried."""

from collections.abc import Iterable, Sequence, Set

from actors.core.layout import Run


def alone(runs: Sequence[Run], free: Set[int]) -> set[int]:
    """The free seats that have no free seat beside them in their run."""
    return {
        seat
        for run in runs
        for seat in _seats(run)
        if seat in free and not free & {seat - 1, seat + 1} & set(_seats(run))
    }


def wrong_to_hold(
    runs: Sequence[Run],
    free: Set[int],
    wanted: Iterable[int],
    access: Set[int] = frozenset(),
    companion: Set[int] = frozenset(),
) -> set[int]:
    """The seats for whose sake it is refused to hold these; none: it is allowed."""
    wanted = set(wanted)
    if _is_at_the_end(runs, free):
        return set()
    found = set()
    for run in runs:
        group, others = wanted & set(_seats(run)), wanted - set(_seats(run))
        left = (alone(runs, free - wanted) - alone(runs, free)) & set(_seats(run))
        if left and any(
            block <= free - others
            and not alone(runs, free - others - block) - alone(runs, free - others)
            and bool(block & access) == bool(group & access)
            and (group & (access | companion) or not block & companion)
            for block in _blocks(runs, run, len(group))
        ):
            found |= left
    return found


def wrong_to_give_back(runs: Sequence[Run], free: Set[int], held: Iterable[int], given: Iterable[int]) -> set[int]:
    """The same for giving back these of the held seats."""
    held, given = set(held), set(given)
    if _is_at_the_end(runs, free) or held == given:
        return set()
    found = set()
    for run in runs:
        mine, group = sorted(held & set(_seats(run))), given & set(_seats(run))
        left = alone(runs, free | group) & group
        ways = (mine[:k] + mine[len(mine) - (len(group) - k) :] for k in range(len(group) + 1))
        if left and any(not alone(runs, free | set(way)) & set(way) for way in ways):
            found |= left
    return found


def _seats(run: Run) -> range:
    return range(run.first, run.first + run.count)


def _blocks(runs: Sequence[Run], like: Run, count: int) -> Iterable[set[int]]:
    for run in runs:
        if run.section == like.section and run.price_cents <= like.price_cents:
            for first in range(run.first, run.first + run.count - count + 1):
                yield set(range(first, first + count))


def _is_at_the_end(runs: Sequence[Run], free: Set[int]) -> bool:
    return 20 * len(free) <= sum(run.count for run in runs)

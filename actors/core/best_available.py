"""The best seats next to each other: the run nearest to the focal point that has room, and its middle."""

from msgspec import UNSET

from actors.core.layout import Run
from actors.core.seating import View
from protocol.inbound import HoldBest


def best_block(view: View, wish: HoldBest) -> tuple[int, ...] | None:
    """`wish.count` available seats of one run that fit the wish, in index order; None: there are none."""
    runs = view.layout.accessible_runs if wish.accessible is True else view.layout.runs
    for run in runs:
        if _fits(run, wish):
            blocks = _blocks(view, run, wish)
            if blocks:
                middle = run.first + (run.count - wish.count) / 2
                first = min(blocks, key=lambda block: abs(block - middle))
                return tuple(range(first, first + wish.count))
    return None


def _fits(run: Run, wish: HoldBest) -> bool:
    return (
        run.count >= wish.count
        and wish.section in (UNSET, run.section)
        and wish.price_tier in (UNSET, run.price_tier)
        and (wish.max_price_cents is UNSET or run.price_cents <= wish.max_price_cents)
    )


def _blocks(view: View, run: Run, wish: HoldBest) -> list[int]:
    found, first, end = [], run.first, run.first + run.count
    while (block := view.available_from(wish.count, first, end)) is not None:
        if wish.accessible is not True or any(
            seat in view.layout.accessible for seat in range(block, block + wish.count)
        ):
            found.append(block)
        first = block + 1
    return found

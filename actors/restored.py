"""What was loaded, as the seat manager's memory; and what a large waiting room asks of it, beside the loop."""

import asyncio
from typing import NamedTuple

from actors.core.layout import layout_of
from actors.core.line import Line
from actors.core.model import Drawn
from actors.core.seating import Seating
from actors.ports import Loaded

MANY = 5_000
"""So many entries and more are worked through in a thread: the loop has other events, and a lease to keep."""


class Restored(NamedTuple):
    """The committed state of an event, and the store's time: at the loading, and less that of the loop's clock."""

    seating: Seating
    loaded_ms: int
    offset_ms: float


async def restored(loaded: Loaded) -> Restored:
    """What a seat manager begins with."""
    is_small = len(loaded.line.entries) < MANY
    seating = seating_of(loaded) if is_small else await asyncio.to_thread(seating_of, loaded)
    return Restored(seating, loaded.now_ms, loaded.now_ms - loaded.read_at_s * 1000)


async def order_places(line: Line, drawn: Drawn) -> None:
    """Find the places that this draw gives, before it is made true. Nothing else may change the line meanwhile."""
    if line.chained >= MANY:
        await asyncio.to_thread(line.order, drawn)


def seating_of(loaded: Loaded) -> Seating:
    """The committed state of the event."""
    seating = Seating(
        loaded.terms,
        layout_of(loaded.runs, loaded.accessible, loaded.companion),
        bytearray(loaded.states),
        loaded.holders,
        loaded.revision,
        loaded.epoch,
    )
    line = loaded.line
    seating.line = Line(loaded.terms, line.draws, line.entries)
    seating.line.restore(line.tail, line.admitted_upto, line.admitted_ms)
    seating.restore(loaded.holds, loaded.orders, loaded.ran_out_ms)
    return seating

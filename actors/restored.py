"""What was loaded, as the seat manager's memory."""

from actors.core.layout import layout_of
from actors.core.line import Line
from actors.core.seating import Seating
from actors.ports import Loaded


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

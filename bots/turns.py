"""What the turns of all customers show together: was the order of places kept, and how many were inside?"""

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct


class Turn(Struct):
    """One customer's wait in line, and what came of it. Times are Unix milliseconds.

    place: the last one told; null: not drawn yet
    entered_ms: when the turn came, by the server; null: it did not, or came while the customer was away
    waited_s: from the first place in line that was told until the turn was
    still_waiting_ms: when the server last said, being asked, that the customer waits; 0: it was not asked
    inside_ms: from when to when the customer was inside for sure
    was_there: was a socket open until the turn came? Who is away is passed over
    is_range_right: was the wait as long as was told when it began? null: nothing was told, or no turn came
    """

    customer: str
    place: int | None = None
    entered_ms: int | None = None
    waited_s: float | None = None
    still_waiting_ms: int = 0
    inside_ms: tuple[int, int] | None = None
    was_there: bool = True
    is_range_right: bool | None = None


class LineFigures(Struct):
    """What came of the line.

    slots: how many may be inside at one time
    most_inside: how many were, at least
    slots_used_percent: of the time of all slots, from the first turn to the last that somebody was seen inside
    ranges_right: of the waits that were told as a range
    """

    slots: int
    turns: int
    most_inside: int
    slots_used_percent: float
    waited_p50_s: float
    waited_p99_s: float
    ranges_told: int
    ranges_right: int


def wrong_turns(turns: Sequence[Turn], slots: int) -> list[str]:
    """What is wrong with these turns, each in a sentence. `slots`: how many may be inside at one time."""
    found = [*_overtaken(turns), *_shared(turns)]
    if (most := most_inside(turns)) > slots:
        found.append(f"{most} were inside at one time, {slots} may be")
    return found


def line_figures(turns: Sequence[Turn], slots: int) -> LineFigures:
    """What came of the line."""
    inside = [turn.inside_ms for turn in turns if turn.inside_ms is not None]
    waits = sorted(turn.waited_s for turn in turns if turn.waited_s is not None)
    told = [turn.is_range_right for turn in turns if turn.is_range_right is not None]
    whole_ms = max(end for _, end in inside) - min(begin for begin, _ in inside) if inside else 0
    used_ms = sum(end - begin for begin, end in inside)
    return LineFigures(
        slots,
        len(inside),
        most_inside(turns),
        round(100 * used_ms / (slots * whole_ms), 1) if whole_ms else 0.0,
        _within(waits, 0.5),
        _within(waits, 0.99),
        len(told),
        sum(told),
    )


def most_inside(turns: Sequence[Turn]) -> int:
    """How many were inside at one time, at least."""
    steps = [step for turn in turns if turn.inside_ms for step in ((turn.inside_ms[0], 1), (turn.inside_ms[1], -1))]
    most = inside = 0
    for _, change in sorted(steps):  # at the same time, those who go come first
        inside += change
        most = max(most, inside)
    return most


def _overtaken(turns: Sequence[Turn]) -> Iterator[str]:
    """Who was there, and let in after somebody with a later place; or is not in at a time when that one is."""
    placed = [(turn.place, turn) for turn in turns if turn.place is not None and turn.was_there]
    first: tuple[int, int, str] | None = None
    """The first to enter of those behind: when, the place, who."""
    for place, turn in sorted(placed, key=lambda one: -one[0]):
        late_ms = turn.still_waiting_ms if turn.entered_ms is None else turn.entered_ms
        if first is not None and first[0] < late_ms:
            yield (
                f"{first[2]} was let in from place {first[1]}, and {turn.customer} from place {place} not before"
                f" {late_ms - first[0]} ms after that"
            )
        if turn.entered_ms is not None and (first is None or turn.entered_ms < first[0]):
            first = turn.entered_ms, place, turn.customer


def _shared(turns: Sequence[Turn]) -> Iterator[str]:
    """Places that were given twice."""
    owners: dict[int, str] = {}
    for turn in turns:
        if turn.place is not None and owners.setdefault(turn.place, turn.customer) != turn.customer:
            yield f"place {turn.place} was given to {owners[turn.place]} and {turn.customer}"


def _within(waits: Sequence[float], share: float) -> float:
    return round(waits[math.ceil(share * len(waits)) - 1], 1) if waits else 0.0

"""How fair a simulated on-sale was, as figures, from what became true in its line."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from statistics import mean
from typing import NamedTuple

from actors.core.model import QueueState
from tests.simulation.line_record import LineRecord, Told, TurnCame

BANDS = (10, 100, 1_000)
TENTHS = 10
MINUTE_MS = 60_000


class Right(NamedTuple):
    """Ranges that were told to those whose turn came: how many held; how wide they were, beside their middle."""

    told: int
    right: int
    width: float

    @property
    def share(self) -> float | None:
        return self.right / self.told if self.told else None


class Fairness(NamedTuple):
    """The figures of one on-sale.

    `out_of_order` are turns that came after that of a later place. `lost` are customers who neither had a turn nor
    left, nor wait behind all who had one. `used` is the share of the slots that were given while somebody waited
    who could be let in. `early_places` has the mean place, as a share of all, of each tenth of the lobby, the first
    to come first.
    """

    joined: int
    turns: int
    out_of_order: int
    lost: int
    still_waiting: int
    most_inside: int
    most_in_a_minute: int
    used: float
    fill_longest_s: float
    rank_correlation: float
    early_places: tuple[float, ...]
    waits: tuple[tuple[str, Right], ...]
    waits_in_all: Right
    told_in_vain: int
    """Ranges that were told to somebody who then had no turn, though waiting until all was sold."""


def fairness_of(record: LineRecord) -> Fairness:
    """The figures."""
    turns = record.turns
    had_turn = {turn.customer for turn in turns}
    still = {customer for customer, state in record.states.items() if state is QueueState.WAITING}
    last = max(turn.place for turn in turns)
    behind = {one for one in still if (record.places.get(one) or record.drawn[one]) > last}
    known = had_turn | behind | record.left_line
    waits = [(told, _next_turn(record, told)) for told in record.told if told.low_s is not None]
    came = [(told, at_s) for told, at_s in waits if at_s is not None]
    return Fairness(
        joined=len(record.states),
        turns=len(turns),
        out_of_order=sum(turn.place < before for turn, before in _with_last_place(turns)),
        lost=len(record.states.keys() - known),
        still_waiting=len(still),
        most_inside=record.most_inside,
        most_in_a_minute=_most_in_a_minute([turn.admitted_ms for turn in turns]),
        used=record.used_s / record.slots_s,
        fill_longest_s=max(turn.waited_s for turn in turns),
        rank_correlation=_rank_correlation(record),
        early_places=_early_places(record),
        waits=tuple(
            (name, _right([(told, at_s) for told, at_s in came if low <= told.ahead < high]))
            for name, low, high in _bands()
        ),
        waits_in_all=_right(came),
        told_in_vain=sum(at_s is None and told.customer in still for told, at_s in waits),
    )


def _with_last_place(turns: Sequence[TurnCame]) -> list[tuple[TurnCame, int]]:
    """Each turn with the latest place whose turn had come before."""
    found, last = [], 0
    for turn in turns:
        found.append((turn, last))
        last = max(last, turn.place)
    return found


def _most_in_a_minute(times_ms: Sequence[int]) -> int:
    return max(bisect_left(times_ms, start_ms + MINUTE_MS) - number for number, start_ms in enumerate(times_ms))


def _next_turn(record: LineRecord, told: Told) -> float | None:
    times = record.times.get(told.customer, [])
    at = bisect_left(times, told.at_s)
    return times[at] if at < len(times) else None


def _right(waits: Sequence[tuple[Told, float]]) -> Right:
    held, widths = 0, []
    for told, at_s in waits:
        assert told.low_s is not None
        assert told.high_s is not None
        held += told.low_s <= at_s - told.at_s <= told.high_s
        widths.append(2 * (told.high_s - told.low_s) / max(1, told.high_s + told.low_s))
    return Right(len(waits), held, mean(widths) if widths else 0.0)


def _bands() -> list[tuple[str, int, int]]:
    ends = [0, *BANDS, 10**9]
    names = [f"{low + 1:,}–{high:,}" for low, high in zip(ends, BANDS, strict=False)] + [f"over {BANDS[-1]:,}"]
    return [(name, *pair) for name, pair in zip(names, pairwise(ends), strict=True)]


def _rank_correlation(record: LineRecord) -> float:
    """Of the number in which somebody came to the lobby and the place that was drawn (Spearman); 0: no relation."""
    came = _ranked(record)
    count = len(came)
    apart = sum((position - place) ** 2 for position, place in came)
    return 1 - 6 * apart / (count * (count**2 - 1))


def _early_places(record: LineRecord) -> tuple[float, ...]:
    came = _ranked(record)
    count = len(came)
    tenths = [came[count * part // TENTHS : count * (part + 1) // TENTHS] for part in range(TENTHS)]
    return tuple(mean(place for _, place in tenth) / count for tenth in tenths)


def _ranked(record: LineRecord) -> list[tuple[int, int]]:
    """Of those who were drawn and there, ranks from 1: of coming and of the place."""
    came = sorted((record.positions[customer], place) for customer, place in record.drawn.items())
    rank_of = {place: rank for rank, place in enumerate(sorted(place for _, place in came), 1)}
    return [(rank, rank_of[place]) for rank, (_, place) in enumerate(came, 1)]

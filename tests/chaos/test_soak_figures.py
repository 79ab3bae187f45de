"""The figures of a soak: counted, added up, shown."""

import io

import pytest
from rich.console import Console

from bots.memory import MB, MemoryCurve, grown
from bots.progress import Progress, View
from bots.tally import TEXTS_MAX, Tally, Waits, total


def test_waits_are_known_to_within_a_twentieth() -> None:
    waits = Waits()
    for number in range(1, 1_001):
        waits.add(number / 1_000)
    assert 500 <= waits.within_ms(0.5) <= 525
    assert 990 <= waits.within_ms(0.99) <= 1_040
    assert Waits().within_ms(0.5) == 0
    later = total([Tally(waits=waits), Tally(waits=Waits())]).waits
    later.add(1_000)
    assert (later - waits).within_ms(0.5) == pytest.approx(1e6, rel=0.05)


def test_tallies_add_up() -> None:
    one = Tally(commands=2, refusals={"busy": 1}, first_asked_at_s=5.0, last_answered_at_s=9.0)
    other = Tally(commands=3, refusals={"busy": 1, "seat_taken": 4}, first_asked_at_s=4.0, last_answered_at_s=7.0)
    for _ in range(TEXTS_MAX + 1):
        one.broke("a promise")
        other.diverged("a map")
    both = total([one, other, Tally()])
    assert (both.commands, both.refusals) == (5, {"busy": 2, "seat_taken": 4})
    assert (both.first_asked_at_s, both.last_answered_at_s) == (4.0, 9.0)
    assert (both.broken, both.divergences, len(both.texts)) == (TEXTS_MAX + 1, TEXTS_MAX + 1, TEXTS_MAX)


def test_memory_grows_since_the_warm_up() -> None:
    curve = MemoryCurve()
    assert curve.summary() is None
    for at_s in range(101):
        curve.add((100 + min(at_s, 20) + (at_s == 50) * 7) * MB, at_s)
    memory = curve.summary()
    assert memory is not None
    assert (memory.first, memory.warm, memory.last, memory.peak, memory.growth) == (100, 120, 120, 127, 0)


@pytest.mark.parametrize(
    ("last_mb", "run_s", "is_found"), [(145, 300, True), (144, 300, False), (145, 299, False), (50, 300, False)]
)
def test_memory_that_grows_in_a_long_run_is_found(last_mb: int, run_s: float, *, is_found: bool) -> None:
    curve = MemoryCurve()
    for at_s, size in ((0, 80), (25, 104), (100, last_mb)):
        curve.add(size * MB, at_s)
    assert bool(grown(curve.summary(), run_s)) is is_found
    assert grown(None, run_s) == []


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_run_is_shown_while_it_goes_on(*, is_terminal: bool) -> None:
    said = io.StringIO()
    console = Console(file=said, force_terminal=is_terminal, width=200)
    with View(console, "a sale", 60.0) as view:
        view.show(Progress(0.0, Tally(arrived=7), b"", None, 9))
        for at_s in (0.0, 2.0, 6.0):
            tally = Tally(commands=int(100 * at_s), orders=3, divergences=int(at_s), refusals={"seat_taken": 8})
            view.show(Progress(at_s, tally, b"\0\1\2\2", None))
    assert "connecting 7 of 9" in said.getvalue()
    assert "1 available, 1 held, 2 sold" in said.getvalue()
    assert "100" in said.getvalue()
    assert ("refused: seat_taken" in said.getvalue()) is is_terminal

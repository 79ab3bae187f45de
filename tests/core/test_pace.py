"""How long a wait may be, by what was measured of the line."""

from random import Random

import pytest

from actors.core.pace import Pace, is_much_else


def test_four_of_five_waits_end_within_the_range() -> None:
    """Each of 60 who are inside goes after two minutes on average; the wait is told when it begins."""
    dice, pace, now_ms, slots = Random(11), Pace(), 0.0, 60
    line: list[str] = []
    pace.inside = slots
    pace.tick(0)
    assert pace.wait(3, slots, 0) is None, "nothing is known before slots came free"
    for number in range(20_000):
        now_ms += dice.expovariate(1 / 2_000)
        pace.tick(int(now_ms))
        pace.freed()
        if line:
            pace.admitted(line.pop(0), int(now_ms))
        while len(line) < 40:
            customer = f"c{number}-{len(line)}"
            pace.waits(customer, int(now_ms), pace.wait(len(line), slots, 0))
            line.append(customer)
    assert pace.told > 15_000
    assert 0.8 <= pace.right / pace.told <= 0.95
    assert 28 <= (pace.per_minute or 0) <= 32


def test_a_wait_is_another_one_when_a_quarter_is_gone() -> None:
    assert not is_much_else(None, None)
    assert is_much_else(None, (1, 2))
    assert is_much_else((1, 2), None)
    assert not is_much_else((40, 80), (20, 100))
    assert is_much_else((40, 80), (19, 80))
    assert is_much_else((40, 80), (40, 101))


def measured(*, slots: int, leave_line_s: float = 0.0) -> Pace:
    """Of those inside one in 100 goes in a second, for an hour; of 1,000 who wait one in so many seconds leaves."""
    pace = Pace()
    pace.inside, pace.waiting = slots, 1_000
    owed = {"freed": 0.0, "left": 0.0}
    for second in range(3_600):
        pace.tick(second * 1_000)
        owed["freed"] += slots / 100
        owed["left"] += 1_000 / leave_line_s if leave_line_s else 0
        while owed["freed"] >= 1:
            owed["freed"] -= 1
            pace.freed()
        while owed["left"] >= 1:
            owed["left"] -= 1
            pace.gave_up("somebody")
    return pace


def middle(pace: Pace, ahead: int, slots: int, admit_per_minute: int = 0) -> float:
    wait = pace.wait(ahead, slots, admit_per_minute)
    assert wait is not None
    return sum(wait) / 2


def test_a_wait_follows_from_the_slots_that_there_are_now() -> None:
    pace = measured(slots=100)
    assert middle(pace, 599, 100) == pytest.approx(600, rel=0.02)
    pace.inside = 50
    assert middle(pace, 599, 50) == pytest.approx(1_200, rel=0.02), "half the slots, twice the time"
    assert pace.wait(9, 60, 0) == (0, 1), "ten slots are free"


def test_who_leaves_the_line_makes_waits_shorter() -> None:
    steady, leaving = measured(slots=100), measured(slots=100, leave_line_s=1_000)
    assert middle(steady, 999, 100) == pytest.approx(1_000, rel=0.02)
    # One a second is let in, and of those ahead one in a thousand leaves in a second: 1,000 ln 2.
    assert middle(leaving, 999, 100) == pytest.approx(693, rel=0.02)


def test_the_pace_limit_is_a_wait_whatever_was_measured() -> None:
    pace = measured(slots=100)
    low, high = pace.wait(99, 100, 6) or (0, 0)
    assert 900 <= low <= 990
    assert 1_000 <= high <= 1_020


def test_what_a_new_owner_measures_begins_with_its_own_time() -> None:
    pace = Pace()
    for number in range(5):
        pace.admitted(f"c{number}", 1_900_000_000_000)
    pace.inside = 5
    pace.tick(1_900_000_500_000)
    for second in range(1, 61):
        pace.tick(1_900_000_500_000 + second * 1_000)
        if second % 10 == 0:
            pace.freed()
    assert pace.per_minute == pytest.approx(6, rel=0.05)

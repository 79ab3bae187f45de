"""When a goal is met."""

import pytest

from tests.bench.rows import Goal, Row, row, verdict
from tests.bench.shown import beside

AT_LEAST = Goal("at least", 100, 25)
AT_MOST = Goal("at most", 5)
BESIDE = Goal("at most", ratio=1.3)


@pytest.mark.parametrize(
    ("goal", "figure", "ratio", "met"),
    [
        (None, 100.0, 2.0, None),
        (AT_LEAST, 100.0, 25.0, True),
        (AT_LEAST, 99.0, 25.0, False),
        (AT_LEAST, 100.0, 24.0, False),
        (AT_LEAST, 100.0, None, None),
        (AT_LEAST, 99.0, None, False),
        (AT_MOST, 5.0, None, True),
        (AT_MOST, 5.1, None, False),
        (AT_MOST, None, None, None),
        (BESIDE, 7.0, 1.3, True),
        (BESIDE, 7.0, 1.31, False),
        (BESIDE, 7.0, None, None),
    ],
)
def test_verdict(goal: Goal | None, figure: float | None, ratio: float | None, met: bool | None) -> None:
    assert verdict(goal, figure, ratio) is met


def test_a_row_has_its_ratio() -> None:
    found = row("B1", "200 bots", "accepted/s", 123_456.0, AT_LEAST, yardstick=1_000.0, yardstick_is="naive")
    assert found == Row(
        "B1", "200 bots", "accepted/s", 123_500.0, 100, "at least", 1_000.0, "naive", 123.5, 25, True
    )


def test_what_is_wrong_is_not_met_however_fast() -> None:
    assert row("B5", "hot seats", "ms", 1.0, AT_MOST).met is True
    assert row("B5", "hot seats", "ms", 1.0, AT_MOST, is_right=False).met is False


def test_too_little_to_be_judged_is_not_met_but_may_be_missed() -> None:
    assert row("B3", "answer time", "ms", 1.0, AT_MOST, is_right=None).met is None
    assert row("B3", "answer time", "ms", 9.0, AT_MOST, is_right=None).met is False


def test_a_figure_that_is_shown_as_its_goal_is_judged_as_its_goal() -> None:
    """A verdict that the table belies helps nobody."""
    barely = row("B7", "memory", "KB", 16.004, Goal("at most", 16))
    missed = row("B7", "memory", "KB", 16.04, Goal("at most", 16))
    assert (barely.figure, barely.met) == (16.0, True)
    assert (beside(barely.figure, barely.goal), beside(missed.figure, missed.goal)) == ("16", "16.04")
    assert missed.met is False


@pytest.mark.parametrize(
    ("figure", "goal", "shown"),
    [
        (16.04, 16.0, "16.04"),
        (100.4, 100.0, "100.4"),
        (16.3, 16.0, "16.3"),
        (16.0, 16.0, "16"),
        (9_999.0, 10_000.0, "9,999"),
    ],
)
def test_a_digit_more_where_a_figure_looks_like_its_goal(figure: float, goal: float, shown: str) -> None:
    assert beside(figure, goal) == shown


def test_without_a_yardstick_there_is_no_ratio() -> None:
    found = row("B6", "fan-out", "ms", 7.0, BESIDE)
    assert (found.ratio, found.met) == (None, None)

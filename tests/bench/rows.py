"""What a bench finds: rows of figures beside their goals and yardsticks, and when a goal is met."""

import json
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

GOAL_PLACES = 4


class Goal(Struct, frozen=True):
    """`figure` at least or at most so much; `ratio` the same of figure ÷ yardstick."""

    sense: Literal["at least", "at most"]
    figure: float | None = None
    ratio: float | None = None


class Row(Struct, frozen=True):
    """One line of the table.

    `ratio` is figure ÷ yardstick. `met` None: there is no goal, or nothing to hold against it. `details` are
    further figures of the same measurement, by name with its unit; `note` says what else is to be known.
    """

    id: str
    case: str
    unit: str
    figure: float | None
    goal: float | None = None
    sense: str | None = None
    yardstick: float | None = None
    yardstick_is: str = ""
    ratio: float | None = None
    ratio_goal: float | None = None
    met: bool | None = None
    details: dict[str, float] = {}
    note: str = ""


class Results(Struct):
    """One run: the shape of results.json."""

    machine: dict[str, str | int | float]
    versions: dict[str, str]
    is_quick: bool
    began_at: str
    took_s: float
    rows: list[Row]

    def put(self, row: Row) -> None:
        """Add a row; one of the same id and case is replaced."""
        self.rows = [one for one in self.rows if (one.id, one.case) != (row.id, row.case)] + [row]


def row(
    id_: str,
    case: str,
    unit: str,
    figure: float | None,
    goal: Goal | None = None,
    *,
    yardstick: float | None = None,
    yardstick_is: str = "",
    is_right: bool | None = True,
    details: dict[str, float] | None = None,
    note: str = "",
) -> Row:
    """A row with its ratio and verdict.

    `is_right` False: whatever the speed, what was done was wrong. None: too little was done to say that it is fast.
    """
    ratio = figure / yardstick if figure is not None and yardstick else None
    met = verdict(goal, rounded(figure), rounded(ratio))
    if is_right is False or (is_right is None and met):
        met = is_right
    return Row(
        id_,
        case,
        unit,
        rounded(figure),
        None if goal is None else goal.figure,
        None if goal is None else goal.sense,
        rounded(yardstick),
        yardstick_is,
        rounded(ratio),
        None if goal is None else goal.ratio,
        met,
        {name: rounded(value) or 0.0 for name, value in (details or {}).items()},
        note,
    )


def verdict(goal: Goal | None, figure: float | None, ratio: float | None) -> bool | None:
    """Is the goal met, in all its parts? None: there is none, or a part cannot be judged and no other is missed."""
    if goal is None:
        return None
    parts = [
        None if found is None else found >= wanted if goal.sense == "at least" else found <= wanted
        for wanted, found in ((goal.figure, figure), (goal.ratio, ratio))
        if wanted is not None
    ]
    if False in parts:
        return False
    return None if None in parts or not parts else True


def rounded(value: float | None) -> float | None:
    """To four significant digits: there is no more in a measurement."""
    return None if value is None else float(f"{value:.{GOAL_PLACES}g}")


def read(file: Path) -> Results:
    """Raises OSError, msgspec.DecodeError."""
    return msgspec.json.decode(file.read_bytes(), type=Results)


def write(results: Results, file: Path) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}")
    draft.write_text(json.dumps(msgspec.to_builtins(results), indent=1, ensure_ascii=False) + "\n")
    draft.replace(file)

"""Figures as people read them: on the screen, in the page, in the charts."""

from rich.markup import escape

from tests.bench.rows import Row

VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}
SIGNS = {"at least": "≥", "at most": "≤", None: ""}


def number(value: float | None) -> str:
    """Three digits or whole numbers."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def beside(value: float | None, goal: float | None) -> str:
    """As `number`, with a digit more where the figure would look like its goal and is not."""
    looks_alike = value is not None and goal is not None and value != goal and number(value) == number(goal)
    return f"{value:,.4g}" if looks_alike else number(value)


def details_of(row: Row) -> str:
    """The further figures of a row, in one line."""
    return ", ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in row.details.items())


def line_of(row: Row) -> str:
    """A row for the screen, with rich's markup."""
    sign = SIGNS[row.sense]
    parts = [f"[bold]{row.id:9}[/] {escape(row.case):50} {beside(row.figure, row.goal):>8} {row.unit:21}"]
    if row.goal is not None:
        parts.append(f"goal {sign} {number(row.goal)}")
    if row.yardstick is not None:
        parts.append(f"{row.yardstick_is} {number(row.yardstick)}, ratio {beside(row.ratio, row.ratio_goal)}")
    if row.ratio_goal is not None:
        parts.append(f"(goal {sign} {number(row.ratio_goal)} ×)")
    parts.append(VERDICTS[row.met])
    lines = ["  ".join(part for part in parts if part)]
    lines += [f"[dim]{'':10}{escape(told)}[/]" for told in (details_of(row), row.note) if told]
    return "\n".join(lines)

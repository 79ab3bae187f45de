"""Bars as SVG: groups of two or three, on a line or on powers of ten. Each file stands alone, in light and dark."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from tests.bench.shown import number

WIDTH, LABEL_WIDTH, VALUE_WIDTH = 880, 350, 80
BAR, GAP, HEAD, FOOT = 16, 14, 62, 14
COLOURS = ("a", "b", "c")

STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600; font-size: 15px }
.note { fill: #59636e; font-size: 12px } .a { fill: #2f6fdb } .b { fill: #b9c0c8 } .c { fill: #7b61c4 }
.goal { stroke: #c2410c; stroke-width: 2 } .legend-goal { fill: #c2410c }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note { fill: #9198a1 } .a { fill: #6ea8ff } .b { fill: #5b6570 } .c { fill: #b39bff }
  .goal { stroke: #ff9a5c } .legend-goal { fill: #ff9a5c }
}
"""


class Group(NamedTuple):
    """One thing, measured in each series; None: not measured. `goal` is a mark across its bars."""

    label: str
    values: tuple[float | None, ...]
    goal: float | None = None


class Chart(NamedTuple):
    """A bar for each series in each group. `by_tens`: each step is ten times the last."""

    title: str
    unit: str
    series: Sequence[str]
    groups: Sequence[Group]
    by_tens: bool = False


def svg_of(chart: Chart) -> str:
    """The chart as a file."""
    scale = _Scale(
        [value for group in chart.groups for value in (*group.values, group.goal) if value], chart.by_tens
    )
    height = HEAD + FOOT + sum(BAR * len(group.values) + GAP for group in chart.groups)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(chart.title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="0" y="18">{escape(chart.title)}</text>',
        *_legend(chart),
    ]
    top = HEAD
    for group in chart.groups:
        parts += _group(group, top, scale)
        top += BAR * len(group.values) + GAP
    return "\n".join((*parts, "</svg>")) + "\n"


class _Scale:
    """From a value to a length."""

    def __init__(self, values: Sequence[float], by_tens: bool) -> None:
        self._by_tens = by_tens
        highest, lowest = max(values, default=1.0), min(values, default=1.0)
        self._to = math.log10(highest) if by_tens else highest
        self._from = math.floor(math.log10(lowest) - 0.3) if by_tens else 0.0

    def length(self, value: float) -> float:
        at = math.log10(value) if self._by_tens else value
        return (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * (at - self._from) / ((self._to - self._from) or 1)


def _legend(chart: Chart) -> list[str]:
    unit = chart.unit + ", in powers of ten" * chart.by_tens
    parts = [f'<text class="note" x="0" y="36">{escape(unit)}</text>']
    x = 0
    for name, colour in zip(chart.series, COLOURS, strict=False):
        parts.append(f'<rect class="{colour}" x="{x}" y="43" width="10" height="10"/>')
        parts.append(f'<text class="note" x="{x + 15}" y="52">{escape(name)}</text>')
        x += 33 + 7 * len(name)
    if any(group.goal for group in chart.groups):
        parts.append(f'<rect class="legend-goal" x="{x}" y="42" width="2" height="12"/>')
        parts.append(f'<text class="note" x="{x + 8}" y="52">goal</text>')
    return parts


def _group(group: Group, top: int, scale: _Scale) -> list[str]:
    middle = top + BAR * len(group.values) / 2 + 4
    parts = [f'<text x="{LABEL_WIDTH - 10}" y="{middle:.0f}" text-anchor="end">{escape(group.label)}</text>']
    for place, (value, colour) in enumerate(zip(group.values, COLOURS, strict=False)):
        if not value:
            continue
        y, length = top + BAR * place, scale.length(value)
        parts.append(
            f'<rect class="{colour}" x="{LABEL_WIDTH}" y="{y}" width="{length:.1f}" height="{BAR - 2}" rx="2"/>'
        )
        parts.append(f'<text class="note" x="{WIDTH}" y="{y + BAR - 5}" text-anchor="end">{number(value)}</text>')
    if group.goal:
        x, bottom = LABEL_WIDTH + scale.length(group.goal), top + BAR * len(group.values)
        parts.append(f'<line class="goal" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 2}" y2="{bottom}"/>')
    return parts

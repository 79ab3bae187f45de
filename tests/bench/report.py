"""docs/performance.md from a run: `python -m tests.bench.report [bench/results.json]`.

The page is written by people, but for the parts between its marks: those are made here, with the charts beside it.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench.charts import Chart, Group, svg_of
from tests.bench.child import ROOT
from tests.bench.rows import Results, Row, read, write
from tests.bench.shown import SIGNS, beside, details_of, number

RESULTS = ROOT / "bench" / "results.json"
PAGE = ROOT / "docs" / "performance.md"
VERDICTS = {True: "met", False: "**missed**", None: ""}
NAIVE = "the naive design"
MISSED = "## Goals that are missed"


class PageError(Exception):
    """The page lacks something."""


def page_of(text: str, results: Results) -> str:
    """The page with its made parts made anew. Raises PageError when a mark is missing."""
    made = {"run": _run(results), "figures": _figures(results.rows), "more": _more(results.rows)}
    for name, part in made.items():
        before, begins, rest = text.partition(f"<!-- made: {name} -->\n")
        _, ends, after = rest.partition("<!-- end -->")
        if not begins or not ends:
            raise PageError(f"the page has no part called {name}")
        text = f"{before}{begins}{part}\n{ends}{after}"
    return text


def unexplained(text: str, rows: Iterable[Row]) -> list[str]:
    """What the page says too little or too much of: a goal is missed without a word, or has words and is met."""
    _, _, after = text.partition(f"{MISSED}\n")
    told = set(re.findall(r"^### (\w+)", after.partition("\n## ")[0], re.MULTILINE))
    missed = {row.id for row in rows if row.met is False}
    known = {row.id for row in rows}
    return [f"{name} is missed, and the page does not say why" for name in sorted(missed - told)] + [
        f"{name} is met, and the page says why it is missed" for name in sorted((told & known) - missed)
    ]


def charts_of(rows: Sequence[Row]) -> dict[str, str]:
    """The charts that can be made of these rows, by file name."""
    beside_naive = [row for row in rows if row.yardstick_is == NAIVE]
    both, done, waits = ("Usher", NAIVE), "Done in a second", "How long an answer takes"
    made = {
        "throughput.svg": Chart(
            f"{done}, beside {NAIVE}", "per second", both, _groups(beside_naive, "/s"), by_tens=True
        ),
        "waits.svg": Chart(f"{waits}, beside {NAIVE}", "ms", both, _groups(beside_naive, "ms"), by_tens=True),
        "fan-out.svg": Chart(
            "One patch to many, beside a C loop of send()",
            "ms from the first who has it to the last",
            ("Usher", "a C send() loop"),
            [Group(row.case, (row.figure, row.yardstick)) for row in rows if row.id == "B6"],
        ),
        "growth.svg": Chart(
            "What a command costs as things grow",
            "µs of CPU in server, PostgreSQL and Valkey",
            ("Usher",),
            [Group(row.case.partition(", ")[2], (row.figure,)) for row in rows if row.id == "B12"],
        ),
    }
    return {name: svg_of(chart) for name, chart in made.items() if chart.groups}


def _groups(rows: Sequence[Row], unit: str) -> list[Group]:
    return [
        Group(f"{row.id} {row.case}", (row.figure, row.yardstick), row.goal) for row in rows if unit in row.unit
    ]


def _run(results: Results) -> str:
    told = {**results.machine, **results.versions}
    lines = [f"| {name.replace('_', ' ')} | {value} |" for name, value in told.items()]
    kind = "a quick run, too short to be quoted" if results.is_quick else "a full run"
    began = results.began_at.replace("T", " ")
    return "\n".join((f"| {kind} | {began}, {results.took_s:.0f} s |", "|---|---|", *lines))


def _figures(rows: Sequence[Row]) -> str:
    lines = ["| | what | figure | goal | yardstick | ratio | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        sign = SIGNS[row.sense]
        goals = [f"{sign} {number(row.goal)}"] * (row.goal is not None)
        goals += [f"{sign} {number(row.ratio_goal)} × the yardstick"] * (row.ratio_goal is not None)
        yardstick = "" if row.yardstick is None else f"{number(row.yardstick)} ({row.yardstick_is})"
        ratio = "" if row.ratio is None else beside(row.ratio, row.ratio_goal)
        figure = f"{beside(row.figure, row.goal)} {row.unit}"
        cells = row.id, row.case, figure, " and ".join(goals), yardstick, ratio
        lines.append(f"| {' | '.join(cells)} | {VERDICTS[row.met]} |")
    judged = [row.met for row in rows if row.met is not None]
    return "\n".join((*lines, "", f"{judged.count(True)} of {len(judged)} goals are met."))


def _more(rows: Sequence[Row]) -> str:
    lines = []
    for row in rows:
        told = "; ".join(part for part in (details_of(row), row.note) if part)
        if told:
            lines.append(f"- **{row.id}** {row.case}: {told}")
    return "\n".join(lines)


def make(results_file: Path, page: Path) -> list[str]:
    """Write the page, its charts and its copy of the results; answers what people have still to write.

    Raises OSError, msgspec.DecodeError, PageError.
    """
    results = read(results_file)
    text = page_of(page.read_text(), results)
    page.write_text(text)
    folder = page.with_suffix("")
    write(results, folder / "results.json")
    for name, chart in charts_of(results.rows).items():
        (folder / name).write_text(chart)
    quick = ["this was a quick run: its figures are not to be quoted"] if results.is_quick else []
    return quick + unexplained(text, results.rows)


def main() -> None:
    """Make the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.report", description="Make docs/performance.md.")
    parser.add_argument("results", type=Path, nargs="?", default=RESULTS, help="bench/results.json, or another run")
    options = parser.parse_args()
    for sentence in make(options.results, PAGE):
        print(sentence, file=sys.stderr)


if __name__ == "__main__":
    main()

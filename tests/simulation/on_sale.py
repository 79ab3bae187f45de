"""`python -m tests.simulation.on_sale [--seed 1] [--pictures DIR]`: the fairness of whole on-sales, as figures.

Thousands come to a waiting room on the real actors and a virtual clock. The same seed gives the same figures.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.bench.charts import Chart, Group, svg_of
from tests.bench.shown import number
from tests.simulation.fairness import Fairness, Right, fairness_of
from tests.simulation.sale_day import Scenario, play

SCENARIOS = (
    Scenario("500 seats", seats=500),
    Scenario("seats for all"),
    Scenario("seats for all, 20 a minute", admit_per_minute=20),
)
RIGHT_GOAL = 0.8


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the on-sales, print the table, draw the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.on_sale", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the people, and of the draw")
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="write the charts to this folder")
    options = parser.parse_args(arguments)
    console = Console(width=120)
    found: list[tuple[Scenario, Fairness]] = []
    for usual in track(SCENARIOS, "people come", console=console, transient=True):
        scenario = replace(usual, seed=options.seed, people=options.people)
        found.append((scenario, fairness_of(play(scenario).record)))
    console.print(table_of(found))
    if options.pictures is not None:
        options.pictures.mkdir(parents=True, exist_ok=True)
        for name, chart in (("waits-right", waits_chart(found)), ("lobby-places", lobby_chart(found))):
            path = options.pictures / f"{name}.svg"
            path.write_text(svg_of(chart))
            console.print(f"wrote {path}", highlight=False)
    return 0


def table_of(found: Sequence[tuple[Scenario, Fairness]]) -> Table:
    """The figures, a column for each on-sale."""
    table = Table(title=f"{found[0][0].people:,} people, {found[0][0].slots} slots, seed {found[0][0].seed}")
    table.add_column("")
    for scenario, _ in found:
        table.add_column(scenario.name, justify="right")
    for name, told in rows_of(found):
        table.add_row(name, *told)
    return table


def rows_of(found: Sequence[tuple[Scenario, Fairness]]) -> list[tuple[str, list[str]]]:
    """What the table says."""
    figures = [fairness for _, fairness in found]
    rows = [
        ("joined", [f"{one.joined:,}" for one in figures]),
        ("turns", [f"{one.turns:,}" for one in figures]),
        ("turns out of the order of places", [f"{one.out_of_order:,}" for one in figures]),
        ("customers lost", [f"{one.lost:,}" for one in figures]),
        ("in line when all was sold", [f"{one.still_waiting:,}" for one in figures]),
        ("most inside at once", [f"{one.most_inside} of {scenario.slots}" for scenario, one in found]),
        ("most turns in any minute", [_of_limit(scenario, one) for scenario, one in found]),
        ("slots in use while somebody waits", [_of_slots(scenario, one) for scenario, one in found]),
        ("longest that a slot was free for somebody", [f"{one.fill_longest_s * 1000:.0f} ms" for one in figures]),
        ("coming early and place, rank correlation", [f"{one.rank_correlation:+.3f}" for one in figures]),
        ("told ranges that were right", [_share(one.waits_in_all) for one in figures]),
    ]
    for at, (band, _) in enumerate(figures[0].waits):
        rows.append((f"   in position {band}", [_share(one.waits[at][1]) for one in figures]))
    rows.append(("mean width of a range, beside its middle", [f"{one.waits_in_all.width:.0%}" for one in figures]))
    rows.append(("ranges told, and then all was sold", [f"{one.told_in_vain:,}" for one in figures]))
    return rows


def waits_chart(found: Sequence[tuple[Scenario, Fairness]]) -> Chart:
    """How often the told range was right, by position."""
    bands = [band for band, _ in found[0][1].waits]
    groups = [
        Group(f"position {band}", tuple(one.waits[at][1].share for _, one in found), RIGHT_GOAL)
        for at, band in enumerate(bands)
    ]
    title = "How often the told range of the wait was right"
    return Chart(title, "share of the ranges told", [scenario.name for scenario, _ in found], groups)


def lobby_chart(found: Sequence[tuple[Scenario, Fairness]]) -> Chart:
    """The mean place of those who came early and late to the lobby."""
    places = found[0][1].early_places
    groups = [Group(f"tenth {at} of the lobby to come", (place,), 0.5) for at, place in enumerate(places, 1)]
    title = "Who came early to the lobby gained nothing"
    return Chart(title, "mean place that was drawn; 0 is the first, 1 the last, 0.5 the middle", [], groups)


def _of_limit(scenario: Scenario, one: Fairness) -> str:
    limit = scenario.admit_per_minute
    return f"{one.most_in_a_minute} of {limit}" if limit else f"{one.most_in_a_minute}, no limit"


def _of_slots(scenario: Scenario, one: Fairness) -> str:
    return "– (the rate is the limit)" if scenario.admit_per_minute else f"{one.used:.3%}"


def _share(right: Right) -> str:
    return "–" if right.share is None else f"{right.share:.1%} of {number(right.told)}"


if __name__ == "__main__":
    sys.exit(main())

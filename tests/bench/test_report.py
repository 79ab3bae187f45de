"""The page that is made of a run."""

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from tests.bench.report import MISSED, PAGE, PageError, charts_of, make, page_of, unexplained
from tests.bench.rows import Goal, Results, read, row, write

ROWS = [
    row(
        "B1",
        "durable commands, 200 bots",
        "accepted/s",
        12_300.0,
        Goal("at least", 10_000, 25),
        yardstick=100.0,
        yardstick_is="the naive design",
        details={"p99_ms": 4.25},
    ),
    row("B3", "answer time", "ms p99", 8.0, Goal("at most", 5), yardstick=900.0, yardstick_is="the naive design"),
    row("B6", "one patch to 1,000 watchers", "ms", 9.0, Goal("at most", ratio=1.3), note="no C compiler & <all>"),
    row("B12", "cost of a command, 200 bots, 2,000 seats", "µs of CPU", 60.0),
]
PAGE_TEXT = f"""# Performance
<!-- made: run -->
old run
<!-- end -->
People wrote this.
<!-- made: figures -->
<!-- end -->
<!-- made: more -->
<!-- end -->
{MISSED}

### B1

It was not fast enough.

## How it was made
### B4
"""


@pytest.fixture
def results() -> Results:
    return Results({"cores": 2}, {"python": "3.11.7"}, False, "2031-05-01T12:00:00+00:00", 61.2, ROWS)


def test_the_page_has_the_figures_and_what_people_wrote(results: Results) -> None:
    page = page_of(PAGE_TEXT, results)
    assert "People wrote this." in page
    assert "old run" not in page
    assert "| cores | 2 |" in page
    assert (
        "| B1 | durable commands, 200 bots | 12,300 accepted/s | ≥ 10,000 and ≥ 25 × the yardstick"
        " | 100 (the naive design) | 123 | met |" in page
    )
    assert "| **missed** |" in page
    assert "1 of 2 goals are met." in page
    assert "- **B1** durable commands, 200 bots: p99 ms 4.25" in page
    assert page_of(page, results) == page


def test_a_quick_run_says_so(results: Results, tmp_path: Path) -> None:
    results.is_quick = True
    assert "too short to be quoted" in page_of(PAGE_TEXT, results)
    page, run = tmp_path / "performance.md", tmp_path / "results.json"
    page.write_text(PAGE_TEXT)
    (tmp_path / "performance").mkdir()
    write(results, run)
    assert "quick run" in make(run, page)[0]


def test_a_page_without_its_marks_is_no_page(results: Results) -> None:
    with pytest.raises(PageError, match="figures"):
        page_of(PAGE_TEXT.replace("made: figures", "figures"), results)


def test_every_missed_goal_wants_a_word(results: Results) -> None:
    assert unexplained(PAGE_TEXT, results.rows) == [
        "B3 is missed, and the page does not say why",
        "B1 is met, and the page says why it is missed",
    ]
    assert unexplained(PAGE_TEXT.replace("### B1", "### B3"), results.rows) == []


def test_charts_are_sound(results: Results) -> None:
    charts = charts_of(results.rows)
    assert charts.keys() == {"throughput.svg", "waits.svg", "fan-out.svg", "growth.svg"}
    for chart in charts.values():
        ElementTree.fromstring(chart)
    bars = ElementTree.fromstring(charts["throughput.svg"]).findall(".//{*}rect[@height='14']")
    ours, naive = (float(bar.attrib["width"]) for bar in bars)
    assert ours > naive > 0


def test_without_rows_there_are_no_charts() -> None:
    assert charts_of([]) == {}


def test_all_is_written(results: Results, tmp_path: Path) -> None:
    run, page = tmp_path / "bench" / "results.json", tmp_path / "performance.md"
    write(results, run)
    page.write_text(PAGE_TEXT)
    (tmp_path / "performance").mkdir()
    assert make(run, page) == unexplained(PAGE_TEXT, ROWS)
    assert read(tmp_path / "performance" / "results.json") == results
    assert (tmp_path / "performance" / "throughput.svg").exists()
    shape = msgspec.json.decode(run.read_bytes())["rows"][0]
    assert {"id", "case", "unit", "figure", "goal", "yardstick", "ratio", "met"} <= shape.keys()


def test_the_page_of_the_project_shows_its_run() -> None:
    """What is committed belongs together, and has the marks that the next run needs."""
    text, results = PAGE.read_text(), read(PAGE.with_suffix("") / "results.json")
    assert page_of(text, results) == text
    for name, chart in charts_of(results.rows).items():
        assert (PAGE.with_suffix("") / name).read_text() == chart

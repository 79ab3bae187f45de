"""A bench goes on after a case that fails, and ends in order when it is told to."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress

from tests.bench.__main__ import INTERRUPTED, run
from tests.bench.bench import Bench, Case
from tests.bench.child import ROOT
from tests.bench.rows import read, row

ENDLESS = """
import asyncio
from tests.bench import __main__ as bench
from tests.bench.bench import Case
from tests.bench.rows import row

async def measure(one):
    one.put(row("B1", "before", "s", 1.0))
    try:
        print("measuring", flush=True)
        await asyncio.Event().wait()
    finally:
        {at_the_end}

async def too_late(one):
    one.put(row("B2", "after", "s", 1.0))

bench.CASES = (Case("B1", "endless", measure, 60), Case("B2", "next", too_late, 60))
bench.main()
"""


async def wrong(_bench: Bench) -> None:
    raise ValueError("what nobody expected")


async def wrong_at_the_end(_bench: Bench) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        raise KeyError("on the way out")


async def endless(_bench: Bench) -> None:
    await asyncio.Event().wait()


async def right(bench: Bench) -> None:
    bench.put(row("B4", "right", "s", 1.0))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Console(quiet=True), tmp_path / "results.json", is_quick=True)


async def test_a_case_that_fails_ends_alone(bench: Bench) -> None:
    cases = [
        Case("B1", "wrong", wrong, 60),
        Case("B2", "wrong at the end", wrong_at_the_end, 0.0),
        Case("B3", "endless", endless, 0.0),
        Case("B4", "right", right, 60),
    ]
    assert not await run(bench, cases, Progress(console=Console(quiet=True)))
    assert {one.id: one.note for one in read(bench.file).rows} == {
        "B1": "not measured: ValueError: what nobody expected",
        "B2": "not measured: KeyError: 'on the way out'",
        "B3": "not measured: not at the end after 0 s",
        "B4": "",
    }


async def test_a_server_that_does_not_end_well_is_told_of(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = iter([OSError("it hangs")])

    async def end_rig() -> None:
        for problem in ends:
            raise problem

    monkeypatch.setattr(bench, "end_rig", end_rig)
    cases = [Case("B1", "wrong", wrong, 60), Case("B4", "right", right, 60)]
    assert not await run(bench, cases, Progress(console=Console(quiet=True)))
    assert [one.note for one in read(bench.file).rows] == [
        "not measured: ValueError: what nobody expected; then OSError: it hangs",
        "",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("at_the_end", ["pass", 'raise OSError("on the way out")'], ids=["in order", "in disorder"])
def test_an_interrupt_ends_the_bench(number: signal.Signals, at_the_end: str, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    text = ENDLESS.format(at_the_end=at_the_end)
    command = (sys.executable, "-c", text, "--out", str(file))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ, text=True) as process:
        assert process.stdout is not None
        while "measuring" not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(number)
        said = process.communicate(timeout=30)[0]
    assert process.returncode == INTERRUPTED
    assert "what was measured is written" in said
    assert {one.id for one in read(file).rows} == {"B1"}

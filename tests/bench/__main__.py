"""`python -m tests.bench [--quick] [--only B1,B3]`: the figures of docs/performance.md, measured now."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench import cases_commands, cases_queue, cases_rest, cases_sales, cases_start, cases_watchers
from tests.bench.bench import Bench, Case
from tests.bench.child import ROOT
from tests.bench.rows import row

CASES: tuple[Case, ...] = (
    *cases_commands.CASES,
    *cases_watchers.CASES,
    *cases_queue.CASES,
    *cases_rest.CASES,
    *cases_sales.CASES,
    *cases_start.CASES,
)
RESULTS = ROOT / "bench" / "results.json"
INTERRUPTED = 130
QUIET_LOAD = 0.5


async def run(bench: Bench, cases: list[Case], progress: Progress) -> bool:
    """Measure one case after the other; False: one of them could not be."""
    shown = progress.add_task("", total=len(cases))
    is_whole = True
    try:
        for case in cases:
            progress.update(shown, description=f"{case.id} {case.title}")
            is_whole &= await _measure(bench, case)
            progress.advance(shown)
    finally:
        await bench.end_rig()
    return is_whole


async def _measure(bench: Bench, case: Case) -> bool:
    """One case. Whatever goes wrong in it, or on the way out of it, ends it alone; an interrupt ends the bench."""
    try:
        async with asyncio.timeout(case.limit_s):
            await case.measure(bench)
        return True
    except Exception as problem:  # whatever it is, the other cases are to be measured
        reason = _reason(case, problem)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError  # the problem has hidden the interrupt
    try:
        await bench.end_rig()
    except Exception as problem:  # the next case starts another
        reason += f"; then {_reason(case, problem)}"
    bench.put(row(case.id, case.title, "", None, note=f"not measured: {reason}"))
    return False


def _reason(case: Case, problem: Exception) -> str:
    if isinstance(problem, TimeoutError):
        return f"not at the end after {case.limit_s:.0f} s"
    return f"{type(problem).__name__}: {problem}"


def main() -> None:
    """Measure, print, write; the status is 1 when something could not be measured."""
    options = _options()
    wanted = {name for name in options.only.split(",") if name}
    if unknown := wanted - {case.id for case in CASES}:
        print(f"no such bench: {', '.join(sorted(unknown))}", file=sys.stderr)
        sys.exit(2)
    console = Console()
    bench = Bench(console, options.out, is_quick=options.quick)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    cases = [case for case in CASES if not wanted or case.id in wanted]
    if (load := os.getloadavg()[0]) > QUIET_LOAD:
        console.print(f"[yellow]this machine is busy (load {load:.1f}): take the figures with care[/]")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts it in the background may have it ignored
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            is_whole = uvloop.run(run(bench, cases, progress))
    except KeyboardInterrupt:
        console.print("interrupted: what was measured is written")
        sys.exit(INTERRUPTED)
    console.print(f"{bench.results.took_s:.0f} s; {options.out}")
    sys.exit(0 if is_whole else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").split(": ")[1])
    parser.add_argument("--quick", action="store_true", help="short and small, in under two minutes")
    parser.add_argument("--only", default="", metavar="B1,B3", help=f"of {', '.join(case.id for case in CASES)}")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go (bench/results.json)")
    return parser.parse_args()


if __name__ == "__main__":
    main()

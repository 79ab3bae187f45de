"""Data directories for the tests of the embedded engines."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.engines import Engines


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A data directory with a cluster, not running, for tests that leave it whole: making one takes its time."""

    async def make(path: Path) -> None:
        engines = await Engines.start(path)
        await engines.stop()

    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        asyncio.run(make(Path(folder) / "data"))
        yield Path(folder) / "data"


@pytest.fixture
def doomed_dir(data_dir: Path) -> Iterator[Path]:
    """A copy of it, for tests that do it harm."""
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        copy = Path(folder) / "data"
        shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns("run"))
        yield copy


@pytest.fixture
def empty_dir() -> Iterator[Path]:
    """A private directory with nothing in it, where a short path keeps the sockets inside."""
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        path = Path(folder) / "data"
        path.mkdir(mode=0o700)
        yield path

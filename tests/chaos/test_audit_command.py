"""`usher audit` as people use it: beside a running server, and on a data directory that nobody has."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from server.database import connect
from server.engines import EngineError, postgres_at
from tests.chaos.processes import ROOT, UsherProcess

DRIFT = "UPDATE event_head SET available = available + 1"


async def audited(usher: UsherProcess) -> tuple[int, str]:
    """Exit status, and what was said."""
    command = [sys.executable, "-m", "server", "audit", "--data-dir", str(usher.data_dir)]
    ended = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stderr


def test_where_postgresql_is_cannot_be_told_of_any_folder(folder: Path) -> None:
    with pytest.raises(EngineError, match="no data directory"):
        postgres_at(folder)
    (folder / "secrets.json").write_text("{}")
    with pytest.raises(EngineError, match="no data directory"):
        postgres_at(folder)
    assert [path.name for path in folder.iterdir()] == ["secrets.json"], "it makes nothing"


async def test_it_looks_beside_a_server_and_without_one(usher: UsherProcess) -> None:
    await usher.start()
    status, said = await audited(usher)
    assert status == 0, said
    assert "found nothing" in said

    connection = await connect(usher.database)
    await connection.execute(DRIFT)
    await connection.close()
    status, said = await audited(usher)
    assert status == 1
    assert "counters" in said

    await usher.stop()
    status, said = await audited(usher)
    assert status == 1
    assert "counters" in said
    assert not (usher.data_dir / "postgres" / "postmaster.pid").exists(), "it has stopped what it started"

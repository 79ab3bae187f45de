"""The embedded engines after a SIGKILL: of the server, of an engine, in the middle of the first start."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from redis import RedisError
from redis.asyncio import Redis

from server.engines import Engines, engine, postgres, valkey
from tests.server.engines.trials import (
    ask,
    ask_soon,
    client,
    is_running,
    kill_server,
    needs_proc,
    pids_when_up,
    server_process,
    until,
)

pytestmark = needs_proc


def a_stranger() -> subprocess.Popen[bytes]:
    """A process that is nobody's engine; it ends with its input."""
    return subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)


def left_over(data_dir: Path) -> tuple[int, int]:
    """The pids of the engines of a server that was killed."""
    with server_process(data_dir) as server:
        pids = pids_when_up(server)
        kill_server(server)
    return pids


async def test_engines_survive_the_server_and_are_used_again(data_dir: Path) -> None:
    pids = left_over(data_dir)
    said: list[str] = []

    engines = await Engines.start(data_dir, progress=said.append)
    try:
        assert (engines.postgres_pid, engines.redis_pid) == pids
        assert await ask(engines.postgres, "SELECT 1") == 1
        assert len([line for line in said if "used again" in line]) == 2
    finally:
        await engines.stop()
    assert not [pid for pid in pids if is_running(pid)], "a left-over is stopped like any other"


async def test_a_left_over_that_does_not_answer_is_replaced(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SILENCE_PATIENCE_S", 0.2)
    monkeypatch.setattr(postgres, "PING_TIMEOUT_S", 0.2)
    monkeypatch.setattr(valkey, "PING_TIMEOUT_S", 0.2)
    for kind in (postgres.Postgres, valkey.Valkey):
        monkeypatch.setattr(kind, "stops", ((signal.SIGTERM, 0.2), (signal.SIGKILL, 5.0)))
    pids = left_over(data_dir)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)

    engines = await Engines.start(data_dir)
    try:
        assert not {engines.postgres_pid, engines.redis_pid} & set(pids)
        assert not [pid for pid in pids if is_running(pid)]
        assert await ask(engines.postgres, "SELECT 1") == 1
    finally:
        await engines.stop()


async def test_a_left_over_with_other_flags_is_replaced(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, _ = left_over(data_dir)
    monkeypatch.setattr(postgres, "CONFIG", postgres.CONFIG + "work_mem = 5MB\n")

    engines = await Engines.start(data_dir, redis=False)
    try:
        assert engines.postgres_pid != old
        assert await ask(engines.postgres, "SHOW work_mem") == "5MB"
    finally:
        await engines.stop()


async def test_a_left_over_that_is_no_longer_wanted_is_ended(data_dir: Path) -> None:
    _, old = left_over(data_dir)

    engines = await Engines.start(data_dir, redis=False)
    await engines.stop()

    assert not is_running(old)


async def test_postgres_killed_comes_back_by_itself_with_what_was_committed(data_dir: Path) -> None:
    engines = await Engines.start(data_dir, redis=False)
    try:
        for value in (1, 2, 3):
            await ask(engines.postgres, f"CREATE TABLE kept_{value} AS SELECT {value} AS value")
            old = engines.postgres_pid
            assert old is not None
            os.kill(old, signal.SIGKILL)

            assert await ask_soon(engines.postgres, f"SELECT value FROM kept_{value}") == value
            assert engines.postgres_pid != old
    finally:
        await engines.stop()


async def test_postgres_comes_back_though_an_old_backend_hangs_on(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SILENCE_PATIENCE_S", 0.2)
    engines = await Engines.start(data_dir, redis=False)
    try:
        (backend,) = [
            await ask(engines.postgres, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
        ]
        old = engines.postgres_pid
        assert old is not None
        os.kill(backend, signal.SIGSTOP)
        os.kill(old, signal.SIGKILL)

        assert await ask_soon(engines.postgres, "SELECT 1") == 1
        assert not is_running(backend)
    finally:
        await engines.stop()


async def test_valkey_killed_comes_back_by_itself(data_dir: Path) -> None:
    engines = await Engines.start(data_dir, postgres=False)
    try:
        async with client(engines.redis) as redis:
            await redis.set("kept", "1")
            old = engines.redis_pid
            assert old is not None
            os.kill(old, signal.SIGKILL)
            await until(lambda: engines.redis_pid not in (None, old))
            # The socket of the old one lies there until the new one takes its place.
            async with asyncio.timeout(20):
                while not await _answers(redis):  # noqa: ASYNC110 - no event reaches us from there
                    await asyncio.sleep(0.001)
            assert await redis.get("kept") == "1"
    finally:
        await engines.stop()


async def _answers(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except RedisError:
        return False


async def test_stale_pid_files_that_name_a_stranger_hurt_nobody(doomed_dir: Path) -> None:
    with a_stranger() as stranger:
        lines = [
            str(stranger.pid),
            str(doomed_dir / "postgres"),
            "1700000000",
            "5432",
            str(doomed_dir / "run"),
            "",
            "1 1",
            "ready",
        ]
        (doomed_dir / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
        (doomed_dir / "run").mkdir(mode=0o700)
        (doomed_dir / "run" / ".s.PGSQL.5432.lock").write_text("\n".join(lines) + "\n")
        (doomed_dir / "valkey" / "valkey.pid").write_text(f"{stranger.pid}\n")

        engines = await Engines.start(doomed_dir)
        await engines.stop()

        assert stranger.poll() is None


async def test_a_first_start_killed_in_the_middle_is_begun_again(empty_dir: Path) -> None:
    with server_process(empty_dir) as server:
        await until(lambda: list(empty_dir.glob("postgres.draft-*/cluster/base")))
        kill_server(server)
    assert not (empty_dir / "postgres").exists()

    engines = await Engines.start(empty_dir)
    try:
        assert await ask(engines.postgres, "SELECT 1") == 1
        assert list(empty_dir.glob("postgres.draft-*")) == []
    finally:
        await engines.stop()


async def test_a_start_that_is_cancelled_leaves_nothing_running(empty_dir: Path) -> None:
    start = asyncio.create_task(Engines.start(empty_dir))
    await until(lambda: list(empty_dir.glob("postgres.draft-*/cluster/base")))
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start

    assert list(empty_dir.glob("postgres.draft-*")) == []
    assert json.loads((empty_dir / "secrets.json").read_text())
    engines = await Engines.start(empty_dir)
    await engines.stop()

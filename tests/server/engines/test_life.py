"""The embedded engines in a life without mishap, and where they refuse to start."""

import json
import os
import tempfile
from pathlib import Path

import asyncpg
import pytest
import redis.exceptions

from server.engines import DataDirInUse, EngineError, Engines
from server.engines.data_dir import DataDir
from tests.server.engines.trials import (
    ask,
    client,
    is_running,
    mode,
    needs_proc,
)


async def test_a_first_start_makes_a_private_directory_and_changes_nothing_around_it() -> None:
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        path = Path(folder) / "made too" / 'it\'s a "dir"'
        parents = [parent for parent in path.parents if parent.exists()]
        before = [mode(parent) for parent in parents], Path("/etc/passwd").read_bytes()
        said: list[str] = []

        engines = await Engines.start(path, progress=said.append)
        try:
            assert await ask(engines.postgres, "SELECT 1") == 1
            async with client(engines.redis) as valkey:
                assert await valkey.ping()
            assert said
            for made in (path, path / "postgres", path / "valkey", path / "run", path / "log"):
                assert mode(made) == 0o700, made
            for secret in ("secrets.json", "valkey/valkey.conf", "postgres/pg_hba.conf"):
                assert mode(path / secret) == 0o600, secret
            for socket in (path / "run").iterdir():
                assert mode(socket) & 0o077 == 0, socket
            assert (path / "lock").read_text() == f"{os.getpid()}\n"
        finally:
            await engines.stop()

        assert before == ([mode(parent) for parent in parents], Path("/etc/passwd").read_bytes())


async def test_nobody_gets_in_without_the_password_or_over_the_network(data_dir: Path) -> None:
    engines = await Engines.start(data_dir)
    try:
        for wrong in ({"password": ""}, {"password": "wrong"}, {"password": "x", "user": "postgres"}):
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                await ask(engines.postgres, "SELECT 1", **wrong)
        async with client(engines.redis, password=None) as stranger:
            with pytest.raises(redis.exceptions.ConnectionError, match="Authentication required"):
                await stranger.get("key")
        assert await ask(engines.postgres, "SHOW listen_addresses") == ""
        async with client(engines.redis) as valkey:
            assert await valkey.config_get("port") == {"port": "0"}
    finally:
        await engines.stop()


async def test_they_run_with_our_flags(data_dir: Path) -> None:
    flags = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "TimeZone": "UTC",
        "max_connections": "100",
        "shared_buffers": "256MB",
        "password_encryption": "scram-sha-256",
        "idle_in_transaction_session_timeout": "0",
    }
    engines = await Engines.start(data_dir)
    try:
        for name, value in flags.items():
            assert await ask(engines.postgres, "SELECT current_setting($1)", name) == value, name
        assert await ask(engines.postgres, "SELECT 'ÄRGER' ILIKE '%ärger%'"), "any case, any script"
        async with client(engines.redis) as valkey:
            for name, value in (("appendonly", "yes"), ("save", ""), ("maxmemory-policy", "noeviction")):
                assert await valkey.config_get(name) == {name: value}
    finally:
        await engines.stop()


@needs_proc
async def test_they_have_a_session_of_their_own_and_nothing_of_ours_but_their_lock(data_dir: Path) -> None:
    engines = await Engines.start(data_dir)
    try:
        for pid, log in ((engines.postgres_pid, "postgres.log"), (engines.redis_pid, "valkey-server.log")):
            assert pid is not None
            assert os.getsid(pid) == pid, "Ctrl-C in our terminal does not reach it"
            files = {int(fd.name): str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
            assert files[0] == "/dev/null"
            assert files[1] == files[2] == str(data_dir / "log" / log)
            assert str(data_dir / "lock") not in files.values()
            environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
            assert not [word for word in environment if word.startswith(("PG", "HOME", "USER"))]
    finally:
        await engines.stop()


@needs_proc
async def test_a_stop_is_whole_and_so_is_the_next_start(data_dir: Path) -> None:
    engines = await Engines.start(data_dir)
    await ask(engines.postgres, "CREATE TABLE kept_0 AS SELECT 7 AS value")
    async with client(engines.redis) as valkey:
        await valkey.set("kept", "8")
    pids = engines.postgres_pid, engines.redis_pid
    await engines.stop()

    assert (engines.postgres_pid, engines.redis_pid) == (None, None)
    assert not [pid for pid in pids if pid is not None and is_running(pid)]
    assert list((data_dir / "run").iterdir()) == []

    engines = await Engines.start(data_dir)
    try:
        assert await ask(engines.postgres, "SELECT value FROM kept_0") == 7
        async with client(engines.redis) as valkey:
            assert await valkey.get("kept") == "8"
    finally:
        await engines.stop()


async def test_one_engine_alone(data_dir: Path) -> None:
    for wanted in ("postgres", "redis"):
        engines = await Engines.start(data_dir, postgres=wanted == "postgres", redis=wanted == "redis")
        try:
            assert (engines.postgres is None) == (engines.postgres_pid is None) == (wanted == "redis")
            assert (engines.redis is None) == (engines.redis_pid is None) == (wanted == "postgres")
        finally:
            await engines.stop()


async def test_a_directory_in_use_is_refused_and_its_server_named(data_dir: Path) -> None:
    engines = await Engines.start(data_dir, redis=False)
    try:
        with pytest.raises(DataDirInUse, match=str(os.getpid())):
            await Engines.start(data_dir)
        assert await ask(engines.postgres, "SELECT 1") == 1
    finally:
        await engines.stop()


async def test_sockets_of_a_deep_directory_are_in_a_private_folder_elsewhere(doomed_dir: Path) -> None:
    deep = doomed_dir.parent / ("deep" * 20) / "data"
    deep.parent.mkdir()
    doomed_dir.rename(deep)
    engines = await Engines.start(deep)
    try:
        assert engines.postgres is not None
        run = Path(engines.postgres.host)
        assert not run.is_relative_to(deep)
        assert mode(run) == 0o700
        assert await ask(engines.postgres, "SELECT 1") == 1
    finally:
        await engines.stop()

    run.rmdir()
    run.mkdir(mode=0o755)
    with pytest.raises(EngineError, match="not a private folder"):
        await Engines.start(deep)
    run.rmdir()
    run.symlink_to(deep)
    with pytest.raises(EngineError, match="not a private folder"):
        await Engines.start(deep)
    run.unlink()


async def test_an_unfit_directory_is_refused(empty_dir: Path) -> None:
    empty_dir.chmod(0o770)
    with pytest.raises(EngineError, match="chmod go-w"):
        await Engines.start(empty_dir)
    file = empty_dir.parent / "file"
    file.touch()
    with pytest.raises(EngineError, match="cannot be used"):
        await Engines.start(file)


def test_a_directory_that_others_may_list_is_pointed_out(empty_dir: Path) -> None:
    empty_dir.chmod(0o755)
    said: list[str] = []
    DataDir.open(empty_dir, said.append).close()

    assert len(said) == 1
    assert mode(empty_dir) == 0o755, "the mode is the operator's"


async def test_lost_or_wrong_secrets_are_explained(doomed_dir: Path) -> None:
    file = doomed_dir / "secrets.json"
    passwords = json.loads(file.read_text())
    file.write_text(json.dumps(passwords | {"postgres": "wrong"}))
    with pytest.raises(EngineError, match="does not let its own server in"):
        await Engines.start(doomed_dir)
    file.write_text("{")
    with pytest.raises(EngineError, match="damaged"):
        await Engines.start(doomed_dir)
    file.unlink()
    with pytest.raises(EngineError, match="missing"):
        await Engines.start(doomed_dir)


async def test_an_engine_that_cannot_start_is_quoted_and_leaves_nothing_running(doomed_dir: Path) -> None:
    (doomed_dir / "postgres" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EngineError, match="not compatible"):
        await Engines.start(doomed_dir)

    assert list((doomed_dir / "run").iterdir()) == []
    DataDir.open(doomed_dir, print).close()


async def test_valkey_starts_empty_when_its_data_cannot_be_read(empty_dir: Path) -> None:
    engines = await Engines.start(empty_dir, postgres=False)
    await engines.stop()
    (manifest,) = (empty_dir / "valkey" / "appendonlydir").glob("*.manifest")
    manifest.write_text("nonsense\n")
    engines = await Engines.start(empty_dir, postgres=False)
    try:
        async with client(engines.redis) as valkey:
            assert await valkey.dbsize() == 0
        assert len(list((empty_dir / "valkey").glob("appendonlydir.damaged-*"))) == 1
    finally:
        await engines.stop()

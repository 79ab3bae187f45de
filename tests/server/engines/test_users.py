"""The embedded engines as root, as an ordinary user, and as root where user namespaces are forbidden."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.engines import EngineError, Engines, launcher
from server.engines.launcher import Launcher
from server.engines.wheels import postgres_program
from tests.server.engines.trials import (
    ROOT,
    ask,
    client,
    mode,
    needs_proc,
    needs_root,
    pids_when_up,
    server_process,
)

pytestmark = [needs_root, needs_proc]


def owner_of(pid: int | None) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder of root's that every user can reach."""
    with tempfile.TemporaryDirectory(prefix="usher-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def python_for(user: pwd.struct_passwd) -> dict[str, Any]:
    """How `user` runs a server of this Python version; skips where the user cannot reach what it needs."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{packages}"}
    as_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": environment}
    minor = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{minor}", f"/usr/local/bin/{minor}"):
        if shutil.which(python):
            probe = [python, "-c", "import asyncpg, server.engines"]
            try:
                if subprocess.run(probe, cwd=ROOT, capture_output=True, check=False, **as_user).returncode == 0:
                    return {"command": [python], **as_user}
            except OSError:
                pass
    pytest.skip(f"{user.pw_name} reaches no {minor} with the packages")


def test_an_ordinary_user_runs_them_directly(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    options = python_for(nobody)
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)

    with server_process(home / "data", **options) as server:
        for pid in pids_when_up(server):
            assert owner_of(pid) == nobody.pw_uid
            assert Path(f"/proc/{pid}/ns/user").samefile("/proc/self/ns/user")


def test_who_is_not_root_in_a_namespace_runs_them_directly(open_folder: Path) -> None:
    """The same without a reachable Python: in a namespace where root's files are an ordinary user's."""
    prefix = launcher._in_namespace()
    if prefix is None or not prefix.can_run(postgres_program("postgres"), open_folder):
        pytest.skip("user namespaces are not allowed here")
    with server_process(open_folder / "data", command=[*prefix.prefix, sys.executable]) as server:
        for pid in pids_when_up(server):
            assert Path(f"/proc/{pid}/ns/user").samefile(f"/proc/{server.pid}/ns/user")


async def test_root_runs_them_in_a_namespace_without_any_right_of_root(open_folder: Path) -> None:
    prefix = launcher._in_namespace()
    if prefix is None or not prefix.can_run(postgres_program("postgres"), open_folder):
        pytest.skip("user namespaces are not allowed here")
    engines = await Engines.start(open_folder / "data")
    try:
        for pid in (engines.postgres_pid, engines.redis_pid):
            assert "CapEff:\t0000000000000000" in Path(f"/proc/{pid}/status").read_text()
        assert (open_folder / "data" / "postgres").stat().st_uid == 0
    finally:
        await engines.stop()


async def test_root_without_namespaces_hands_them_to_a_service_user(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launcher, "_in_namespace", lambda: None)
    as_nobody = Launcher(uid=pwd.getpwnam("nobody").pw_uid, gid=pwd.getpwnam("nobody").pw_gid)
    if not as_nobody.can_run(postgres_program("postgres"), open_folder):
        pytest.skip("no service user reaches the packages")
    before = mode(open_folder), Path("/etc/passwd").read_bytes()
    path = open_folder / "data"
    user = 0

    for _start in ("first", "second"):
        engines = await Engines.start(path)
        try:
            assert await ask(engines.postgres, "SELECT 1") == 1
            async with client(engines.redis) as valkey:
                assert await valkey.ping()
            user = owner_of(engines.postgres_pid)
            assert user == owner_of(engines.redis_pid) != 0
            assert (path / "postgres").stat().st_uid == user
            assert (path.stat().st_uid, mode(path)) == (0, 0o710), "it may pass, not list or write"
            assert (path / "secrets.json").stat().st_uid == 0
        finally:
            await engines.stop()
    assert before == (mode(open_folder), Path("/etc/passwd").read_bytes())

    monkeypatch.undo()
    engines = await Engines.start(path)
    try:
        assert owner_of(engines.postgres_pid) == user, "who owns the cluster runs it"
    finally:
        await engines.stop()


async def test_a_cluster_made_in_a_namespace_can_be_handed_over(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engines = await Engines.start(open_folder / "data")
    await engines.stop()
    monkeypatch.setattr(launcher, "_in_namespace", lambda: None)
    try:
        engines = await Engines.start(open_folder / "data")
    except EngineError:
        pytest.skip("no service user reaches the packages")
    try:
        assert await ask(engines.postgres, "SELECT 1") == 1
        assert owner_of(engines.postgres_pid) != 0
    finally:
        await engines.stop()


async def test_root_without_any_way_is_told_what_to_do(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "_in_namespace", lambda: None)
    monkeypatch.setattr(launcher, "SERVICE_USERS", ("no such user",) * 2)
    with pytest.raises(EngineError, match="DB_HOST"):
        await Engines.start(open_folder / "data")
    engines = await Engines.start(open_folder / "data", postgres=False)
    try:
        async with client(engines.redis) as valkey:
            assert await valkey.ping()
    finally:
        await engines.stop()

"""Trying the embedded engines: a data directory at hand, questions to them, and a server that can be killed."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from server.engines import PostgresAddress, RedisAddress

ROOT = Path(__file__).parents[3]
SERVER = """
import asyncio, sys, uvloop
from pathlib import Path
from server.engines import Engines

async def main():
    engines = await Engines.start(Path(sys.argv[1]), progress=lambda text: print(text, flush=True))
    print("up", engines.postgres_pid, engines.redis_pid, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await engines.stop()

uvloop.run(main())
"""
"""A server that has only engines: it stops cleanly when its input ends."""


async def ask(address: PostgresAddress | None, question: str, *values: object, **changes: Any) -> Any:
    """The single value that PostgreSQL answers to `question`."""
    assert address is not None
    at: dict[str, Any] = {"host": address.host, "port": address.port, "user": address.user}
    at |= {"password": address.password, "database": address.database, "ssl": False, "timeout": 5} | changes
    connection = await asyncpg.connect(**at)
    try:
        return await connection.fetchval(question, *values)
    finally:
        await connection.close()


async def ask_soon(address: PostgresAddress | None, question: str) -> Any:
    """As `ask`, for a PostgreSQL that is coming back."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await ask(address, question)
            except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                await asyncio.sleep(0.01)


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what another process brings about."""
    async with asyncio.timeout(20):
        while not is_so():  # noqa: ASYNC110 - no event reaches us from there
            await asyncio.sleep(0.001)


def client(address: RedisAddress | None, **changes: Any) -> Redis:
    """A client of the engine's Valkey."""
    assert address is not None
    assert address.unix_socket is not None
    at: dict[str, Any] = {"password": address.password, "decode_responses": True}
    at |= {"protocol": 2, "retry": Retry(NoBackoff(), 0)} | changes
    return Redis(unix_socket_path=address.unix_socket, **at)


@contextmanager
def server_process(data_dir: Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A server of its own, given as many signals as the test likes, and at the end no more."""
    command = options.pop("command", [sys.executable])
    server = subprocess.Popen(
        [*command, "-c", SERVER, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        **options,
    )
    with server:
        try:
            yield server
        finally:
            if server.stdin is not None:
                server.stdin.close()
            try:
                server.wait(20)
            finally:
                server.kill()


def pids_when_up(server: subprocess.Popen[str]) -> tuple[int, int]:
    """Wait until the server's engines answer; their pids."""
    assert server.stdout is not None
    for line in server.stdout:
        match line.split():
            case ["up", postgres, valkey]:
                return int(postgres), int(valkey)
    raise AssertionError("the server ended before its engines were up")


def kill_server(server: subprocess.Popen[str]) -> None:
    """What this is all about."""
    server.send_signal(signal.SIGKILL)
    server.wait(10)


def mode(path: Path) -> int:
    """The permission bits of `path`."""
    return stat.S_IMODE(path.stat().st_mode)


def is_running(pid: int) -> bool:
    """Whether `pid` runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except FileNotFoundError:
        return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what root may do")

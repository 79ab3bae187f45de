"""A real server process with engines of its own, to be killed, stopped, continued and started again."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from server.engines import Engines, PostgresAddress, RedisAddress, postgres_at

ROOT = Path(__file__).parents[2]
START_S = 60.0
END_S = 20.0
_STRANGE = ("DB_", "REDIS_", "PORT", "CORS_ORIGIN", "ADMIN_PASSWORD", "USHER_")


class UsherProcess:
    """One server: a port and a data directory for life, and one process after the other.

    `database` makes it use that PostgreSQL instead of one of its own.
    """

    def __init__(self, data_dir: Path, database: PostgresAddress | None = None) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self._elsewhere = database
        self._process: subprocess.Popen[str] | None = None

    @property
    def database(self) -> PostgresAddress:
        """Where its PostgreSQL is."""
        return self._elsewhere or postgres_at(self.data_dir)

    @property
    def redis(self) -> RedisAddress:
        """Where its Valkey is."""
        lines = (self.data_dir / "valkey" / "valkey.conf").read_text().splitlines()
        found = dict(line.split(maxsplit=1) for line in lines if line[:1].isalpha())
        return RedisAddress(None, None, found["unixsocket"].strip('"'), found["requirepass"])

    @property
    def postgres_pid(self) -> int:
        """The main process of its PostgreSQL."""
        return int((self.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0])

    @property
    def redis_pid(self) -> int:
        """The process of its Valkey."""
        return int((self.data_dir / "valkey" / "valkey.pid").read_text())

    async def start(self) -> float:
        """Start it and wait until it takes requests; answers how long that took, s."""
        assert self._process is None
        began = time.monotonic()
        self._process = self._launch()
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(START_S):
                line = await asyncio.to_thread(self._process.stdout.readline)
        except TimeoutError:
            line = ""
        if not line.startswith("ready "):
            await self.kill()
            raise AssertionError(f"the server did not start: {self.said()}")
        return time.monotonic() - began

    async def kill(self) -> None:
        """End the process as a power cut would. Its engines live on."""
        self.signal(signal.SIGKILL)
        await self._reap()

    async def stop(self) -> float:
        """Ask it to stop and wait for its end; answers how long that took, s."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        status = await self._reap()
        assert status == 0, f"the server ended with {status}: {self.said()}"
        return time.monotonic() - began

    def signal(self, number: signal.Signals) -> None:
        """Signal the process."""
        assert self._process is not None
        self._process.send_signal(number)

    async def clean_up(self) -> None:
        """End whatever is left of it: the process, and engines that it has left behind."""
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            await self._reap()
        engines = await Engines.start(self.data_dir, postgres=False, redis=False)
        await engines.stop()

    def said(self, lines: int = 30) -> str:
        """The end of what it has said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _launch(self) -> subprocess.Popen[str]:
        demo = "--demo" if self._elsewhere is None else "--no-demo"
        options = ("--port", str(self.port), "--data-dir", str(self.data_dir), demo)
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "server", "serve", *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                cwd=ROOT,
                env=self._environment(),
            )

    def _environment(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith(_STRANGE)}
        env["USHER_RATE_LIMIT"] = "off"
        if (at := self._elsewhere) is not None:
            env |= {"DB_HOST": at.host, "DB_PORT": str(at.port), "DB_NAME": at.database}
            env |= {"DB_USER": at.user, "DB_PASSWORD": at.password}
        return env

    async def _reap(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        try:
            status = await asyncio.to_thread(process.wait, END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
            raise AssertionError(f"the server did not end within {END_S} s: {self.said()}") from None
        finally:
            if process.stdout is not None:
                process.stdout.close()
        return status


def copy_of(data_dir: Path, folder: Path) -> Path:
    """A copy of a data directory that is not in use."""
    copy = folder / "data"
    shutil.copytree(data_dir, copy, ignore=shutil.ignore_patterns("run"))
    return copy


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill(pid: int, number: signal.Signals) -> None:
    """Signal an engine of a test's own server, by the pid that it has written."""
    os.kill(pid, number)

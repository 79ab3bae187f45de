"""A server of one's own for a rehearsal: a process on a fresh data directory and a free port of this machine."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from bots.rest import BotError
from server.engines import DataDirInUse, EngineError, Engines, PostgresAddress, postgres_at

ROOT = Path(__file__).resolve().parent.parent
START_S = 120.0
STOP_S = 15.0
AUDIT_S = 900.0


class OwnServer:
    """A server that takes requests at `url`.

    `lost` fails with a BotError when it ends before it is stopped.
    """

    def __init__(self, url: str, data_dir: Path, process: asyncio.subprocess.Process, log: Path) -> None:
        self.url = url
        self.data_dir = data_dir
        self.pid = process.pid
        self.lost: asyncio.Future[None] = asyncio.ensure_future(_end_of(process, log))
        self._process = process
        self._log = log
        self._is_stopped = False

    @property
    def database(self) -> PostgresAddress:
        """Where its PostgreSQL is."""
        return postgres_at(self.data_dir)

    async def stop(self) -> None:
        """Stop it, once. Raises BotError when it does not stop in order, or has ended before."""
        if not self._is_stopped:
            self._is_stopped = True
            await _stop(self._process, self._log)

    async def audit(self, answers: Sequence[Path] = ()) -> list[str]:
        """What the auditor finds in the database, and in what bots were told (`answers`), each in a sentence."""
        report = self.data_dir.parent / "audit.json"
        told = ("--answers", *map(str, answers)) if answers else ()
        command = ("audit", "--data-dir", str(self.data_dir), "--json", str(report), *told)
        process = await _start(command, self.data_dir.parent / "audit.log", asyncio.subprocess.DEVNULL)
        try:
            async with asyncio.timeout(AUDIT_S):
                status = await process.wait()
        except TimeoutError:
            raise BotError(f"the audit was not done within {AUDIT_S:.0f} s") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if not report.exists():
            raise BotError(f"the audit ended with {status}: {_tail(self.data_dir.parent / 'audit.log')}")
        found: dict[str, Any] = msgspec.json.decode(report.read_bytes())
        return [
            f"{finding['promise']}: {finding['found']} × not so, for example {finding['examples'][0]}"
            for finding in found["findings"]
        ]


@asynccontextmanager
async def own_server() -> AsyncIterator[OwnServer]:
    """Start a server with the demo data, stop it at the end and remove what it has stored.

    Raises:
        BotError: it did not start; or nothing else was wrong, and it did not stop in order.
    """
    folder = Path(tempfile.mkdtemp(prefix="usher-soak-"))
    data_dir, log = folder / "data", folder / "server.log"
    process = await _start(
        ("serve", "--port", "0", "--data-dir", str(data_dir), "--demo"), log, asyncio.subprocess.PIPE
    )
    lost: asyncio.Future[None] | None = None
    try:
        own = OwnServer(await _url(process, log), data_dir, process, log)
        lost = own.lost
        yield own
        await own.stop()
    finally:
        if lost is not None:
            lost.cancel()
            await asyncio.gather(lost, return_exceptions=True)
        with contextlib.suppress(BotError):  # something else is wrong, and is told
            await _stop(process, log)
        await _end_engines(data_dir)
        shutil.rmtree(folder, ignore_errors=True)


async def _start(command: tuple[str, ...], log: Path, stdout: int) -> asyncio.subprocess.Process:
    own = ("DB_", "REDIS_", "PORT", "CORS_ORIGIN", "ADMIN_PASSWORD", "USHER_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=output,
            cwd=ROOT,
            # A password that is given is told to nobody, not even in the log.
            env=env | {"USHER_RATE_LIMIT": "off", "ADMIN_PASSWORD": secrets.token_urlsafe()},
            start_new_session=True,  # Ctrl-C is for us: we stop it in order
        )


async def _url(process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode()
    except TimeoutError:
        line = ""
    if not line.startswith("ready "):
        raise BotError(f"the server did not start: {_tail(log)}")
    return line.split()[1]


async def _stop(process: asyncio.subprocess.Process, log: Path) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            status = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise BotError(f"the server did not stop within {STOP_S} s: {_tail(log)}") from None
    if status != 0:
        raise BotError(f"the server ended with {status}: {_tail(log)}")


async def _end_of(process: asyncio.subprocess.Process, log: Path) -> None:
    raise BotError(f"the server ended with {await process.wait()}: {_tail(log)}")


async def _end_engines(data_dir: Path) -> None:
    """End what a server that was killed has left behind: its PostgreSQL and its Valkey live on."""
    if data_dir.exists():
        with contextlib.suppress(DataDirInUse, EngineError):
            await (await Engines.start(data_dir, postgres=False, redis=False)).stop()


def _tail(log: Path) -> str:
    return " … ".join(log.read_text(errors="replace").strip().splitlines()[-5:]) or "it says nothing"

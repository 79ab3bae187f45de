"""The real process: `python -m server serve`, from its first start to its end, and what it says on the way."""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.server.parts import until

ROOT = Path(__file__).parents[2]
START_S = 60.0
STOP_S = 10.0
"""Far more than it takes on a machine that does nothing else."""
STRANGE = ("DB_", "REDIS_", "PORT", "CORS_ORIGIN", "ADMIN_PASSWORD", "USHER_")


class Serving:
    """One server process with its output on pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.url = ""

    @classmethod
    async def start(cls, *options: str, **env: str) -> "Serving":
        """Start it; it is not ready yet."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(STRANGE)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server", "serve", *options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
            env=clean | {"USHER_LOG_FORMAT": "console"} | env,
        )
        return cls(process)

    async def ready(self) -> str:
        """Wait for the line that says so; the address in it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(START_S):
            line = (await self.process.stdout.readline()).decode()
        assert line, (await self.end())[2]
        word, self.url = line.removesuffix("\n").split(" ")
        assert word == "ready"
        return self.url

    async def end(self, number: signal.Signals | None = None) -> tuple[int, str, str]:
        """Send a signal, if one is given, and wait for the end: status and what was said on both pipes.

        The pipes must end with the process: whoever reads them must not wait for engines that live on.
        """
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(STOP_S):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()

    async def get(self, path: str) -> int:
        """The status of a page."""
        async with aiohttp.ClientSession() as http, http.get(self.url + path) as answer:
            return answer.status


async def processes_of(folder: Path) -> list[str]:
    """The processes whose command line names something in this folder."""
    listing = await asyncio.create_subprocess_exec("ps", "-Ao", "pid=,args=", "-ww", stdout=asyncio.subprocess.PIPE)
    out, _ = await listing.communicate()
    return [line for line in out.decode().splitlines() if str(folder) in line]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for data directories; engines that a test left alive are ended."""
    made = Path(tempfile.mkdtemp(prefix="usher-"))
    yield made
    asyncio.run(_sweep(made))
    shutil.rmtree(made)


async def _sweep(folder: Path) -> None:
    for line in await processes_of(folder):
        os.kill(int(line.split()[0]), signal.SIGKILL)


@pytest.fixture(scope="module")
def data_dir(folder: Path) -> Path:
    """A data directory with which a server has run once. The first start is looked at on the way."""
    path = folder / "data"
    asyncio.run(_first_start(path))
    return path


async def _first_start(path: Path) -> None:
    serving = await Serving.start("--port", "0", "--data-dir", str(path), "--no-demo")
    url = await serving.ready()
    assert url.startswith("http://127.0.0.1:")
    assert int(url.rsplit(":", 1)[1]) > 0
    assert await serving.get("/live") == 200
    assert len(await processes_of(path)) >= 3
    status, out, err = await serving.end(signal.SIGTERM)
    assert (status, out) == (0, ""), "one line on stdout and no more"
    assert url in err, "a hint of what to open"
    assert await processes_of(path) == []


@pytest.fixture
async def serving(data_dir: Path) -> AsyncIterator[Serving]:
    """A server on the data directory, which is stopped in the end if the test has not done so."""
    made = await Serving.start("--port", "0", "--data-dir", str(data_dir), "--no-demo")
    await made.ready()
    yield made
    if made.process.returncode is None:
        await made.end(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_later_start_serves_all_and_the_end_is_complete(data_dir: Path, number: signal.Signals) -> None:
    serving = await Serving.start("--port", "0", "--data-dir", str(data_dir), "--no-demo")
    await serving.ready()
    for path in ("/", "/ready", "/live", "/health", "/api/v1/events", "/static/main.js"):
        assert await serving.get(path) == 200
    status, out, err = await serving.end(number)
    assert (status, out) == (0, "")
    assert "Traceback" not in err
    assert await processes_of(data_dir) == []


async def test_a_data_directory_in_use_is_refused(data_dir: Path, serving: Serving) -> None:
    second = await Serving.start("--port", "0", "--data-dir", str(data_dir), "--no-demo")
    status, out, err = await second.end()
    assert (status, out) == (1, "")
    assert f"Process {serving.process.pid} is a live server with the data directory {data_dir}" in err
    assert "--data-dir" in err
    assert "Traceback" not in err
    assert await serving.get("/ready") == 200


async def test_after_a_kill_the_engines_that_were_left_are_used_again(data_dir: Path, serving: Serving) -> None:
    postmaster = data_dir / "postgres" / "postmaster.pid"
    before = postmaster.read_text().splitlines()[0]
    status, _, _ = await serving.end(signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert await processes_of(data_dir), "they live on"
    again = await Serving.start("--port", "0", "--data-dir", str(data_dir), "--no-demo")
    await again.ready()
    assert postmaster.read_text().splitlines()[0] == before
    assert await again.get("/health") == 200
    status, _, _ = await again.end(signal.SIGTERM)
    assert status == 0
    assert await processes_of(data_dir) == []


async def test_a_port_in_use_is_said_and_leaves_nothing_behind(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        serving = await Serving.start("--port", str(port), "--data-dir", str(data_dir), "--no-demo")
        async with asyncio.timeout(START_S):
            await serving.process.wait()
        status, out, err = await serving.end()
    assert (status, out) == (1, "")
    assert str(port) in err
    assert "Traceback" not in err
    assert await processes_of(data_dir) == []


async def test_a_signal_during_the_start_ends_it_in_order(data_dir: Path) -> None:
    serving = await Serving.start("--port", "0", "--data-dir", str(data_dir), "--no-demo")
    postmaster = data_dir / "postgres" / "postmaster.pid"
    await until(postmaster.exists, START_S)
    status, out, err = await serving.end(signal.SIGTERM)
    assert (status, out) == (0, "")
    assert "Traceback" not in err
    assert await processes_of(data_dir) == []


async def test_those_who_do_not_read_or_finish_are_sent_away_at_the_end(serving: Serving, data_dir: Path) -> None:
    host, port = serving.url.removeprefix("http://").split(":")
    _, socket_writer = await asyncio.open_connection(host, int(port), limit=64)
    _, slow_writer = await asyncio.open_connection(host, int(port))
    try:
        unknown = "550e8400-e29b-41d4-a716-446655440000"
        socket_writer.write(
            f"GET /ws/events/{unknown} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: usher.v1\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        # Half a request beside it: somebody who never finishes must not hold the server up either.
        slow_writer.write(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await slow_writer.drain()
        assert await serving.get("/ready") == 200
        status, _, err = await serving.end(signal.SIGTERM)
        assert status == 0
        assert "Traceback" not in err
    finally:
        socket_writer.close()
        slow_writer.close()
    assert await processes_of(data_dir) == []


@pytest.mark.parametrize(
    ("options", "env", "says"),
    [
        (("--workers", "2"), {}, "--workers 1"),
        (("--no-demo",), {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}, "127.0.0.1"),
    ],
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    folder: Path, options: tuple[str, ...], env: dict[str, str], says: str
) -> None:
    other = folder / "other"
    serving = await Serving.start("--data-dir", str(other), *options, **env)
    async with asyncio.timeout(START_S):
        await serving.process.wait()
    status, out, err = await serving.end()
    assert (status, out) == (1, "")
    assert says in err
    assert "Traceback" not in err
    assert await processes_of(other) == []

"""`usher soak`: what it is asked for, how it ends, and that whatever is wrong ends with exit status 1."""

import argparse
import asyncio
import io
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil  # type: ignore[import-untyped] # (has no types)
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from rich.console import Console

from actors.core import waiting_room
from bots import misuse, soak
from bots.crew import Worker, hired
from bots.rest import BotError, Rest, ServerAway
from bots.sale import Terms
from bots.soak import BROKEN, INTERRUPTED, MISUSED, add_arguments, run_soak
from bots.work import Job
from server.audit import audit
from server.database import connected
from server.engines import PostgresAddress
from tests.chaos.processes import ROOT
from tests.server.parts import Usher, own, until

__all__ = ["own"]

QUIET = Console(file=io.StringIO())
LONG_S = 60.0


async def test_a_process_of_bots_that_ends_is_told(tmp_path: Path) -> None:
    job = Job("http://nobody", Terms("e", 1, 1, [0], 1, 1.0), [], [], 0, 1, 1, 1.0, str(tmp_path / "no" / "file"))
    async with hired([job], tmp_path) as crew:
        with pytest.raises(BotError, match="No such file"):
            await crew.arrive()


@pytest.mark.parametrize("line", [b"hello\n", b"x" * 100], ids=["no report", "a long line"])
async def test_a_process_of_bots_that_says_something_else_is_told(tmp_path: Path, line: bytes) -> None:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'printf "%s" "$0"; exec cat >&2', line.decode()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=50,
    )
    worker = Worker(process, tmp_path / "log")
    listening = asyncio.create_task(worker.listen())
    with pytest.raises(BotError, match="what is no report"):
        await worker.ended
    await worker.stop()
    await listening


def options(*arguments: str) -> argparse.Namespace:
    """What `usher soak` would be told."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--url", "ftp://x"],
        ["--url", "127.0.0.1:3001"],
        ["--event", "../venues"],
        ["--bots", "0"],
        ["--bots", "many"],
        ["--behaviour", "x"],
        ["--mix", "x"],
        ["--mix", "quiet", "--behaviour", "shop"],
    ],
)
def test_options_that_are_none_are_a_misuse(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        options(*arguments)
    assert ended.value.code == MISUSED


async def test_a_soak_that_makes_no_sense_is_a_misuse(own: Usher, unused_tcp_port: int, tmp_path: Path) -> None:
    nobody, unknown = f"http://127.0.0.1:{unused_tcp_port}", str(uuid4())
    (tmp_path / "file").touch()
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "answers-1.jsonl").touch()
    for arguments in (
        ("--url", own.url),
        ("--url", own.url, "--event", unknown),
        ("--url", own.url, "--event", await own.event(stage="cancelled")),
        ("--url", nobody, "--event", unknown),
        ("--event", unknown, "--seats", "5"),
        ("--behaviour", "hot-seats", "--duration", "5"),
        ("--behaviour", "sell-out", "--duration", "5"),
        ("--duration", "5", "--timeout", "4"),
        ("--pace", "5"),
        ("--slots", "5"),
        ("--mix", "waiting-room", "--slots", "5", "--event", unknown),
        ("--bots", "2", "--processes", "3"),
        ("--answers", str(tmp_path / "file")),
        ("--answers", str(tmp_path / "told")),
        ("--json", str(tmp_path)),
    ):
        assert await run_soak(options(*arguments), QUIET) == MISUSED, arguments


async def test_more_bots_than_files_that_may_be_open_are_a_misuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.open_files.most", lambda: 356)
    said = io.StringIO()
    assert await run_soak(options("--bots", "101"), Console(file=said, width=200)) == MISUSED
    assert "101 bots are too many" in said.getvalue()
    misuse.check(options("--bots", "100"))
    misuse.check(
        options("--url", "http://nobody.example", "--event", str(uuid4()), "--bots", "200", "--processes", "2")
    )


async def test_a_page_that_is_no_server_of_ours_is_a_misuse() -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    async def envelope(_request: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {"title": "Another API"}})

    for serve in (page, envelope):
        app = web.Application()
        app.router.add_get("/{path:.*}", serve)
        async with TestServer(app) as server:
            said = io.StringIO()
            there = options("--url", str(server.make_url("/")), "--event", str(uuid4()))
            assert await run_soak(there, Console(file=said, width=200)) == MISUSED
            assert "does not answer as an Usher does" in said.getvalue()


async def test_a_bot_that_cannot_sign_up_is_a_misuse(own: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(*_: object) -> str:
        raise ServerAway("POST /auth/register: 429 too_many_attempts")

    monkeypatch.setattr(Rest, "sign_up", refuses)
    said = io.StringIO()
    there = options("--url", own.url, "--event", await own.event(), "--bots", "2")
    assert await run_soak(there, Console(file=said, width=200)) == MISUSED
    assert "a bot could not sign up: POST /auth/register: 429" in said.getvalue()


@dataclass
class Borrowed:
    """The server of a test in the place of one that is started for the purpose. `finds` is what its audit finds.

    `lost` fails when it ends before, `ends_with` says what is wrong when it is stopped.
    """

    url: str
    database: PostgresAddress
    finds: list[str]
    audited: list[Path] = field(default_factory=list)
    lost: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    ends_with: str = ""

    async def audit(self, answers: Sequence[Path]) -> list[str]:
        self.audited += answers
        return self.finds

    async def stop(self) -> None:
        if self.ends_with:
            raise BotError(self.ends_with)


@pytest.fixture
async def borrowed(own: Usher, database_address: PostgresAddress, monkeypatch: pytest.MonkeyPatch) -> Borrowed:
    server = Borrowed(own.url, database_address, [])

    @asynccontextmanager
    async def lent() -> AsyncIterator[Borrowed]:
        yield server

    monkeypatch.setattr(soak, "own_server", lent)
    return server


SHORT = ("--bots", "3", "--duration", "1", "--seats", "100")


async def test_a_finding_of_the_audit_ends_with_one(borrowed: Borrowed, tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    assert await run_soak(options(*SHORT, "--json", str(summary)), QUIET) == 0
    assert [path.name for path in borrowed.audited] == ["answers-1.jsonl"]
    borrowed.finds = ["a seat was sold twice"]
    assert await run_soak(options(*SHORT, "--json", str(summary)), QUIET) == BROKEN
    assert json.loads(summary.read_bytes())["broken"] == ["a seat was sold twice"]


async def test_a_server_that_does_not_stop_in_order_ends_with_one_and_a_summary(
    borrowed: Borrowed, tmp_path: Path
) -> None:
    file, borrowed.ends_with = tmp_path / "summary.json", "the server ended with 3"
    assert await run_soak(options(*SHORT, "--json", str(file)), QUIET) == BROKEN
    summary = json.loads(file.read_bytes())
    assert (summary["broken"], summary["is_audited"]) == (["the server ended with 3"], True)


async def test_a_server_that_is_killed_ends_the_run_at_once(tmp_path: Path) -> None:
    """A long run ends within the time of a test, says why, and leaves no process."""
    file = tmp_path / "summary.json"
    process = await started("--bots", "5", "--duration", "3600", "--seats", "100", "--json", str(file))
    assert process.stderr is not None
    while b"commands/s" not in await process.stderr.readline():
        pass
    inside = psutil.Process(process.pid).children(recursive=True)
    (server,) = (one for one in inside if "serve" in one.cmdline())
    folder = Path(server.cmdline()[server.cmdline().index("--data-dir") + 1])
    engines = server.children(recursive=True)
    assert engines
    server.kill()
    async with asyncio.timeout(LONG_S):
        _, said = await process.communicate()
    assert process.returncode == BROKEN, said.decode()
    summary = json.loads(file.read_bytes())
    assert (len(summary["broken"]), summary["is_audited"]) == (1, False)
    assert "the server ended with -9" in summary["broken"][0]
    assert "password" not in said.decode()
    assert not folder.parent.exists()
    assert not [one for one in (*inside, *engines) if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]


async def test_too_much_time_ends_with_one_and_leaves_nobody(borrowed: Borrowed, tmp_path: Path) -> None:
    said, file = io.StringIO(), tmp_path / "summary.json"
    file.write_text("an earlier one")
    too_short = options(*SHORT, "--duration", "2", "--timeout", "2", "--json", str(file))
    assert await run_soak(too_short, Console(file=said)) == BROKEN
    assert "not at the end after 2 s" in said.getvalue()
    assert json.loads(file.read_bytes())["broken"] == ["not at the end after 2 s (--timeout)"]
    assert not [one for one in psutil.Process().children() if "bots.worker" in one.cmdline()]
    assert borrowed.audited == []


async def test_paths_are_those_of_whoever_asks(
    borrowed: Borrowed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert await run_soak(options(*SHORT, "--answers", "told/", "--json", "out/summary.json"), QUIET) == 0
    assert borrowed.audited == [tmp_path / "told" / "answers-1.jsonl"]
    assert (tmp_path / "out" / "summary.json").exists()
    assert await run_soak(options(*SHORT, "--answers", "told/"), QUIET) == MISUSED, "they are of another run"


async def test_what_bots_see_ends_with_one(borrowed: Borrowed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bots.rehearsal.hidden", lambda *_: ["3 seats were bought and are not shown as sold"])
    said = io.StringIO()
    assert await run_soak(options(*SHORT), Console(file=said, width=200)) == BROKEN
    assert "3 seats were bought and are not shown as sold" in said.getvalue()


ROOM = ("--mix", "waiting-room", "--bots", "20", "--slots", "2", "--duration", "6", "--seats", "100")


async def test_a_waiting_room_is_rehearsed_from_its_lobby(
    borrowed: Borrowed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "LOBBY_S", 2.0)
    file = tmp_path / "summary.json"
    assert await run_soak(options(*ROOM, "--json", str(file)), QUIET) == 0
    line = json.loads(file.read_bytes())["line"]
    assert line["slots"] == 2
    assert 1 <= line["most_inside"] <= 2, "how many were for sure depends on how soon the bots are told"
    assert line["turns"] > 2


async def test_too_many_inside_end_with_one(borrowed: Borrowed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a server that lets everybody in."""
    monkeypatch.setattr(soak, "LOBBY_S", 2.0)
    monkeypatch.setattr(waiting_room, "_admits", lambda view, now_ms: view.terms.is_on_sale(now_ms))
    said = io.StringIO()
    assert await run_soak(options(*ROOM), Console(file=said, width=200)) == BROKEN
    assert "were inside at one time, 2 may be" in said.getvalue()


async def test_an_interrupted_soak_leaves_answers_that_can_be_audited(
    own: Usher, database_address: PostgresAddress, tmp_path: Path
) -> None:
    event_id = await own.event()
    sale = ("--url", own.url, "--event", event_id, "--behaviour", "shop", "--answers", str(tmp_path))
    process = await started(*sale, "--bots", "3", "--duration", "60")
    assert process.stderr is not None
    while b"commands/s" not in await process.stderr.readline():
        pass
    await until_sold(own)
    process.send_signal(signal.SIGINT)
    _, said = await process.communicate()
    assert (process.returncode, b"interrupted" in said) == (INTERRUPTED, True)
    async with connected(database_address) as connection:
        report = await audit(connection, [tmp_path / "answers-1.jsonl"])
    assert report.findings == []
    assert report.looked_at["accepted_answers"] > 0


async def test_a_soak_on_its_own_server(tmp_path: Path) -> None:
    """The command as people use it: it starts a server, processes of bots, audits, and stops them all."""
    file = tmp_path / "summary.json"
    size = ("--bots", "40", "--processes", "2", "--duration", "3", "--seats", "1000")
    process = await started(*size, "--json", str(file), "--answers", str(tmp_path))
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    summary = json.loads(file.read_bytes())
    assert (summary["broken"], summary["divergences"], summary["is_audited"]) == ([], 0, True)
    assert (summary["processes"], sum(summary["bots"].values()), summary["seats"]) == (2, 40, 1_000)
    assert len(summary["bots"]) == 6
    assert summary["commands"] > 10
    assert summary["server_memory_mb"]["peak"] > 0
    assert sorted(path.name for path in tmp_path.glob("answers-*")) == ["answers-1.jsonl", "answers-2.jsonl"]


async def started(*arguments: str) -> asyncio.subprocess.Process:
    """`usher soak`, a process of its own. What is set for another server does not reach the one that it starts."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "soak", *arguments),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"USHER_CONNECTIONS_MAX": "nonsense"},
    )


async def until_sold(usher: Usher) -> None:
    """Wait until a ticket is sold."""

    async def is_sold() -> bool:
        return bool(await usher.database.fetchval("SELECT EXISTS (SELECT FROM ticket)"))

    await until(is_sold, LONG_S)

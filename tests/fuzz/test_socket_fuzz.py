"""The fuzzer on a server process and on one in this process, and what it finds in servers that have a fault.

For long: `python -m tests.fuzz.socket_fuzz --seconds 600`.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from protocol.inbound import BadCommand, Command, ExtendHold, JoinQueue, LeaveQueue, read_command
from server.sockets import connection, outbox
from server.sockets.connection import Connection
from server.sockets.frames import text_frame
from server.sockets.hub import Hub
from tests.chaos.processes import UsherProcess
from tests.fuzz.socket_fuzz import Failed, Fuzz, fuzz_process, own_server
from tests.server import raw_socket
from tests.server.parts import SHARED, Usher, until

pytestmark = SHARED

CASES = 500
CASES_UNTIL_FOUND = 300
"""In so many cases each planted fault comes to light; with most it takes a few."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process() -> AsyncIterator[UsherProcess]:
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        async with own_server(Path(folder)) as server:
            yield server


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_server_process_withstands(process: UsherProcess, seed: int) -> None:
    report = await fuzz_process(process, seed, seconds=float("inf"), cases_max=CASES)
    assert report.cases.total() == CASES
    assert len(report.cases) == 4, "a family was left out"


def attack(usher: Usher, event_id: str, caplog: pytest.LogCaptureFixture, seed: int) -> Fuzz:
    """The fuzzer on the server in this process."""

    async def sign_in() -> str:
        return (await usher.customer()).session_id

    def trouble() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]

    return Fuzz(usher.url, event_id, seed, sign_in, trouble)


async def nothing_is_left(usher: Usher, tasks_before: int) -> None:
    """Whoever was there is gone, and so is all that was kept for them."""
    await until(lambda: len(usher.parts.sockets) == 0)
    assert usher.parts.hub.watchers == 0
    assert not usher.parts.hub.customers.sockets
    await until(lambda: len(asyncio.all_tasks()) <= tasks_before)


async def test_nothing_is_left_of_an_attack(usher: Usher, caplog: pytest.LogCaptureFixture) -> None:
    event_id = await usher.event()
    async with attack(usher, event_id, caplog, 3) as fuzz:
        await fuzz.run(float("inf"), cases_max=20)
    await until(lambda: len(usher.parts.sockets) == 0)
    tasks_before = len(asyncio.all_tasks())
    async with attack(usher, event_id, caplog, 3) as fuzz:
        report = await fuzz.run(float("inf"), cases_max=200, first=20)
    assert report.cases.total() == 200
    await nothing_is_left(usher, tasks_before)


async def test_what_is_left_is_found(
    usher: Usher, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the test before."""
    async with attack(usher, await usher.event(), caplog, 3) as fuzz:
        with monkeypatch.context() as faulty:
            faulty.setattr(Hub, "leave", lambda *_: None)
            await fuzz.run(float("inf"), cases_max=20)
    with pytest.raises(AssertionError):
        await nothing_is_left(usher, 1_000)
    usher.parts.hub._channels.clear()
    usher.parts.hub.customers.sockets.clear()


def fails_on_a_bad_command(frame: bytes) -> Any:
    command = read_command(frame)
    if isinstance(command, BadCommand) and "seats" in command.message:
        raise RuntimeError("a fault of ours")
    return command


def quotes_the_database(frame: bytes) -> Any:
    command = read_command(frame)
    return BadCommand(command.id, 'relation "seat" does not exist') if isinstance(command, BadCommand) else command


def takes_what_is_wrong(frame: bytes) -> Any:
    command = read_command(frame)
    return ExtendHold(command.id) if isinstance(command, BadCommand) else command


def closes_with_an_unknown_code(_code: int) -> bytes:
    return b"\x88\x02" + (4999).to_bytes(2, "big")


def says_what_is_not_of_the_protocol(text: bytes) -> bytes:
    return text_frame(b"{}" if b'"bad_command"' in text else text)


def forgets_to_answer(self: Connection, customer: str, command: Command) -> None:
    if not isinstance(command, ExtendHold | JoinQueue | LeaveQueue):
        _TELL(self, customer, command)


_TELL = Connection._tell
FAULTS: dict[str, tuple[object, str, Callable[..., Any], str]] = {
    "raises on a mutated message": (
        connection,
        "read_command",
        fails_on_a_bad_command,
        "1012|a fault of ours|failed",
    ),
    "quotes the database": (connection, "read_command", quotes_the_database, "the server says b'relation'"),
    "takes a wrong command for another": (connection, "read_command", takes_what_is_wrong, "accepted|bad_command"),
    "closes with an unknown code": (connection, "close_frame", closes_with_an_unknown_code, "closed with 4999"),
    "says what is not of the protocol": (
        outbox,
        "text_frame",
        says_what_is_not_of_the_protocol,
        "not of the protocol",
    ),
    "forgets to answer": (Connection, "_tell", forgets_to_answer, "no answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_server_is_found_out(
    usher: Usher, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The negative controls of the fuzzer."""
    where, name, faulty, message = FAULTS[fault]
    monkeypatch.setattr(raw_socket, "DEADLINE_S", 2.0)  # for the fault that lets us wait in vain
    async with attack(usher, await usher.event(), caplog, 4) as fuzz:
        with monkeypatch.context() as patched:
            patched.setattr(where, name, faulty)
            with pytest.raises(Failed, match=message) as failed:
                await fuzz.run(float("inf"), cases_max=CASES_UNTIL_FOUND)
    assert "--seed 4 --case " in str(failed.value), "a finding says how to have it again"

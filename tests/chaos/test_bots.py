"""The bots: clients of the protocol and of nothing else, which come back, and notice what a server does wrong."""

import ast
import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bots import steady_socket
from bots.answer_log import AnswerLog
from bots.rest import BotError, Diverged, Rest
from bots.steady_socket import SteadySocket
from protocol.codes import Code
from protocol.inbound import HoldSeats
from protocol.outbound import Accepted, Counts, Hold, Patch, Rejected, Snapshot, Welcome, encode, rejected
from protocol.seat_state import pack_states
from server.sockets.frames import text_frame
from tests.test_architecture import imports

BOTS = Path(steady_socket.__file__).parent
OWN = {BOTS / "own_server.py", BOTS / "own_data.py"}
"""These two start a server and fill it; they are no clients."""
CLIENTS = sorted({*BOTS.rglob("*.py")} - OWN)
ALLOWED = {"bots", "protocol", "aiohttp", "msgspec", "picows", "rich", "uvloop"} | sys.stdlib_module_names


@pytest.mark.parametrize("module", CLIENTS, ids=lambda path: path.stem)
def test_a_bot_knows_the_protocol_and_little_else(module: Path) -> None:
    assert {name.split(".")[0] for name in imports(ast.parse(module.read_text()))} <= ALLOWED


def test_the_rule_would_be_seen_broken() -> None:
    assert not {"server", "actors", "asyncpg", "redis"} & ALLOWED


Script = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def talking_to(*scripts: Script, lost: int = 0, **how: Any) -> AsyncIterator[tuple[SteadySocket, AnswerLog]]:
    """A bot whose connections are served by these scripts, one after the other, after `lost` amid the handshake."""
    line, handshakes = iter(scripts), count()

    async def ticket(_request: web.Request) -> web.Response:
        return web.json_response({"success": True, "data": {"ticket": "t", "expires_at": ""}})

    async def talk(request: web.Request) -> web.StreamResponse:
        if next(handshakes) < lost:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        ws = web.WebSocketResponse(protocols=("usher.v1",))
        await ws.prepare(request)
        await ws.send_str(encode(Welcome(1, "test", "e", 4, "/map", 0, None)).decode())
        await next(line)(ws)
        return ws

    app = web.Application()
    app.router.add_post("/api/v1/auth/ws-ticket", ticket)
    app.router.add_get("/ws/events/e", talk)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        log, rest = AnswerLog(), Rest(http, str(server.make_url("/")))
        async with SteadySocket([rest], "e", "s", "ada", log, random.Random(1), **how) as socket:
            yield socket, log


def snapshot(revision: int, states: bytes = b"\0\0\0\0") -> str:
    """A snapshot of four seats."""
    counts = Counts(*(states.count(state) for state in range(4)))
    return encode(Snapshot("e", revision, pack_states(states), counts)).decode()


async def opened(ws: web.WebSocketResponse, revision: int = 1, states: bytes = b"\0\0\0\0") -> None:
    """Answer `open` with a snapshot."""
    assert (await ws.receive_json())["type"] == "open"
    await ws.send_str(snapshot(revision, states))


async def accepting(ws: web.WebSocketResponse) -> None:
    """Accept what is asked."""
    asked = await ws.receive_json()
    await ws.send_str(encode(Accepted(asked["id"], 2, hold=Hold((1,), 1, 1))).decode())


HOLD = HoldSeats("mine", (1,))


async def test_what_was_not_answered_is_sent_again_with_its_id() -> None:
    ids = []

    async def breaks_off(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        ids.append((await ws.receive_json())["id"])
        await ws.close(code=1012)

    async def wants_time(ws: web.WebSocketResponse) -> None:
        assert await ws.receive_json() == {"type": "open", "epoch": "e", "revision": 1}
        await ws.send_str(encode(Patch("e", 1, 1)).decode())
        ids.append((await ws.receive_json())["id"])
        await ws.send_str(encode(rejected("mine", Code.TRY_AGAIN)).decode())
        await accepting(ws)
        await ws.receive()

    async with talking_to(breaks_off, wants_time) as (socket, log):
        assert isinstance(await socket.ask(HOLD), Accepted)
    assert ids == ["mine", "mine"]
    assert (log.sent_again, log.accepted, socket.close_codes[1012]) == (2, 1, 1)


async def test_a_connection_that_is_lost_amid_the_handshake_is_made_again() -> None:
    async def serves(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        await accepting(ws)
        await ws.receive()

    async with talking_to(serves, lost=2, patience_s=10.0) as (socket, _):
        assert isinstance(await socket.ask(HOLD), Accepted)


async def test_a_refusal_is_an_answer() -> None:
    async def refuses(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        asked = await ws.receive_json()
        await ws.send_str(encode(rejected(asked["id"], Code.SEAT_TAKEN, (1,))).decode())
        await ws.receive()

    async with talking_to(refuses) as (socket, log):
        assert isinstance(await socket.ask(HOLD), Rejected)
    assert log.refusals == {"seat_taken": 1}


async def test_what_a_bot_does_not_know_it_ignores() -> None:
    async def is_newer(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        await ws.send_str('{"type":"weather","wind":7}')
        await accepting(ws)
        await ws.receive()

    async with talking_to(is_newer) as (socket, _):
        assert isinstance(await socket.ask(HOLD), Accepted)


async def not_a_frame(ws: web.WebSocketResponse) -> None:
    """A patch without a revision."""
    await opened(ws)
    await ws.send_str('{"type":"patch","epoch":"e","base":1}')
    await ws.receive()


async def ends_the_session(ws: web.WebSocketResponse) -> None:
    """A customer is logged out."""
    await opened(ws)
    await ws.close(code=4401)


async def goes_back(ws: web.WebSocketResponse) -> None:
    """A snapshot older than the last one."""
    await opened(ws, 5)
    await ws.send_str('{"type":"resync","reason":"history"}')
    await ws.send_str(snapshot(4))
    await ws.receive()


async def does_not_answer(ws: web.WebSocketResponse) -> None:
    """No answer at all."""
    await opened(ws)
    while not ws.closed:
        await ws.receive()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (not_a_frame, "ValidationError"),
        (ends_the_session, "closed with 4401"),
        (goes_back, "history went back"),
        (does_not_answer, "was not served"),
    ],
)
async def test_what_a_server_must_not_do_is_noticed(script: Script, why: str) -> None:
    async with talking_to(*[script] * 100, patience_s=1.0, answer_s=0.3) as (socket, _):
        with pytest.raises(BotError, match=why):
            await socket.ask(HOLD)


async def test_a_map_that_is_not_the_snapshot_is_noticed() -> None:
    async def shows_another(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        await ws.send_str(encode(Patch("e", 1, 2, held=(0,))).decode())
        assert (await ws.receive_json()) == {"type": "open"}
        await ws.send_str(snapshot(2, b"\1\1\0\0"))
        await ws.receive()

    async with talking_to(shows_another) as (socket, _):
        await socket.opened()
        with pytest.raises(BotError, match="1 seats are not as in the snapshot"):
            await socket.check_map()


@pytest.mark.parametrize("hides", [b"", b"\1"], ids=["sound", "hiding a seat"])
async def test_where_no_patch_comes_maps_are_compared_all_the_same(
    monkeypatch: pytest.MonkeyPatch, hides: bytes
) -> None:
    """A batch without seats is followed by no patch: the bot asks for one that ends where the snapshot is."""
    monkeypatch.setattr("bots.event_socket.QUIET_S", 0.01)

    async def is_quiet(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        assert (await ws.receive_json()) == {"type": "open"}
        await ws.send_str(snapshot(2, hides + bytes(4 - len(hides))))
        assert (await ws.receive_json()) == {"type": "open", "epoch": "e", "revision": 1}
        await ws.send_str(encode(Patch("e", 1, 2)).decode())
        await ws.receive()

    async with talking_to(is_quiet) as (socket, _):
        await socket.opened()
        if not hides:
            await socket.check_map()
            return
        with pytest.raises(Diverged, match="1 seats are not as in the snapshot"):
            await socket.check_map()


async def test_a_server_that_falls_silent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who watches hears a heartbeat at least; a watcher that the server has forgotten would ask and be content."""
    monkeypatch.setattr("bots.event_socket.SILENCE_MAX_S", 0.05)

    async def forgets(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        await ws.receive()

    async with talking_to(forgets) as (socket, _):
        await socket.opened()
        await asyncio.sleep(0.1)
        with pytest.raises(Diverged, match="not even a heartbeat"):
            await socket.check_map()


async def test_two_answers_to_one_command_are_noticed() -> None:
    async def stutters(ws: web.WebSocketResponse) -> None:
        await opened(ws)
        asked = await ws.receive_json()
        answers = (Accepted(asked["id"], 2, hold=Hold((1,), 1, 1)), rejected(asked["id"], Code.TRY_AGAIN))
        assert ws._writer is not None
        ws._writer.transport.write(b"".join(text_frame(encode(answer)) for answer in answers))  # in one read
        await ws.receive()

    async with talking_to(stutters, patience_s=5.0) as (socket, _):
        await socket.ask(HOLD)
        with pytest.raises(BotError, match="two answers to mine"):
            await socket.ask(HoldSeats("next", (2,)))

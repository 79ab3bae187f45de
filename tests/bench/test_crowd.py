"""Bots notice a server that gives a seat twice or refuses without naming the seat: the negative control of B5."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.bench.bot import Broken
from tests.bench.crowd import SocketCrowd
from tests.bench.orders import Bots, Loop, Race

BOTS, SEATS = 8, 4


class FaultyServer:
    """Accepts every hold; or, from the second one of a seat on, refuses it and says no more; or sends all away."""

    def __init__(self, *, refuses: bool = False, sends_away: bool = False) -> None:
        self._refuses = refuses
        self._sends_away = sends_away
        self._taken: set[int] = set()

    async def watch(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(protocols=("usher.v1",))
        await ws.prepare(request)
        async for frame in ws:
            said = msgspec.json.decode(frame.data)
            if self._sends_away and said["type"] != "open":
                break
            await ws.send_str(self._answer(said))
        return ws

    def _answer(self, said: dict[str, object]) -> str:
        if said["type"] == "open":
            return '{"type":"snapshot"}'
        seats = said["seats"]
        assert isinstance(seats, list)
        kind = "rejected" if self._refuses and self._taken & set(seats) else "accepted"
        self._taken |= set(seats)
        return f'{{"type":"{kind}","id":"{said["id"]}"}}'


@asynccontextmanager
async def crowd_at(server: FaultyServer) -> AsyncIterator[SocketCrowd]:
    """Bots at a server of this process."""
    app = web.Application()
    app.router.add_get("/ws/events/{event_id}", server.watch)
    async with TestServer(app) as site:
        crowd = SocketCrowd(Bots(str(site.make_url("")).rstrip("/"), ["e"], SEATS, ["s"] * BOTS))
        await crowd.arrive()
        yield crowd
        crowd.leave()


@pytest.mark.parametrize(
    ("refuses", "twice", "unnamed"), [(False, BOTS - SEATS, 0), (True, 0, BOTS - SEATS)], ids=["twice", "unnamed"]
)
async def test_a_race_counts_what_is_wrong(*, refuses: bool, twice: int, unnamed: int) -> None:
    async with crowd_at(FaultyServer(refuses=refuses)) as crowd:
        found = await crowd.do(Race(0, SEATS))
    assert (found["held"], found["twice"], found["unnamed"]) == (SEATS, twice, unnamed)


async def test_bots_that_are_sent_away_end_the_measurement() -> None:
    async with crowd_at(FaultyServer(sends_away=True)) as crowd:
        with pytest.raises(Broken, match="sent away"):
            await crowd.do(Loop(0.1))

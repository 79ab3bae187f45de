"""Bots notice a server that does what it must not do: the negative controls of B3 and B5."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.bench.bot import Broken
from tests.bench.crowd import SocketCrowd
from tests.bench.orders import Bots, Loop, Pace, Race

BOTS, SEATS = 8, 4
STALL_S = 0.3


class FaultyServer:
    """Accepts every hold; or, from the second one of a seat on, refuses it and says no more; or sends all away.

    `is_busy`: refuses all for being too much. `stalls`: keeps everybody in this process from working, once.
    """

    def __init__(
        self, *, refuses: bool = False, sends_away: bool = False, is_busy: bool = False, stalls: bool = False
    ) -> None:
        self._refuses = refuses
        self._sends_away = sends_away
        self._is_busy = is_busy
        self._stalls = stalls
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
        if self._is_busy and said["seats"]:
            return f'{{"type":"rejected","id":"{said["id"]}","code":"overloaded"}}'
        if self._stalls and said["seats"]:
            self._stalls = False
            time.sleep(STALL_S)  # nobody is to send meanwhile
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


async def test_refusals_at_a_pace_are_counted() -> None:
    async with crowd_at(FaultyServer(is_busy=True)) as crowd:
        refused = await crowd.do(Pace(0.2, 200))
    async with crowd_at(FaultyServer()) as crowd:
        accepted = await crowd.do(Pace(0.2, 200))
    assert refused["busy_per_s"] > 0
    assert refused["busy_soon"] >= 0
    assert accepted["busy_per_s"] == 0
    assert "busy_soon" not in accepted


async def test_what_could_not_be_sent_in_time_waits_from_when_it_was_due() -> None:
    """Most commands are due while nobody can send."""
    async with crowd_at(FaultyServer(stalls=True)) as crowd:
        paced = await crowd.do(Pace(1.2 * STALL_S, 1_000))
    assert paced["p50_ms"] > 1000 * STALL_S / 4


async def test_bots_that_are_sent_away_end_the_measurement() -> None:
    async with crowd_at(FaultyServer(sends_away=True)) as crowd:
        with pytest.raises(Broken, match="sent away"):
            await crowd.do(Loop(0.1))

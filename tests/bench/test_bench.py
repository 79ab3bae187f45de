"""What is compared does the same, bots do what they are told, and a bench ends. No speed is asserted."""

import select
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from rich.console import Console
from rich.progress import Progress

from protocol.seat_state import SeatState
from tests.bench import cases_commands
from tests.bench.__main__ import run
from tests.bench.bench import Bench
from tests.bench.bot import Broken
from tests.bench.c_loop import NoCompiler, send_loop
from tests.bench.cases_watchers import Trigger
from tests.bench.child import generator
from tests.bench.orders import Await, Bots, Leave, Loop, Pace, Race, Readers, RestBots, Settle
from tests.bench.rows import read
from tests.bench.watching import watchers_of
from tests.server.parts import Socket, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEATS = 20
needs_epoll = pytest.mark.skipif(
    not hasattr(select, "epoll"), reason="watchers are written on epoll, which is Linux's"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """A bench that hardly measures anything."""
    made = Bench(Console(quiet=True), tmp_path_factory.mktemp("bench") / "results.json", is_quick=True)
    made.seconds, made.warm_up_s = 0.2, 0.0
    yield made
    await made.end_rig()


async def tell(url: str, event_id: str, sessions: list[str]) -> list[object]:
    """Two customers want the same seat: what each of them is told, and what both of them see."""
    async with aiohttp.ClientSession() as http:

        def socket(session: str) -> Socket:
            how: dict[str, Any] = {"protocols": ("usher.v1",), "headers": {"X-Session-Id": session}}
            return Socket(http, f"{url}/ws/events/{event_id}", how)

        async def rest(what: str, seats: list[int], session: str) -> int:
            body, headers = {"seat_ids": [str(seat) for seat in seats]}, {"X-Session-Id": session}
            async with http.post(f"{url}/api/v1/seats/{event_id}/{what}", json=body, headers=headers) as answer:
                return answer.status

        async with socket(sessions[0]) as one, socket(sessions[1]) as other:
            await one.open()
            await other.open()
            answers = [
                await one.ask("hold_seats", seats=[3]),
                await other.ask("hold_seats", seats=[3, 4]),
                await other.ask("hold_seats", seats=[4, 5]),
                await one.ask("release_seats", seats=[]),
                await other.ask("hold_seats", seats=[3]),
                await other.ask("checkout", payment_method="card"),
                await one.ask("hold_seats", seats=[5]),
                await one.ask("hold_seats", seats=[SEATS]),
            ]
            statuses = [
                await rest("reserve", [7], sessions[0]),
                await rest("reserve", [7], sessions[1]),
                await rest("release", [7], sessions[0]),
                await rest("reserve", [8], sessions[1]),
            ]
            await until(lambda: one.states[8] == other.states[8] == SeatState.HELD)
            shown = [one.states, other.states]
    told = [(a["type"], a.get("code"), a.get("seats"), (a.get("hold") or a.get("order") or {})) for a in answers]
    return [
        *((kind, code, seats, had.get("seats"), had.get("status")) for kind, code, seats, had in told),
        statuses,
        shown,
    ]


async def test_the_naive_design_answers_as_the_product_does(bench: Bench) -> None:
    one = await bench.rig()
    event_id, sessions = await one.naive_event(SEATS), await one.customers(2)
    told = await tell(one.url, event_id, sessions)
    assert told[1] == ("rejected", "seat_taken", [3], None, None)
    assert await tell(one.naive_url, event_id, sessions) == told


async def test_bots_on_sockets(bench: Bench) -> None:
    one = await bench.rig()
    async with generator(await one.bots(8, 2_000, 2)) as bots:
        looped = await bots.do(Loop(0.1))
        best = await bots.do(Loop(0.1, asks_for_best=True))
        sold = await bots.do(Loop(0.2, buys=True))
        paced = await bots.do(Pace(0.3, 100))
        burst = await bots.do(Pace(0.2, 400, burst=4))
        await bots.do(Settle())
    async with generator(await one.bots(8, 2_000)) as bots:
        race = await bots.do(Race(1_990, 4))
    assert looped["accepted_per_s"] > 0
    assert best["accepted_per_s"] > 0
    assert sold["sales_per_s"] > 0
    assert paced["answered_per_s"] > 0
    assert burst["sent_per_s"] > 0
    assert (race["held"], race["twice"], race["unnamed"]) == (4, 0, 0)


async def test_clients_over_rest(bench: Bench) -> None:
    one = await bench.rig()
    event_id, order = await one.naive_event(SEATS, "rest"), Loop(0.2)
    for url in (one.url, one.naive_url):
        async with generator(RestBots(url, event_id, SEATS, await one.customers(4))) as bots:
            assert (await bots.do(order))["accepted_per_s"] > 0
    path = f"/api/v1/seats/{event_id}/availability"
    for readers in (Readers(one.url, path, 2), Readers(one.url, path, 2, revalidates=True)):
        async with generator(readers) as reading:
            found = await reading.do(order)
            paced = await reading.do(Pace(0.2, 50))
        assert found["answered_per_s"] > 0
        assert paced["answered_per_s"] > 0
        assert (found["accepted_per_s"] < found["answered_per_s"]) is readers.revalidates


@needs_epoll
async def test_watchers(bench: Bench) -> None:
    one = await bench.rig()
    event_id, (session,) = await one.event(2_000, "watched"), await one.customers(1)
    async with (
        aiohttp.ClientSession() as http,
        generator(watchers_of(one.url, event_id, 4, reads=False, opens=2)) as deaf,
        generator(watchers_of(one.url, event_id, 8)) as audience,
    ):
        trigger = Trigger(one, http, event_id, session)
        for _ in range(2):
            await trigger.pull()
            found = await audience.do(Await(10))
            assert 100 < found["octets"] < 140
        assert await deaf.do(Leave()) == {"had_unread": 4, "cut_off": 0}


@needs_epoll
async def test_the_c_loop_reaches_everybody() -> None:
    try:
        async with send_loop(8, 120) as loop:
            for _ in range(2):
                span_ms, own_ms = await loop.burst()
                assert span_ms > 0
                assert own_ms > 0
    except NoCompiler:
        pytest.skip("there is no C compiler here")


async def test_a_generator_says_what_is_wrong(bench: Bench) -> None:
    one = await bench.rig()
    with pytest.raises(Broken, match="sent away at the door"):
        async with generator(Bots(one.url, ["550e8400-e29b-41d4-a716-000000000000"], 20, ["x"])):
            pass
    async with generator(Readers(one.url, "/api/v1/nothing", 1)) as reading:
        with pytest.raises(Broken, match="404"):
            await reading.do(Loop(0.1))


async def test_a_bench_ends_by_itself_and_is_written(bench: Bench) -> None:
    case = next(case for case in cases_commands.CASES if case.id == "B4")
    assert await run(bench, [case], Progress(console=Console(quiet=True)))
    (found,) = read(bench.file).rows
    assert (found.id, found.unit, found.goal) == ("B4", "ms p50", 1)
    assert found.figure is not None
    assert found.figure > 0
    assert found.yardstick is not None
    assert (found.met is None) is False

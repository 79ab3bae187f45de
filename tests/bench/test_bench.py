"""What is compared does the same: the naive design and the product, on one small story, and a bench that ends."""

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
from tests.bench.rows import read
from tests.server.parts import Socket, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEATS = 20


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


async def test_a_bench_ends_by_itself_and_is_written(bench: Bench) -> None:
    case = next(case for case in cases_commands.CASES if case.id == "B4")
    assert await run(bench, [case], Progress(console=Console(quiet=True)))
    (found,) = read(bench.file).rows
    assert (found.id, found.unit, found.goal) == ("B4", "ms p50", 1)
    assert found.figure is not None
    assert found.figure > 0
    assert found.yardstick is not None
    assert (found.met is None) is False

"""kill -9 of the server while it admits: nobody loses the place, and turns come in order of places."""

import asyncio
from pathlib import Path

import aiohttp

from bots.own_data import sign_in
from bots.rest import Customer
from server.audit import audit
from server.database import connected
from tests.chaos.conftest import Figure
from tests.chaos.processes import UsherProcess

NIGHT_FERRIES = "550e8400-e29b-41d4-a716-446655440207"
"""The demo's event with three slots."""
PEOPLE = 30
KILLS = 3


async def test_nobody_loses_the_place(usher: UsherProcess, folder: Path, figure: Figure) -> None:
    await usher.start()
    customers = await sign_in(usher.database, PEOPLE)
    told: dict[str, int] = {}
    had_turn: list[int] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        people = [asyncio.create_task(_live(http, usher, one, told, had_turn)) for one in customers]
        for number in range(KILLS):
            while len(had_turn) < (number + 1) * PEOPLE // (KILLS + 1):  # noqa: ASYNC110 (only asking tells)
                await asyncio.sleep(0.01)
            await usher.kill()
            await usher.start()
        await asyncio.gather(*people)
    assert sorted(told.values()) == list(range(1, PEOPLE + 1))
    assert sorted(had_turn) == sorted(told.values())
    async with connected(usher.database) as connection:
        report = await audit(connection)
        turns = await connection.fetch(
            "SELECT customer_id FROM journal WHERE kind = 'admitted' ORDER BY revision, position"
        )
    assert report.findings == []
    places = [told[str(row["customer_id"])] for row in turns]
    assert places == sorted(places)
    figure("kills", KILLS)
    figure("in line, lost, inversions", f"{PEOPLE}, 0, 0")


async def _live(
    http: aiohttp.ClientSession, usher: UsherProcess, me: Customer, told: dict[str, int], had_turn: list[int]
) -> None:
    joined = await _ask(http, usher, me, "POST", "join")
    told[me.name] = joined["place"]
    while True:
        now = await _ask(http, usher, me, "GET", "status")
        assert now["place"] == told[me.name], "the place has changed"
        if now["status"] == "active":
            break
        await asyncio.sleep(0.05)
    had_turn.append(now["place"])
    await _ask(http, usher, me, "POST", "leave")


async def _ask(http: aiohttp.ClientSession, usher: UsherProcess, me: Customer, method: str, verb: str) -> dict:  # type: ignore[type-arg]  # JSON
    """The answer, as soon as there is somebody to give it."""
    url = f"{usher.url}/api/v1/queue/{NIGHT_FERRIES}/{verb}"
    while True:
        try:
            async with http.request(method, url, headers={"X-Session-Id": me.session_id}) as answer:
                if answer.status < 500:
                    body = await answer.json()
                    assert answer.status == 200, body
                    return dict(body["data"])
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(0.1)

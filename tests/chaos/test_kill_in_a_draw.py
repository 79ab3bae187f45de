"""kill -9 of the server while a lobby fills and while it is admitted: the draw is the one that was promised.

`USHER_TEST_ENTRIES=100000 python -m pytest tests/chaos/test_kill_in_a_draw.py` makes it as large as an on-sale.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from bots.own_data import put_on_sale, sign_in
from bots.rest import Customer
from server.audit import audit
from server.database import connected
from tests.chaos.conftest import Figure
from tests.chaos.processes import UsherProcess

ENTRIES = int(os.environ.get("USHER_TEST_ENTRIES", "10000"))
CONNECTIONS = 100
LOOKS_EACH_S = 0.05

Json = dict[str, Any]


@pytest.mark.timeout(60 + ENTRIES // 250)
async def test_everybody_is_drawn_and_admitted_in_order(usher: UsherProcess, figure: Figure) -> None:
    await usher.start()
    event_id, organiser = await _event(usher)
    customers = await sign_in(usher.database, ENTRIES)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as http:
        lobby = Visit(http, usher, event_id)
        began = asyncio.get_running_loop().time()
        receipts: dict[str, Json] = {}
        joining = asyncio.create_task(lobby.all_join(customers, receipts))
        await _until(lambda: _true(len(receipts) >= ENTRIES // 2))
        await usher.kill()
        figure("joined when it was killed", len(receipts))
        figure("started anew, s", f"{await usher.start():.1f}")
        await joining
        joined_s = asyncio.get_running_loop().time() - began
        figure("entries, joined in s", f"{ENTRIES}, {joined_s:.1f}")

        opens = datetime.now(UTC) + timedelta(seconds=1)
        await lobby.ask(organiser, "PUT", f"/events/{event_id}", {"on_sale_date": opens.isoformat()})
        await _until(lambda: lobby.is_inside(ENTRIES // 3))
        await usher.kill()
        figure("inside when it was killed", await _turns_so_far(usher, event_id))
        figure("started anew, s", f"{await usher.start():.1f}")
        await _until(lambda: lobby.is_inside(ENTRIES))
        draw = await lobby.ask(organiser, "GET", f"/queue/{event_id}/draw")

    place_of = dict(zip(draw["entries"], draw["places"], strict=True))
    assert draw["entries"] == [
        receipt["entry_id"] for receipt in sorted(receipts.values(), key=lambda receipt: receipt["position"])
    ], "what was told before the crash is what was drawn"
    async with connected(usher.database) as connection:
        turns = await connection.fetch(
            "SELECT customer_id::text FROM journal WHERE event_id = $1 AND kind IN ('admitted', 'called')"
            " ORDER BY revision, position",
            event_id,
        )
        report = await audit(connection)
    places = [place_of[receipts[row["customer_id"]]["entry_id"]] for row in turns]
    assert places == list(range(1, ENTRIES + 1)), "everybody had a turn, once, in the order of places"
    assert report.findings == []
    verified = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "verify-draw", f"{usher.url}/api/v1/queue/{event_id}/draw"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await verified.wait() == 0
    figure("lost, inversions", "0, 0")


class Visit:
    """People who ask over REST, again when nobody is there to answer."""

    def __init__(self, http: aiohttp.ClientSession, usher: UsherProcess, event_id: str) -> None:
        self._http = http
        self._usher = usher
        self._event_id = event_id

    async def all_join(self, customers: list[Customer], receipts: dict[str, Json]) -> None:
        """Everybody joins; `receipts` are those of the answers that came, by customer."""
        waiting = iter(customers)

        async def one_after_the_other() -> None:
            for customer in waiting:
                joined = await self.ask(customer, "POST", f"/queue/{self._event_id}/join")
                assert joined["phase"] == "lobby"
                receipts[customer.name] = joined["receipt"]

        await asyncio.gather(*(one_after_the_other() for _ in range(CONNECTIONS)))

    async def is_inside(self, count: int) -> bool:
        """Have so many been let in?"""
        stats = await self.ask(None, "GET", f"/queue/{self._event_id}/stats")
        return bool(stats["activeCount"] >= count)

    async def ask(self, who: Customer | None, method: str, path: str, body: Json | None = None) -> Json:
        """The data of the answer."""
        headers = {} if who is None else {"X-Session-Id": who.session_id}
        while True:
            try:
                url = f"{self._usher.url}/api/v1{path}"
                async with self._http.request(method, url, json=body, headers=headers) as answer:
                    if answer.status < 500:
                        envelope = await answer.json()
                        assert answer.status == 200, envelope
                        return dict(envelope.get("data", envelope))
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)


async def _event(usher: UsherProcess) -> tuple[str, Customer]:
    """An event with a lobby for all, on sale tomorrow, and who may change that."""
    event_id = await put_on_sale(usher.database, 500)
    (organiser,) = await sign_in(usher.database, 1)
    async with connected(usher.database) as connection:
        await connection.execute(
            "UPDATE event SET on_sale_at = now() + interval '1 day', waiting_room_enabled = true,"
            " waiting_room_mode = 'draw', max_concurrent_shoppers = $2 WHERE id = $1",
            event_id,
            ENTRIES,
        )
        await connection.execute("UPDATE customer SET role = 'admin' WHERE id = $1", organiser.name)
    return event_id, organiser


async def _turns_so_far(usher: UsherProcess, event_id: str) -> int:
    async with connected(usher.database) as connection:
        return int(
            await connection.fetchval(
                "SELECT count(*) FROM journal WHERE event_id = $1 AND kind IN ('admitted', 'called')", event_id
            )
        )


async def _until(is_so: Callable[[], Awaitable[bool]]) -> None:
    while not await is_so():  # noqa: ASYNC110 (only asking tells)
        await asyncio.sleep(LOOKS_EACH_S)


async def _true(fact: bool) -> bool:
    return fact

"""Holds that end while the server is dead, and after it has come back: never early, at most a second late."""

import asyncio
import random
from datetime import datetime, timedelta
from itertools import pairwise

import aiohttp
import asyncpg

from bots.answer_log import AnswerLog
from bots.own_data import sign_in
from bots.rest import Rest
from bots.steady_socket import SteadySocket
from protocol.inbound import HoldSeats
from protocol.outbound import Accepted
from server.audit import audit
from server.database import connect
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY
from tests.chaos.processes import UsherProcess

LATE_MAX = timedelta(seconds=1)
AHEAD = {
    "while it is dead": timedelta(seconds=0.2),
    "soon after": timedelta(seconds=2.5),
    "later": timedelta(seconds=4),
}
GIVE_UP_S = 20.0

MOVE = """
UPDATE hold SET started_at = started_at + m.by, changed_at = changed_at + m.by, expires_at = expires_at + m.by
  FROM (SELECT clock_timestamp() + $3 - expires_at AS by FROM hold WHERE event_id = $1 AND customer_id = $2) m
 WHERE event_id = $1 AND customer_id = $2
RETURNING expires_at"""
HELD = "SELECT clock_timestamp() AS now, array_agg(seat_index) AS seats FROM seat WHERE event_id = $1 AND state = 1"


async def test_holds_end_in_time_after_a_kill(usher: UsherProcess, figure: Figure) -> None:
    await usher.start()
    customers = await sign_in(usher.database, len(AHEAD))
    async with aiohttp.ClientSession() as http:
        for seat, customer in enumerate(customers):
            async with SteadySocket(
                [Rest(http, usher.url)],
                COLDPLAY,
                customer.session_id,
                customer.name,
                AnswerLog(),
                random.Random(seat),
                is_watching=False,
            ) as socket:
                assert isinstance(await socket.ask(HoldSeats(f"hold-{seat}", (seat,))), Accepted)
    await usher.kill()
    connection = await connect(usher.database)
    try:
        ends = [
            await connection.fetchval(MOVE, COLDPLAY, customer.name, ahead)
            for customer, ahead in zip(customers, AHEAD.values(), strict=True)
        ]
        watching = asyncio.create_task(_freed(connection, len(AHEAD)))
        await usher.start()
        back = await _now(usher)
        freed, busy = await watching
        assert (await audit(connection)).findings == []
    finally:
        await connection.close()
    for seat, (name, end) in enumerate(zip(AHEAD, ends, strict=True)):
        last_held, first_free = freed[seat]
        assert first_free > end, "it ended early"
        assert last_held - max(end, back) < LATE_MAX + busy, "it ended late"
        figure(f"freed after its end {name}, s", f"{(first_free - max(end, back)).total_seconds():.3f}")


async def _freed(
    connection: asyncpg.Connection, count: int
) -> tuple[dict[int, tuple[datetime, datetime]], timedelta]:
    """For each seat, when it was last seen held and first seen free, by PostgreSQL's clock.

    And the longest time between two looks: so long the machine was busy with something else.
    """
    last_held: dict[int, datetime] = {}
    looks: list[datetime] = []
    freed: dict[int, tuple[datetime, datetime]] = {}
    async with asyncio.timeout(GIVE_UP_S):
        while len(freed) < count:
            row = await connection.fetchrow(HELD, COLDPLAY)
            assert row is not None
            held = row["seats"] or []
            looks.append(row["now"])
            for seat, at in last_held.items():
                if seat not in held:
                    freed.setdefault(seat, (at, row["now"]))
            last_held |= dict.fromkeys(held, row["now"])
            await asyncio.sleep(0.005)
    return freed, max(later - earlier for earlier, later in pairwise(looks))


async def _now(usher: UsherProcess) -> datetime:
    connection = await connect(usher.database)
    try:
        now = await connection.fetchval("SELECT clock_timestamp()")
        assert isinstance(now, datetime)
        return now
    finally:
        await connection.close()

"""Every seat of an event is sold through the socket, by a few hundred buyers at the same time."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from rich.progress import Progress

from bots.answer_log import AnswerLog
from bots.own_data import sign_in
from bots.rehearsal import Rehearsal, Summary
from bots.rest import Rest
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, SEAT_COUNT
from tests.chaos.ledger import differences
from tests.chaos.processes import ROOT, UsherProcess

BUYERS_AT_ONCE = 300
STADIUM = ROOT.parent / "shared" / "plans" / "seatmap-canvas_stadium.json"
STADIUM_SEATS, STADIUM_LIMIT = 738, 2


async def test_every_seat_of_the_demo_s_concert(usher: UsherProcess, figure: Figure) -> None:
    await usher.start()
    summary = await _sell(usher, COLDPLAY, SEAT_COUNT, LIMIT)
    _note(figure, summary)


@pytest.mark.skipif(not STADIUM.exists(), reason="the sample plan of a stadium is not beside the project")
async def test_every_seat_of_an_imported_stadium(usher: UsherProcess, figure: Figure) -> None:
    await usher.start()
    options = ["--default-price", "80", "--max-tickets", str(STADIUM_LIMIT), "--data-dir", str(usher.data_dir)]
    command = [sys.executable, "-m", "server", "import-plan", str(STADIUM), *options]
    imported = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert imported.returncode == 0, imported.stderr
    event = re.search(r"/events/([0-9a-f-]{36})", imported.stdout + imported.stderr)
    assert event is not None
    summary = await _sell(usher, event[1], STADIUM_SEATS, STADIUM_LIMIT)
    _note(figure, summary)


async def _sell(usher: UsherProcess, event_id: str, seats: int, limit: int) -> Summary:
    customers = await sign_in(usher.database, -(-seats // limit))
    log = AnswerLog()
    async with _rest(usher) as rest:
        with Progress(disable=True) as progress:
            rehearsal = Rehearsal(rest, event_id, BUYERS_AT_ONCE, 1, log, progress)
            summary = await rehearsal.sell_out(customers)
        _, envelope = await rest.call("GET", f"/events/{event_id}")
    assert summary.broken == []
    assert summary.seats_sold == summary.seats == seats
    assert (envelope["data"]["status"], envelope["data"]["available_seats"]) == ("sold_out", 0)
    assert await differences(usher.database, event_id, log, limit) == []
    return summary


@asynccontextmanager
async def _rest(usher: UsherProcess) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        yield Rest(http, usher.url)


def _note(figure: Figure, summary: Summary) -> None:
    figure("seats, orders, seconds", f"{summary.seats_sold}, {summary.orders}, {summary.seconds}")
    figure("orders/s", summary.orders_per_s)
    figure("commands/s", summary.commands_per_s)
    figure("maps compared", summary.maps_compared)

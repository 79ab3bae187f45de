"""Every seat of an event is sold through the socket, by a few hundred buyers at the same time."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from bots.own_data import sign_in
from bots.rehearsal import Plan, Rehearsal, find_event
from bots.rest import Rest
from bots.summary import Summary
from server.audit import audit
from server.database import connected
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, SEAT_COUNT
from tests.chaos.processes import ROOT, UsherProcess

BUYERS_AT_ONCE = 300
STADIUM = ROOT.parent / "shared" / "plans" / "seatmap-canvas_stadium.json"
STADIUM_SEATS, STADIUM_LIMIT = 738, 2


async def test_every_seat_of_the_demo_s_concert(usher: UsherProcess, tmp_path: Path, figure: Figure) -> None:
    await usher.start()
    summary = await _sell(usher, tmp_path, COLDPLAY, SEAT_COUNT, LIMIT)
    _note(figure, summary)


@pytest.mark.skipif(not STADIUM.exists(), reason="the sample plan of a stadium is not beside the project")
async def test_every_seat_of_an_imported_stadium(usher: UsherProcess, tmp_path: Path, figure: Figure) -> None:
    await usher.start()
    options = ["--default-price", "80", "--max-tickets", str(STADIUM_LIMIT), "--data-dir", str(usher.data_dir)]
    command = [sys.executable, "-m", "server", "import-plan", str(STADIUM), *options]
    imported = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert imported.returncode == 0, imported.stderr
    event = re.search(r"/events/([0-9a-f-]{36})", imported.stdout + imported.stderr)
    assert event is not None
    summary = await _sell(usher, tmp_path, event[1], STADIUM_SEATS, STADIUM_LIMIT)
    _note(figure, summary)


async def _sell(usher: UsherProcess, folder: Path, event_id: str, seats: int, limit: int) -> Summary:
    customers = await sign_in(usher.database, -(-seats // limit))
    plan = Plan(["sell-out"] * BUYERS_AT_ONCE, answers=folder)
    async with aiohttp.ClientSession() as http:
        rest = Rest(http, usher.url)
        event = await find_event(rest, event_id)
        summary = await Rehearsal(http, usher.url, event, plan, customers).run()
        _, envelope = await rest.call("GET", f"/events/{event_id}")
    assert (summary.broken, summary.broken_count) == ([], 0)
    assert summary.seats_sold == summary.seats == seats
    assert (envelope["data"]["status"], envelope["data"]["available_seats"]) == ("sold_out", 0)
    async with connected(usher.database) as connection:
        report = await audit(connection, sorted(folder.glob("answers-*.jsonl")))
    assert report.findings == []
    assert report.looked_at["accepted_answers"] == summary.accepted
    return summary


def _note(figure: Figure, summary: Summary) -> None:
    figure("seats, orders, seconds", f"{summary.seats_sold}, {summary.orders}, {summary.seconds}")
    figure("orders/s", summary.orders_per_s)
    figure("commands/s", summary.commands_per_s)
    figure("maps compared", summary.maps_compared)

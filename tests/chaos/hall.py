"""A server in this process, and bots of this process that are sent there."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bots import worker
from bots.behaviours import ENDLESS, buyers, nasty, queuers, visitors
from bots.own_data import sign_in
from bots.sale import Sale, Terms
from bots.tally import Tally
from bots.turns import Turn
from bots.work import GO, Job, Report
from server.audit import audit
from server.database import connected
from server.engines import PostgresAddress
from tests.server.parts import SEAT_COUNT, Usher, own, until

__all__ = ["own"]

LIMIT = 4
LONG_S = 60.0
PER_S = 100.0


Claim = Callable[[Tally], bool]


@dataclass
class Hall:
    """A server in this process, and bots of this process that are sent there."""

    usher: Usher
    at: PostgresAddress
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    turns: list[Turn] = field(default_factory=list)
    """Those of the bots that were here last."""

    async def after(
        self,
        behaviour: str,
        claim: Claim = lambda _tally: True,
        *,
        bots: int = 6,
        slots: int = 0,
        finds: Sequence[str] = (),
    ) -> Tally:
        """What so many bots have seen when this is true of it. What they were told is stored as they were told.

        finds: what the audit finds wrong
        """
        room = {"room": "fifo", "shoppers": slots} if slots else {}
        event_id = await self.usher.event(max_tickets=LIMIT, **room)
        file = self.folder / f"{event_id}.jsonl"
        terms = Terms(event_id, LIMIT, SEAT_COUNT, list(range(4)), 3 * bots, bots / PER_S, slots)
        customers = await sign_in(self.at, bots)
        orders, reports = asyncio.StreamReader(), list[Report]()
        job = Job(self.usher.url, terms, [behaviour] * bots, customers, 0, 1, 1, None, str(file))
        orders.feed_data(msgspec.json.encode(job) + b"\n" + GO)
        sales: list[Sale] = []

        class Known(Sale):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                sales.append(self)

        self.monkeypatch.setattr(worker, "Sale", Known)
        working = asyncio.create_task(worker.work(orders, reports.append))
        await until(lambda: working.done() or bool(sales and claim(sales[0].tally)), LONG_S)
        if behaviour in ENDLESS:
            sales[0].over.set()
        await working
        assert [report.stage for report in reports if report.stage != "coming"] == ["there", "done"]
        async with connected(self.at) as connection:
            found = (await audit(connection, [file])).findings
            assert [one.check for one in found] == list(finds), found
        self.turns = [turn for one in reports[-1].belongings for turn in one.turns]
        return reports[-1].tally

    def hurry(self, **seconds: float) -> None:
        """Have visitors, buyers, queuers or the nasty wait for so long instead."""
        for name, value in seconds.items():
            for module in (visitors, buyers, nasty, queuers):
                self.monkeypatch.setattr(module, name, value, raising=False)


@pytest.fixture
def hall(own: Usher, database_address: PostgresAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hall:
    return Hall(own, database_address, tmp_path, monkeypatch)


def is_sound(tally: Tally) -> bool:
    """Has nobody seen anything wrong?"""
    return (tally.divergences, tally.broken, tally.texts) == (0, 0, [])

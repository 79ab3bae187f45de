"""An owner that is stopped or cut off for longer than its lease, and comes back: another one sells meanwhile.

Two server processes on one PostgreSQL. What the old owner still had in hand is fenced; nothing is sold twice.
"""

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from bots.answer_log import AnswerLog
from bots.event_socket import EventSocket
from bots.own_data import sign_in
from bots.rest import Customer, Rest
from bots.steady_socket import SteadySocket
from protocol.codes import Code
from protocol.inbound import Checkout, HoldSeats
from protocol.outbound import Accepted, Rejected
from server.database import connect
from server.engines import PostgresAddress
from server.statements import SQL_FOLDER
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, Crowd, now_s
from tests.chaos.ledger import differences
from tests.chaos.postgres_proxy import PostgresProxy
from tests.chaos.processes import UsherProcess
from tests.server.parts import add_show

SHOPPERS = 40
STOPS = 2
STOPPED_S = 3.6
"""Longer than a lease, and than a takeover may take."""
STALE = "stale-1"

FENCE = " AND h.owner = p_owner AND h.term = p_term AND h.revision = p_revision\n"
LOOK = "\n           AND s.state = m.from_state AND s.holder IS NOT DISTINCT FROM m.from_holder"


async def test_a_stopped_owner_does_no_harm_when_it_goes_on(
    usher: UsherProcess, folder: Path, figure: Figure
) -> None:
    await usher.start()
    second = UsherProcess(folder / "second", database=usher.database)
    try:
        await second.start()
        customers = await sign_in(usher.database, SHOPPERS)
        owners, gaps = [usher, second], []
        async with Crowd([usher.url, second.url], customers, folder / "answers.jsonl", answer_s=1.0) as crowd:
            await crowd.accepted(200)
            for _ in range(STOPS):
                old, began = owners[0] if await _owns(owners[0]) else owners[1], now_s()
                old.signal(signal.SIGSTOP)
                while now_s() - began < STOPPED_S:
                    await crowd.accepted(20)
                assert not await _owns(old), "nobody took over"
                gaps.append(crowd.silence_s(began))
                old.signal(signal.SIGCONT)
                await crowd.accepted(200)
            await crowd.finish()
            assert await crowd.is_all_there() == SHOPPERS
            await crowd.ask_again()
            found = await differences(usher.database, COLDPLAY, crowd.log, LIMIT)
        assert found == []
    finally:
        print(second.said(2_000))
        await second.clean_up()
    said = usher.said(2_000) + second.said(2_000)
    figure("owners stopped and continued", STOPS)
    figure("stale batches that were tried", said.count(", not at "))
    figure("acknowledged, lost", f"{crowd.log.accepted}, {len(found)}")
    figure("longest time without a sale, s", ", ".join(f"{gap:.2f}" for gap in gaps))


async def _owns(usher: UsherProcess) -> bool:
    """Is this server the owner of the event?"""
    connection = await connect(usher.database)
    try:
        name = await connection.fetchval(
            "SELECT n.name FROM event_head h JOIN node n ON n.id = h.owner WHERE h.event_id = $1", COLDPLAY
        )
    finally:
        await connection.close()
    return str(name).endswith(f":{usher.port}")


@dataclass
class CutOff:
    """An event whose first owner has a batch in hand that cannot reach PostgreSQL."""

    at: PostgresAddress
    event_id: str
    proxy: PostgresProxy
    new: SteadySocket
    log: AnswerLog
    stale: "asyncio.Task[Accepted | Rejected]"


@pytest.fixture
async def cut_off(database_address: PostgresAddress, database: asyncpg.Pool, folder: Path) -> AsyncIterator[CutOff]:
    """Ada holds two seats; her command for two more is on its way to PostgreSQL when the way is closed."""
    event_id = await add_show(database, max_tickets=LIMIT)
    ada, bob = await sign_in(database_address, 2)
    async with PostgresProxy(database_address) as proxy:
        first = UsherProcess(folder / "first", database=proxy.address)
        second = UsherProcess(folder / "second", database=database_address)
        log = AnswerLog()
        try:
            await asyncio.gather(first.start(), second.start())
            async with _ada(first, event_id, ada) as old, _bob(second, event_id, bob, log) as new:
                await _hold(old, ada, HoldSeats("held-1", (1, 2)), log)
                proxy.hold_back()
                stale = asyncio.create_task(_hold(old, ada, HoldSeats(STALE, (3, 4)), log))
                async with asyncio.timeout(10):
                    while STALE.encode() not in proxy.held_back:
                        proxy.is_held_back.clear()
                        await proxy.is_held_back.wait()
                yield CutOff(database_address, event_id, proxy, new, log, stale)
                stale.cancel()
        finally:
            proxy.let_go()
            for server in (first, second):
                print(server.said(2_000))
                await server.clean_up()


@asynccontextmanager
async def _ada(usher: UsherProcess, event_id: str, customer: Customer) -> AsyncIterator[EventSocket]:
    async with (
        aiohttp.ClientSession() as http,
        EventSocket(Rest(http, usher.url), event_id, customer.session_id) as socket,
    ):
        yield socket


@asynccontextmanager
async def _bob(
    usher: UsherProcess, event_id: str, customer: Customer, log: AnswerLog
) -> AsyncIterator[SteadySocket]:
    async with aiohttp.ClientSession() as http:
        door, dice = Rest(http, usher.url), random.Random(1)
        async with SteadySocket(
            [door], event_id, customer.session_id, customer.name, log, dice, is_watching=False
        ) as socket:
            yield socket


async def _hold(socket: EventSocket, customer: Customer, command: HoldSeats, log: AnswerLog) -> Accepted | Rejected:
    answer = await socket.ask(command)
    log.answer(customer.name, command, answer, 0.0)
    return answer


async def _sell_elsewhere(cut_off: CutOff) -> None:
    """The other server takes the event over, as soon as it may, and sells one of the seats in question."""
    for command in (HoldSeats("bob-1", (3, 10)), Checkout("bob-2", "card")):
        assert isinstance(await cut_off.new.ask(command), Accepted)


async def _the_old_owner_gives_up(cut_off: CutOff) -> None:
    answer = await cut_off.stale
    assert isinstance(answer, Rejected), "the old owner has answered what it does not know"
    assert answer.code is Code.TRY_AGAIN


async def _let_the_late_batch_arrive(cut_off: CutOff) -> None:
    cut_off.proxy.let_go()
    async with asyncio.timeout(10):
        await cut_off.proxy.has_let_go.wait()
        for answer in cut_off.proxy.late_answers:
            await answer.wait()


async def test_a_batch_of_an_owner_that_was_cut_off_is_fenced(cut_off: CutOff) -> None:
    await _sell_elsewhere(cut_off)
    await _the_old_owner_gives_up(cut_off)
    await _let_the_late_batch_arrive(cut_off)
    assert await differences(cut_off.at, cut_off.event_id, cut_off.log, LIMIT) == []


async def test_without_the_fence_the_damage_is_seen(cut_off: CutOff, database: asyncpg.Pool) -> None:
    """The negative control: the same, with a function that writes whatever it is given."""
    text = (SQL_FOLDER / "functions" / "commit_batch_v4.sql").read_text()
    assert text.count(FENCE) == text.count(LOOK) == 1, "the safeguards are written in another way now"
    await database.execute(text.replace(FENCE, "\n").replace(LOOK, ""))
    await _sell_elsewhere(cut_off)
    await _the_old_owner_gives_up(cut_off)
    await _let_the_late_batch_arrive(cut_off)
    late = "SELECT count(*) FROM journal WHERE command_id = $1"
    assert await database.fetchval(late, STALE), "the faulty function did not write: the control controls nothing"
    found = " ".join(await differences(cut_off.at, cut_off.event_id, cut_off.log, LIMIT))
    assert "Each valid ticket is for a seat that is sold to its customer: not so" in found
    assert "The journal has each batch once and whole: not so" in found
    assert f"seat 3 of {cut_off.new.customer}: told sold, stored nothing" in found

"""Redis emptied, killed and silent under sales: they go on, nobody is logged out, the mirror comes back."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from redis.exceptions import RedisError

from bots.own_data import sign_in
from bots.rest import Rest
from server.database import connect
from server.ending import end
from server.redis_connection import open_redis
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, Crowd, now_s
from tests.chaos.ledger import differences
from tests.chaos.processes import UsherProcess, kill

SHOPPERS = 40
OUTAGE_S = 3.0
FLUSH_EVERY_S = 0.5
MIRROR_BACK_S = 15.0

HOLDS = """
SELECT h.customer_id, (extract(epoch FROM h.expires_at) * 1000)::bigint AS expires_at_ms,
       (SELECT array_agg(seat_index ORDER BY seat_index) FROM seat s
         WHERE s.event_id = h.event_id AND s.state = 1 AND s.holder = h.customer_id) AS seats
  FROM hold h WHERE h.event_id = $1"""


@asynccontextmanager
async def emptied(usher: UsherProcess) -> AsyncIterator[None]:
    """FLUSHALL, again and again."""

    async def flush() -> None:
        async with open_redis(usher.redis) as redis:
            while True:
                await redis.flushall()
                await asyncio.sleep(FLUSH_EVERY_S)

    async with _while(flush):
        yield


@asynccontextmanager
async def killed(usher: UsherProcess) -> AsyncIterator[None]:
    """kill -9, each time that it is back."""

    async def kill_again() -> None:
        dead = 0
        while True:
            try:
                pid = usher.redis_pid
            except (OSError, ValueError):
                pid = dead  # it has not written its pid yet
            if pid != dead:
                kill(pid, signal.SIGKILL)
                dead = pid
            await asyncio.sleep(0.01)

    async with _while(kill_again):
        yield


@asynccontextmanager
async def silent(usher: UsherProcess) -> AsyncIterator[None]:
    """Alive, but it does not answer."""
    pid = usher.redis_pid
    kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("lost", [emptied, killed, silent])
async def test_sales_go_on_without_redis(
    usher: UsherProcess,
    folder: Path,
    figure: Figure,
    lost: Callable[[UsherProcess], AbstractAsyncContextManager[None]],
) -> None:
    await usher.start()
    customers = await sign_in(usher.database, SHOPPERS)
    async with Crowd([usher.url], customers, folder / "answers.jsonl") as crowd:
        await crowd.accepted(200)
        async with lost(usher):
            began, before = now_s(), crowd.log.accepted
            while now_s() - began < OUTAGE_S:
                await crowd.accepted(20)
                await _nobody_is_logged_out(crowd.rest, [customer.session_id for customer in customers[:4]])
            during = crowd.log.accepted - before
        back = now_s()
        await crowd.accepted(100)
        await crowd.finish()
        mirrored_s = await _mirror_is_back(usher) - back
        assert await crowd.is_all_there() == SHOPPERS
        found = await differences(usher.database, COLDPLAY, crowd.log, LIMIT)
    assert found == []
    assert crowd.close_codes.keys() <= {1000, None}, "the sockets stay"
    figure("accepted while Redis was away", f"{during} in {OUTAGE_S} s")
    figure("longest time without a sale, s", f"{crowd.silence_s(began):.2f}")
    figure("mirror equal again after, s", f"{mirrored_s:.2f} or less")
    figure("acknowledged, lost", f"{crowd.log.accepted}, {len(found)}")


async def _nobody_is_logged_out(rest: Rest, sessions: list[str]) -> None:
    answers = await asyncio.gather(*(rest.call("GET", "/auth/me", session_id=session) for session in sessions))
    assert [status for status, _ in answers] == [200] * len(sessions)


async def _mirror_is_back(usher: UsherProcess) -> float:
    """When the mirror was seen to be equal to the holds in PostgreSQL, of which there are some."""
    connection = await connect(usher.database)
    try:
        rows = await connection.fetch(HOLDS, COLDPLAY)
    finally:
        await connection.close()
    holds = {str(row["customer_id"]): (row["seats"], row["expires_at_ms"]) for row in rows}
    assert holds
    mirrored: object = None
    async with open_redis(usher.redis) as redis:
        give_up = now_s() + MIRROR_BACK_S
        while now_s() < give_up:
            try:
                found = await redis.hgetall(f"usher:{{{COLDPLAY}}}:holds")
            except (RedisError, OSError):
                found = {}
            shown = {_text(customer): msgspec.json.decode(hold) for customer, hold in found.items()}
            mirrored = {customer: (hold["seats"], hold["expires_at_ms"]) for customer, hold in shown.items()}
            if mirrored == holds:
                return now_s()
            await asyncio.sleep(0.02)
    raise AssertionError(f"{mirrored} are mirrored, {holds} are held")


def _text(found: bytes | str) -> str:
    return found if isinstance(found, str) else found.decode()


@asynccontextmanager
async def _while(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Have `work` go on meanwhile."""
    task = asyncio.ensure_future(work())
    try:
        yield
        assert not task.done()
    finally:
        await end(task)

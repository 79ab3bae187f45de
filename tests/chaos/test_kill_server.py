"""kill -9 of the server in the middle of sales, alone and with all that belongs to it."""

import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bots.own_data import sign_in
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, Crowd, now_s
from tests.chaos.ledger import differences
from tests.chaos.processes import UsherProcess, kill

SHOPPERS = 60


async def the_server(usher: UsherProcess) -> None:
    """Its engines live on, and are found by the next one."""
    await usher.kill()


async def everything(usher: UsherProcess) -> None:
    """The server and both engines, as when the power fails (the disk keeps what it was given)."""
    for pid in (usher.postgres_pid, usher.redis_pid):
        kill(pid, signal.SIGSTOP)
    engines = usher.postgres_pid, usher.redis_pid
    await usher.kill()
    for pid in engines:
        kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("killed", "times"), [(the_server, 5), (everything, 2)])
async def test_nothing_acknowledged_is_lost(
    usher: UsherProcess,
    folder: Path,
    figure: Figure,
    killed: Callable[[UsherProcess], Awaitable[None]],
    times: int,
) -> None:
    await usher.start()
    customers = await sign_in(usher.database, SHOPPERS)
    silences = []
    async with Crowd([usher.url], customers, folder / "answers.jsonl") as crowd:
        for _ in range(times):
            await crowd.accepted(150)
            began = now_s()
            await killed(usher)
            await usher.start()
            await crowd.accepted(150)
            silences.append(crowd.silence_s(began))
        await crowd.finish()
        assert await crowd.is_all_there() == SHOPPERS
        repeated = await crowd.ask_again()
        found = await differences(usher.database, COLDPLAY, crowd.log, LIMIT)
    assert found == []
    assert crowd.log.sent_again > 0, "no command was under way at any kill"
    figure("kills", times)
    figure("acknowledged, lost", f"{crowd.log.accepted}, {len(found)}")
    figure("sent again, old ones repeated", f"{crowd.log.sent_again}, {repeated}")
    figure("longest time without a sale, s", ", ".join(f"{silence:.2f}" for silence in silences))

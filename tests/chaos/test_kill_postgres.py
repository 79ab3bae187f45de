"""PostgreSQL killed and restarted under sales: the supervisor brings it back, and nothing acknowledged is lost."""

import signal
from functools import partial
from pathlib import Path

import pytest

from bots.own_data import sign_in
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, Crowd, now_s
from tests.chaos.ledger import differences
from tests.chaos.processes import UsherProcess, kill
from tests.server.parts import until

SHOPPERS = 60
TIMES = 2
RECOVERY_MAX_S = 20.0


def is_restarted(usher: UsherProcess, old: int) -> bool:
    """Has another PostgreSQL taken the place of this one?"""
    try:
        return usher.postgres_pid != old
    except (OSError, IndexError, ValueError):
        return False  # it has not written its pid yet


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "fast restart"])
async def test_nothing_acknowledged_is_lost_with_postgresql(
    usher: UsherProcess, folder: Path, figure: Figure, number: signal.Signals
) -> None:
    await usher.start()
    customers = await sign_in(usher.database, SHOPPERS)
    silences = []
    async with Crowd([usher.url], customers, folder / "answers.jsonl") as crowd:
        for _ in range(TIMES):
            await crowd.accepted(400)
            old, began = usher.postgres_pid, now_s()
            kill(old, number)
            await until(partial(is_restarted, usher, old), RECOVERY_MAX_S)
            await crowd.accepted(400)
            silences.append(crowd.silence_s(began))
        await crowd.finish()
        assert await crowd.is_all_there() == SHOPPERS
        await crowd.ask_again()
        found = await differences(usher.database, COLDPLAY, crowd.log, LIMIT)
    assert found == []
    assert max(silences) < RECOVERY_MAX_S
    assert crowd.close_codes.keys() <= {1000, None}, "the sockets stay"
    figure("acknowledged, lost", f"{crowd.log.accepted}, {len(found)}")
    figure("longest time without a sale, s", ", ".join(f"{silence:.2f}" for silence in silences))

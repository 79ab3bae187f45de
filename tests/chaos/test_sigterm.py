"""SIGTERM under load: a stop in order, within its time, that loses nothing."""

from pathlib import Path

from bots.own_data import sign_in
from protocol.codes import CloseCode
from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, Crowd
from tests.chaos.ledger import differences
from tests.chaos.processes import UsherProcess
from tests.server.parts import until

SHOPPERS = 60
STOP_MAX_S = 10.0


async def test_a_stop_under_load_loses_nothing(usher: UsherProcess, folder: Path, figure: Figure) -> None:
    await usher.start()
    customers = await sign_in(usher.database, SHOPPERS)
    async with Crowd([usher.url], customers, folder / "answers.jsonl") as crowd:
        await crowd.accepted(400)
        took_s = await usher.stop()
        await until(lambda: crowd.close_codes.total() >= SHOPPERS)
        assert crowd.close_codes == {CloseCode.RESTARTING: SHOPPERS}
        assert took_s < STOP_MAX_S
        await usher.start()
        await crowd.accepted(400)
        await crowd.finish()
        assert await crowd.is_all_there() == SHOPPERS
        await crowd.ask_again()
        found = await differences(usher.database, COLDPLAY, crowd.log, LIMIT)
    assert found == []
    figure("stop, s", f"{took_s:.2f}")
    figure("acknowledged, lost", f"{crowd.log.accepted}, {len(found)}")

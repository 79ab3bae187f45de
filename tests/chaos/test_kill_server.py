"""kill -9 of the server in the middle of sales."""

from pathlib import Path

from tests.chaos.conftest import Figure
from tests.chaos.crowd import COLDPLAY, LIMIT, Crowd, sign_in
from tests.chaos.ledger import differences
from tests.chaos.processes import UsherProcess

KILLS = 5
SHOPPERS = 60


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(
    usher: UsherProcess, folder: Path, figure: Figure
) -> None:
    await usher.start()
    customers = await sign_in(usher.database, SHOPPERS)
    starts = []
    async with Crowd([usher.url], customers, folder / "answers.jsonl") as crowd:
        for _ in range(KILLS):
            await crowd.accepted(400)
            await usher.kill()
            starts.append(await usher.start())
        await crowd.accepted(400)
        await crowd.finish()
        assert await crowd.is_all_there() == SHOPPERS
        repeated = await crowd.ask_again()
        found = await differences(usher.database, COLDPLAY, crowd.log, LIMIT)
    assert found == []
    assert crowd.log.sent_again > 0, "no command was under way at any kill"
    figure("kills", KILLS)
    figure("acknowledged, lost", f"{crowd.log.accepted}, {len(found)}")
    figure("sent again, old ones repeated", f"{crowd.log.sent_again}, {repeated}")
    figure("slowest start, s", f"{max(starts):.2f}")

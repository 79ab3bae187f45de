"""How sockets are read while more comes than can be done: in turns, in order, and each turn comes."""

import asyncio
from uuid import UUID

import pytest

from server.sockets.intake import COMMANDS_PER_TURN, TURNS_PER_ROUND, Intake, Reader
from tests.server.parts import Usher, until


async def test_turns_come_in_order_and_so_many_in_a_round() -> None:
    intake, rounds = Intake(), {}

    async def ask(number: int) -> None:
        await intake.turn()
        rounds[number] = intake.rounds

    async with asyncio.TaskGroup() as group:
        for number in range(3 * TURNS_PER_ROUND):
            group.create_task(ask(number))
    assert list(rounds) == list(range(3 * TURNS_PER_ROUND))
    assert [rounds[number] for number in range(0, 3 * TURNS_PER_ROUND, TURNS_PER_ROUND)] == [0, 1, 2]
    assert all(list(rounds.values()).count(one) == TURNS_PER_ROUND for one in range(3))


async def test_a_turn_ends_after_some_commands_and_with_its_round() -> None:
    intake = Intake()
    reader = Reader(intake)
    assert not reader.goes_on(), "nobody goes on before the first turn"
    await reader.turn()
    assert [reader.goes_on() for _ in range(COMMANDS_PER_TURN + 2)] == [True] * COMMANDS_PER_TURN + [False] * 2
    await reader.turn()
    assert reader.goes_on()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not reader.goes_on(), "that was another round"


async def test_who_goes_away_while_waiting_takes_no_turn() -> None:
    intake, served = Intake(), []

    async def ask(number: int) -> None:
        await intake.turn()
        served.append(number)

    tasks = [asyncio.create_task(ask(number)) for number in range(TURNS_PER_ROUND + 3)]
    await asyncio.sleep(0)
    tasks[TURNS_PER_ROUND].cancel()
    await asyncio.wait(tasks)
    assert served == [*range(TURNS_PER_ROUND), TURNS_PER_ROUND + 1, TURNS_PER_ROUND + 2]


async def test_with_a_backlog_sockets_wait_for_turns_and_all_are_answered(
    own: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sockets.connection.BACKLOG_COMMANDS", 10)
    monkeypatch.setattr("server.sockets.intake.TURNS_PER_ROUND", 1)
    turns = 0
    take_turn = Intake.turn

    async def counted(intake: Intake) -> None:
        nonlocal turns
        turns += 1
        await take_turn(intake)

    monkeypatch.setattr(Intake, "turn", counted)
    event_id, ada, ben = await own.event(), await own.customer(), await own.customer()
    async with own.socket(event_id, ada) as one, own.socket(event_id, ben) as other:
        await one.ask("hold_seats", seats=[0])
        async with own.database.acquire() as outsider, outsider.transaction():
            await outsider.execute("SELECT FROM event_head WHERE event_id = $1 FOR UPDATE", UUID(event_id))
            for number in range(40):
                await one.send(type="release_seats", id=f"a{number}", seats=[])
                await other.send(type="release_seats", id=f"b{number}", seats=[])
            await until(lambda: turns > 0)
        for number in range(40):
            await one.seen("accepted", "rejected", id=f"a{number}")
            await other.seen("accepted", "rejected", id=f"b{number}")
        assert turns > 1
        # Without a backlog nobody waits for a turn any more.
        so_far = turns
        await one.ask("hold_seats", seats=[1])
        assert turns == so_far

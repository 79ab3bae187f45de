"""How sockets are read while more comes than can be done: in turns, in order, and each turn comes."""

import asyncio
from uuid import UUID

import pytest
from aiohttp.base_protocol import BaseProtocol

from server.sockets.intake import COMMANDS_PER_TURN, TURNS_PER_ROUND, Intake, Reader
from tests.server.parts import Usher, until


class Socket(BaseProtocol):
    """Notes when its reading stops and goes on."""

    __slots__ = ("is_read",)

    def __init__(self) -> None:
        super().__init__(asyncio.get_running_loop())
        self.is_read = True

    def pause_reading(self) -> None:
        self.is_read = False

    def resume_reading(self, resume_parser: bool = True) -> None:
        self.is_read = True


async def asked(reader: Reader) -> None:
    """Wait for a turn, if need be."""
    if not reader.goes_on():
        await reader.turn()


async def test_turns_come_in_order_and_so_many_in_a_round() -> None:
    intake, rounds = Intake(), {}
    sockets = [Socket() for _ in range(3 * TURNS_PER_ROUND)]

    async def ask(number: int) -> None:
        await asked(Reader(intake, sockets[number]))
        rounds[number] = intake.rounds

    tasks = [asyncio.create_task(ask(number)) for number in range(3 * TURNS_PER_ROUND)]
    await asyncio.sleep(0)
    assert [socket.is_read for socket in sockets].count(False) == 2 * TURNS_PER_ROUND
    await asyncio.wait(tasks)
    assert all(socket.is_read for socket in sockets)
    assert list(rounds) == list(range(3 * TURNS_PER_ROUND))
    assert all(list(rounds.values()).count(one) == TURNS_PER_ROUND for one in range(3))


async def test_a_turn_is_for_some_commands_of_its_round() -> None:
    intake = Intake()
    reader, others = Reader(intake, Socket()), [Reader(intake, Socket()) for _ in range(TURNS_PER_ROUND - 1)]
    assert reader.goes_on()
    assert all(one.goes_on() for one in others)
    assert [reader.goes_on() for _ in range(COMMANDS_PER_TURN + 1)] == [True] * (COMMANDS_PER_TURN - 1) + [
        False
    ] * 2
    assert others[0].goes_on()
    await reader.turn()
    assert [reader.goes_on() for _ in range(COMMANDS_PER_TURN - 1)] == [True] * (COMMANDS_PER_TURN - 1)
    assert intake.rounds == 1, "what is left of a turn ends with its round"


async def test_who_goes_away_while_waiting_takes_no_turn() -> None:
    intake, served = Intake(), []

    async def ask(number: int) -> None:
        await asked(Reader(intake, Socket()))
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
    monkeypatch.setattr(own.parts, "intake", Intake())
    turns = 0
    wait = Intake.wait

    async def counted(intake: Intake) -> None:
        nonlocal turns
        turns += 1
        await wait(intake)

    monkeypatch.setattr(Intake, "wait", counted)
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

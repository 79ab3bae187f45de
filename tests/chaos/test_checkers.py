"""The checkers themselves: each goes red on what it is there to find (the negative controls of this folder)."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import pytest
from msgspec.structs import replace

from bots.answer_log import Answered, AnswerLog
from bots.own_data import sign_in
from bots.promises import broken_promises
from bots.rest import Rest
from bots.steady_socket import SteadySocket
from bots.watched_map import MapCheck, Pictures, WatchedMap, WrongMap
from protocol.codes import Code
from protocol.inbound import Checkout, Command, HoldSeats, ReleaseSeats
from protocol.outbound import Accepted, Counts, Hold, OrderStatus, OrderSummary, Patch, Snapshot, rejected
from protocol.seat_state import pack_states
from server.engines import PostgresAddress
from tests.chaos.ledger import differences
from tests.server.parts import Usher, own

__all__ = ["own"]

LIMIT = 4


@dataclass
class Sale:
    """A small sale on a real server, and what its customers were told: Ada has bought 1 and 2, Bob holds 3."""

    usher: Usher
    at: PostgresAddress
    event_id: str
    log: AnswerLog

    async def differences(self) -> list[str]:
        """What is wrong."""
        return await differences(self.at, self.event_id, self.log, LIMIT)


@pytest.fixture
async def sale(own: Usher, database_address: PostgresAddress) -> Sale:
    event_id, log = await own.event(max_tickets=LIMIT), AnswerLog()
    ada, bob = await sign_in(database_address, 2)
    commands: list[tuple[Command, ...]] = [
        (HoldSeats("a-1", (1, 2)), Checkout("a-2", "card")),
        (HoldSeats("b-1", (3, 4)), ReleaseSeats("b-2", (4,))),
    ]
    for customer, asked in zip((ada, bob), commands, strict=True):
        async with aiohttp.ClientSession() as http:
            door = Rest(http, own.url)
            async with SteadySocket(
                [door], event_id, customer.session_id, customer.name, log, random.Random(1)
            ) as socket:
                for command in asked:
                    assert isinstance(await socket.ask(command), Accepted)
    return Sale(own, database_address, event_id, log)


def _forged(log: AnswerLog, change: Callable[[Answered], Answered]) -> None:
    """Change the first entry of the log."""
    first = log.entries[0]
    assert isinstance(first, Answered)
    log.entries[0] = change(first)


async def test_a_sound_sale_shows_no_difference(sale: Sale) -> None:
    assert await sale.differences() == []


async def test_an_acknowledged_command_that_is_not_stored_is_found(sale: Sale) -> None:
    ada = sale.log.entries[0].customer
    sale.log.answer(ada, HoldSeats("never", (7,)), Accepted("never", 9, hold=Hold((7,), 1, 1)), 0.0)
    found = await sale.differences()
    assert any("stored 0 times" in one for one in found)
    assert any(f"seat 7 of {ada}: told held, stored nothing" in one for one in found)


async def test_an_order_that_is_not_stored_is_found(sale: Sale) -> None:
    ada = sale.log.entries[0].customer
    order = OrderSummary("another", OrderStatus.COMPLETED, 1, "USD", (8,))
    sale.log.answer(ada, Checkout("never", "card"), Accepted("never", 9, order=order), 0.0)
    assert any(f"order another of {ada}, seat 8: told" in one for one in await sale.differences())


async def test_another_answer_than_the_stored_one_is_found(sale: Sale) -> None:
    _forged(sale.log, lambda entry: replace(entry, answer=replace(entry.answer, revision=99)))
    assert any("is stored" in one for one in await sale.differences())


async def test_an_effect_that_nobody_was_told_of_is_found(sale: Sale) -> None:
    bob = sale.log.entries.pop().customer
    found = await sale.differences()
    assert any("nobody was told of it" in one for one in found)
    assert any(f"seat 4 of {bob}: told held, stored nothing" in one for one in found)


async def test_a_command_with_two_effects_is_found(sale: Sale) -> None:
    await sale.usher.database.execute(
        "INSERT INTO journal SELECT event_id, revision, position + 1, at, kind, customer_id, command_id,"
        " content_hash, seats, answer FROM journal WHERE command_id = 'b-2'"
    )
    found = await sale.differences()
    assert any("stored 2 times" in one for one in found)
    assert any("No command of a customer took effect twice: not so" in one for one in found)


async def test_a_seat_sold_twice_is_found_by_the_answers_alone(sale: Sale) -> None:
    bob = sale.log.entries[-1].customer
    order = OrderSummary("another", OrderStatus.COMPLETED, 1, "USD", (1,))
    sale.log.answer(bob, Checkout("twice", "card"), Accepted("twice", 9, order=order), 0.0)
    assert any("seat 1 was given to" in one for one in broken_promises(sale.log, LIMIT))


async def test_a_seat_sold_twice_in_the_database_is_found(sale: Sale) -> None:
    await sale.usher.database.execute("DROP INDEX ticket_seat_once")
    await sale.usher.database.execute(
        "INSERT INTO ticket SELECT event_id, gen_random_uuid(), order_id, seat_index, gen_random_uuid(), status,"
        " created_at FROM ticket WHERE seat_index = 1"
    )
    assert any("No seat has two valid tickets" in one for one in await sale.differences())


def _told(command: Command, answer: Accepted) -> list[str]:
    log = AnswerLog()
    log.answer("ada", command, answer, 0.0)
    return broken_promises(log, LIMIT)


WRONG_ANSWERS: dict[str, tuple[Command, Accepted]] = {
    "a hold without the seat": (HoldSeats("1", (1,)), Accepted("1", 1, hold=Hold((2,), 1, 1))),
    "a release that keeps it": (ReleaseSeats("1", (1,)), Accepted("1", 1, hold=Hold((1,), 1, 1))),
    "a release of all that keeps one": (ReleaseSeats("1", ()), Accepted("1", 1, hold=Hold((1,), 1, 1))),
    "a checkout without an order": (Checkout("1", "card"), Accepted("1", 1, hold=Hold((), None, 0))),
    "a checkout that was not paid": (
        Checkout("1", "card"),
        Accepted("1", 1, order=OrderSummary("o", OrderStatus.PAYMENT_FAILED, 1, "USD", (1,))),
    ),
    "another id": (HoldSeats("1", (1,)), Accepted("2", 1, hold=Hold((1,), 1, 1))),
    "more than is allowed": (HoldSeats("1", (1,)), Accepted("1", 1, hold=Hold((1, 2, 3, 4, 5), 1, 1))),
}


@pytest.mark.parametrize(("command", "answer"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_a_wrong_answer_is_found(command: Command, answer: Accepted) -> None:
    assert len(_told(command, answer)) == 1


def test_a_right_answer_is_not() -> None:
    assert _told(HoldSeats("1", (1,)), Accepted("1", 1, hold=Hold((1,), 1, 1))) == []


def test_two_answers_to_one_command_are_found() -> None:
    log, command = AnswerLog(), HoldSeats("1", (1,))
    log.answer("ada", command, Accepted("1", 1, hold=Hold((1,), 1, 1)), 0.0)
    log.answer("ada", command, Accepted("1", 2, hold=Hold((1,), 1, 1)), 0.0)
    log.answer("ada", command, rejected("1", Code.SEAT_TAKEN, (1,)), 0.0)
    assert len(broken_promises(log, LIMIT)) == 2


def _snapshot(revision: int, states: bytes, epoch: str = "e") -> Snapshot:
    counts = Counts(*(states.count(state) for state in range(4)))
    return Snapshot(epoch, revision, pack_states(states), counts)


def _map() -> WatchedMap:
    seats = WatchedMap(4)
    seats.load(_snapshot(5, b"\0\0\1\0"))
    return seats


def test_history_that_goes_back_is_found() -> None:
    with pytest.raises(WrongMap, match="went back"):
        _map().load(_snapshot(4, b"\0\0\1\0"))
    _map().load(_snapshot(4, b"\0\0\1\0", epoch="another"))


def test_one_revision_in_two_ways_is_found() -> None:
    with pytest.raises(WrongMap, match="two ways"):
        _map().load(_snapshot(5, b"\0\0\0\0"))


def test_wrong_counts_are_found() -> None:
    with pytest.raises(WrongMap, match="counts"):
        _map().load(replace(_snapshot(6, b"\0\0\1\0"), counts=Counts(4, 0, 0, 0)))


def test_a_map_that_patches_have_made_is_compared_where_it_meets_the_snapshot() -> None:
    seats = _map()
    check = MapCheck(seats, _snapshot(6, b"\1\0\1\0"))
    assert not check.is_done()
    for patch in (Patch("e", 5, 7, held=(0,), sold=(2,)),):
        seats.take(patch)
        check.take(patch)
    assert check.is_done()


def test_a_patch_that_was_lost_is_found() -> None:
    seats = _map()
    check = MapCheck(seats, _snapshot(6, b"\1\0\1\0"))  # revision 6 has taken seat 0, and no patch says so
    patch = Patch("e", 5, 7, sold=(2,))
    seats.take(patch)
    check.take(patch)
    with pytest.raises(WrongMap, match="1 seats"):
        check.is_done()


def test_a_gap_after_a_snapshot_is_found() -> None:
    check = MapCheck(_map(), _snapshot(5, b"\0\0\1\0"))
    with pytest.raises(WrongMap, match="a patch from 6"):
        check.take(Patch("e", 6, 7, sold=(2,)))


def test_bots_that_are_sent_the_same_share_one_map() -> None:
    pictures = Pictures()
    first, second = WatchedMap(4, pictures), WatchedMap(4, pictures)
    for seats in (first, second):
        seats.load(_snapshot(5, b"\0\0\1\0"))
    assert first.states is second.states
    assert not first.take_known(b"a patch")
    first.take(Patch("e", 5, 6, held=(0,)), b"a patch")
    assert not second.take_known(b"another patch")
    assert second.take_known(b"a patch")
    assert (second.revision, second.states) == (6, b"\1\0\1\0")


def test_one_position_shown_to_two_bots_in_two_ways_is_found() -> None:
    pictures = Pictures()
    first, second = WatchedMap(4, pictures), WatchedMap(4, pictures)
    for seats in (first, second):
        seats.load(_snapshot(5, b"\0\0\1\0"))
    first.take(Patch("e", 5, 6, held=(0,)), b"a patch")
    with pytest.raises(WrongMap, match="two ways"):
        second.take(Patch("e", 5, 6, held=(1,)), b"another patch")


def test_a_map_that_was_away_finds_that_its_own_position_is_shown_in_another_way() -> None:
    seats = _map().parted()
    with pytest.raises(WrongMap, match="two ways"):
        seats.load(_snapshot(5, b"\0\0\0\0"))

"""How fast one may talk on sockets: the buckets, and what a socket that talks too fast is told."""

from collections.abc import AsyncIterator

import pytest_asyncio

from server.engines import PostgresAddress, RedisAddress
from server.sockets.command_pace import BURST, COMMANDS_PER_S, REFUSALS_MAX, CommandPaces, TokenBucket
from tests.server.parts import Usher, running
from tests.server.test_rate_limits import Seconds


def test_a_bucket_fills_up_to_its_size_and_says_when() -> None:
    bucket = TokenBucket(2.0, 3)
    assert [bucket.take(5.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_s(5.0) == 0.5
    assert not bucket.take(5.4)
    assert bucket.take(5.5)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_the_sockets_of_an_account_share_one_bucket() -> None:
    paces = CommandPaces(Seconds(), is_on=True)
    one, two, other, stranger, nobody = (paces.of_socket(name) for name in ("ada", "ada", "bob", None, None))
    assert one is not None
    assert two is not None
    for _ in range(BURST // 2):
        assert one.wait_s(1.0) == two.wait_s(1.0) == 0
    assert one.wait_s(1.0) == two.wait_s(1.0) == 1 / COMMANDS_PER_S
    assert [pace.wait_s(1.0) for pace in (other, stranger, nobody) if pace is not None] == [0, 0, 0]


def test_the_buckets_of_accounts_without_sockets_are_forgotten() -> None:
    paces = CommandPaces(Seconds(), is_on=True)
    pace = paces.of_socket("ada")
    assert len(paces._accounts) == 1
    del pace
    assert len(paces._accounts) == 0


def test_a_flood_is_what_goes_on_after_many_refusals() -> None:
    pace = CommandPaces(Seconds(), is_on=True).of_socket("ada")
    assert pace is not None
    assert [pace.is_flood(1.0) for _ in range(REFUSALS_MAX + 1)] == [False] * REFUSALS_MAX + [True]
    assert not pace.is_flood(2.0)


def test_switched_off_nobody_has_a_pace() -> None:
    assert CommandPaces(Seconds(), is_on=False).of_socket("ada") is None


@pytest_asyncio.fixture
async def paced(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> AsyncIterator[tuple[Usher, Seconds]]:
    """A server with limits, and its clock for commands, which stands still."""
    async with running(database_address, redis_address, is_rate_limited=True) as server:
        clock = Seconds()
        server.parts.command_paces = CommandPaces(clock, is_on=True)
        yield server, clock


async def test_who_talks_too_fast_is_told_when_to_go_on(paced: tuple[Usher, Seconds]) -> None:
    usher, clock = paced
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket, usher.socket(event_id, ada) as second:
        for _ in range(BURST):
            assert (await socket.ask("release_seats", seats=[]))["type"] == "accepted"
        for talking in (socket, second):
            refused = await talking.ask("release_seats", seats=[])
            assert (refused["code"], refused["retry"], refused["retry_after_ms"]) == ("rate_limited", True, 50)
        clock.now += 0.05
        assert (await second.ask("release_seats", seats=[]))["type"] == "accepted"
        assert (await socket.ask("release_seats", seats=[]))["code"] == "rate_limited"


async def test_who_goes_on_all_the_same_is_closed_with_4429(paced: tuple[Usher, Seconds]) -> None:
    usher, _ = paced
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket, usher.socket(event_id, await usher.customer("Bob")) as other:
        for number in range(BURST + REFUSALS_MAX + 1):
            await socket.send(type="hold_seats", id=f"n{number}", seats=["x"])
        assert await socket.closed() == 4429
        codes = [frame["code"] for frame in socket.of("rejected")]
        assert codes == ["bad_command"] * BURST + ["rate_limited"] * (REFUSALS_MAX + 1)
        assert (await other.ask("hold_seats", seats=[1]))["type"] == "accepted"


async def test_what_has_no_id_waits_for_its_turn(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    pings = 2 * BURST
    async with (
        running(database_address, redis_address, is_rate_limited=True) as usher,
        usher.socket(await usher.event()) as socket,
    ):
        for number in range(pings):
            await socket.send(type="ping", at=number)
        await socket.seen("pong", at=pings - 1)
        assert [frame["at"] for frame in socket.of("pong")] == list(range(pings)), "none is left out"
        assert await socket.open()

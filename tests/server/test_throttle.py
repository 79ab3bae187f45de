"""The throttle: who is sent away, for how long, that many at once have one budget, with Redis and without it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from server.engines import RedisAddress
from server.people import throttle as throttle_module
from server.people.throttle import Attempt, Budget, Throttle
from server.redis_connection import open_redis
from tests.conftest import REDIS_TEST_DATABASE
from tests.proxy import RedisProxy
from tests.server.conftest import Clock

ADA = Budget("ada", 3, 60)
BOB = Budget("bob", 3, 60)
HALL = Budget("hall", 5, 600)


@pytest.fixture
async def proxy(redis_address: RedisAddress) -> AsyncIterator[RedisProxy]:
    made = RedisProxy(redis_address)
    await made.mend()
    yield made
    await made.cut()


@pytest.fixture(params=["redis", "no redis"])
async def throttle(request: pytest.FixtureRequest, proxy: RedisProxy, clock: Clock) -> AsyncIterator[Throttle]:
    async with open_redis(proxy.address, database=REDIS_TEST_DATABASE) as redis:
        if request.param == "no redis":
            await proxy.cut()
        yield Throttle(redis, clock)


async def begin(throttle: Throttle, *budgets: Budget) -> int:
    """How long to wait: 0 when the attempt counts."""
    return (await throttle.begin(*budgets)).wait_s


async def test_a_name_that_tries_too_often_waits_until_the_window_ends(throttle: Throttle, clock: Clock) -> None:
    for _ in range(2):
        assert await begin(throttle, ADA) == 0
    clock.pass_s(30)
    assert await begin(throttle, ADA) == 0
    assert await begin(throttle, ADA) == 30
    assert await begin(throttle, BOB) == 0
    clock.pass_s(29.5)
    assert await begin(throttle, ADA) == 1
    clock.pass_s(0.5)
    assert [await begin(throttle, ADA) for _ in range(4)] == [0, 0, 0, 60]


async def test_many_at_once_have_one_budget(throttle: Throttle) -> None:
    waits = await asyncio.gather(*(begin(throttle, ADA) for _ in range(50)))
    assert sorted(waits) == [0] * 3 + [60] * 47


async def test_a_success_forgives(throttle: Throttle) -> None:
    for _ in range(3):
        await begin(throttle, ADA)
    await throttle.forgive(ADA)
    await throttle.forgive(BOB)
    assert await begin(throttle, ADA) == 0


async def test_an_attempt_that_is_given_back_does_not_count(throttle: Throttle, clock: Clock) -> None:
    await begin(throttle, ADA)
    for _ in range(5):
        attempt = await throttle.begin(ADA)
        assert attempt.wait_s == 0
        await throttle.give_back(attempt)
    await throttle.give_back(Attempt())
    assert [await begin(throttle, ADA) for _ in range(3)] == [0, 0, 60]
    assert [await begin(throttle, BOB) for _ in range(4)] == [0, 0, 0, 60]


async def test_the_window_begins_once_though_all_is_given_back(throttle: Throttle, clock: Clock) -> None:
    await throttle.give_back(await throttle.begin(ADA))
    clock.pass_s(20)
    assert [await begin(throttle, ADA) for _ in range(4)] == [0, 0, 0, 40]


async def test_of_several_budgets_all_are_counted_or_none(throttle: Throttle) -> None:
    assert [await begin(throttle, ADA, HALL) for _ in range(4)] == [0, 0, 0, 60]
    assert [await begin(throttle, BOB, HALL) for _ in range(3)] == [0, 0, 600], "what was refused did not count"
    assert await begin(throttle, BOB) == 0


async def test_off_it_counts_nothing(throttle: Throttle) -> None:
    throttle.is_on = False
    assert [await begin(throttle, ADA) for _ in range(5)] == [0] * 5
    throttle.is_on = True
    assert await begin(throttle, ADA) == 0


async def test_all_nodes_count_together(redis: Redis, clock: Clock) -> None:
    one, two = Throttle(redis, clock), Throttle(redis, clock)
    assert [await begin(node, ADA) for node in (one, two, one, two)] == [0, 0, 0, 60]


async def test_a_lost_redis_is_counted_without_and_asked_again(
    proxy: RedisProxy, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_redis(proxy.address, database=REDIS_TEST_DATABASE) as redis:
        throttle, other = Throttle(redis, clock), Throttle(redis, clock)
        await proxy.cut()
        assert [await begin(throttle, ADA) for _ in range(4)] == [0, 0, 0, 60]
        clock.pass_s(throttle_module.REDIS_PAUSE_S)
        await begin(throttle, BOB)
        assert caplog.text.count("in this process alone") == 1
        await proxy.mend()
        assert await begin(throttle, ADA) == 59, "not asked again at once"
        clock.pass_s(throttle_module.REDIS_PAUSE_S)
        assert [await begin(node, ADA) for node in (throttle, other, throttle, other)] == [0, 0, 0, 60]
        assert caplog.text.count("in Redis again") == 1


async def test_it_is_given_back_where_it_was_counted(proxy: RedisProxy, clock: Clock) -> None:
    async with open_redis(proxy.address, database=REDIS_TEST_DATABASE) as redis:
        throttle, other = Throttle(redis, clock), Throttle(redis, clock)
        in_redis = await throttle.begin(ADA)
        await proxy.cut()
        alone = [await throttle.begin(ADA) for _ in range(2)]
        await throttle.give_back(in_redis)
        assert [await begin(throttle, ADA) for _ in range(2)] == [0, 60], "Redis counted it, not this process"
        await proxy.mend()
        clock.pass_s(throttle_module.REDIS_PAUSE_S)
        for attempt in alone:
            await throttle.give_back(attempt)
        assert [await begin(node, ADA) for node in (throttle, other, other)] == [0, 0, 59], "and this the other way"


async def test_no_budget_grows_by_what_is_given_back(throttle: Throttle, clock: Clock) -> None:
    """The window of the attempt is over, and another has begun since."""
    early = [await throttle.begin(ADA) for _ in range(3)]
    clock.pass_s(60)
    await begin(throttle, ADA)
    for attempt in early:
        await throttle.give_back(attempt)
    assert [await begin(throttle, ADA) for _ in range(4)] == [0, 0, 0, 60]


async def test_nothing_stays_in_redis(redis: Redis, clock: Clock) -> None:
    throttle = Throttle(redis, clock)
    await throttle.give_back(await throttle.begin(ADA, HALL))
    keys = await redis.keys("usher:attempts:*")
    assert len(keys) == 2
    assert all([0 < await redis.pttl(key) <= 600_000 for key in keys])


async def test_alone_it_is_bounded(proxy: RedisProxy, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle_module, "NAMES_MAX", 3)
    await proxy.cut()
    async with open_redis(proxy.address, database=REDIS_TEST_DATABASE) as redis:
        throttle = Throttle(redis, clock)
        budgets = [Budget(name, 1, 60) for name in "abcd"]
        for budget in budgets:
            await begin(throttle, budget)
        assert [await begin(throttle, budget) > 0 for budget in reversed(budgets)] == [True, True, True, False]

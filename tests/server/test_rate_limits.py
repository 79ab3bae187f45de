"""The rate limits: exact windows in Redis and in this process, whose budget it is, what who is refused is told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
import pytest_asyncio
import uvloop
from redis.asyncio import Redis

from server.door import rate_limits
from server.door.door_settings import DoorSettings
from server.door.rate_limits import MISSES_MAX, Count, RateLimits
from server.engines import PostgresAddress, RedisAddress
from server.redis_connection import open_redis
from tests.conftest import REDIS_TEST_DATABASE
from tests.databases import LoopThread
from tests.server.parts import Customer, Reply, Usher, running, until

DOOR = DoorSettings(
    reserve_per_minute=4, checkout_per_minute=2, join_per_minute=2, other_per_minute=5, address_per_minute=6
)


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
async def alone(seconds: Seconds) -> AsyncIterator[RateLimits]:
    """The limits of a process whose Redis is away."""
    async with open_redis(RedisAddress("127.0.0.1", 1)) as nowhere:
        yield RateLimits(nowhere, seconds)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis may take its time: what it answers is the subject, not when."""
    monkeypatch.setattr(rate_limits, "REDIS_WAIT_S", 10.0)


async def older(redis: Redis, name: str, by_s: int) -> None:
    """Make what Redis has counted older."""
    key = f"usher:rate:{name}"
    times = [int(time) - by_s * 1000 for time in await redis.lrange(key, 0, -1)]
    await redis.delete(key)
    if times:
        await redis.rpush(key, *times)


async def test_a_window_is_exact(alone: RateLimits, seconds: Seconds) -> None:
    begins = seconds.now
    for second, remaining in ((0, 2), (20, 1), (40, 0)):
        seconds.now = begins + second
        assert await alone.count("x", 3) == Count(True, remaining, 60 - second)
    seconds.now = begins + 59
    assert await alone.count("x", 3) == Count(False, 0, 1)
    assert await alone.count("y", 3) == Count(True, 2, 60), "everybody has a window"
    seconds.now = begins + 60
    assert await alone.count("x", 3) == Count(True, 0, 20), "what was refused did not count"
    assert await alone.count("x", 3) == Count(False, 0, 20)


async def test_a_refusal_says_truly_when_to_come_back(alone: RateLimits, seconds: Seconds) -> None:
    for _ in range(3):
        seconds.now += 7.3
        await alone.count("x", 3)
    refused = await alone.count("x", 3)
    seconds.now += refused.wait_s - 1
    assert not (await alone.count("x", 3)).is_within
    seconds.now += 1
    assert (await alone.count("x", 3)).is_within


@pytest.mark.usefixtures("unhurried")
async def test_processes_share_one_window(redis: Redis, seconds: Seconds) -> None:
    one, other = RateLimits(redis, seconds), RateLimits(redis, seconds)
    counts = [await limits.count("x", 3) for limits in (one, other, one)]
    assert [(count.is_within, count.remaining) for count in counts] == [(True, 2), (True, 1), (True, 0)]
    assert all(50 <= count.wait_s <= 60 for count in counts)
    for limits in (other, one):
        refused = await limits.count("x", 3)
        assert not refused.is_within
        assert 50 <= refused.wait_s <= 60
    assert 0 < await redis.pttl("usher:rate:x") <= 60_000, "it does not stay for ever"


@pytest.mark.usefixtures("unhurried")
async def test_the_window_in_redis_moves_with_the_time(redis: Redis, seconds: Seconds) -> None:
    for by_s in (30, 10, 0):
        await RateLimits(redis, seconds).count("x", 3)
        await older(redis, "x", by_s)
    refused = await RateLimits(redis, seconds).count("x", 3)
    assert not refused.is_within
    assert 15 <= refused.wait_s <= 20
    await older(redis, "x", 20)
    assert (await RateLimits(redis, seconds).count("x", 3)).remaining == 0
    assert await redis.llen("usher:rate:x") == 3, "what is over is not kept"
    less = await RateLimits(redis, seconds).count("x", 2)
    assert not less.is_within
    assert 35 <= less.wait_s <= 40, "a limit that was lowered counts from the newest"


@pytest.mark.usefixtures("unhurried")
async def test_who_was_refused_costs_redis_nothing_until_it_is_time(redis: Redis, seconds: Seconds) -> None:
    limits, other = RateLimits(redis, seconds), RateLimits(redis, seconds)
    for _ in range(3):
        await other.count("x", 3)
    refused = await limits.count("x", 3)
    await redis.delete("usher:rate:x")
    assert not (await limits.count("x", 3)).is_within
    seconds.now += refused.wait_s
    assert (await limits.count("x", 3)).is_within


@pytest.mark.usefixtures("unhurried")
async def test_flushing_redis_gives_nobody_a_new_budget(redis: Redis, seconds: Seconds) -> None:
    limits = RateLimits(redis, seconds)
    for _ in range(3):
        assert (await limits.count("x", 3)).is_within
    await redis.flushdb()
    assert not (await limits.count("x", 3)).is_within


async def test_a_redis_that_does_not_answer_is_asked_once_a_second(alone: RateLimits, seconds: Seconds) -> None:
    asked = []

    async def silent(keys: list[str], _: list[int]) -> list[int]:
        asked.append(keys)
        await asyncio.Event().wait()
        return []

    alone._script = silent
    for remaining in (2, 1, 0):
        assert (await alone.count("x", 3)).remaining == remaining
    assert not (await alone.count("x", 3)).is_within, "the limit holds in this process"
    assert len(asked) == MISSES_MAX
    await alone.count("y", 3)
    assert len(asked) == MISSES_MAX, "no more for now"
    seconds.now += 1
    await asyncio.gather(*(alone.count(str(name), 3) for name in range(5)))
    assert len(asked) == MISSES_MAX + 1, "one tries, the others do not wait for it"
    await alone.close()
    assert not alone._asking


async def test_a_connection_that_takes_long_to_be_made_is_there_the_next_time(
    alone: RateLimits, seconds: Seconds
) -> None:
    is_made = asyncio.Event()

    async def slow_at_first(_: list[str], limit: list[int]) -> list[int]:
        await is_made.wait()
        return [limit[0] - 1, 60_000]

    alone._script = slow_at_first
    await alone.count("x", 3)
    (asking,) = alone._asking
    is_made.set()
    await asking
    assert await alone.count("y", 3) == Count(True, 2, 60)
    assert not alone._is_paused
    assert alone._misses == 0


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run])
def test_a_busy_loop_is_not_taken_for_a_slow_redis(
    redis_address: RedisAddress,
    loop_thread: LoopThread,
    runner: Callable[[Coroutine[Any, Any, None]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limits, "MISSES_MAX", 1)
    monkeypatch.setattr(rate_limits, "REDIS_WAIT_S", 0.2)

    async def counted(number: int) -> None:
        async with open_redis(redis_address, database=REDIS_TEST_DATABASE) as redis:
            await until(lambda: has_counted(redis, number))

    async def has_counted(redis: Redis, number: int) -> bool:
        return bool(await redis.llen("usher:rate:busy") == number)

    async def work() -> None:
        async with open_redis(redis_address, database=REDIS_TEST_DATABASE) as redis:
            await redis.delete("usher:rate:busy")
            limits = RateLimits(redis, time.monotonic)
            await redis.ping()
            for number in range(1, 4):
                counting = asyncio.create_task(limits.count("busy", 3))
                for _ in range(3):  # until the question is on its way
                    await asyncio.sleep(0)
                loop_thread.run(counted(number))  # the loop is busy: Redis has answered,
                time.sleep(0.25)  # noqa: ASYNC251 (and the time to wait for it is over)
                assert (await counting).remaining == 3 - number
                assert not limits._is_paused
            assert await redis.llen("usher:rate:busy") == 3
            await limits.close()
            await redis.delete("usher:rate:busy")

    runner(work())


async def test_a_change_is_told_once(alone: RateLimits, seconds: Seconds, caplog: pytest.LogCaptureFixture) -> None:
    is_silent = True

    async def moody(_: list[str], limit: list[int]) -> list[int]:
        if is_silent:
            await asyncio.Event().wait()
        return [limit[0] - 1, 60_000]

    async def told() -> int:
        await asyncio.gather(*(alone.count(str(name), 99) for name in range(40)))
        return len(caplog.records)

    alone._script = moody
    assert [await told() for _ in range(MISSES_MAX)] == [0, 0, 1], "many who wait at once miss it once"
    seconds.now += 1
    assert await told() == 1
    is_silent = False
    assert await told() == 1
    seconds.now += 1
    await alone.count("x", 3)
    assert await told() == 2
    await alone.close()


async def test_redis_is_used_again_when_it_is_back(redis: Redis, seconds: Seconds, unhurried: None) -> None:
    limits = RateLimits(redis, seconds)
    async with open_redis(RedisAddress("127.0.0.1", 1)) as nowhere:
        limits._script.registered_client = nowhere
        for _ in range(MISSES_MAX):
            await limits.count("x", 9)
        limits._script.registered_client = redis
    await limits.count("x", 9)
    assert await redis.llen("usher:rate:x") == 0
    seconds.now += 1
    await limits.count("x", 9)
    assert await redis.llen("usher:rate:x") == 1


async def test_the_names_remembered_are_bounded(alone: RateLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "NAMES_MAX", 3)
    for name in ("a", "b", "c", "a", "d"):
        await alone.count(name, 1)
    assert list(alone._windows) == ["c", "a", "d"]


@pytest_asyncio.fixture
async def strict(database_address: PostgresAddress, redis_address: RedisAddress) -> AsyncIterator[Usher]:
    """A server with low limits."""
    async with running(database_address, redis_address, is_rate_limited=True, door=DOOR) as server:
        yield server


async def bad_reserve(usher: Usher, event_id: str, by: Customer) -> Reply:
    return await usher.rest("POST", f"/seats/{event_id}/reserve", {}, by)


def assert_limited(reply: Reply, policy: str, per_minute: int) -> None:
    assert reply.refusal == (429, "Too many requests, slow down", "rate_limited")
    wait_s = int(reply.headers["Retry-After"])
    assert 1 <= wait_s <= 60
    assert reply.headers["RateLimit"] == f'"{policy}";r=0;t={wait_s}'
    assert reply.headers["RateLimit-Policy"] == f'"{policy}";q={per_minute};w=60'


async def test_each_kind_of_request_has_its_own_limit(strict: Usher) -> None:
    event_id = await strict.event()
    for method, path, policy, per_minute in (
        ("POST", f"/seats/{event_id}/reserve", "reserve", 4),
        ("POST", "/checkout", "checkout", 2),
        ("POST", f"/queue/{event_id}/join", "join", 2),
        ("GET", "/auth/me", "other", 5),
    ):
        ada = await strict.customer()
        for left in reversed(range(per_minute)):
            reply = await strict.rest(method, path, {}, ada)
            assert reply.status != 429, (path, "a request that is refused for its form counts, too")
            assert reply.headers["RateLimit"].startswith(f'"{policy}";r={left};t=')
        assert_limited(await strict.rest(method, path, {}, ada), policy, per_minute)


async def test_the_sessions_of_one_account_share_what_buys_and_nothing_else(strict: Usher) -> None:
    event_id, ada = await strict.event(), await strict.customer()
    again = await strict.sign_in(ada.id)
    for by in (ada, again, ada, again):
        assert (await bad_reserve(strict, event_id, by)).status == 400
    for by in (ada, again, await strict.sign_in(ada.id)):
        assert_limited(await bad_reserve(strict, event_id, by), "reserve", 4)
    assert (await bad_reserve(strict, event_id, await strict.customer("Bob"))).status == 400
    for by in (ada, again):
        for _ in range(5):
            assert (await strict.rest("GET", "/auth/me", by=by)).status == 200
        assert (await strict.rest("GET", "/auth/me", by=by)).status == 429


async def test_without_a_live_session_the_address_counts(strict: Usher) -> None:
    ada = await strict.customer()
    for number in range(6):
        by = Customer("", f"made-up-{number}") if number % 2 else None
        assert (await strict.rest("GET", "/auth/me", by=by)).status == 401
    for by in (None, Customer("", "made-up")):
        assert_limited(await strict.rest("GET", "/venues", by=by), "address", 6)
    assert (await strict.rest("GET", "/auth/me", by=ada)).status == 200, "who is signed in does not suffer from it"


async def test_made_up_sessions_cost_the_database_no_more_than_the_limit(
    strict: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, find, looked_up = await strict.customer(), strict.parts.sessions.find, list[str]()

    async def counted(shown: str) -> Any:
        looked_up.append(shown)
        return await find(shown)

    monkeypatch.setattr(strict.parts.sessions, "find", counted)
    assert (await strict.rest("GET", "/auth/me", by=ada)).status == 200
    looked_up.clear()
    replies = [await strict.rest("GET", "/auth/me", by=Customer("", f"{number:043}")) for number in range(30)]
    assert [reply.status for reply in replies] == [401] * 6 + [429] * 24
    assert_limited(replies[-1], "address", 6)
    assert len(looked_up) <= 7
    assert (await strict.rest("GET", "/auth/me", by=ada)).status == 200, "who was signed in goes on"


async def test_what_a_cache_may_keep_says_nothing_of_who_asked(strict: Usher) -> None:
    dead = {"Cookie": "session=dead"}
    first = await strict.rest("GET", "/venues", headers=dead)
    known = dead | {"If-None-Match": first.headers["ETag"]}
    async with strict.http.get(f"{strict.url}/api/v1/venues", headers=known) as again:
        assert (first.status, again.status) == (200, 304)
        for headers in (first.headers, again.headers):
            assert headers["Cache-Control"] == "no-cache"
            assert not {"Set-Cookie", "RateLimit", "RateLimit-Policy"} & set(headers)
    mine = await strict.rest("GET", "/auth/me", headers=dead)
    assert 'session=""' in mine.headers["Set-Cookie"]
    assert "RateLimit" in mine.headers
    for _ in range(3):
        await strict.rest("GET", "/venues", headers=dead)
    assert_limited(await strict.rest("GET", "/venues", headers=dead), "address", 6)


async def test_pages_files_maps_and_health_have_no_limit(strict: Usher) -> None:
    for path in ("/", "/static/main.js", "/maps/x.json", "/live", "/ready", "/health"):
        for _ in range(8):
            async with strict.http.get(strict.url + path) as answer:
                assert answer.status != 429
                assert "RateLimit" not in answer.headers


async def test_handshakes_are_counted_by_address(strict: Usher) -> None:
    event_id = await strict.event()
    for _ in range(6):
        async with strict.socket(event_id):
            pass
    headers = {"Sec-WebSocket-Protocol": "usher.v1"}
    async with strict.http.get(f"{strict.url}/ws/events/{event_id}", headers=headers) as answer:
        assert answer.status == 429
        assert (await answer.json())["code"] == "rate_limited"
        assert 1 <= int(answer.headers["Retry-After"]) <= 60


async def test_joins_count_by_address_too(database_address: PostgresAddress, redis_address: RedisAddress) -> None:
    door = DoorSettings(joins_per_address=2)
    async with running(database_address, redis_address, is_rate_limited=True, door=door) as usher:
        event_id, people = await usher.event(), [await usher.customer() for _ in range(3)]
        said = [await usher.rest("POST", f"/queue/{event_id}/join", by=one) for one in people]
        assert [one.status for one in said] == [200, 200, 429]
        assert said[-1].body["code"] == "rate_limited"
        assert (await usher.rest("GET", f"/queue/{event_id}/status", by=people[2])).status == 200, "nothing else"


async def test_a_limit_of_zero_is_none(database_address: PostgresAddress, redis_address: RedisAddress) -> None:
    door = DoorSettings(reserve_per_minute=0, address_per_minute=1)
    async with running(database_address, redis_address, is_rate_limited=True, door=door) as usher:
        event_id, ada = await usher.event(), await usher.customer()
        for _ in range(30):
            reply = await bad_reserve(usher, event_id, ada)
            assert reply.status == 400
            assert "RateLimit" not in reply.headers


async def test_the_switch_lifts_every_limit(database_address: PostgresAddress, redis_address: RedisAddress) -> None:
    async with running(database_address, redis_address, is_rate_limited=False, door=DOOR) as usher:
        event_id, ada = await usher.event(), await usher.customer()
        for _ in range(10):
            assert (await bad_reserve(usher, event_id, ada)).status == 400
            assert (await usher.rest("GET", "/venues")).status == 200
        async with usher.socket(event_id, ada) as socket:
            for number in range(100):
                await socket.send(type="release_seats", id=f"r{number}", seats=[])
            await socket.settled()
            assert not [frame for frame in socket.of("rejected") if frame["code"] == "rate_limited"]
    async with open_redis(redis_address, database=REDIS_TEST_DATABASE) as redis:
        assert not [key async for key in redis.scan_iter("usher:rate:*")]


async def test_the_limits_of_the_contract(database_address: PostgresAddress, redis_address: RedisAddress) -> None:
    async with running(database_address, redis_address, is_rate_limited=True) as usher:
        event_id, ada = await usher.event(), await usher.customer()
        for path, per_minute in (
            (f"/seats/{event_id}/reserve", 20),
            ("/checkout", 5),
            (f"/queue/{event_id}/join", 5),
        ):
            replies = [await usher.rest("POST", path, {}, ada) for _ in range(per_minute + 1)]
            assert [reply.status == 429 for reply in replies] == [False] * per_minute + [True]
        replies = [await usher.rest("GET", "/auth/me", by=ada) for _ in range(101)]
        assert [reply.status for reply in replies] == [200] * 100 + [429]
        assert (await usher.rest("POST", "/auth/logout", by=ada)).status == 200, "one may always leave"


async def test_a_repeated_checkout_gets_its_answer_however_often(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    async with running(database_address, redis_address, is_rate_limited=True) as usher:
        event_id, ada = await usher.event(), await usher.customer()
        await usher.reserve(event_id, [0], ada)
        replies = [await usher.buy(ada, key="k") for _ in range(10)]
        assert {(reply.status, reply.raw) for reply in replies} == {(200, replies[0].raw)}

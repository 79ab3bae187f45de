"""Sessions: hashes only, a cache that may be lost at any moment, and logouts that stay."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from redis.asyncio import Redis

from protocol.limits import SESSION_DURATION_S
from server.engines import RedisAddress
from server.people.session_cache import Answer, Gap, Session, SessionCache
from server.people.sessions import Sessions
from tests.conftest import REDIS_TEST_DATABASE
from tests.proxy import RedisProxy
from tests.rows import add_customer
from tests.server.conftest import Clock


@pytest.fixture
async def proxy(redis_address: RedisAddress) -> AsyncIterator[RedisProxy]:
    made = RedisProxy(redis_address)
    await made.mend()
    yield made
    await made.cut()


@pytest.fixture
async def far(database: asyncpg.Pool, proxy: RedisProxy, clock: Clock) -> AsyncIterator[Sessions]:
    """Sessions of another node, whose way to Redis can be cut."""
    cache = SessionCache(proxy.address, database=REDIS_TEST_DATABASE)
    await cache.healed()
    made = Sessions(database, cache, clock)
    yield made
    await made.close()


async def found(sessions: Sessions, session_id: str) -> Session:
    session = await sessions.find(session_id)
    assert session is not None
    return session


def key(session_id: str) -> str:
    return f"usher:session:{hashlib.sha256(session_id.encode()).hexdigest()}"


async def test_a_session_is_found_by_its_id(database: asyncpg.Pool, sessions: Sessions, clock: Clock) -> None:
    customer_id = await add_customer(database, email="ada@example.org", name="Ada", role="admin")
    session_id, expires_at = await sessions.create(customer_id)
    assert expires_at == clock() + timedelta(seconds=SESSION_DURATION_S)
    from_database = await found(sessions, session_id)
    from_cache = await found(sessions, session_id)
    assert from_database == from_cache
    assert from_cache.customer_id == customer_id
    assert (from_cache.name, from_cache.email, from_cache.role) == ("Ada", "ada@example.org", "admin")
    assert from_cache.expires_at == expires_at


async def test_ids_are_long_and_never_the_same(sessions: Sessions, database: asyncpg.Pool) -> None:
    customer_id = await add_customer(database)
    ids = {(await sessions.create(customer_id))[0] for _ in range(20)}
    assert len(ids) == 20
    assert all(len(session_id) == 43 for session_id in ids)


async def test_only_hashes_are_stored(
    sessions: Sessions, session_id: str, database: asyncpg.Pool, redis: Redis
) -> None:
    ticket, _ = await sessions.make_ticket(await found(sessions, session_id))
    tables = await database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    stored = ""
    for table in tables:
        stored += "".join(map(str, await database.fetch(f'SELECT t::text FROM "{table["tablename"]}" t')))
    assert hashlib.sha256(session_id.encode()).hexdigest() in stored
    for name in await redis.keys():
        stored += str(name) + str(await redis.get(name))
    assert key(session_id) in stored
    assert session_id not in stored
    assert ticket not in stored


async def test_whatever_is_no_id_finds_nothing(sessions: Sessions) -> None:
    for shown in [
        "",
        "x",
        "\0",
        "a" * 42,
        "a" * 44,
        "a" * 42 + "\0",
        "a" * 42 + "é",
        "a" * 43,
        "'" * 43,
        "a" * 100_000,
    ]:
        assert await sessions.find(shown) is None
        assert await sessions.take_ticket(shown) is None


async def test_a_cached_session_lives_a_minute_at_most(sessions: Sessions, session_id: str, redis: Redis) -> None:
    await found(sessions, session_id)
    assert 0 < await redis.pttl(key(session_id)) <= 60_000


async def test_the_cache_saves_postgres_the_question(
    sessions: Sessions, session_id: str, database: asyncpg.Pool
) -> None:
    await found(sessions, session_id)
    await database.execute("UPDATE customer SET name = 'Grace'")
    assert (await found(sessions, session_id)).name == "Ada"


@pytest.mark.parametrize("is_cached", [True, False])
async def test_a_session_runs_out_after_a_day(
    sessions: Sessions, session_id: str, clock: Clock, redis: Redis, is_cached: bool
) -> None:
    clock.pass_s(SESSION_DURATION_S - 1)
    await found(sessions, session_id)
    if not is_cached:
        await redis.flushdb()
    clock.pass_s(1)
    assert await sessions.find(session_id) is None


@pytest.mark.parametrize("is_cached", [True, False])
async def test_an_ended_session_is_dead_everywhere(
    sessions: Sessions, far: Sessions, session_id: str, is_cached: bool
) -> None:
    if is_cached:
        await found(far, session_id)
    session = await found(sessions, session_id)
    ended: list[bytes] = []
    sessions.on_end.append(ended.append)
    await sessions.end(session)
    assert ended == [session.id_hash]
    assert await sessions.find(session_id) is None
    assert await far.find(session_id) is None


async def test_a_failing_callback_keeps_no_session_alive(sessions: Sessions, session_id: str) -> None:
    def fail(_: bytes) -> None:
        raise RuntimeError

    later: list[bytes] = []
    sessions.on_end += [fail, later.append]
    await sessions.end(await found(sessions, session_id))
    assert len(later) == 1
    assert await sessions.find(session_id) is None


async def test_logouts_of_others_do_not_count(sessions: Sessions, session_id: str, database: asyncpg.Pool) -> None:
    other_id, _ = await sessions.create(await add_customer(database))
    await sessions.end(await found(sessions, other_id))
    assert await sessions.find(session_id)


@pytest.mark.parametrize("is_cached", [True, False])
async def test_whose_session_was_found_last_is_remembered(
    sessions: Sessions, session_id: str, redis: Redis, is_cached: bool
) -> None:
    assert not sessions.was_live(session_id), "nobody has asked for it yet"
    session = await found(sessions, session_id)
    if not is_cached:
        await redis.flushdb()
    await found(sessions, session_id)
    assert sessions.was_live(session_id)
    await sessions.end(session)
    assert sessions.was_live(session_id), "as far as is known here"
    assert await sessions.find(session_id) is None
    assert not sessions.was_live(session_id)


async def test_what_is_no_session_was_never_live(sessions: Sessions) -> None:
    for shown in ("", "x", "a" * 43, "a" * 42 + "é", "\ud800"):
        await sessions.find(shown)
        assert not sessions.was_live(shown)


async def test_the_sessions_remembered_are_bounded(
    sessions: Sessions, database: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.people.sessions.FOUND_MAX", 3)
    customer_id = await add_customer(database)
    a, b, c, d = [(await sessions.create(customer_id))[0] for _ in range(4)]
    for session_id in (a, b, c, a, d):
        await found(sessions, session_id)
    assert [sessions.was_live(session_id) for session_id in (a, b, c, d)] == [True, False, True, True]


async def test_alive_tells_which_sessions_live(
    sessions: Sessions, session_id: str, database: asyncpg.Pool, clock: Clock
) -> None:
    other_id, _ = await sessions.create(await add_customer(database))
    one, other = await found(sessions, session_id), await found(sessions, other_id)
    assert await sessions.alive([one.id_hash, other.id_hash, b"?" * 32]) == {one.id_hash, other.id_hash}
    await sessions.end(one)
    assert await sessions.alive([one.id_hash, other.id_hash]) == {other.id_hash}
    clock.pass_s(SESSION_DURATION_S)
    assert await sessions.alive([one.id_hash, other.id_hash]) == set()
    assert await sessions.alive([]) == set()


class TestTheCacheAndLogouts:
    """Each way in which a cache could bring an ended session back to life."""

    async def test_a_fill_that_races_with_the_logout_does_not_bring_it_back(
        self, sessions: Sessions, session_id: str, redis: Redis
    ) -> None:
        session = await found(sessions, session_id)
        await redis.delete(key(session_id))
        gap = await sessions._cache.look_up(session.id_hash)
        assert isinstance(gap, Gap)
        await sessions.end(session)
        await sessions._cache.fill(gap, session)
        assert await sessions.find(session_id) is None

    async def test_without_the_tombstone_it_would_come_back(
        self, sessions: Sessions, session_id: str, redis: Redis
    ) -> None:
        """The negative control of the test above."""
        session = await found(sessions, session_id)
        await redis.delete(key(session_id))
        gap = await sessions._cache.look_up(session.id_hash)
        assert isinstance(gap, Gap)
        await sessions.end(session)
        await redis.delete(key(session_id))
        await sessions._cache.fill(gap, session)
        assert await sessions.find(session_id) is not None

    async def test_the_tombstone_outlives_every_fill(
        self, sessions: Sessions, session_id: str, redis: Redis
    ) -> None:
        await sessions.end(await found(sessions, session_id))
        assert await redis.pttl(key(session_id)) > 60_000 + 30_000

    async def test_a_fill_that_comes_a_minute_late_fills_nothing(
        self, sessions: Sessions, session_id: str, redis: Redis
    ) -> None:
        session = await found(sessions, session_id)
        await redis.delete(key(session_id))
        gap = await sessions._cache.look_up(session.id_hash)
        assert isinstance(gap, Gap)
        await sessions._cache.fill(Gap(gap.generation, gap.read_at_ms - 60_000), session)
        assert await redis.get(key(session_id)) is None

    async def test_a_logout_during_an_outage_stays(
        self, sessions: Sessions, far: Sessions, session_id: str, proxy: RedisProxy, redis: Redis
    ) -> None:
        session = await found(sessions, session_id)
        await proxy.cut()
        await far.end(session)
        assert await far.find(session_id) is None
        assert await redis.get(key(session_id)), "the stale entry is still there: this is what the test is about"
        await proxy.mend()
        await far._cache.healed()
        assert await redis.get(key(session_id))
        assert await far.find(session_id) is None
        assert await sessions.find(session_id) is None

    async def test_a_fill_with_an_old_generation_counts_for_nothing(
        self, sessions: Sessions, far: Sessions, session_id: str, proxy: RedisProxy, redis: Redis
    ) -> None:
        session = await found(sessions, session_id)
        await redis.delete(key(session_id))
        gap = await sessions._cache.look_up(session.id_hash)
        assert isinstance(gap, Gap)
        await proxy.cut()
        await far.end(session)
        await proxy.mend()
        await far._cache.healed()
        await sessions._cache.fill(gap, session)
        assert await redis.get(key(session_id))
        assert await sessions.find(session_id) is None

    async def test_without_the_generation_it_would_come_back(
        self, sessions: Sessions, far: Sessions, session_id: str, proxy: RedisProxy, redis: Redis
    ) -> None:
        """The negative control of the two tests above."""
        generation = await redis.get("usher:session:generation")
        assert generation
        session = await found(sessions, session_id)
        await proxy.cut()
        await far.end(session)
        await proxy.mend()
        await far._cache.healed()
        await redis.set("usher:session:generation", generation)
        assert await sessions.find(session_id) is not None

    async def test_trouble_during_the_healing_is_healed_too(
        self, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A new generation that may have been put there before the trouble does not count."""
        cache, generations = sessions._cache, []
        put = cache._redis.set

        async def put_amid_trouble(name: str, value: str) -> None:
            generations.append(value)
            await put(name, value)
            if len(generations) == 1:
                cache._doubt("second")

        monkeypatch.setattr(cache._redis, "set", put_amid_trouble)
        cache._doubt("first")
        await cache.healed()
        assert len(set(generations)) == 2

    async def test_another_server_process_is_not_trusted_at_once(self, sessions: Sessions, session_id: str) -> None:
        """A restarted Redis may have forgotten a tombstone that it had, and still know the entry before it."""
        cache = sessions._cache
        await found(sessions, session_id)
        cache._server = b"the process before the restart"
        await cache._redis.connection_pool.disconnect()
        session_hash = hashlib.sha256(session_id.encode()).digest()
        assert await cache.look_up(session_hash) is Answer.CANNOT_TELL
        await cache.healed()
        assert isinstance(await cache.look_up(session_hash), Gap)


async def test_flushing_redis_loses_no_login(sessions: Sessions, session_id: str, redis: Redis) -> None:
    await found(sessions, session_id)
    await redis.flushdb()
    await found(sessions, session_id)
    await sessions._cache.healed()
    await found(sessions, session_id)
    await found(sessions, session_id)
    assert await redis.get(key(session_id))


async def test_a_logout_survives_flushing_redis(sessions: Sessions, session_id: str, redis: Redis) -> None:
    session = await found(sessions, session_id)
    await redis.delete(key(session_id))
    gap = await sessions._cache.look_up(session.id_hash)
    assert isinstance(gap, Gap)
    await sessions.end(session)
    await redis.flushdb()
    await sessions._cache.fill(gap, session)
    assert await sessions.find(session_id) is None
    await sessions._cache.healed()
    assert await sessions.find(session_id) is None


async def test_without_redis_sessions_go_on(
    far: Sessions, session_id: str, proxy: RedisProxy, database: asyncpg.Pool
) -> None:
    await proxy.cut()
    await found(far, session_id)
    assert not far._cache.is_in_use
    ticket, _ = await far.make_ticket(await found(far, session_id))
    assert await far.take_ticket(ticket)
    new_id, _ = await far.create(await add_customer(database))
    await far.end(await found(far, new_id))
    assert await far.find(new_id) is None
    await proxy.mend()
    await far._cache.healed()
    await found(far, session_id)


async def test_nobody_waits_for_a_redis_that_is_away(far: Sessions, session_id: str, proxy: RedisProxy) -> None:
    await proxy.cut()
    await found(far, session_id)
    asked = far._cache.look_up(b"?" * 32)
    with pytest.raises(StopIteration) as answer:
        asked.send(None)  # it answers without ever waiting
    assert answer.value.value is Answer.CANNOT_TELL


async def test_an_outage_without_a_logout_leaves_the_entries_their_worth(
    far: Sessions, session_id: str, proxy: RedisProxy, redis: Redis
) -> None:
    await found(far, session_id)
    generation = await redis.get("usher:session:generation")
    await proxy.cut()
    await found(far, session_id)
    assert not far._cache.is_in_use
    await proxy.mend()
    await far._cache.healed()
    assert await redis.get("usher:session:generation") == generation


async def test_an_entry_that_cannot_be_read_is_no_entry(sessions: Sessions, session_id: str, redis: Redis) -> None:
    await redis.set(key(session_id), b"{]")
    await found(sessions, session_id)


async def test_a_ticket_lets_in_once(sessions: Sessions, session_id: str, clock: Clock) -> None:
    session = await found(sessions, session_id)
    ticket, expires_at = await sessions.make_ticket(session)
    assert expires_at == clock() + timedelta(seconds=30)
    answers = await asyncio.gather(*(sessions.take_ticket(ticket) for _ in range(5)))
    assert [answer for answer in answers if answer is not None] == [session]
    assert await sessions.take_ticket(ticket) is None


async def test_a_ticket_runs_out_and_is_used_up_by_that(sessions: Sessions, session_id: str, clock: Clock) -> None:
    ticket, _ = await sessions.make_ticket(await found(sessions, session_id))
    clock.pass_s(30)
    assert await sessions.take_ticket(ticket) is None
    clock.pass_s(-30)
    assert await sessions.take_ticket(ticket) is None


async def test_a_dead_session_has_no_tickets(sessions: Sessions, session_id: str) -> None:
    session = await found(sessions, session_id)
    ticket, _ = await sessions.make_ticket(session)
    await sessions.end(session)
    assert await sessions.take_ticket(ticket) is None
    late, _ = await sessions.make_ticket(session)
    assert await sessions.take_ticket(late) is None


async def test_sweeping_drops_what_has_run_out_and_nothing_else(
    sessions: Sessions, session_id: str, database: asyncpg.Pool, clock: Clock
) -> None:
    await sessions.make_ticket(await found(sessions, session_id))
    clock.pass_s(20)
    ticket, _ = await sessions.make_ticket(await found(sessions, session_id))
    clock.pass_s(15)
    await sessions.sweep()
    assert await database.fetchval("SELECT count(*) FROM socket_ticket") == 1
    assert await sessions.take_ticket(ticket)
    clock.pass_s(2 * SESSION_DURATION_S + 1)
    await sessions.sweep()
    assert await database.fetchval("SELECT count(*) FROM session") == 0

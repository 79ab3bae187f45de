"""Two servers on one database: a session that ends on one of them closes its sockets on the other, at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from server.ending import end
from server.engines import PostgresAddress, RedisAddress
from server.people import session_news
from server.people.session_news import SessionNews
from tests.proxy import RedisProxy
from tests.server.parts import Customer, Usher, running, until

SESSION_ENDED = 4401

Pair = tuple[Usher, Usher]

_LISTENER = "query LIKE 'LISTEN%' AND datname = current_database()"


@pytest.fixture(autouse=True)
def no_pings(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the last statement of a connection that listens is the one by which it began."""
    monkeypatch.setattr(session_news, "PING_S", 3600.0)


@pytest_asyncio.fixture
async def pair(database_address: PostgresAddress, redis_address: RedisAddress) -> AsyncIterator[Pair]:
    """Two servers, both listening."""
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(running(database_address, redis_address, node_name=name))
            for name in ("one", "two")
        ]
        yield one, two


async def end_all_of(ada: Customer, how: str, one: Usher) -> None:
    """End Ada's session by a request to server one, in one of the ways there are."""
    if how == "logout":
        reply = await one.rest("POST", "/auth/logout", by=ada)
    elif how == "one":
        listed = (await one.rest("GET", "/auth/sessions", by=ada)).data
        reply = await one.rest("DELETE", f"/auth/sessions/{listed[0]['id']}", by=ada)
    else:
        other = await one.sign_in(ada.id)
        reply = await one.rest("DELETE", "/auth/sessions", by=other)
    assert reply.status == 200


@pytest.mark.parametrize("how", ["logout", "one", "others"])
async def test_a_session_that_ends_closes_its_sockets_on_every_server(pair: Pair, how: str) -> None:
    one, two = pair
    event_id, ada, bob = await one.event(), await one.customer(), await one.customer("Bob")
    async with two.socket(event_id, ada) as hers, two.socket(event_id, bob) as his:
        await hers.seen("welcome")
        await his.seen("welcome")
        await end_all_of(ada, how, one)
        assert await hers.closed() == SESSION_ENDED
        assert (await two.rest("GET", "/auth/me", by=ada)).status == 401
        await his.settled()


async def test_without_redis_too(database_address: PostgresAddress, redis_address: RedisAddress) -> None:
    """The one that ends it cannot reach Redis, where the other still finds the session."""
    proxy = RedisProxy(redis_address)
    await proxy.mend()
    async with (
        running(database_address, proxy.address, node_name="one") as one,
        running(database_address, redis_address, node_name="two") as two,
    ):
        event_id, ada = await one.event(), await one.customer()
        async with two.socket(event_id, ada) as socket:
            await socket.seen("welcome")
            assert (await two.rest("GET", "/auth/me", by=ada)).status == 200
            await proxy.cut()
            await one.rest("POST", "/auth/logout", by=ada)
            assert await socket.closed() == SESSION_ENDED
            assert (await two.rest("GET", "/auth/me", by=ada)).status == 401, "told to Redis by the other"
            await proxy.mend()
    await proxy.cut()


async def test_what_ended_while_nobody_listened_is_found(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = pair
    event_id, ada = await one.event(), await one.customer()
    session_hash = await two.database.fetchval("SELECT id_hash FROM session")
    async with two.socket(event_id, ada) as socket:
        await socket.seen("welcome")
        await until(lambda: listening(one.database, 2))
        await one.database.execute("UPDATE session SET ended_at = now() WHERE id_hash = $1", session_hash)
        await cut_listeners(one.database)
        assert await socket.closed() == SESSION_ENDED


async def test_a_listener_that_was_cut_off_listens_again(pair: Pair) -> None:
    one, two = pair
    await until(lambda: listening(one.database, 2))
    await cut_listeners(one.database)
    await until(lambda: listening(one.database, 2))
    event_id, ada = await one.event(), await one.customer()
    async with two.socket(event_id, ada) as socket:
        await socket.seen("welcome")
        await one.rest("POST", "/auth/logout", by=ada)
        assert await socket.closed() == SESSION_ENDED


async def test_without_the_news_the_other_server_would_not_know(
    database_address: PostgresAddress, redis_address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: nobody listens, and the socket stays open until the minute's check."""

    async def deaf(_: session_news.SessionNews) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(session_news.SessionNews, "run", deaf)
    async with (
        running(database_address, redis_address, node_name="one") as one,
        running(database_address, redis_address, node_name="two") as two,
    ):
        event_id, ada = await one.event(), await one.customer()
        async with two.socket(event_id, ada) as socket:
            await socket.seen("welcome")
            await one.rest("POST", "/auth/logout", by=ada)
            await socket.settled()
            assert socket.close_code is None
            await two.parts.sockets.check()
            assert await socket.closed() == SESSION_ENDED


async def test_a_connection_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_news, "PING_S", 0.01)
    monkeypatch.setattr(session_news, "RETRY_S", 0.01)
    made: list[Silent] = []

    async def connect() -> Any:
        made.append(Silent())
        return made[-1]

    async def nothing(*_: object) -> None:
        """Nobody has ended."""

    task = asyncio.create_task(SessionNews(connect, nothing, nothing).run())
    await until(lambda: len(made) > 2)
    await end(task)
    assert all(connection.is_terminated for connection in made)


class Silent:
    """A connection whose other end is gone without a word."""

    is_terminated = False

    def add_termination_listener(self, _: object) -> None:
        """It never comes to that."""

    async def add_listener(self, *_: object) -> None:
        """That was the last it said."""

    async def execute(self, *_: object, timeout: float) -> None:
        assert timeout > 0
        raise TimeoutError

    def terminate(self) -> None:
        self.is_terminated = True


async def listening(database: asyncpg.Pool, count: int) -> bool:
    found = await database.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {_LISTENER}")
    return bool(found == count)


async def cut_listeners(database: asyncpg.Pool) -> None:
    await database.execute(f"SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE {_LISTENER}")

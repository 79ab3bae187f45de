"""The sessions of an account over REST: seen and ended by their owner, and by nobody else."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis

from server.people.sessions import LIVE_MAX, Caller
from server.rest.envelope import iso
from server.services import Services
from tests.rows import add_customer
from tests.server.conftest import Client, Clock

API = "/api/v1/auth/sessions"


class Owner:
    """An account and its sessions: `ids`, the oldest first."""

    def __init__(self, client: Client, parts: Services, customer_id: UUID) -> None:
        self.client = client
        self.parts = parts
        self.customer_id = customer_id
        self.ids: list[str] = []

    async def sign_in(self, user_agent: str = "", address: str = "") -> str:
        session_id, _ = await self.parts.sessions.create(self.customer_id, Caller(user_agent, address))
        self.ids.append(session_id)
        return session_id

    async def ask(self, method: str, path: str = "", by: int = 0) -> tuple[int, Any]:
        headers = {"X-Session-Id": self.ids[by]}
        answer = await self.client.request(method, API + path, headers=headers)
        body = await answer.json()
        return answer.status, body.get("data", body.get("code"))

    async def listed(self, by: int = 0) -> list[dict[str, Any]]:
        status, data = await self.ask("GET", by=by)
        assert status == 200
        return list(data)

    async def alive(self) -> list[bool]:
        return [await self.parts.sessions.find(session_id) is not None for session_id in self.ids]


@pytest.fixture
async def ada(client: Client, parts: Services, database: asyncpg.Pool) -> Owner:
    owner = Owner(client, parts, await add_customer(database))
    for number in range(3):
        await owner.sign_in(f"browser {number}", f"192.0.2.{number}")
    return owner


@pytest.fixture
async def bob(client: Client, parts: Services, database: asyncpg.Pool) -> Owner:
    owner = Owner(client, parts, await add_customer(database))
    await owner.sign_in()
    return owner


async def test_what_has_run_out_does_not_end_again(ada: Owner, parts: Services, clock: Clock) -> None:
    clock.pass_s(24 * 3600)
    await ada.sign_in()
    await ada.sign_in()
    ended: list[bytes] = []
    parts.sessions.on_end.append(ended.append)
    assert await ada.ask("DELETE", by=3) == (200, {"ended": 1})
    assert len(ended) == 1


async def test_my_sessions_are_listed(ada: Owner, bob: Owner, clock: Clock) -> None:
    clock.pass_s(90)
    await ada.sign_in("the newest", "2001:db8::1")
    shown = await ada.listed(by=3)
    assert len(shown) == 4
    assert shown[0] == {
        "id": shown[0]["id"],
        "created_at": iso(clock()),
        "last_seen_at": iso(clock()),
        "expires_at": iso(clock() + timedelta(hours=24)),
        "user_agent": "the newest",
        "address": "2001:db8::1",
        "is_current": True,
    }
    assert {one["user_agent"] for one in shown[1:]} == {"browser 0", "browser 1", "browser 2"}
    assert not any(one["is_current"] for one in shown[1:])


async def test_nothing_in_the_list_opens_a_session(ada: Owner, database: asyncpg.Pool) -> None:
    text = str(await ada.listed())
    for row in await database.fetch("SELECT id_hash FROM session"):
        assert row["id_hash"].hex() not in text
    for session_id in ada.ids:
        assert session_id not in text
    for one in await ada.listed():
        assert await ada.parts.sessions.find(one["id"]) is None


async def test_ended_and_old_ones_are_not_listed(ada: Owner, clock: Clock) -> None:
    session = await ada.parts.sessions.find(ada.ids[1])
    assert session is not None
    await ada.parts.sessions.end(session)
    assert len(await ada.listed()) == 2
    clock.pass_s(24 * 3600 - 1)
    await ada.sign_in()
    clock.pass_s(1)
    assert len(await ada.listed(by=3)) == 1


async def test_a_login_says_where_it_came_from(client: Client, parts: Services) -> None:
    account = {"email": "eve@example.org", "password": "correct horse", "name": "Eve"}
    await client.post("/api/v1/auth/register", json=account)
    for user_agent in ("Mozilla/5.0 (\xff\xfe)", "x" * 2000, ""):
        headers = {"User-Agent": user_agent}
        answer = await client.post("/api/v1/auth/login", json=account, headers=headers)
        assert answer.status == 200
        (shown,) = [one for one in (await (await client.get(API)).json())["data"] if one["is_current"]]
        assert shown["address"] == "127.0.0.1"
        assert len(shown["user_agent"]) <= 300
        assert shown["user_agent"].isprintable()


async def test_one_of_mine_is_ended(ada: Owner) -> None:
    name = next(one["id"] for one in await ada.listed() if one["user_agent"] == "browser 1")
    ended: list[bytes] = []
    ada.parts.sessions.on_end.append(ended.append)
    assert (await ada.ask("DELETE", f"/{name}"))[0] == 200
    assert await ada.alive() == [True, False, True]
    assert len(ended) == 1
    assert await ada.ask("DELETE", f"/{name}") == (404, "session_not_found")


async def test_ending_the_one_that_asks_clears_the_cookie(ada: Owner) -> None:
    name = next(one["id"] for one in await ada.listed() if one["is_current"])
    answer = await ada.client.delete(f"{API}/{name}", headers={"X-Session-Id": ada.ids[0]})
    assert answer.status == 200
    assert answer.cookies["session"]["max-age"] == "0"
    assert await ada.alive() == [False, True, True]


async def test_all_others_are_ended(ada: Owner, bob: Owner) -> None:
    ended: list[bytes] = []
    ada.parts.sessions.on_end.append(ended.append)
    assert await ada.ask("DELETE", by=1) == (200, {"ended": 2})
    assert await ada.alive() == [False, True, False]
    assert await bob.alive() == [True]
    assert len(ended) == 2
    assert await ada.ask("DELETE", by=1) == (200, {"ended": 0})


async def test_nobody_touches_the_sessions_of_others(ada: Owner, bob: Owner) -> None:
    for one in await ada.listed():
        assert await bob.ask("DELETE", f"/{one['id']}") == (404, "session_not_found")
    assert await bob.ask("DELETE") == (200, {"ended": 0})
    assert await ada.alive() == [True] * 3
    assert len(await bob.listed()) == 1


@pytest.mark.parametrize(
    "name", ["x", "%00", "'", "0" * 5000, "550e8400-e29b-41d4-a716-446655440000", "%C3%A9", "null"]
)
async def test_what_is_no_session_of_mine_is_not_found(ada: Owner, name: str) -> None:
    assert await ada.ask("DELETE", f"/{name}") == (404, "session_not_found")


async def test_it_takes_a_session(client: Client) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("DELETE", "/550e8400-e29b-41d4-a716-446655440000")):
        assert (await client.request(method, API + path)).status == 401


async def test_an_account_has_so_many_sessions_and_the_oldest_ends(ada: Owner, bob: Owner, clock: Clock) -> None:
    ended: list[bytes] = []
    ada.parts.sessions.on_end.append(ended.append)
    for _ in range(LIVE_MAX - 3):
        clock.pass_s(1)
        await ada.sign_in()
    assert await ada.alive() == [True] * LIVE_MAX
    clock.pass_s(1)
    await ada.sign_in()
    alive = await ada.alive()
    assert alive[3:] == [True] * (LIVE_MAX - 2), "the newest stay"
    assert sum(alive[:3]) == 2, "one of the three oldest ends"
    assert len(ended) == 1
    assert await bob.alive() == [True]


async def test_when_a_session_was_last_used_is_noted_now_and_then(
    ada: Owner, clock: Clock, database: asyncpg.Pool, redis: Redis
) -> None:
    """Many requests, no write; then one for all of them."""
    began = clock()
    clock.pass_s(120)
    for _ in range(5):
        assert await ada.parts.sessions.find(ada.ids[0])
    seen = "SELECT user_agent, last_seen_at FROM session"
    assert {row["last_seen_at"] for row in await database.fetch(seen)} == {began}
    await ada.parts.sessions.write_seen()
    noted = {row["user_agent"]: row["last_seen_at"] for row in await database.fetch(seen)}
    assert noted == {"browser 0": clock(), "browser 1": began, "browser 2": began}
    clock.pass_s(60)
    await ada.parts.sessions.write_seen()
    assert (await ada.listed())[0]["last_seen_at"] != iso(clock()), "not used since"
    session = await ada.parts.sessions.find(ada.ids[1])
    assert session is not None
    clock.pass_s(60)
    await ada.parts.sessions.write_seen()
    await ada.parts.sessions.alive([session.id_hash])
    clock.pass_s(60)
    await ada.parts.sessions.write_seen()
    noted = {row["user_agent"]: row["last_seen_at"] for row in await database.fetch(seen)}
    assert noted["browser 1"] == clock(), "an open socket uses its session"


async def test_a_row_that_is_being_written_is_left_for_later(
    ada: Owner, clock: Clock, database: asyncpg.Pool
) -> None:
    clock.pass_s(60)
    for session_id in ada.ids:
        await ada.parts.sessions.find(session_id)
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE session SET address = 'x' WHERE user_agent = 'browser 1'")
        await ada.parts.sessions.write_seen()
    count = "SELECT count(*) FROM session WHERE last_seen_at = $1"
    assert await database.fetchval(count, clock()) == 2

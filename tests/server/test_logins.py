"""Guessing passwords: strangers, many at once, the owner's own browser, whole campuses."""

import asyncio
from dataclasses import replace
from http.cookies import SimpleCookie

import asyncpg
import pytest
from redis.asyncio import Redis

from server.people.passwords import Passwords, PasswordsOverloaded
from server.rest import attempts
from server.services import Services
from server.settings import Settings
from tests.rows import add_customer
from tests.server.conftest import Client, Clock

API = "/api/v1/auth"
PASSWORD = "correct horse"


@pytest.fixture
async def ada(database: asyncpg.Pool, passwords: Passwords) -> str:
    """The address of an account."""
    await add_customer(database, email="ada@example.org", password_hash=await passwords.hash(PASSWORD))
    return "ada@example.org"


async def login(client: Client, email: str, password: str = "wrong horse", device: str | None = None) -> int:
    """The status of a login by a browser that has no cookie but this."""
    client.session.cookie_jar.clear()
    cookies = {} if device is None else {"device": device}
    answer = await client.post(f"{API}/login", json={"email": email, "password": password}, cookies=cookies)
    return answer.status


async def device_of(client: Client, email: str, device: str | None = None) -> str:
    """What a browser is given at a login."""
    client.session.cookie_jar.clear()
    cookies = {} if device is None else {"device": device}
    answer = await client.post(f"{API}/login", json={"email": email, "password": PASSWORD}, cookies=cookies)
    assert answer.status == 200
    return answer.cookies["device"].value


def _with_logins(parts: Services, per_address: int) -> Settings:
    return replace(parts.settings, door=replace(parts.settings.door, logins_per_address=per_address))


async def use_up(client: Client, email: str, device: str | None = None) -> None:
    for _ in range(10):
        assert await login(client, email, device=device) == 401
    assert await login(client, email, device=device) == 429


async def test_of_a_hundred_guesses_at_once_ten_are_judged(client: Client, ada: str) -> None:
    statuses = await asyncio.gather(*(login(client, ada) for _ in range(100)))
    assert sorted(statuses) == [401] * 10 + [429] * 90


async def test_an_unknown_address_is_sent_away_as_a_known_one(client: Client, ada: str) -> None:
    for email in (ada, "bob@example.org"):
        statuses = [await login(client, spelled) for spelled in [email, email.upper(), f" {email} "] * 4]
        assert statuses == [401] * 10 + [429] * 2


async def test_a_known_browser_gets_in_while_strangers_are_sent_away(client: Client, ada: str) -> None:
    device = await device_of(client, ada)
    await use_up(client, ada)
    assert await login(client, ada, PASSWORD) == 429
    assert await login(client, ada, PASSWORD, device) == 200


async def test_a_known_browser_has_no_more_guesses_than_others(client: Client, ada: str, clock: Clock) -> None:
    device = await device_of(client, ada)
    await use_up(client, ada, device)
    assert await login(client, ada, PASSWORD, device) == 429
    assert await login(client, ada, PASSWORD) == 200, "its guesses are its own"
    clock.pass_s(300)
    assert await login(client, ada, PASSWORD, device) == 200


async def test_a_browser_is_known_to_the_accounts_that_it_was_used_for(
    client: Client, ada: str, database: asyncpg.Pool, passwords: Passwords
) -> None:
    bob = "bob@example.org"
    await add_customer(database, email=bob, password_hash=await passwords.hash(PASSWORD))
    device = await device_of(client, bob)
    await use_up(client, ada, device)
    assert await login(client, ada, PASSWORD, device) == 429
    assert await login(client, bob, PASSWORD, device) == 200


async def test_two_people_at_one_browser_are_both_known_to_it(
    client: Client, ada: str, database: asyncpg.Pool, passwords: Passwords
) -> None:
    bob = "bob@example.org"
    await add_customer(database, email=bob, password_hash=await passwords.hash(PASSWORD))
    device = await device_of(client, bob, await device_of(client, ada))
    for email in (ada, bob):
        await use_up(client, email)
        assert await login(client, email, PASSWORD, device) == 200


async def test_a_cookie_that_was_planted_is_not_taken_over(client: Client, ada: str) -> None:
    planted = "a" * 43
    assert await device_of(client, ada, planted) != planted
    await use_up(client, ada, planted)


async def test_the_cookie_says_nothing_and_is_kept_long(client: Client, ada: str, database: asyncpg.Pool) -> None:
    answer = await client.post(f"{API}/login", json={"email": ada, "password": PASSWORD})
    cookie = next(text for text in answer.headers.getall("Set-Cookie") if text.startswith("device="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={400 * 24 * 3600}"} <= set(cookie.split("; "))
    (value,) = SimpleCookie(cookie).values()
    stored = await database.fetchval("SELECT string_agg(d::text, ' ') FROM device d")
    assert value.value not in stored


async def test_under_tls_the_cookie_is_for_this_host_alone(client: Client, ada: str, parts: Services) -> None:
    parts.settings = replace(parts.settings, public_origin="https://tickets.example.org")
    answer = await client.post(f"{API}/login", json={"email": ada, "password": PASSWORD})
    cookie = next(text for text in answer.headers.getall("Set-Cookie") if "device=" in text)
    assert cookie.startswith("__Host-device=")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@pytest.mark.parametrize("device", ["", "x", "a" * 44, "é" * 43, "a" * 5000, "'; DROP TABLE device; --"])
async def test_a_strange_cookie_is_no_device(client: Client, ada: str, device: str) -> None:
    answer = await client.post(
        f"{API}/login",
        json={"email": ada, "password": PASSWORD},
        headers={"Cookie": f"device={device}".encode().decode("latin-1")},
    )
    assert answer.status == 200


async def test_an_account_knows_so_many_browsers(client: Client, ada: str, clock: Clock) -> None:
    devices = []
    for _ in range(21):
        devices.append(await device_of(client, ada))
        clock.pass_s(1)
    await use_up(client, ada)
    assert await login(client, ada, PASSWORD, devices[0]) == 429
    for device in (devices[1], devices[-1]):
        assert await login(client, ada, PASSWORD, device) == 200


async def test_old_devices_are_swept(client: Client, ada: str, parts: Services, clock: Clock) -> None:
    old = await device_of(client, ada)
    clock.pass_s(400 * 24 * 3600 - 1)
    await parts.accounts.sweep()
    new = await device_of(client, ada)
    clock.pass_s(1)
    await parts.accounts.sweep()
    await use_up(client, ada)
    assert await login(client, ada, PASSWORD, old) == 429
    assert await login(client, ada, PASSWORD, new) == 200


async def test_an_address_has_so_many_failures(client: Client, ada: str, parts: Services, clock: Clock) -> None:
    parts.settings = _with_logins(parts, 3)
    device = await device_of(client, ada)
    for _ in range(5):
        assert await login(client, ada, PASSWORD) == 200, "who gets in uses nothing up"
    for name in "abc":
        assert await login(client, f"{name}@example.org") == 401
    answer = await client.post(f"{API}/login", json={"email": "d@example.org", "password": PASSWORD})
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) == attempts.ADDRESS_WINDOW_S
    assert await login(client, ada, PASSWORD, device) == 200, "a known browser gets in from anywhere"
    parts.settings = _with_logins(parts, 0)
    assert await login(client, "d@example.org") == 401


async def test_who_was_not_judged_has_not_failed(
    client: Client, ada: str, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overloaded(*_: object) -> None:
        raise PasswordsOverloaded

    with monkeypatch.context() as patched:
        patched.setattr(parts.passwords, "verify", overloaded)
        for _ in range(12):
            assert await login(client, ada, PASSWORD) == 503
    assert await login(client, ada, PASSWORD) == 200


async def test_no_address_is_in_redis(client: Client, ada: str, redis: Redis) -> None:
    await login(client, ada)
    await login(client, "bob@example.org")
    keys = str(await redis.keys())
    assert "usher:attempts:login:" in keys
    assert "example" not in keys


async def test_switched_off_there_is_no_limit(client: Client, ada: str, parts: Services) -> None:
    parts.throttle.is_on = False
    parts.settings = _with_logins(parts, 1)
    statuses = [await login(client, ada) for _ in range(12)]
    assert statuses == [401] * 12


async def test_a_login_that_a_new_password_overtakes_opens_nothing(
    client: Client, ada: str, parts: Services, database: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password was right while it was looked at; by the time of the session it is no longer."""
    verify = parts.passwords.verify

    async def verify_slowly(stored: str | None, password: str) -> bool:
        is_right = await verify(stored, password)
        await database.execute("UPDATE customer SET password_hash = 'another'")
        return is_right

    monkeypatch.setattr(parts.passwords, "verify", verify_slowly)
    assert await login(client, ada, PASSWORD) == 503
    assert await database.fetchval("SELECT count(*) FROM session") == 0

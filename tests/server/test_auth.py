"""Register, login, logout, me and the socket ticket."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from argon2 import PasswordHasher
from redis.asyncio import Redis

from server.people.passwords import Passwords, PasswordsOverloaded
from server.services import Services
from tests.rows import add_customer
from tests.server.conftest import Client, Clock

ADA = {"email": "ada@example.org", "password": "correct horse", "name": "Ada"}
API = "/api/v1/auth"


async def register(client: Client, **changes: object) -> tuple[int, dict[str, object]]:
    answer = await client.post(f"{API}/register", json=ADA | changes)
    return answer.status, await answer.json()


async def login(client: Client, **changes: object) -> tuple[int, dict[str, object]]:
    body = {"email": ADA["email"], "password": ADA["password"]}
    answer = await client.post(f"{API}/login", json=body | changes)
    return answer.status, await answer.json()


async def test_a_customer_registers_and_is_not_signed_in(client: Client, database: asyncpg.Pool) -> None:
    answer = await client.post(f"{API}/register", json=ADA)
    body = await answer.json()
    assert answer.status == 201
    assert body["success"] is True
    customer = await database.fetchrow("SELECT * FROM customer")
    assert customer is not None
    assert body["data"] == {
        "id": str(customer["id"]),
        "email": "ada@example.org",
        "name": "Ada",
        "role": "user",
        "email_verified": False,
    }
    assert customer["password_hash"].startswith("$argon2id$")
    assert "Set-Cookie" not in answer.headers
    assert (await client.get(f"{API}/me")).status == 401


@pytest.mark.parametrize("field", ["email", "password", "name"])
async def test_each_field_is_needed_to_register(client: Client, field: str) -> None:
    values: list[object] = ["", None, 7, ["x"], {}]
    bodies: list[dict[str, object]] = [{**ADA, field: value} for value in values]
    bodies.append({name: value for name, value in ADA.items() if name != field})
    for body in bodies:
        answer = await client.post(f"{API}/register", json=body)
        assert answer.status == 400, body
        assert (await answer.json())["error"] == "Email, password and name are required"


async def test_an_address_that_is_none_is_refused(client: Client) -> None:
    for email in ["ada", "@example.org", "ada@", "a da@x", "a@b@c", "a\u0007@b", "x" * 260 + "@y"]:
        assert (await register(client, email=email))[0] == 400, email


async def test_a_weak_password_is_refused(client: Client) -> None:
    cases = [("short", "at least 8"), ("password123", "too common"), ("x" * 129, "at most 128")]
    for password, sentence in cases:
        status, body = await register(client, password=password)
        assert (status, body["code"]) == (400, "weak_password")
        assert sentence in str(body["error"])


async def test_a_name_has_an_end(client: Client) -> None:
    assert (await register(client, name="x" * 201))[0] == 400
    assert (await register(client, name="x" * 200))[0] == 201


async def test_an_address_makes_so_many_accounts(client: Client, parts: Services, clock: Clock) -> None:
    parts.settings = replace(parts.settings, door=replace(parts.settings.door, logins_per_address=3))
    assert [(await register(client, email=f"{k}@example.org"))[0] for k in range(3)] == [201] * 3
    status, body = await register(client, email="3@example.org")
    assert (status, body["code"]) == (429, "rate_limited")
    assert (await login(client, email="2@example.org"))[0] == 200, "logins are counted for themselves"
    clock.pass_s(600)
    assert (await register(client, email="3@example.org"))[0] == 201
    parts.throttle.is_on = False
    assert [(await register(client, email=f"more{k}@example.org"))[0] for k in range(4)] == [201] * 4


async def test_an_address_that_is_taken_costs_no_work(
    client: Client, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await register(client))[0] == 201
    monkeypatch.setattr(passwords, "hash", None)
    status, body = await register(client, email="ADA@example.org")
    assert (status, body["code"]) == (400, "user_exists")


async def test_many_who_register_leave_places_for_logins(client: Client, passwords: Passwords) -> None:
    assert (await register(client))[0] == 201
    registering = [register(client, email=f"{k}@example.org") for k in range(80)]
    logging_in = [login(client) for _ in range(9)]
    statuses = [status for status, _ in await asyncio.gather(*registering, *logging_in)]
    assert set(statuses[:80]) <= {201, 503}
    assert statuses[80:] == [200] * 9


async def test_a_registration_that_found_no_place_is_given_back(
    client: Client, parts: Services, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overloaded(*_: object, **__: object) -> None:
        raise PasswordsOverloaded

    parts.settings = replace(parts.settings, door=replace(parts.settings.door, logins_per_address=1))
    with monkeypatch.context() as patched:
        patched.setattr(passwords, "hash", overloaded)
        assert [(await register(client))[0] for _ in range(3)] == [503] * 3
    assert (await register(client))[0] == 201


async def test_an_address_registers_once_whatever_its_case(client: Client, database: asyncpg.Pool) -> None:
    assert (await register(client))[0] == 201
    status, body = await register(client, email="ADA@Example.org")
    assert (status, body["error"], body["code"]) == (400, "User already exists", "user_exists")
    assert await database.fetchval("SELECT count(*) FROM customer") == 1


async def test_of_many_who_register_at_once_one_wins(client: Client) -> None:
    statuses = [status for status, _ in await asyncio.gather(*(register(client) for _ in range(4)))]
    assert sorted(statuses) == [201, 400, 400, 400]


async def test_login_begins_a_session_with_a_cookie(client: Client, clock: Clock) -> None:
    _, registered = await register(client)
    answer = await client.post(f"{API}/login", json={"email": " Ada@example.org ", "password": ADA["password"]})
    data = (await answer.json())["data"]
    assert answer.status == 200
    assert data["user"] == registered["data"]
    assert data["expiresAt"] == (clock() + timedelta(hours=24)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"session={data['sessionId']}; ")
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Domain" not in cookie
    me = await client.get(f"{API}/me")
    assert (await me.json())["data"] == registered["data"]


async def test_each_login_has_a_new_session_and_the_old_one_stays(client: Client) -> None:
    await register(client)
    _, one = await login(client)
    _, two = await login(client)
    ids = [body["data"]["sessionId"] for body in (one, two)]  # type: ignore[index]
    assert ids[0] != ids[1]
    client.session.cookie_jar.clear()
    for session_id in ids:
        assert (await client.get(f"{API}/me", headers={"X-Session-Id": session_id})).status == 200


async def test_a_session_id_that_was_planted_is_not_taken_over(client: Client) -> None:
    await register(client)
    planted = "a" * 43
    answer = await client.post(f"{API}/login", json=ADA, cookies={"session": planted})
    assert (await answer.json())["data"]["sessionId"] != planted


async def test_login_needs_both_fields(client: Client) -> None:
    bodies: list[dict[str, object]] = [
        {},
        {"email": "ada@example.org"},
        {"password": "x"},
        {"email": 1, "password": 2},
    ]
    for body in bodies:
        answer = await client.post(f"{API}/login", json=body)
        assert answer.status == 400, body
        assert (await answer.json())["error"] == "Email and password are required"


async def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client) -> None:
    await register(client)
    wrong = await login(client, password="wrong horse")
    unknown = await login(client, email="bob@example.org")
    assert wrong == unknown
    assert wrong == (
        401,
        {"success": False, "error": "Invalid credentials", "code": "invalid_credentials"},
    )


async def test_ten_failures_send_an_account_away_for_five_minutes(client: Client, clock: Clock) -> None:
    await register(client)
    await register(client, email="bob@example.org")
    for _ in range(10):
        assert (await login(client, password="wrong horse"))[0] == 401
    answer = await client.post(f"{API}/login", json=ADA)
    assert answer.status == 429
    assert (await answer.json())["code"] == "rate_limited"
    assert 0 < int(answer.headers["Retry-After"]) <= 301
    assert (await login(client, email="bob@example.org"))[0] == 200
    clock.pass_s(300)
    assert (await login(client))[0] == 200


async def test_a_success_forgives_the_failures(client: Client) -> None:
    await register(client)
    for _ in range(2):
        for _ in range(9):
            assert (await login(client, password="wrong horse"))[0] == 401
        assert (await login(client))[0] == 200


async def test_the_throttle_can_be_switched_off(client: Client, parts: Services) -> None:
    parts.throttle.is_on = False
    for _ in range(12):
        assert (await login(client, password="wrong horse"))[0] == 401


async def test_an_old_hash_is_made_anew_at_login(
    client: Client, database: asyncpg.Pool, passwords: Passwords
) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(ADA["password"])
    await add_customer(database, email=ADA["email"], password_hash=old)
    assert (await login(client))[0] == 200
    stored = await database.fetchval("SELECT password_hash FROM customer")
    assert not passwords.is_outdated(stored)
    assert (await login(client))[0] == 200


async def test_too_many_passwords_at_once_are_refused(
    client: Client, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overloaded(*_: object, **__: object) -> None:
        raise PasswordsOverloaded

    monkeypatch.setattr(passwords, "hash", overloaded)
    monkeypatch.setattr(passwords, "verify", overloaded)
    for path in ("register", "login"):
        answer = await client.post(f"{API}/{path}", json=ADA)
        assert answer.status == 503
        assert (await answer.json())["code"] == "overloaded"
        assert int(answer.headers["Retry-After"]) >= 1


async def test_logout_kills_the_session_and_clears_the_cookie(client: Client, parts: Services) -> None:
    await register(client)
    _, body = await login(client)
    session_id = body["data"]["sessionId"]  # type: ignore[index]
    ended: list[bytes] = []
    parts.sessions.on_end.append(ended.append)
    answer = await client.post(f"{API}/logout")
    assert answer.status == 200
    assert await answer.json() == {"success": True}
    assert 'session=""' in answer.headers["Set-Cookie"]
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert len(ended) == 1
    for path in ("me", "me"):
        answer = await client.get(f"{API}/{path}", headers={"X-Session-Id": session_id})
        assert answer.status == 401
        assert (await answer.json())["error"] == "Invalid or expired session"


async def test_without_a_session_and_with_a_dead_one(client: Client) -> None:
    for method, path in (("GET", "me"), ("POST", "logout"), ("POST", "ws-ticket")):
        answer = await client.request(method, f"{API}/{path}")
        assert answer.status == 401
        body = await answer.json()
        assert (body["success"], body["error"]) == (False, "Authentication required")
        answer = await client.request(method, f"{API}/{path}", headers={"X-Session-Id": "a" * 43})
        assert answer.status == 401
        assert (await answer.json())["error"] == "Invalid or expired session"


async def test_the_cookie_comes_before_the_header(client: Client, signed_in: dict[str, str]) -> None:
    assert (await client.get(f"{API}/me", headers=signed_in)).status == 200
    answer = await client.get(f"{API}/me", headers=signed_in, cookies={"session": "a" * 43})
    assert answer.status == 401


async def test_a_session_that_has_run_out_is_dead(client: Client, signed_in: dict[str, str], clock: Clock) -> None:
    clock.pass_s(24 * 3600)
    answer = await client.get(f"{API}/me", headers=signed_in)
    assert (await answer.json())["error"] == "Invalid or expired session"


async def test_a_login_survives_flushing_redis(client: Client, signed_in: dict[str, str], redis: Redis) -> None:
    for _ in range(3):
        await redis.flushdb()
        assert (await client.get(f"{API}/me", headers=signed_in)).status == 200


STRANGE_COOKIES = [
    b'session="\\000"',
    b'session="' + b"a" * 42 + b'\\000"',
    b"session=%00",
    b"session=\xff\xfe\xfa",
    b"session=\xc3\xa9",
    b"session=" + b"a" * 7000,
    b"session=" + b"'" * 43,
    b"session",
    b"session=; =;;=",
    b"$Version=1; session=x; session=y",
    b'session="',
]


async def test_a_strange_cookie_is_no_session(client: Client) -> None:
    for cookie in STRANGE_COOKIES:
        status, _ = await raw_request(client, b"Cookie: " + cookie)
        assert status == 401, cookie
    assert (await client.get("/live")).status == 200


async def test_a_cookie_that_http_forbids_hurts_nobody(client: Client) -> None:
    """A NUL or a line of that length is refused before any handler sees it."""
    for cookie in [b"session=\0", b"session=" + b"a" * 42 + b"\0", b"session=" + b"a" * 70_000]:
        status, _ = await raw_request(client, b"Cookie: " + cookie)
        assert status in (400, 431), cookie
    assert (await client.get("/live")).status == 200


async def test_a_ticket_is_single_use_and_short(
    client: Client, signed_in: dict[str, str], parts: Services, clock: Clock
) -> None:
    answer = await client.post(f"{API}/ws-ticket", headers=signed_in)
    data = (await answer.json())["data"]
    assert answer.status == 200
    assert set(data) == {"ticket", "expires_at"}
    assert data["expires_at"] == (clock() + timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    session = await parts.sessions.take_ticket(data["ticket"])
    assert session is not None
    assert session.email == "ada@example.org"
    assert await parts.sessions.take_ticket(data["ticket"]) is None


async def raw_request(client: Client, header: bytes) -> tuple[int, bytes]:
    """The answer to `GET /me` with a header that no client library would send."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"GET {API}/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode() + header + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1]), answer


async def test_a_browser_is_told_to_forget_the_cookie_of_a_dead_session(client: Client) -> None:
    answer = await client.get("/api/v1/auth/me", cookies={"session": "A" * 43})

    assert answer.status == 401
    assert answer.cookies["session"]["max-age"] == "0"


async def test_a_dead_session_in_the_header_clears_no_cookie(client: Client) -> None:
    answer = await client.get("/api/v1/auth/me", headers={"X-Session-Id": "A" * 43})

    assert answer.status == 401
    assert "session" not in answer.cookies

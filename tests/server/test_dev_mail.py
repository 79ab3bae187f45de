"""`/dev/mail`: the demo's mails, for whoever sits at the machine; nothing anywhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import aiohttp
import pytest

from server import app as composition
from server.door.door_settings import DoorSettings
from server.engines import PostgresAddress, RedisAddress
from server.mail.letters import reset_letter
from server.mail.port import Mail
from server.settings import Settings
from tests.conftest import REDIS_TEST_DATABASE
from tests.server.parts import Usher

JSON = {"Accept": "application/json"}


@pytest.fixture
async def demo(database_address: PostgresAddress, redis_address: RedisAddress) -> AsyncIterator[Usher]:
    """A server that runs as the demo does, without its events."""
    async with as_the_demo(database_address, redis_address) as server:
        yield server


@asynccontextmanager
async def as_the_demo(
    database_address: PostgresAddress, redis_address: RedisAddress, **more: Any
) -> AsyncIterator[Usher]:
    """Such a server with further settings."""
    settings = Settings(port=0, demo=True, database=database_address, redis=redis_address, **more)
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http,
        composition.running_parts(
            settings, database_address, redis_address, redis_database=REDIS_TEST_DATABASE
        ) as parts,
        composition.listening(parts, settings) as port,
    ):
        yield Usher(parts, f"http://127.0.0.1:{port}", http)


async def look(server: Usher, **headers: str) -> tuple[int, Any, aiohttp.ClientResponse]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with server.http.get(f"{server.url}/dev/mail", headers=named) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text()), answer


async def test_a_forgotten_password_is_found_there(demo: Usher) -> None:
    account = {"email": "ada@example.org", "password": "correct horse", "name": "Ada"}
    await demo.rest("POST", "/auth/register", account)
    await demo.rest("POST", "/auth/password-reset", {"email": "ada@example.org"})
    await demo.parts.account_mails._outgoing.all_sent()
    _, body, answer = await look(demo, **JSON)
    mails = sorted(body["data"], key=lambda mail: mail["subject"])
    assert [mail["subject"] for mail in mails] == ["Choose a new password", "Confirm your e-mail address"]
    assert {mail["to"] for mail in mails} == {"ada@example.org"}
    assert mails[0]["link"] in mails[0]["text"]
    assert answer.headers["Cache-Control"] == "no-store"
    token = mails[0]["link"].removeprefix("/reset-password?token=")
    reply = await demo.rest("POST", "/auth/password-reset/confirm", {"token": token, "new_password": "new horse 2"})
    assert reply.status == 200


async def test_the_page_is_for_people(demo: Usher) -> None:
    status, page, answer = await look(demo)
    assert (status, answer.content_type) == (200, "text/html")
    assert "There is none yet" in page
    shelf = demo.parts.mail_shelf
    assert shelf is not None
    await shelf.send(reset_letter("", "ada@example.org", "t" * 43))
    await shelf.send(Mail('"<script>"@example.org', "<b>Hello</b>", "<i>you</i> & me", "/?a=1&b=<"))
    _, page, answer = await look(demo, Accept="text/html")
    assert f'<a href="/reset-password?token={"t" * 43}"' in page
    assert "<script>" not in page
    assert "<b>Hello" not in page
    assert "&lt;i&gt;you&lt;/i&gt; &amp; me" in page
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:3001"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-Host": "tickets.example"},
        {"X-Forwarded-Proto": "https"},
        {"Forwarded": "for=203.0.113.9"},
        {"X-Real-IP": "203.0.113.9"},
    ],
)
async def test_whoever_comes_from_elsewhere_finds_nothing(demo: Usher, headers: dict[str, str]) -> None:
    status, body, _ = await look(demo, **JSON | headers)
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize("host", ["localhost", "localhost:3001", "127.0.0.1", "[::1]:3001"])
async def test_this_machine_has_some_names(demo: Usher, host: str) -> None:
    assert (await look(demo, Host=host))[0] == 200


async def test_a_peer_on_another_machine_finds_nothing(demo: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.door.this_machine.is_loopback", lambda address: address != "127.0.0.1")
    assert (await look(demo))[0] == 404


async def test_without_the_demo_there_is_no_such_page(own: Usher) -> None:
    status, body, _ = await look(own, **JSON)
    assert (status, body["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "settings",
    [
        {"public_origin": "https://tickets.example.org"},
        {"door": DoorSettings(trusted_proxies=(ip_network("127.0.0.1"),))},
    ],
)
async def test_where_a_proxy_may_stand_before_us_there_is_no_such_page(
    database_address: PostgresAddress, redis_address: RedisAddress, settings: dict[str, Any]
) -> None:
    async with as_the_demo(database_address, redis_address, **settings) as server:
        status, body, _ = await look(server, **JSON)
        assert (status, body["code"]) == (404, "not_found")

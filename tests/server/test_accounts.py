"""Passwords and mails of accounts: change, reset, confirm; and that nobody learns whether there is an account."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, NamedTuple

import asyncpg
import pytest

from server.mail.outgoing import Outgoing
from server.mail.port import Mail
from server.mail.shelf import Shelf
from server.people.accounts import Purpose
from server.people.passwords import PasswordsOverloaded
from server.services import Services
from tests.server.conftest import Client, Clock

API = "/api/v1/auth"
OLD, NEW = "correct horse", "battery staple"


class Reply(NamedTuple):
    """An answer."""

    status: int
    body: dict[str, Any]
    device: str = ""

    @property
    def refusal(self) -> tuple[int, str]:
        assert self.body["success"] is False
        return self.status, self.body["code"]


class Browser:
    """Somebody with a session of their own, and no cookies but `device`, where it is set."""

    def __init__(self, client: Client, session_id: str = "") -> None:
        self._client = client
        self.session_id = session_id
        self.device = ""

    async def ask(self, method: str, path: str, **fields: Any) -> Reply:
        self._client.session.cookie_jar.clear()
        headers = {"X-Session-Id": self.session_id} if self.session_id else {}
        cookies = {"device": self.device} if self.device else {}
        answer = await self._client.request(method, f"{API}{path}", json=fields, headers=headers, cookies=cookies)
        device = answer.cookies.get("device")
        return Reply(answer.status, await answer.json(), device.value if device else "")

    async def post(self, path: str, **fields: Any) -> Reply:
        return await self.ask("POST", path, **fields)

    async def login(self, password: str, email: str = "ada@example.org") -> Reply:
        reply = await self.post("/login", email=email, password=password)
        if reply.status == 200:
            self.session_id = reply.body["data"]["sessionId"]
        return reply

    async def is_in(self) -> bool:
        return (await self.ask("GET", "/me")).status == 200


@pytest.fixture
async def stranger(client: Client) -> Browser:
    """Somebody without an account."""
    return Browser(client)


@pytest.fixture
async def ada(client: Client) -> Browser:
    """Somebody with an account, signed in."""
    browser = Browser(client)
    assert (await browser.post("/register", email="ada@example.org", password=OLD, name="Ada King")).status == 201
    assert (await browser.login(OLD)).status == 200
    return browser


@pytest.fixture
async def ada_elsewhere(ada: Browser, client: Client) -> Browser:
    """Another session of hers."""
    browser = Browser(client)
    await browser.login(OLD)
    return browser


Mails = Callable[[], Awaitable[list[Mail]]]


@pytest.fixture
def mails(outgoing: Outgoing, shelf: Shelf) -> Mails:
    """All mails that were asked for until now, the oldest first."""

    async def sent() -> list[Mail]:
        await outgoing.all_sent()
        return [kept.mail for kept in reversed(shelf.kept)]

    return sent


def token_in(mail: Mail) -> str:
    return mail.link.partition("?token=")[2]


async def reset_token(browser: Browser, mails: Mails) -> str:
    assert (await browser.post("/password-reset", email="ada@example.org")).status == 200
    return token_in((await mails())[-1])


class TestChanging:
    """`POST /auth/password`."""

    async def test_the_new_password_is_the_one(self, ada: Browser, stranger: Browser) -> None:
        reply = await ada.post("/password", current_password=OLD, new_password=NEW)
        assert reply.status == 200
        assert reply.body["data"]["message"]
        assert (await stranger.login(OLD)).status == 401
        assert (await stranger.login(NEW)).status == 200

    async def test_all_other_sessions_end(
        self, ada: Browser, ada_elsewhere: Browser, parts: Services, stranger: Browser
    ) -> None:
        await stranger.post("/register", email="bob@example.org", password=OLD, name="Bob")
        await stranger.login(OLD, "bob@example.org")
        ended: list[bytes] = []
        parts.sessions.on_end.append(ended.append)
        assert await ada_elsewhere.is_in()
        reply = await ada.post("/password", current_password=OLD, new_password=NEW)
        assert not await ada.is_in(), "its cookie may have been copied"
        assert not await ada_elsewhere.is_in()
        assert await stranger.is_in()
        assert set(ended) == {hashlib.sha256(one.session_id.encode()).digest() for one in (ada, ada_elsewhere)}
        ada.session_id = reply.body["data"]["sessionId"]
        assert await ada.is_in()
        (shown,) = (await ada.ask("GET", "/sessions")).body["data"]
        assert shown["is_current"]
        assert shown["expires_at"] == reply.body["data"]["expiresAt"]

    async def test_the_browser_goes_on_signed_in(self, ada: Browser, client: Client) -> None:
        client.session.cookie_jar.clear()
        for path, body in (
            ("/login", {"email": "ada@example.org", "password": OLD}),
            ("/password", {"current_password": OLD, "new_password": NEW}),
        ):
            assert (await client.post(API + path, json=body)).status == 200
        assert (await client.get(f"{API}/me")).status == 200, "by the cookie it was given"

    async def test_links_that_were_mailed_are_void(self, ada: Browser, mails: Mails) -> None:
        token = await reset_token(ada, mails)
        await ada.post("/password", current_password=OLD, new_password=NEW)
        reply = await ada.post("/password-reset/confirm", token=token, new_password="seven lanterns")
        assert reply.refusal == (400, "token_expired")

    @pytest.mark.parametrize(
        ("current", "new", "code"),
        [
            ("wrong horse", NEW, "wrong_password"),
            ("", NEW, "missing_field"),
            (OLD, "", "missing_field"),
            (OLD, "short", "weak_password"),
            (OLD, "password1", "weak_password"),
            (OLD, "ADA@example.org", "weak_password"),
            (OLD, "Ada King", "weak_password"),
            (OLD, "x" * 129, "weak_password"),
            (OLD, "x" * 60_000, "weak_password"),
        ],
    )
    async def test_refusals(
        self, ada: Browser, ada_elsewhere: Browser, stranger: Browser, current: str, new: str, code: str
    ) -> None:
        reply = await ada.post("/password", current_password=current, new_password=new)
        assert reply.refusal == (400, code)
        assert await ada_elsewhere.is_in()
        assert (await stranger.login(OLD)).status == 200

    async def test_it_takes_a_session(self, stranger: Browser) -> None:
        assert (await stranger.post("/password", current_password=OLD, new_password=NEW)).status == 401

    async def test_who_has_the_session_may_guess_ten_times(self, ada: Browser, clock: Clock) -> None:
        """A session left open is not the password."""
        guesses = [ada.post("/password", current_password=f"guess {k}", new_password=NEW) for k in range(30)]
        statuses = [reply.status for reply in await asyncio.gather(*guesses)]
        assert sorted(statuses) == [400] * 10 + [429] * 20
        assert (await ada.post("/password", current_password=OLD, new_password=NEW)).status == 429
        clock.pass_s(300)
        assert (await ada.post("/password", current_password=OLD, new_password=NEW)).status == 200

    async def test_of_two_at_once_one_wins(self, ada: Browser, ada_elsewhere: Browser) -> None:
        replies = await asyncio.gather(
            *(
                one.post("/password", current_password=OLD, new_password=f"{NEW} {k}")
                for k, one in enumerate((ada, ada_elsewhere))
            )
        )
        assert sorted(reply.status for reply in replies) in ([200, 400], [200, 401])

    async def test_too_many_passwords_at_once(
        self, ada: Browser, parts: Services, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def overloaded(*_: object) -> None:
            raise PasswordsOverloaded

        with monkeypatch.context() as patched:
            patched.setattr(parts.passwords, "verify", overloaded)
            for _ in range(12):
                reply = await ada.post("/password", current_password=OLD, new_password=NEW)
                assert reply.refusal == (503, "overloaded")
        assert (await ada.post("/password", current_password=OLD, new_password=NEW)).status == 200


class TestForgetting:
    """`POST /auth/password-reset` and `/confirm`."""

    async def test_a_mailed_token_gives_a_new_password(
        self, ada: Browser, ada_elsewhere: Browser, stranger: Browser, mails: Mails
    ) -> None:
        token = await reset_token(stranger, mails)
        (_, mail) = await mails()
        assert mail.to == "ada@example.org"
        assert mail.link == f"https://tickets.example.org/reset-password?token={token}"
        assert mail.link in mail.text
        assert len(token) == 43
        assert (await stranger.post("/password-reset/confirm", token=token, new_password=NEW)).status == 200
        assert not await ada.is_in()
        assert not await ada_elsewhere.is_in()
        assert (await stranger.login(OLD)).status == 401
        assert (await stranger.login(NEW)).status == 200

    async def test_it_proves_the_address(self, ada: Browser, stranger: Browser, mails: Mails) -> None:
        token = await reset_token(stranger, mails)
        await stranger.post("/password-reset/confirm", token=token, new_password=NEW)
        assert (await stranger.login(NEW)).body["data"]["user"]["email_verified"] is True

    async def test_it_can_be_used_once(self, ada: Browser, mails: Mails) -> None:
        token = await reset_token(ada, mails)
        uses = [ada.post("/password-reset/confirm", token=token, new_password=f"{NEW} {k}") for k in range(3)]
        replies = await asyncio.gather(*uses)
        assert sorted(reply.status for reply in replies) == [200, 400, 400]
        assert {reply.body.get("code") for reply in replies} == {None, "token_used"}

    async def test_a_weak_password_does_not_use_it_up(self, ada: Browser, mails: Mails) -> None:
        token = await reset_token(ada, mails)
        for weak in ("short", "ada@example.org"):
            reply = await ada.post("/password-reset/confirm", token=token, new_password=weak)
            assert reply.refusal == (400, "weak_password")
        assert (await ada.post("/password-reset/confirm", token=token, new_password=NEW)).status == 200

    async def test_it_runs_out_after_an_hour(
        self, ada: Browser, mails: Mails, clock: Clock, parts: Services, database: asyncpg.Pool
    ) -> None:
        token = await reset_token(ada, mails)
        clock.pass_s(3599)
        assert await parts.accounts.look_at(Purpose.RESET_PASSWORD, token)
        clock.pass_s(1)
        reply = await ada.post("/password-reset/confirm", token=token, new_password=NEW)
        assert reply.refusal == (400, "token_expired")
        assert not await parts.accounts.reset_password(token, "a hash")
        clock.pass_s(2 * 24 * 3600)
        await parts.accounts.sweep()
        assert await database.fetchval("SELECT count(*) FROM mail_token") == 0
        reply = await ada.post("/password-reset/confirm", token=token, new_password=NEW)
        assert reply.refusal == (400, "token_unknown")

    async def test_one_that_was_used_voids_the_others(self, ada: Browser, mails: Mails) -> None:
        one, two = await reset_token(ada, mails), await reset_token(ada, mails)
        assert (await ada.post("/password-reset/confirm", token=two, new_password=NEW)).status == 200
        reply = await ada.post("/password-reset/confirm", token=one, new_password="seven lanterns")
        assert reply.refusal == (400, "token_expired")

    async def test_each_kind_of_token_opens_its_own_door(self, ada: Browser, mails: Mails) -> None:
        verification = token_in((await mails())[0])
        reply = await ada.post("/password-reset/confirm", token=verification, new_password=NEW)
        assert reply.refusal == (400, "token_unknown")
        reply = await ada.post("/verify-email", token=await reset_token(ada, mails))
        assert reply.refusal == (400, "token_unknown")

    async def test_strangers_do_not_keep_out_who_has_reset(
        self, ada: Browser, stranger: Browser, mails: Mails
    ) -> None:
        for _ in range(10):
            await stranger.login("wrong horse")
        assert (await stranger.login(OLD)).status == 429
        token = await reset_token(stranger, mails)
        await stranger.post("/password-reset/confirm", token=token, new_password=NEW)
        assert (await stranger.login(NEW)).status == 200

    async def test_strangers_who_go_on_do_not_keep_out_the_browser_that_has_reset(
        self, ada: Browser, stranger: Browser, mails: Mails, client: Client
    ) -> None:
        known = (await ada.login(OLD)).device
        token = await reset_token(stranger, mails)
        device = (await ada.post("/password-reset/confirm", token=token, new_password=NEW)).device
        for _ in range(10):
            await stranger.login("wrong horse")
        for forgotten in ("", known):
            stranger.device = forgotten
            assert (await stranger.login(NEW)).status == 429
        ada.device = device
        assert (await ada.login(NEW)).status == 200

    async def test_one_address_asks_so_often(
        self, stranger: Browser, parts: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        door = replace(parts.settings.door, logins_per_address=3)
        monkeypatch.setattr(parts, "settings", replace(parts.settings, door=door))
        asked = [await stranger.post("/password-reset", email=f"{k}@example.org") for k in range(4)]
        assert [reply.status for reply in asked] == [200] * 3 + [429]
        assert asked[-1].refusal == (429, "rate_limited")
        clock.pass_s(600)
        assert (await stranger.post("/password-reset", email="ada@example.org")).status == 200

    async def test_only_the_hash_of_a_token_is_stored(
        self, ada: Browser, mails: Mails, database: asyncpg.Pool
    ) -> None:
        token = await reset_token(ada, mails)
        stored = await database.fetchval("SELECT string_agg(t::text, ' ') FROM mail_token t")
        assert token not in stored
        assert hashlib.sha256(token.encode()).hexdigest() in stored

    async def test_whether_there_is_an_account_shows_nowhere(
        self, ada: Browser, stranger: Browser, mails: Mails, monkeypatch: pytest.MonkeyPatch, parts: Services
    ) -> None:
        """The same answer for the same work: while the request lasts, nobody looks for the account."""
        for name in ("database", "redis", "passwords", "accounts"):
            monkeypatch.setattr(parts, name, None)
        posted: list[object] = []
        monkeypatch.setattr(parts.account_mails._outgoing, "post", posted.append)
        known = await stranger.post("/password-reset", email="Ada@example.org ")
        unknown = await stranger.post("/password-reset", email="bob@example.org")
        assert known == unknown
        assert known.status == 200
        assert len(posted) == 2

    async def test_nobody_gets_a_mail_who_has_no_account(
        self, ada: Browser, stranger: Browser, mails: Mails
    ) -> None:
        before = len(await mails())
        await stranger.post("/password-reset", email="bob@example.org")
        assert len(await mails()) == before
        await stranger.post("/password-reset", email=" ADA@example.org")
        assert [mail.to for mail in (await mails())[before:]] == ["ada@example.org"]

    async def test_nobody_is_sent_mails_without_end(self, ada: Browser, mails: Mails, clock: Clock) -> None:
        before = len(await mails())
        for _ in range(8):
            assert (await ada.post("/password-reset", email="ada@example.org")).status == 200
            await mails()
        assert len(await mails()) == before + 5
        clock.pass_s(3600)
        await ada.post("/password-reset", email="ada@example.org")
        assert len(await mails()) == before + 6


class TestConfirming:
    """`POST /auth/verify-email` and `/resend`."""

    async def test_a_new_account_is_asked_to_confirm(self, ada: Browser, stranger: Browser, mails: Mails) -> None:
        me = await ada.ask("GET", "/me")
        assert me.body["data"]["email_verified"] is False
        (mail,) = await mails()
        assert mail.to == "ada@example.org"
        assert mail.link.startswith("https://tickets.example.org/verify-email?token=")
        assert "King" not in mail.text, "what a stranger calls somebody is not mailed to them"
        assert (await stranger.post("/verify-email", token=token_in(mail))).status == 200
        me = await ada.ask("GET", "/me")
        assert me.body["data"]["email_verified"] is True
        assert (await stranger.login(OLD)).body["data"]["user"]["email_verified"] is True

    async def test_it_can_be_used_once_and_for_a_day(self, ada: Browser, mails: Mails, clock: Clock) -> None:
        (mail,) = await mails()
        await ada.post("/verify-email/resend")
        again = (await mails())[-1]
        clock.pass_s(24 * 3600 - 1)
        uses = await asyncio.gather(*(ada.post("/verify-email", token=token_in(mail)) for _ in range(3)))
        assert sorted(reply.status for reply in uses) == [200, 400, 400]
        assert (await ada.post("/verify-email", token=token_in(mail))).refusal == (400, "token_used")
        clock.pass_s(1)
        assert (await ada.post("/verify-email", token=token_in(again))).refusal == (400, "token_expired")

    async def test_it_can_be_sent_again_a_few_times(self, ada: Browser, mails: Mails) -> None:
        statuses = [(await ada.post("/verify-email/resend")).status for _ in range(7)]
        assert statuses == [200] * 5 + [429] * 2
        assert len(await mails()) == 6

    async def test_who_has_confirmed_gets_no_other_mail(self, ada: Browser, mails: Mails) -> None:
        await ada.post("/verify-email", token=token_in((await mails())[0]))
        assert (await ada.post("/verify-email/resend")).status == 200
        assert len(await mails()) == 1

    async def test_sending_again_takes_a_session(self, stranger: Browser, mails: Mails) -> None:
        assert (await stranger.post("/verify-email/resend")).status == 401
        assert await mails() == []

    async def test_a_refused_registration_sends_nothing(
        self, ada: Browser, stranger: Browser, mails: Mails
    ) -> None:
        before = len(await mails())
        await stranger.post("/register", email="ada@example.org", password=OLD, name="Eve")
        await stranger.post("/register", email="eve@example.org", password="password1", name="Eve")
        assert len(await mails()) == before


GARBAGE: list[Any] = [None, 7, ["x"], {}, True, "\0", "x\0y" * 20]


@pytest.mark.parametrize("path", ["/password", "/password-reset", "/password-reset/confirm", "/verify-email"])
async def test_what_makes_no_sense_is_refused(ada: Browser, path: str) -> None:
    right = {
        "/password": {"current_password": OLD, "new_password": NEW},
        "/password-reset": {"email": "ada@example.org"},
        "/password-reset/confirm": {"token": "a" * 43, "new_password": NEW},
        "/verify-email": {"token": "a" * 43},
    }[path]
    for field in right:
        for value in GARBAGE:
            reply = await ada.post(path, **right | {field: value})
            assert reply.status == 400, (field, value)
        left_out = {name: value for name, value in right.items() if name != field}
        assert (await ada.post(path, **left_out)).status == 400
        assert (await ada.post(path, **right | {field: "x" * 70_000})).status == 413


@pytest.mark.parametrize("token", ["x", "a" * 42, "a" * 44, "é" * 43, "a" * 60_000, "'; DROP TABLE customer; --"])
async def test_what_is_no_token_is_unknown(stranger: Browser, token: str) -> None:
    for reply in (
        await stranger.post("/verify-email", token=token),
        await stranger.post("/password-reset/confirm", token=token, new_password=NEW),
    ):
        assert reply.refusal == (400, "token_unknown")


@pytest.mark.parametrize("email", ["ada", "@x", "a b@c", "x" * 300 + "@y", "a\u0007@b"])
async def test_what_is_no_address_is_told_so(stranger: Browser, email: str) -> None:
    assert (await stranger.post("/password-reset", email=email)).refusal == (400, "bad_email")


async def test_a_wrong_and_an_unknown_account_cost_the_same_work(
    ada: Browser, stranger: Browser, parts: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked: list[str] = []
    for name in ("verify", "hash"):
        monkeypatch.setattr(parts.passwords, name, _noted(worked, getattr(parts.passwords, name), name))

    async def work_of(path: str, **fields: str) -> list[str]:
        worked.clear()
        await stranger.post(path, **fields)
        return list(worked)

    for email in ("ada@example.org", "bob@example.org"):
        assert await work_of("/login", email=email, password="wrong horse") == ["verify"]
        assert await work_of("/password-reset", email=email) == []


def _noted(calls: list[str], work: Callable[..., Awaitable[Any]], name: str) -> Callable[..., Awaitable[Any]]:
    async def noting(*arguments: Any, **named: Any) -> Any:
        calls.append(name)
        return await work(*arguments, **named)

    return noting

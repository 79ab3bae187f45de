"""The log: its form, what must never stand in it, and how a request can be followed through it."""

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from server.door.correlation import HEADER
from server.settings import SettingsError
from server.telemetry import logs
from tests.server.parts import SHARED, Json, Usher, until

log = logging.getLogger("usher.test")

ROOT = Path(__file__).parents[2]
TICKET = "T" * 43


@contextmanager
def listening_to(level: int, form: str = "json") -> Iterator[io.StringIO]:
    """All that is logged meanwhile, as it would stand on stderr."""
    root, stream = logging.getLogger(), io.StringIO()
    handler, before = logs.log_handler(stream, form), root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield stream
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


def lines(stream: io.StringIO, message: str = "") -> list[Json]:
    """The lines, or those with this message."""
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if message in ("", line["message"])]


def fail(secret: str) -> None:
    hidden_in_a_local = secret
    raise ValueError(f"not {len(hidden_in_a_local)}")


def test_a_line_has_its_fields() -> None:
    with listening_to(logging.INFO) as stream:
        log.info("%s seats", 3, extra={"event_id": "e", "ms": 1.5, "correlation_ids": ("a", "b")})
        log.debug("not this one")
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "usher.test",
        "message": "3 seats",
        "event_id": "e",
        "ms": 1.5,
        "correlation_ids": ["a", "b"],
    }


def test_an_exception_is_structured_and_has_no_local_variables() -> None:
    with listening_to(logging.INFO) as stream:
        try:
            fail("hush")
        except ValueError:
            log.exception("it failed")
    (line,) = lines(stream)
    (exception,) = line["exception"]
    assert (exception["exc_type"], exception["exc_value"]) == ("ValueError", "not 4")
    assert [frame["name"] for frame in exception["frames"]][-1] == "fail"
    assert "hush" not in stream.getvalue()


SAID = {
    "a cookie": "Cookie: session=hush; other=hush",
    "a cookie under TLS": "x __Host-session=hush; y",
    "headers as bytes": "(b'Cookie', b'session=hush')",
    "headers as a mapping": "{'Authorization': 'Basic hush', 'x': 1}",
    "a bearer": "sent Bearer hush",
    "a header of a session": "X-Session-Id: hush",
    "a ticket": "GET /ws/events/e?ticket=hush&x=1 HTTP/1.1",
    "a login": '{"email": "hush@example.org", "password": "hush \' hush", "sessionId": "hush"}',
    "a password": "DB_PASSWORD=hush",
    "an address": "Key (lower(email))=(hush@example.org) exists",
    "an address alone": "hush@example.org",
}


@pytest.mark.parametrize("form", logs.FORMATS)
@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_no_secret_is_said(said: str, form: str) -> None:
    with listening_to(logging.INFO, form) as stream:
        log.info(said)
        log.info("it was %s", said)
        log.info("field", extra={"said": said, "deep": [{"said": (said,)}], "error": ValueError(said)})
        try:
            raise ValueError(said) from KeyError(said)
        except ValueError:
            log.exception("it failed")
    assert "hush" not in stream.getvalue()
    assert stream.getvalue().count(logs.HIDDEN) >= 6


@pytest.mark.parametrize("name", ["Cookie", "password", "email", "session_id", "ticket", "Authorization"])
def test_a_field_with_a_secret_name_is_hidden_whatever_is_in_it(name: str) -> None:
    with listening_to(logging.INFO) as stream:
        log.info("x", extra={name: "hush", "deep": {name: ["hush"]}})
    assert lines(stream)[0][name] == logs.HIDDEN
    assert "hush" not in stream.getvalue()


def test_the_form_of_an_id_gives_it_away() -> None:
    assert logs.without_secrets(f"({TICKET})") == f"({logs.HIDDEN})"
    for harmless in ("a" * 42, "a" * 44, "0" * 64, "sessions: going on without Redis", "a password is too short"):
        assert logs.without_secrets(harmless) == harmless


def test_a_long_word_is_no_trouble() -> None:
    for word in ("x", "-", "a@", "cookie ", "bearer "):
        assert logs.without_secrets(word * 200_000)


def test_nobody_can_forge_a_line_for_people() -> None:
    with listening_to(logging.INFO, "console") as stream:
        log.info("GET /\n2031-01-01 [error] forged\x1b[2J", extra={"path": "\r\nforged"})
    (line,) = stream.getvalue().splitlines()
    assert "\x1b" not in line


@pytest.mark.parametrize(("name", "value"), [("USHER_LOG", "LOUD"), ("USHER_LOG_FORMAT", "xml")])
def test_a_bad_setting_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        logs.set_up({name: value})


def run(command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Python with this command line and these variables, its stderr on a pipe."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}
    arguments = [sys.executable, *command.split()]
    return subprocess.run(
        arguments, check=False, env=clean | env, capture_output=True, text=True, timeout=60, cwd=ROOT
    )


def test_without_a_terminal_lines_are_json_from_the_level_that_is_set() -> None:
    for env, said in (({}, ["b", "c"]), ({"USHER_LOG": "info"}, ["a", "b", "c"])):
        done = run("-m tests.server.says_three_things", **env)
        assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == said, done.stderr
    done = run("-m tests.server.says_three_things", USHER_LOG_FORMAT="console")
    assert [line.split()[-2:] for line in done.stderr.splitlines()] == [["b", "[three]"], ["c", "[three]"]]


def test_a_command_says_what_is_wrong_with_the_log_that_is_wanted() -> None:
    done = run("-m server migrate", USHER_LOG="LOUD")
    assert done.returncode == 1
    assert "USHER_LOG must be one of" in done.stderr
    assert "Traceback" not in done.stderr


@SHARED
async def test_a_request_can_be_followed_to_its_batch_and_its_patch(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id) as socket:
        await socket.open()
        with listening_to(logging.DEBUG) as stream:
            answer = await usher.rest(
                "POST", f"/seats/{event_id}/reserve", {"seat_ids": ["1", "2"]}, ada, {HEADER: "abc"}
            )
            await socket.seen("patch")
    assert (answer.status, answer.headers[HEADER]) == (200, "abc")
    (request,), (batch,), (patch,) = (
        lines(stream, "request"),
        lines(stream, "batch committed"),
        lines(stream, "patch"),
    )
    assert request["correlation_id"] == "abc"
    assert request["route"] == "/api/v1/seats/{event_id}/reserve"
    assert (request["level"], request["method"], request["status"]) == ("info", "POST", 200)
    assert (request["peer"], request["ms"] > 0) == ("127.0.0.1", True)
    assert batch["correlation_ids"] == patch["correlation_ids"] == ["abc"]
    assert batch["event_id"] == patch["event_id"] == event_id
    assert (patch["base"], patch["revision"], patch["seats"], patch["watchers"]) == (0, batch["revision"], 2, 1)


@SHARED
async def test_a_socket_command_has_the_names_of_its_socket_and_its_own(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    with listening_to(logging.DEBUG) as stream:
        async with usher.socket(event_id, ada, headers={HEADER: "my-socket"}) as socket:
            assert socket.ws._response.headers[HEADER] == "my-socket"
            await socket.open()
            await socket.ask("hold_seats", "my-hold", seats=[3])
            await socket.seen("patch", held=[3])
        await until(lambda: bool(lines(stream, "request")))
    (request,), (batch,), (patch,) = (
        lines(stream, "request"),
        lines(stream, "batch committed"),
        lines(stream, "patch"),
    )
    assert batch["correlation_ids"] == patch["correlation_ids"] == ["my-socket/my-hold"]
    assert (request["correlation_id"], request["status"]) == ("my-socket", 101)


@SHARED
async def test_what_a_request_starts_does_not_bear_its_name(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    path = f"/seats/{event_id}/reserve"
    with listening_to(logging.DEBUG) as stream:
        for seat, name in (("1", "first"), ("2", "second")):
            await usher.rest("POST", path, {"seat_ids": [seat]}, ada, {HEADER: name})
    batches = lines(stream, "batch committed")
    assert [batch["correlation_ids"] for batch in batches] == [["first"], ["second"]]
    assert not any("correlation_id" in batch for batch in batches), "the seat manager outlives its first request"


@SHARED
async def test_every_answer_names_its_request(usher: Usher) -> None:
    asked = {
        "/api/v1/events": 200,
        "/api/v1/events/no-such": 404,
        "/api/v1/auth/me": 401,
        "/api/v1/events?page=x": 400,
        "/nowhere": 404,
        "/live": 200,
        "/static/main.js": 200,
    }
    made = set()
    for path, status in asked.items():
        async with usher.http.get(usher.url + path) as answer:
            assert (path, answer.status) == (path, status)
            made.add(answer.headers[HEADER])
        async with usher.http.get(usher.url + path, headers={HEADER: "a.B-c_1"}) as answer:
            assert answer.headers[HEADER] == "a.B-c_1"
    assert len(made) == len(asked)


@SHARED
@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "é", "a;b", "<script>"])
async def test_a_name_that_cannot_be_one_is_replaced(usher: Usher, given: str) -> None:
    async with usher.http.get(usher.url + "/live", headers={HEADER: given}) as answer:
        name = answer.headers[HEADER]
    assert name != given
    assert name.isalnum()


@SHARED
async def test_a_line_for_each_request_but_those_of_machines(usher: Usher) -> None:
    with listening_to(logging.INFO) as stream:
        for path in ("/live", "/ready", "/metrics", "/health", "/nowhere/at/all?x=1"):
            async with usher.http.get(usher.url + path):
                pass
    assert [(line["route"], line["status"]) for line in lines(stream, "request")] == [
        ("/health", 200),
        ("unmatched", 404),
    ]


async def use_secrets(usher: Usher) -> list[str]:
    """Do all that has secrets in it, well and badly; these secrets."""
    email, password = f"ada-{id(usher)}@example.org", "an uncommon password"
    account = {"email": email, "password": password, "name": "Ada"}
    await usher.rest("POST", "/auth/register", account)
    await usher.rest("POST", "/auth/register", account)
    await usher.rest("POST", "/auth/login", account | {"password": "wrong-password"})
    session_id = (await usher.rest("POST", "/auth/login", account)).data["sessionId"]
    headers = {"Cookie": f"session={session_id}"}
    event_id = await usher.event()
    ticket = (await usher.rest("POST", "/auth/ws-ticket", headers=headers)).data["ticket"]
    async with usher.socket(event_id, query=f"?ticket={ticket}") as socket:
        await socket.open()
        await socket.ask("hold_seats", seats=[1])
    for odd in ("\r\nBad\0Header: x", "\r\nContent-Length: x", "\0", "\r\nTransfer-Encoding: odd"):
        await send_raw(
            usher, f"GET /?ticket={ticket} HTTP/1.1\r\nHost: x\r\nCookie: session={session_id}{odd}\r\n\r\n"
        )
    await usher.rest("GET", "/auth/me", headers={"Authorization": "Bearer my-token"} | headers)
    await usher.rest("POST", "/auth/logout", headers=headers)
    return [email, password, "wrong-password", session_id, ticket, "my-token"]


async def send_raw(usher: Usher, text: str) -> None:
    """Send what no client does, and wait for the end."""
    at = urlsplit(usher.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(text.encode())
    writer.write_eof()
    await reader.read()
    writer.close()


@SHARED
@pytest.mark.parametrize("form", logs.FORMATS)
async def test_no_secret_that_comes_to_a_server_stands_in_its_log(usher: Usher, form: str) -> None:
    with listening_to(logging.DEBUG, form) as stream:
        secrets = await use_secrets(usher)
    assert "batch committed" in stream.getvalue()
    assert [secret for secret in secrets if secret in stream.getvalue()] == []


@SHARED
async def test_without_the_safeguard_they_would(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_hidden(said: Any) -> Any:
        return said

    monkeypatch.setattr(logs, "without_secrets", nothing_hidden)
    with listening_to(logging.DEBUG) as stream:
        secrets = await use_secrets(usher)
    assert any(secret in stream.getvalue() for secret in secrets)

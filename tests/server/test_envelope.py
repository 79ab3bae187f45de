"""The envelope: one form for every answer, and nothing of ours leaks out of a failure."""

import asyncio
import gzip
import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
import pytest
from aiohttp import web
from msgspec import Meta
from pytest_aiohttp.plugin import AiohttpClient

from server.rest import envelope
from server.rest.envelope import Refused, cents_to_major, enveloped, iso, iso_or_none, ok, read_body
from server.rest.sentences import sentence_of
from tests.server.conftest import Client

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Thing(msgspec.Struct):
    name: str
    numbers: list[int] = []
    extra: dict[str, str] = {}


class Beside(msgspec.Struct):
    beside: int


async def echo(request: web.Request) -> web.Response:
    thing = await read_body(request, Thing, "name is required")
    return ok({"name": thing.name, "numbers": thing.numbers}, beside=Beside(1))


@pytest.fixture
async def bare(aiohttp_client: AiohttpClient) -> Client:
    """An application of nothing but the envelope and the handler `echo`."""
    app = web.Application(middlewares=[enveloped], client_max_size=envelope.BODY_BYTES_MAX)
    app.router.add_post("/echo", echo)
    return await aiohttp_client(app)


async def failing(aiohttp_client: AiohttpClient, error: BaseException) -> tuple[int, dict[str, object], str]:
    """What a client sees when a handler raises `error`: status, body and Retry-After."""

    async def handler(_: web.Request) -> web.Response:
        raise error

    app = web.Application(middlewares=[enveloped])
    app.router.add_get("/", handler)
    client = await aiohttp_client(app)
    answer = await client.get("/")
    body = json.loads(await answer.read())
    return answer.status, body, answer.headers.get("Retry-After", "")


async def test_a_success_has_its_data_and_what_stands_beside_it(bare: Client) -> None:
    answer = await bare.post("/echo", json={"name": "é", "numbers": [1], "unknown": True})
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert await answer.json() == {"success": True, "data": {"name": "é", "numbers": [1]}, "beside": 1}


def test_no_data_is_not_null() -> None:
    assert ok().body == b'{"success":true}'
    assert ok(None).body == b'{"success":true,"data":null}'
    assert ok([], 201).status == 201
    assert ok({"raw": msgspec.Raw(b"[1]")}).body == b'{"success":true,"data":{"raw":[1]}}'


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON", None]
)
async def test_json_may_be_said_to_be_json_or_not(bare: Client, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    skipped = [] if content_type else ["Content-Type"]
    answer = await bare.post("/echo", data=b'{"name":"x"}', headers=headers, skip_auto_headers=skipped)
    assert answer.status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense", ""]
)
async def test_other_bodies_are_refused(bare: Client, content_type: str) -> None:
    answer = await bare.post("/echo", data=b'{"name":"x"}', headers={"Content-Type": content_type})
    assert answer.status == 400
    assert (await answer.json())["code"] == "bad_content_type"


BAD_JSON = [
    b"{",
    b"name",
    b'{"name":"x"}}',
    b'{"name":"\xff"}',
    b'{"name":"\\ud800"}',
    b'\xef\xbb\xbf{"name":"x"}',
    b'{"name":NaN}',
    b"\0",
    b'{"x":' + b"[" * 50_000,
    b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b',"name":"x"}',
]


async def test_malformed_json_is_refused(bare: Client) -> None:
    for body in BAD_JSON:
        answer = await bare.post("/echo", data=body, headers={"Content-Type": "application/json"})
        assert answer.status == 400, body[:50]
        assert await answer.json() == {
            "success": False,
            "error": "The body is not valid JSON",
            "code": "bad_json",
        }


WRONG = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b'"name"',
    b"7",
    b'{"name":7}',
    b'{"name":null}',
]

WRONG_OPTIONS = [
    b'{"name":"x","numbers":["1"]}',
    b'{"name":"x","numbers":[1.5]}',
    b'{"name":"x","numbers":{}}',
    b'{"name":"x","numbers":[' + b"9" * 5000 + b"]}",
]


async def test_missing_fields_and_wrong_types_have_the_sentence_of_the_contract(bare: Client) -> None:
    for body in WRONG:
        answer = await bare.post("/echo", data=body, headers={"Content-Type": "application/json"})
        assert answer.status == 400, body
        assert (await answer.json())["error"] == "name is required", body


async def test_a_wrong_type_where_nothing_is_required_has_a_sentence_of_its_own(bare: Client) -> None:
    for body in WRONG_OPTIONS:
        answer = await bare.post("/echo", data=body, headers={"Content-Type": "application/json"})
        assert answer.status == 400, body
        said = (await answer.json())["error"]
        assert "`" not in said, body
        assert "numbers" in said, body


async def test_a_nul_is_refused_wherever_it_is(bare: Client) -> None:
    for thing in ({"name": "a\0"}, {"name": "a", "extra": {"\0": "x"}}, {"name": "a", "extra": {"x": "\0"}}):
        answer = await bare.post("/echo", json=thing)
        assert answer.status == 400, thing
        assert "NUL" in (await answer.json())["error"]
    assert (await bare.post("/echo", data=b'{"name":"\\\\u0000"}')).status == 400  # no content type of JSON
    answer = await bare.post("/echo", json={"name": "\\u0000"})
    assert answer.status == 200, "a backslash before u0000 is no NUL"


async def test_a_body_has_an_end(bare: Client) -> None:
    fits = json.dumps({"name": "x" * (envelope.BODY_BYTES_MAX - 20)}).encode()
    assert (await bare.post("/echo", data=fits, headers={"Content-Type": "application/json"})).status == 200
    too_long = fits + b" " * 100

    async def chunked() -> object:
        for start in range(0, len(too_long), 1000):
            yield too_long[start : start + 1000]

    for data in (too_long, chunked()):
        answer = await bare.post("/echo", data=data, headers={"Content-Type": "application/json"})
        assert answer.status == 413
        assert (await answer.json())["code"] == "body_too_large"


async def test_a_compressed_body_is_measured_unpacked_and_may_be_broken(bare: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    good, bomb = b'{"name":"x"}', b" " * 10_000_000
    assert (await bare.post("/echo", data=gzip.compress(good), headers=headers)).status == 200
    assert (await bare.post("/echo", data=gzip.compress(bomb), headers=headers)).status == 413
    answer = await bare.post("/echo", data=b"no gzip at all", headers=headers)
    assert answer.status == 400


async def test_a_slow_body_is_not_waited_for(bare: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "BODY_READ_S", 0.01)
    reader, writer = await asyncio.open_connection(bare.host, bare.port)
    writer.write(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
    status = await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()
    assert b" 408 " in status


async def test_unknown_paths_and_methods_are_in_the_envelope(client: Client) -> None:
    for path in (
        "/",
        "/api/v1/nothing",
        "/api/v1/events/x/y",
        "/api/v1/events/%00",
        "/%ff",
        "//",
        "/api/v1/auth/me/",
    ):
        answer = await client.get(path)
        assert answer.status == 404, path
        body = await answer.json()
        assert body["success"] is False
        assert body["code"] in ("not_found", "event_not_found")
    answer = await client.delete("/api/v1/auth/login")
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"
    assert (await answer.json())["code"] == "method_not_allowed"


async def test_a_refusal_carries_what_it_says(aiohttp_client: AiohttpClient) -> None:
    seen = await failing(aiohttp_client, Refused(409, "No", "no", seats=["1"]))
    assert seen == (409, {"success": False, "error": "No", "code": "no", "seats": ["1"]}, "")


async def test_come_again_says_when(aiohttp_client: AiohttpClient) -> None:
    assert (await failing(aiohttp_client, Refused(503, "No", "busy")))[2] == "1"
    assert (await failing(aiohttp_client, Refused(429, "No", "rate_limited", retry_after_s=7)))[2] == "7"


async def test_a_redirect_stays_one(aiohttp_client: AiohttpClient) -> None:
    async def handler(_: web.Request) -> web.Response:
        raise web.HTTPFound("/there")

    app = web.Application(middlewares=[enveloped])
    app.router.add_get("/", handler)
    answer = await (await aiohttp_client(app)).get("/", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, "/there")


async def test_the_unexpected_is_logged_and_says_nothing(
    aiohttp_client: AiohttpClient, caplog: pytest.LogCaptureFixture
) -> None:
    for error in (
        ValueError("secret"),
        asyncpg.UniqueViolationError("secret"),
        asyncpg.DataError("secret"),
        asyncpg.UndefinedTableError("secret"),
        RecursionError("secret"),
    ):
        caplog.clear()
        status, body, _ = await failing(aiohttp_client, error)
        assert status == 500, error
        assert body == {"success": False, "error": "Something went wrong on our side", "code": "internal"}
        assert caplog.records[-1].levelno == logging.ERROR
        assert caplog.records[-1].exc_info


async def test_trouble_with_the_database_passes(aiohttp_client: AiohttpClient) -> None:
    for error in (
        ConnectionRefusedError("secret"),
        FileNotFoundError("secret"),
        TimeoutError("secret"),
        asyncpg.ConnectionDoesNotExistError("secret"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.AdminShutdownError("secret"),
        asyncpg.CannotConnectNowError("secret"),
        asyncpg.TooManyConnectionsError("secret"),
        asyncpg.LockNotAvailableError("secret"),
        asyncpg.DiskFullError("secret"),
        asyncpg.IdleInTransactionSessionTimeoutError("secret"),
    ):
        status, body, retry_after = await failing(aiohttp_client, error)
        assert (status, body["code"], retry_after) == (503, "try_again", "1"), error
        assert "secret" not in str(body)


def test_amounts_are_in_the_major_unit() -> None:
    for cents, written in (
        (35000, b"350"),
        (9950, b"99.5"),
        (9999, b"99.99"),
        (0, b"0"),
        (5, b"0.05"),
        (110, b"1.1"),
    ):
        assert msgspec.json.encode(cents_to_major(cents)) == written
    for cents in range(100_000):
        _, _, decimals = msgspec.json.encode(cents_to_major(cents)).partition(b".")
        assert len(decimals) <= 2


def test_times_are_utc_with_milliseconds() -> None:
    assert iso(datetime(2031, 5, 1, 12, tzinfo=UTC)) == "2031-05-01T12:00:00.000Z"
    east = timezone(timedelta(hours=2))
    assert iso(datetime(2031, 5, 1, 12, 0, 1, 999_999, tzinfo=east)) == "2031-05-01T10:00:01.999Z"
    assert iso_or_none(None) is None


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        (Annotated[int, Meta(ge=1)], 0, "it must be at least 1"),
        (Annotated[str, Meta(max_length=3)], "abcd", "it must be of at most 3 characters"),
        (Annotated[list[int], Meta(max_length=1)], [1, 2], "it must be of at most 1 of them"),
        (int | None, "x", "it must be a whole number or null, not a text"),
        (bool, 1, "it must be true or false, not a whole number"),
        (Literal["a", "b"], "c", "it has a value that it cannot have"),
        (Annotated[str, Meta(pattern="^x$")], "y", "it is not of the form that it must have"),
    ],
)
def test_what_does_not_fit_is_said_in_words(kind: Any, value: Any, sentence: str) -> None:
    shape = msgspec.defstruct("Shape", [("it", kind)])
    with pytest.raises(msgspec.ValidationError) as found:
        msgspec.convert({"it": value}, shape)
    assert sentence_of(found.value) == sentence


def test_what_is_missing_is_named() -> None:
    inner = msgspec.defstruct("Inner", [("x", int)])
    outer = msgspec.defstruct("Outer", [("inner", inner)])
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "inner is required"),
        ({"inner": {}}, "inner.x is required"),
    )
    for value, sentence in wrong:
        with pytest.raises(msgspec.ValidationError) as found:
            msgspec.convert(value, outer)
        assert sentence_of(found.value) == sentence

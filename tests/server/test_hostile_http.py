"""What no decent client sends: each gets a clear refusal, with the headers of every answer, and hurts nobody."""

import asyncio
import logging
from collections.abc import Iterable

import pytest
from aiohttp import http_parser, web

from tests.server.parts import SHARED, Usher
from tests.server.raw_http import RawAnswer, RawHttp, ask

pytestmark = SHARED

POST = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GET = b"GET /live HTTP/1.1\r\nHost: x\r\n"


def assert_guarded(answer: RawAnswer) -> None:
    """What every answer has, whoever made it."""
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert headers.getall("Server") == ["usher"]
    assert "python" not in str(headers).lower()
    assert "aiohttp" not in str(headers).lower()


NO_REQUESTS = {
    "rubbish": b"\0\1\2\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown version": b"GET /live HTTP/9.9\r\nHost: x\r\n\r\n",
    "no path": b"GET live HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes that are no path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long method": b"A" * 300 + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no Host": b"GET /live HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /live HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a space before the colon": b"GET /live HTTP/1.1\r\nHost : x\r\n\r\n",
    "a folded header": GET + b"A: b\r\n c\r\n\r\n",
    "a NUL in a header": GET + b"A: b\0c\r\n\r\n",
    "a lone carriage return": GET + b"A: b\rC: d\r\n\r\n",
    "lines without carriage returns": b"GET /live HTTP/1.1\nHost: x\n\n",
}

SMUGGLED = {
    "length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths in one": POST + b"Content-Length: 2, 3\r\n\r\n{} ",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a hexadecimal length": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "an endless length": POST + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "chunks twice": POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "another encoding": POST + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "chunks that are not the last encoding": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunks, nearly": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a chunk of a strange size": POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n",
    "a chunk of a signed size": POST + b"Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n",
    "a chunk of an endless size": POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
}


async def test_requests_are_read_by_the_strict_parser() -> None:
    assert http_parser.HttpRequestParser is not http_parser.HttpRequestParserPy, "the one in C"


@pytest.mark.parametrize("what", NO_REQUESTS)
async def test_what_is_no_request_is_refused_and_the_connection_ended(usher: Usher, what: str) -> None:
    async with RawHttp(usher.url) as http:
        answer = await http.answer(NO_REQUESTS[what])
        assert answer.refusal == (400, "bad_request")
        assert_guarded(answer)
        assert await http.ended() == b""


@pytest.mark.parametrize("what", SMUGGLED)
async def test_a_body_whose_end_can_be_read_in_two_ways_is_refused(usher: Usher, what: str) -> None:
    async with RawHttp(usher.url) as http:
        answer = await http.answer(SMUGGLED[what] + b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.status in (400, 413)
        assert answer.refusal[1] in ("bad_request", "body_too_large")
        assert_guarded(answer)
        rest = await http.ended()
        assert b"live" not in rest, "what follows was not taken for a request"


async def test_rubbish_is_not_worth_an_error_in_the_log(usher: Usher, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await ask(usher.url, NO_REQUESTS["rubbish"])
    assert not [record for record in caplog.records if record.name != "request"]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 8200 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        GET + b"A: " + b"a" * 8200 + b"\r\n\r\n",
        GET + b"A" * 8200 + b": a\r\n\r\n",
        GET + b"A: b\r\n" * 101 + b"\r\n",
        GET + b"".join(b"A%d: %s\r\n" % (number, b"a" * 4000) for number in range(5)) + b"\r\n",
    ],
    ids=["line", "field", "name", "fields", "together"],
)
async def test_heads_have_an_end(usher: Usher, sent: bytes) -> None:
    answer = await ask(usher.url, sent)
    assert answer.refusal == (431, "headers_too_large")
    assert_guarded(answer)


async def test_a_head_without_end_is_refused_while_it_comes(usher: Usher) -> None:
    async with RawHttp(usher.url) as http:
        http.writer.write(GET)
        for number in range(99):
            http.writer.write(b"A%d: %s\r\n" % (number, b"a" * 1000))
            await http.writer.drain()
            await asyncio.sleep(0)
        answer = await http.answer()
        assert answer.refusal == (431, "headers_too_large")
        assert_guarded(answer)


async def test_a_head_that_is_just_within_is_taken(usher: Usher) -> None:
    headers = b"".join(b"A%d: %s\r\n" % (number, b"a" * 3900) for number in range(4))
    assert (await ask(usher.url, GET + headers + b"\r\n")).status == 200
    assert (await ask(usher.url, GET + b"A: b\r\n" * 98 + b"\r\n")).status == 200


@pytest.mark.parametrize(
    "host", [b"a b", b"a/b", b"a<b>", b"user@x", b"x:port", b"x:999999", b"a,b", b"[::1", b"\xe9"]
)
async def test_a_host_that_is_none_is_refused(usher: Usher, host: bytes) -> None:
    answer = await ask(usher.url, b"GET /live HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert answer.status == 400
    assert_guarded(answer)


async def test_without_a_host_nobody_asks_the_resolver(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> str:
        raise AssertionError("the resolver was asked, and everybody waited for it")

    monkeypatch.setattr("socket.getfqdn", asked)
    for path in (b"/live", b"/", b"/static/main.js", b"/nothing", b"/api/v1/venues"):
        answer = await ask(usher.url, b"GET " + path + b" HTTP/1.0\r\n\r\n")
        assert answer.status in (200, 404)
        assert "connect-src 'self';" in answer.headers["Content-Security-Policy"]


UNUSUAL: list[tuple[bytes, int]] = [
    (b"TRACE /live HTTP/1.1\r\nHost: x\r\nCookie: session=secret\r\n\r\n", 405),
    (b"TRACE /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nCookie: session=secret\r\n\r\n", 405),
    (b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"CONNECT /live HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    (b"OPTIONS /live HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"PROPFIND /live HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    (b"GET http://evil.example/live HTTP/1.1\r\nHost: x\r\n\r\n", 200),
    (
        b"POST http://evil.example/api/v1/auth/logout HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n\r\n",
        403,
    ),
    (b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nExpect: something\r\nContent-Length: 2\r\n\r\n{}", 417),
]


@pytest.mark.parametrize(("sent", "status"), UNUSUAL)
async def test_unusual_requests_have_ordinary_answers(usher: Usher, sent: bytes, status: int) -> None:
    answer = await ask(usher.url, sent)
    assert answer.status == status
    assert_guarded(answer)
    assert b"secret" not in answer.body
    if status != 200:
        assert answer.refusal[0] == status


async def test_a_head_request_has_the_headers_and_no_body(usher: Usher) -> None:
    async with RawHttp(usher.url) as http:
        head = await http.answer(b"HEAD /api/v1/venues HTTP/1.1\r\nHost: x\r\n\r\n", has_body=False)
        assert head.status == 200
        assert int(head.headers["Content-Length"]) > 0
        assert_guarded(head)
        assert (await http.answer(GET + b"\r\n")).body == b'{"success":true,"data":{"status":"live"}}'


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
async def test_a_header_cannot_change_the_method(usher: Usher, header: str) -> None:
    ada = await usher.customer()
    reply = await usher.rest("GET", "/auth/logout", by=ada, headers={header: "POST"})
    assert reply.refusal[0] == 405
    reply = await usher.rest("POST", "/auth/me?_method=GET", by=ada, headers={header: "GET"})
    assert reply.refusal[0] == 405
    assert (await usher.rest("GET", "/auth/me", by=ada)).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "//live", "/live/", "//evil.example/live", "/./live/", "/static", "/static/", "/static//main.js",
        "/static/../server/app.py", "/static/%2e%2e/server/app.py", "/static/..%2fserver/app.py",
        "/static/..%5cserver%5capp.py", "/static/%2e%2e%2f%2e%2e%2fetc/passwd", "/static//etc/passwd",
        "/static/%252e%252e/server/app.py", "/static/main.js%00", "/static/main.js%00.html",
        "/static/%c0%ae%c0%ae/x",
        "/static/....//server/app.py", "/maps/../static/main.js%00.json", "/%2e%2e/%2e%2e/etc/passwd", "/live%00",
        "/api/v1/auth/me/../../../nothing", "/api/v1/events/%00", "/api/v1//venues", "/api//v1/venues",
        "/API/V1/VENUES",
    ],
)  # fmt: skip
async def test_no_path_leads_elsewhere(usher: Usher, path: str) -> None:
    answer = await ask(usher.url, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert answer.refusal[0] in (403, 404), answer.body[:200]
    assert "Location" not in answer.headers
    assert_guarded(answer)


def cookies() -> Iterable[bytes]:
    """Cookie headers that no browser sends."""
    for value in (
        b"\0",
        b"a\0b",
        b"\xff\xfe",
        "é".encode(),
        b"a" * 8000,
        b'"',
        b'"\\000"',
        b"%00",
        b" ",
        b"=",
        b"a;b",
    ):
        yield b"session=" + value
    yield b"; ".join(b"c%d=1" % number for number in range(900))
    yield b"; ".join(b"session=%d" % number for number in range(500))
    yield b";" * 8000
    yield b"session"
    yield b"=x; session"
    yield b"\xff=\xff"
    yield b"__Host-session=x; __proto__=1; $Version=1"


@pytest.mark.parametrize("cookie", list(cookies()), ids=lambda cookie: repr(cookie[:20]))
async def test_no_cookie_does_any_harm(usher: Usher, cookie: bytes) -> None:
    answer = await ask(usher.url, b"GET /api/v1/auth/me HTTP/1.1\r\nHost: x\r\nCookie: " + cookie + b"\r\n\r\n")
    assert answer.refusal[0] in (400, 401)
    assert_guarded(answer)


async def test_every_kind_of_answer_is_guarded(usher: Usher) -> None:
    async with RawHttp(usher.url) as http:
        page = await http.answer(b"GET /static/main.js HTTP/1.1\r\nHost: x\r\n\r\n")
        etag = page.headers["ETag"].encode()
        answers = {
            200: page,
            304: await http.answer(
                b"GET /static/main.js HTTP/1.1\r\nHost: x\r\nIf-None-Match: " + etag + b"\r\n\r\n", has_body=False
            ),
            206: await http.answer(b"GET /static/main.js HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n"),
            404: await http.answer(b"GET /static/nothing.js HTTP/1.1\r\nHost: x\r\n\r\n"),
            405: await http.answer(b"POST /static/main.js HTTP/1.1\r\nHost: x\r\n\r\n"),
        }
    answers[416] = await ask(
        usher.url, b"GET /static/main.js HTTP/1.1\r\nHost: x\r\nRange: bytes=9999999-\r\n\r\n", has_body=False
    )
    answers[413] = await ask(usher.url, POST + b"Content-Length: 70000\r\n\r\n")
    answers[101] = await ask(
        usher.url,
        f"GET /ws/events/{await usher.event()} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: usher.v1\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode(),
        has_body=False,
    )
    for status, answer in answers.items():
        assert answer.status == status
        assert_guarded(answer)
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "Origin" in answer.headers["Vary"]


async def test_a_fault_of_ours_outside_of_every_handler_says_nothing(
    usher: Usher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr(web.UrlDispatcher, "resolve", broken)
    answer = await ask(usher.url, GET + b"\r\n")
    assert answer.refusal == (500, "internal")
    assert b"hunter2" not in answer.body
    assert_guarded(answer)
    assert "a request failed outside of its handler" in caplog.messages


async def test_the_tests_of_guarded_answers_can_fail() -> None:
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        for sent in (NO_REQUESTS["rubbish"], GET + b"\r\n"):
            answer = await ask(f"http://{host}:{port}", sent)
            with pytest.raises((AssertionError, KeyError)):
                assert_guarded(answer)
    finally:
        await runner.cleanup()

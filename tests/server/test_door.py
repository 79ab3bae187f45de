"""The door: which pages may act, CORS, security headers, and the cookie under TLS."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from pytest_aiohttp.plugin import AiohttpClient

from server.door import origin, security_headers
from server.door import who_asks as door
from server.rest.envelope import enveloped, ok
from server.services import SERVICES
from server.settings import Settings
from tests.server.conftest import Client, some_parts

CORS = "http://localhost:5173"
OWN = {"Host": "shop.example"}

Open = Callable[..., Awaitable[Client]]


@web.middleware
async def under_tls(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await handler(request.clone(scheme="https"))


async def act(_: web.Request) -> web.Response:
    return ok({"done": True})


async def sign(request: web.Request) -> web.Response:
    """Sets the cookie, or clears it, and says what was shown."""
    response = ok({"shown": door.session_id(request)})
    if request.method == "DELETE":
        door.clear_cookie(request, response)
    else:
        door.set_cookie(request, response, "the-id", datetime(2031, 5, 2, 12, tzinfo=UTC))
    return response


@pytest.fixture
def shop(aiohttp_client: AiohttpClient) -> Open:
    """Opens an application that is little more than the door."""

    async def opened(*, is_tls: bool = False, **settings: Any) -> Client:
        middlewares = [enveloped, origin.guarded]
        app = web.Application(middlewares=[under_tls, *middlewares] if is_tls else middlewares)
        app[SERVICES] = some_parts(settings=Settings(**{"cors_origin": CORS} | settings))
        app.on_response_prepare.append(security_headers.prepare_response)
        app.router.add_route("*", "/act", act)
        app.router.add_route("*", "/api/v1/act", act)
        app.router.add_route("*", "/sign", sign)
        return await aiohttp_client(app)

    return opened


async def status(client: Client, headers: dict[str, str], method: str = "POST") -> int:
    answer = await client.request(method, "/act", headers=OWN | headers)
    if answer.status == 403:
        body = await answer.json()
        assert (body["success"], body["code"]) == (False, "bad_origin")
    return answer.status


ALLOWED = [
    {},
    {"Origin": "http://shop.example"},
    {"Origin": "http://shop.example:80"},
    {"Origin": "HTTP://Shop.Example"},
    {"Origin": CORS},
    {"Origin": CORS, "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://shop.example", "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Host": "shop.example:80", "Origin": "http://shop.example"},
    {"Host": "shop.example:3001", "Origin": "http://shop.example:3001"},
    {"Host": "[::1]:3001", "Origin": "http://[::1]:3001"},
    {"Host": "127.0.0.1:3001", "Origin": "http://127.0.0.1:3001"},
]

REFUSED = [
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "https://shop.example"},
    {"Origin": "http://shop.example:81"},
    {"Origin": "http://shop.example.evil.example"},
    {"Origin": "http://evil-shop.example"},
    {"Origin": "http://shop.example/"},
    {"Origin": "http://shop.example/path"},
    {"Origin": "http://shop.example@evil.example"},
    {"Origin": "http://shop.example http://evil.example"},
    {"Origin": "http://localhost:5174"},
    {"Origin": "https://localhost:5173"},
    {"Origin": "file://"},
    {"Origin": "shop.example"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
    {"Origin": "null", "Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "something new"},
    {"Host": "shop.example:3001", "Origin": "http://shop.example"},
    {"Host": "", "Origin": "http://"},
    {"Host": "a/b", "Origin": "http://a/b"},
]


async def test_own_pages_and_no_browsers_may_act(shop: Open) -> None:
    client = await shop()
    for headers in ALLOWED:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert await status(client, headers, method) == 200, headers


async def test_other_pages_may_not_act(shop: Open) -> None:
    client = await shop()
    for headers in REFUSED:
        for method in ("POST", "PUT", "PATCH", "DELETE", "PURGE"):
            assert await status(client, headers, method) == 403, headers


async def test_other_pages_may_read_what_is_public(shop: Open) -> None:
    client = await shop()
    for headers in REFUSED:
        for method in ("GET", "HEAD", "OPTIONS"):
            assert await status(client, headers, method) == 200, headers


async def test_under_tls_own_pages_are_https(shop: Open) -> None:
    client = await shop(is_tls=True)
    assert await status(client, {"Origin": "https://shop.example"}) == 200
    assert await status(client, {"Origin": "https://shop.example:443"}) == 200
    assert await status(client, {"Origin": "http://shop.example"}) == 403


async def test_behind_a_proxy_own_pages_are_those_of_the_public_origin(shop: Open) -> None:
    client = await shop(public_origin="https://tickets.example")
    for host in ("tickets.example", "10.0.0.7:3001"):
        for own in ("https://tickets.example", "https://Tickets.example:443", CORS):
            assert await status(client, {"Host": host, "Origin": own}) == 200
        for foreign in ("http://tickets.example", f"http://{host}", "https://evil.example", "null"):
            assert await status(client, {"Host": host, "Origin": foreign}) == 403
    policy = (await client.get("/act", headers=OWN)).headers["Content-Security-Policy"]
    assert "connect-src 'self' wss://tickets.example;" in policy


async def test_behind_a_proxy_that_speaks_tls_the_cookie_is_for_tls(shop: Open) -> None:
    client = await shop(public_origin="https://tickets.example")
    cookie = (await client.post("/sign")).headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=the-id; ")
    assert "Secure" in cookie.split("; ")
    cleared = (await client.delete("/sign")).headers["Set-Cookie"]
    assert cleared.startswith('__Host-session=""; ')
    assert "Secure" in cleared.split("; ")
    shown = await client.post("/sign", headers={"Cookie": "session=plain; __Host-session=tls"})
    assert (await shown.json())["data"] == {"shown": "tls"}
    plain = await shop(public_origin="http://tickets.example")
    cookie = (await plain.post("/sign")).headers["Set-Cookie"]
    assert cookie.startswith("session=the-id; ")
    assert "Secure" not in cookie.split("; ")


async def test_the_one_other_origin_is_a_setting(shop: Open) -> None:
    client = await shop(cors_origin="https://front.example")
    assert await status(client, {"Origin": "https://front.example"}) == 200
    assert await status(client, {"Origin": CORS}) == 403


async def test_login_and_register_are_guarded_too(client: Client) -> None:
    for path in ("login", "register", "logout", "ws-ticket"):
        answer = await client.post(f"/api/v1/auth/{path}", json={}, headers={"Origin": "http://evil.example"})
        assert answer.status == 403
        assert (await answer.json())["code"] == "bad_origin"


async def test_the_other_origin_may_read_with_credentials(shop: Open) -> None:
    client = await shop()
    for path in ("/api/v1/act", "/api/v1/nothing"):
        headers = (await client.get(path, headers=OWN | {"Origin": CORS})).headers
        assert headers["Access-Control-Allow-Origin"] == CORS
        assert headers["Access-Control-Allow-Credentials"] == "true"
        assert (
            headers["Access-Control-Expose-Headers"]
            == "Retry-After, Etag, X-Request-Id, RateLimit, RateLimit-Policy"
        )
        assert "Origin" in headers["Vary"]


async def test_nobody_else_may_read(shop: Open) -> None:
    client = await shop()
    for headers in [*REFUSED, {}]:
        answer = (await client.get("/api/v1/act", headers=OWN | headers)).headers
        assert "Access-Control-Allow-Origin" not in answer, headers
        assert "Access-Control-Allow-Credentials" not in answer, headers
        assert "Origin" in answer["Vary"]


async def test_a_preflight_of_the_other_origin_is_answered(shop: Open) -> None:
    client = await shop()
    asked = OWN | {"Origin": CORS, "Access-Control-Request-Method": "POST"}
    answer = await client.options("/api/v1/auth/login", headers=asked)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == CORS
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, PATCH, DELETE"
    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"content-type", "x-session-id", "idempotency-key", "if-none-match", "x-request-id"} == set(allowed)
    foreign = OWN | {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await client.options("/api/v1/auth/login", headers=foreign)
    assert answer.status == 404
    assert "Access-Control-Allow-Methods" not in answer.headers


async def test_every_answer_is_shut_to_other_content(shop: Open) -> None:
    client = await shop()
    refused = {"Origin": "http://evil.example"}
    for method, path, more in (("GET", "/act", {}), ("GET", "/nothing", {}), ("POST", "/act", refused)):
        headers = (await client.request(method, path, headers=OWN | more)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self' ws://shop.example; manifest-src 'self'; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"
        )
        assert headers["Server"] == "usher", "no versions"


async def test_only_the_other_origin_may_embed_what_it_reads(shop: Open) -> None:
    client = await shop()
    for headers, policy in (
        ({"Origin": CORS}, "cross-origin"),
        ({}, "same-origin"),
        ({"Origin": "null"}, "same-origin"),
    ):
        answer = await client.get("/api/v1/act", headers=OWN | headers)
        assert answer.headers["Cross-Origin-Resource-Policy"] == policy


async def test_under_tls_browsers_are_to_stay_there(shop: Open) -> None:
    for public_origin, is_said in (("https://shop.example", True), ("http://shop.example", False), (None, False)):
        client = await shop(public_origin=public_origin)
        for path in ("/act", "/nothing"):
            said = (await client.get(path, headers=OWN)).headers.get("Strict-Transport-Security")
            assert said == ("max-age=31536000" if is_said else None)


async def test_a_host_cannot_write_into_the_policy(shop: Open) -> None:
    client = await shop()
    for host in ("a; script-src *", "a b", "a'b", "*", "a,b"):
        policy = (await client.get("/act", headers={"Host": host})).headers["Content-Security-Policy"]
        assert "connect-src 'self';" in policy, host


async def test_answers_of_the_api_are_not_stored(shop: Open) -> None:
    client = await shop()
    for path in ("/api/v1/act", "/api/v1/nothing"):
        assert (await client.get(path)).headers["Cache-Control"] == "no-store"
    assert "Cache-Control" not in (await client.get("/act")).headers


async def test_under_tls_the_cookie_belongs_to_this_host_alone(shop: Open) -> None:
    client = await shop(is_tls=True)
    cookie = (await client.post("/sign")).headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=the-id; ")
    parts = set(cookie.split("; "))
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=86400"} <= parts
    assert "expires=Fri, 02 May 2031 12:00:00 GMT" in parts
    cleared = (await client.delete("/sign")).headers["Set-Cookie"]
    assert cleared.startswith('__Host-session=""; ')
    assert "Secure" in cleared.split("; ")


async def test_under_tls_a_cookie_without_the_prefix_is_not_ours(shop: Open) -> None:
    tls, plain = await shop(is_tls=True), await shop()
    cookies = {"Cookie": "session=plain; __Host-session=tls"}
    assert (await (await tls.post("/sign", headers=cookies)).json())["data"] == {"shown": "tls"}
    assert (await (await plain.post("/sign", headers=cookies)).json())["data"] == {"shown": "plain"}


async def test_the_cookie_comes_before_the_header(shop: Open) -> None:
    client = await shop()
    for headers, shown in (
        ({}, None),
        ({"X-Session-Id": "a"}, "a"),
        ({"X-Session-Id": ""}, None),
        ({"X-Session-Id": "a", "Cookie": "session=b"}, "b"),
        ({"X-Session-Id": "a", "Cookie": "session="}, "a"),
    ):
        client.session.cookie_jar.clear()
        answer = await client.post("/sign", headers=headers)
        assert (await answer.json())["data"] == {"shown": shown}, headers

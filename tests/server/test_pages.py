"""What a browser loads: the page, its files, the seat maps; and what every answer carries."""

import asyncio
import gzip
import hashlib
import json
import re
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from yarl import URL

from protocol.seat_map import decode_map, places
from server.pages import STATIC_FOLDER
from server.reads import packed_maps
from server.reads.packed_maps import PackedMaps
from tests.server.parts import SEAT_COUNT, SHARED, Usher, hall

pytestmark = SHARED

PAGES = ["/", "/events", "/events/x", "/events/550e8400-e29b-41d4-a716-446655440202", "/login", "/register"]
MAILED = ["/reset-password", "/reset-password?token=x", "/verify-email?token=x"]
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Got:
    """An answer as it came, not decompressed."""

    def __init__(self, status: int, headers: Any, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


async def get(usher: Usher, path: str, method: str = "GET", **headers: str) -> Got:
    url = URL(usher.url + path, encoded=True)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.request(method, url, headers={"Accept-Encoding": "identity"} | named, allow_redirects=False) as answer,
    ):
        return Got(answer.status, answer.headers, await answer.read())


@pytest.mark.parametrize("path", [*PAGES, *MAILED, "/orders", "/orders/x", "/forgot-password"])
async def test_every_address_of_the_application_is_its_page(usher: Usher, path: str) -> None:
    page = await get(usher, path)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.body == (STATIC_FOLDER / "index.html").read_bytes()
    head = await get(usher, path, "HEAD")
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize("path", MAILED)
async def test_a_token_in_the_address_is_told_to_nobody(usher: Usher, path: str) -> None:
    assert (await get(usher, path)).headers["Referrer-Policy"] == "no-referrer"
    assert (await get(usher, "/login")).headers["Referrer-Policy"] != "no-referrer"


async def test_an_address_that_is_none_of_ours(usher: Usher) -> None:
    for path in ("/nothing", "/events/x/y", "/index.php", "/.env", "/%00", "/%C3%A9"):
        page = await get(usher, path, **HTML)
        assert page.status == 404
        assert page.headers["Content-Type"].startswith("text/html")
        program = await get(usher, path)
        assert program.status == 404
        assert json.loads(program.body) == {"success": False, "error": "Not found", "code": "not_found"}
    for path in ("/api/v1/nothing", "/api/nothing", "/maps/x.json", "/ws/nothing"):
        assert json.loads((await get(usher, path, **HTML)).body)["code"] == "not_found"
    assert (await get(usher, "/static/nothing.js", **HTML)).status == 404


async def test_everything_that_the_page_names_is_there(usher: Usher) -> None:
    html = (STATIC_FOLDER / "index.html").read_text()
    named = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', html))
    assert named
    for path in named:
        found = await get(usher, path)
        assert found.status == 200, path
        assert found.headers["Cache-Control"] == "no-cache"
        assert found.headers["X-Content-Type-Options"] == "nosniff"
        kind = {"js": "javascript", "css": "text/css", "svg": "image/svg"}[path.rsplit(".", 1)[1]]
        assert kind in found.headers["Content-Type"]


async def test_a_file_that_has_not_changed_is_not_sent_again(usher: Usher) -> None:
    first = await get(usher, "/static/main.js")
    again = await get(usher, "/static/main.js", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/static/../server/app.py",
        "/static/%2e%2e/server/app.py",
        "/static/..%2fserver/app.py",
        "/static/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
        "/static",
        "/static/" + "x" * 300,
        "/static/" + "x/" * 3_000,
    ],
)
async def test_nothing_beside_the_files_is_served(usher: Usher, path: str) -> None:
    found = await get(usher, path)
    assert found.status in (403, 404)
    assert json.loads(found.body)["success"] is False


async def test_a_seat_map_is_named_by_its_content_and_cached_for_ever(usher: Usher) -> None:
    await usher.event()
    sha256 = hall().sha256
    plain = await get(usher, f"/maps/{sha256}.json")
    assert plain.status == 200
    assert hashlib.sha256(plain.body).hexdigest() == sha256
    assert plain.headers["Content-Type"].startswith("application/json")
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert len(list(places(decode_map(plain.body)))) == SEAT_COUNT
    packed = await get(usher, f"/maps/{sha256}.json", Accept_Encoding="br, gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert "Content-Encoding" not in (await get(usher, f"/maps/{sha256}.json", Accept_Encoding="gzip;q=0")).headers


class Readings:
    """A database of maps of a thousand bytes each, which counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetchval(self, _statement: str, sha256: str) -> bytes | None:
        self.asked.append(sha256)
        await asyncio.sleep(0)
        return None if sha256 == "none" else sha256.encode() * 1_000


async def test_a_seat_map_is_read_and_packed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_maps, "BYTES_MAX", 2_500)
    database: Any = Readings()
    maps: Any = PackedMaps(database)
    many = await asyncio.gather(*(maps.get("a") for _ in range(20)), maps.get("none"))
    assert database.asked == ["a", "none"]
    assert await maps.get("a") is many[0] is many[19]
    assert many[0] is not None
    assert gzip.decompress(many[0].packed) == many[0].plain == b"a" * 1_000
    assert await maps.get("none") is None
    assert database.asked == ["a", "none", "none"]
    for name in ("b", "a", "c", "a", "b"):
        await maps.get(name)
    assert database.asked[3:] == ["b", "c", "b"], "that asked for the longest time ago is dropped"
    assert maps._kept._size <= 2_500


@pytest.mark.parametrize("name", ["0" * 64, "x", "A" * 64, "0" * 63, "..%2f..%2fetc", "%00"])
async def test_a_map_that_is_not_there(usher: Usher, name: str) -> None:
    found = await get(usher, f"/maps/{name}.json")
    assert found.status == 404
    assert json.loads(found.body)["code"] == "not_found"


async def test_a_map_shows_nothing_of_the_sale(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    sha256 = await usher.database.fetchval("SELECT map_sha256 FROM event WHERE id = $1", UUID(event_id))
    before = await get(usher, f"/maps/{sha256}.json")
    await usher.reserve(event_id, [0], ada)
    await usher.buy(ada)
    assert (await get(usher, f"/maps/{sha256}.json")).body == before.body


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/nothing", "/live", "/api/v1/events", "/static/nothing"])
async def test_every_answer_tells_browsers_what_they_may(usher: Usher, path: str) -> None:
    headers = (await get(usher, path)).headers
    policy = {part.split()[0]: part.split()[1:] for part in headers["Content-Security-Policy"].split(";")}
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["connect-src"] == ["'self'", usher.url.replace("http", "ws")]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Server"] == "usher"


async def test_the_page_needs_nothing_that_the_policy_forbids() -> None:
    html = (STATIC_FOLDER / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", html), "a script in the page"
    assert not re.search(r"\son[a-z]+=", html), "a handler in the page"
    assert not re.search(r"\sstyle=|<style", html), "a style in the page"
    assert not re.search(r'(?:href|src)="(?:https?:)?//', html), "something of another origin"


@pytest.mark.parametrize("path", ["/", "/maps/x.json", "/static/main.js"])
async def test_pages_are_only_read(usher: Usher, path: str) -> None:
    found = await get(usher, path, "POST")
    assert found.status == 405
    assert json.loads(found.body)["code"] == "method_not_allowed"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
async def test_an_unknown_address_is_unknown_to_every_method(usher: Usher, method: str) -> None:
    for path in ("/nothing", "/index.php", "/api/v1/nothing", "/maps/x/y", "/ws/nothing"):
        for headers in ({}, HTML):
            found = await get(usher, path, method, **headers)
            assert found.status == 404, path
            assert json.loads(found.body) == {"success": False, "error": "Not found", "code": "not_found"}
            assert "Allow" not in found.headers

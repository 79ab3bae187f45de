"""The way in to a socket: from which page, in which language, for which event, as whom."""

import asyncio
import gc
from typing import Any
from urllib.parse import urlsplit

import pytest

from server.sockets.connection import Connection
from server.sockets.outbox import Outbox
from tests.server.parts import DEADLINE_S, SEAT_COUNT, SHARED, Usher, until

pytestmark = SHARED


async def refused(usher: Usher, event_id: str, **how: Any) -> tuple[int, str]:
    """Status and code of a handshake that fails before the upgrade."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol": "usher.v1",
    } | how
    sent = {name: value for name, value in headers.items() if value is not None}
    async with usher.http.get(f"{usher.url}/ws/events/{event_id}", headers=sent) as answer:
        return answer.status, (await answer.json())["code"]


async def test_the_first_frame_says_who_and_what(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer("Ada")
    async with usher.socket(event_id, ada) as socket:
        assert socket.ws.protocol == "usher.v1"
        welcome = await socket.seen("welcome")
        time_ms = welcome.pop("server_time_ms")
        assert abs(time_ms - usher.parts.now_ms()) < 5_000
        map_url = welcome.pop("map_url")
        assert map_url.startswith("/maps/")
        assert welcome == {
            "type": "welcome",
            "protocol": 1,
            "node": "test",
            "event_id": event_id,
            "seat_count": SEAT_COUNT,
            "user": {"id": ada.id, "name": "Ada", "role": "user"},
        }
        await socket.settled()
        assert [frame["type"] for frame in socket.frames] == ["welcome", "pong"]
        async with usher.http.get(usher.url + map_url) as answer:
            assert answer.status == 200
            assert sum(row["seats"] for s in (await answer.json())["sections"] for row in s["rows"]) == SEAT_COUNT


async def test_without_a_session_one_may_watch_and_nothing_else(usher: Usher) -> None:
    async with usher.socket(await usher.event()) as socket:
        assert (await socket.seen("welcome"))["user"] is None
        assert [frame["type"] for frame in await socket.open()] == ["snapshot"]
        commands: list[dict[str, Any]] = [
            {"kind": "hold_seats", "seats": [1]},
            {"kind": "hold_best", "count": 2},
            {"kind": "release_seats", "seats": []},
            {"kind": "extend_hold"},
            {"kind": "checkout", "payment_method": "card"},
            {"kind": "join_queue"},
            {"kind": "leave_queue"},
            # The session is looked at before the body.
            {"kind": "hold_seats", "seats": "all"},
            {"kind": "hold_seats", "seats": [10**6]},
        ]
        for command in commands:
            answer = await socket.ask(**command)
            assert (answer["type"], answer["code"]) == ("rejected", "not_signed_in")
            assert answer["retry"] is False
            assert answer["message"]
        await socket.settled()
        # Nobody's hold and nobody's place in line are told to nobody.
        assert not socket.of("hold")
        assert not socket.of("queue")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:5174"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_is_refused_before_the_upgrade(usher: Usher, headers: dict[str, str]) -> None:
    assert await refused(usher, await usher.event(), **headers) == (403, "bad_origin")


async def test_our_own_page_and_the_allowed_one_come_in(usher: Usher) -> None:
    event_id = await usher.event()
    for headers in ({"Origin": usher.url}, {"Origin": "http://localhost:5173"}, {"Sec-Fetch-Site": "same-origin"}):
        async with usher.socket(event_id, headers=headers) as socket:
            await socket.seen("welcome")


@pytest.mark.parametrize("offered", [None, "chat", "usher.v2", "usher.v1.1"])
async def test_who_does_not_offer_our_language_is_refused(usher: Usher, offered: str | None) -> None:
    how: dict[str, Any] = {"Sec-WebSocket-Protocol": offered}
    assert await refused(usher, await usher.event(), **how) == (400, "bad_subprotocol")


async def test_our_language_is_found_among_several(usher: Usher) -> None:
    async with usher.socket(await usher.event(), protocols=("chat", "usher.v1", "usher.v2")) as socket:
        assert socket.ws.protocol == "usher.v1"


async def test_a_request_that_is_no_handshake_is_refused(usher: Usher) -> None:
    how: dict[str, Any] = {"Upgrade": None, "Connection": None}
    status, _ = await refused(usher, await usher.event(), **how)
    assert status == 400


@pytest.mark.parametrize(
    ("usual", "garbage"),
    [
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: \xc3\xa9"),
        ("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Sec-WebSocket-Key: \xff"),
        ("Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: \xff"),
        ("Connection: Upgrade", b"Connection: \xff"),
        ("Upgrade: websocket", b"Upgrade: \xff"),
        ("Host: x", b"Host: x\r\nExpect: \xff"),
    ],
)
async def test_a_head_that_is_not_ascii_is_no_fault_of_ours(
    usher: Usher, caplog: pytest.LogCaptureFixture, usual: str, garbage: bytes
) -> None:
    lines = [
        f"GET /ws/events/{await usher.event()} HTTP/1.1",
        *("Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"),
        *("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: usher.v1"),
    ]
    assert usual in lines
    head = b"\r\n".join(garbage if line == usual else line.encode() for line in lines) + b"\r\n\r\n"
    at = urlsplit(usher.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write(head)
        async with asyncio.timeout(DEADLINE_S):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
            await reader.readuntil(b"\r\n\r\n")
            assert b'"bad_request"' in await reader.readuntil(b"}")
    finally:
        writer.transport.abort()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_nothing_is_compressed(usher: Usher) -> None:
    async with usher.socket(await usher.event(), compress=15) as socket:
        assert socket.ws.compress == 0


@pytest.mark.parametrize("event_id", ["550e8400-e29b-41d4-a716-446655440999", "17", "%00", "a'b"])
async def test_an_unknown_event_closes_with_4404(usher: Usher, event_id: str) -> None:
    async with usher.socket(event_id) as socket:
        assert await socket.closed() == 4404
        assert socket.frames == []


async def test_an_event_without_seats_closes_with_4404(usher: Usher) -> None:
    event_id = await usher.event()
    await usher.database.execute("UPDATE event SET map_sha256 = NULL WHERE id = $1::text::uuid", event_id)
    async with usher.socket(event_id) as socket:
        assert await socket.closed() == 4404


async def ticket_of(usher: Usher, session_id: str) -> str:
    reply = await usher.rest("POST", "/auth/ws-ticket", headers={"X-Session-Id": session_id})
    return str(reply.data["ticket"])


async def test_a_ticket_lets_one_socket_in(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    ticket = await ticket_of(usher, ada.session_id)
    async with usher.socket(event_id, query=f"?ticket={ticket}") as socket:
        assert (await socket.seen("welcome"))["user"]["id"] == ada.id
        assert (await socket.ask("hold_seats", seats=[0]))["type"] == "accepted"
        async with usher.socket(event_id, query=f"?ticket={ticket}") as second:
            assert await second.closed() == 4401


async def test_of_two_that_bring_a_ticket_at_once_one_gets_in(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    ticket = await ticket_of(usher, ada.session_id)

    async def try_it() -> bool:
        async with usher.socket(event_id, query=f"?ticket={ticket}") as socket:
            await until(lambda: bool(socket.frames) or socket.close_code is not None)
            return bool(socket.frames)

    assert sorted(await asyncio.gather(*(try_it() for _ in range(6)))) == [False] * 5 + [True]


@pytest.mark.parametrize("ticket", ["", "x", "A" * 43, "%00", "A" * 4000])
async def test_a_bad_ticket_closes_with_4401(usher: Usher, ticket: str) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    # Not even a good session beside it helps.
    async with usher.socket(event_id, ada, query=f"?ticket={ticket}") as socket:
        assert await socket.closed() == 4401
        assert socket.frames == []


async def test_an_old_ticket_closes_with_4401(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    ticket = await ticket_of(usher, ada.session_id)
    await usher.database.execute("UPDATE socket_ticket SET expires_at = expires_at - interval '30 seconds'")
    async with usher.socket(event_id, query=f"?ticket={ticket}") as socket:
        assert await socket.closed() == 4401


async def test_a_ticket_dies_with_its_session(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    ticket = await ticket_of(usher, ada.session_id)
    await usher.rest("POST", "/auth/logout", by=ada)
    async with usher.socket(event_id, query=f"?ticket={ticket}") as socket:
        assert await socket.closed() == 4401


@pytest.mark.parametrize("place", ["cookie", "header"])
async def test_a_dead_session_closes_with_4401(usher: Usher, place: str) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    await usher.rest("POST", "/auth/logout", by=ada)
    headers = ada.headers if place == "header" else {"Cookie": f"session={ada.session_id}"}
    async with usher.socket(event_id, headers=headers) as socket:
        assert await socket.closed() == 4401
        assert socket.frames == []


async def test_the_cookie_counts_before_the_header(usher: Usher) -> None:
    event_id, ada, ben = await usher.event(), await usher.customer("Ada"), await usher.customer("Ben")
    async with usher.socket(event_id, ada, headers={"Cookie": f"session={ben.session_id}"}) as socket:
        assert (await socket.seen("welcome"))["user"]["name"] == "Ben"


async def test_a_lost_database_is_said_before_the_upgrade(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = await usher.event()

    async def away(*_: object) -> None:
        raise ConnectionRefusedError("no database")

    monkeypatch.setattr("server.sales.find_sale", away)
    assert await refused(usher, event_id) == (503, "try_again")


async def test_a_server_that_drains_sends_new_sockets_away(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = await usher.event()
    monkeypatch.setattr(usher.parts, "is_stopping", True)
    async with usher.socket(event_id) as socket:
        assert await socket.closed() == 1012
        assert socket.frames == []


async def test_a_socket_that_has_ended_leaves_nothing_behind(usher: Usher) -> None:
    """Not even a cycle: a crowd that comes and goes would pile up until garbage is looked for."""
    event_id, ada = await usher.event(), await usher.customer()

    def there() -> int:
        return sum(isinstance(one, Outbox | Connection) for one in gc.get_objects())

    gc.collect()
    before = there()
    gc.disable()
    try:
        for _ in range(5):
            async with usher.socket(event_id, ada) as socket:
                await socket.open()
                assert (await socket.ask("hold_seats", "x", seats=[0]))["type"] == "accepted"
        await until(lambda: len(usher.parts.sockets) == 0)
        await until(lambda: there() <= before)
    finally:
        gc.enable()

"""Handshakes with something wrong."""

import random
from collections.abc import Awaitable, Callable

from tests.fuzz.target import BYE, OPEN, Target
from tests.fuzz.wire import Wire, handshake
from tests.server.raw_socket import CLOSE, TEXT


async def handshakes(target: Target, rng: random.Random) -> None:
    """A handshake with something wrong: it is refused, or upgraded and closed, or good after all."""
    path = f"/ws/events/{target.event_id}"
    headers: dict[str, str] = {}
    for _ in range(rng.choice((1, 1, 2))):
        path, headers = await rng.choice(_HANDSHAKES)(target, rng, path, headers)
    head = handshake(path, headers)
    if rng.random() < 0.15:
        head = _damaged(rng, head)
    target.note(f"handshake: {head[:2_000]!r}")
    async with await Wire.dial(target.url) as wire:
        await wire.write(head)
        if rng.random() < 0.05:
            return
        if not head.endswith(b"\r\n\r\n"):
            await wire.write(b"\r\n\r\n")
        # What is left of a damaged head may ask for something else.
        status, _ = await wire.response(may_be_a_page=not head.startswith(b"GET /ws/"))
        if status == 101:
            wire.frame(TEXT, OPEN)
            wire.frame(CLOSE, BYE)
            await wire.closed()


Head = tuple[str, dict[str, str]]


async def _bad_key(_target: Target, rng: random.Random, path: str, headers: dict[str, str]) -> Head:
    keys = ("", "x", "A" * 24, "é" * 16, "=" * 24, "A" * 22 + "==", "A" * 9_000, "dGhlIHNhbXBsZSBub25jZQ")
    return path, headers | {"Sec-WebSocket-Key": rng.choice(keys)}


async def _bad_version(_target: Target, rng: random.Random, path: str, headers: dict[str, str]) -> Head:
    versions = ("", "0", "7", "8", "12", "14", "255", "-1", "13, 8", "thirteen", "9" * 400, "١٣")
    return path, headers | {"Sec-WebSocket-Version": rng.choice(versions)}


async def _bad_subprotocol(_target: Target, rng: random.Random, path: str, headers: dict[str, str]) -> Head:
    names = (
        *("", ",", "usher.v2", "USHER.V1", "usher.v1 ", " ,usher.v1,,", "usher.v1;q=1", "é"),
        "x," * 3_000 + "usher.v1",
    )
    return path, headers | {"Sec-WebSocket-Protocol": rng.choice(names)}


async def _bad_ticket(target: Target, rng: random.Random, path: str, headers: dict[str, str]) -> Head:
    ticket = await target.ticket() if rng.random() < 0.2 else ""
    tickets = (
        *("", "x", "A" * 43, "A" * 42 + "=", "A" * 4_000, "A" * 9_000, "null", "é", "..%2f.."),
        *("%", "%zz", "%00", "a%00b", "%ff%fe", "%ed%a0%80", "';--", "%27%3B--", "a&ticket=b"),
        *(ticket, f"{ticket}%00", f"{ticket}A", ticket[:-1]),
    )
    return f"{path}?ticket={rng.choice(tickets)}", headers


async def _bad_session(target: Target, rng: random.Random, path: str, headers: dict[str, str]) -> Head:
    worth = target.session(rng) or ""
    ids = (
        *("", "x", "A" * 43, "A" * 3_000, "A" * 9_000, "é", "\u202e", "\x01"),
        *("a b", '"x"', "=", "x; session=y", "%00"),
        *(worth + "A", worth[:-1], worth.lower(), f" {worth}", f'"{worth}"'),
    )
    name, before = rng.choice((("Cookie", "session="), ("Cookie", "__Host-session="), ("X-Session-Id", "")))
    return path, headers | {name: before + rng.choice(ids)}


async def _bad_header(_target: Target, rng: random.Random, path: str, headers: dict[str, str]) -> Head:
    names = (
        *("Cookie", "Origin", "Sec-Fetch-Site", "Host", "X", "User-Agent", "Content-Length", "Transfer-Encoding"),
        *("Connection", "Upgrade", "Sec-WebSocket-Extensions", "Expect", "Content-Encoding", "X Y", "", ":", "é"),
    )
    values = (
        *("", "\0", "a\0b", "é", "\udcff", "\r", "\n", "a\r\n b", "\t", "null", "-1", "1", "9" * 21),
        *("chunked", "close", "keep-alive", "upgrade", "websocket, h2c", "100-continue", "gzip", "http://["),
        *("http://evil.example", "permessage-deflate", "permessage-deflate; client_max_window_bits=99"),
        *("x" * 8_000, "x" * 8_200, "x" * 70_000),
        *(";" * 5_000, "a=b; " * 1_000, "=" * 3_000, '"' * 100),
    )
    return path, headers | {rng.choice(names): rng.choice(values)}


async def _many_headers(_target: Target, rng: random.Random, path: str, headers: dict[str, str]) -> Head:
    count = rng.choice((50, 127, 128, 129, 2_000))
    return path, headers | {f"X-{number}": "y" * rng.choice((0, 10)) for number in range(count)}


async def _bad_path(target: Target, rng: random.Random, _path: str, headers: dict[str, str]) -> Head:
    paths = (
        *("/ws/events/", "/ws/events/x", "/ws/events/%00", "/ws/events/%ff", "/ws/events/..", "/ws/events//"),
        *("/ws/events/a b", "/ws/events/é", f"/ws/events/{'a' * 9_000}", "*", "//", "", "http://[/x"),
        *("/ws/events/550e8400-e29b-41d4-a716-446655440999", f"/ws/events/{{{target.event_id}}}"),
        *(f"/ws/events/{target.event_id.upper()}", f"/ws/events/{target.event_id}/"),
        *(f"/ws/events/{target.event_id}#x", f"/ws/events/{target.event_id}?{'a=b&' * 2_000}"),
    )
    return rng.choice(paths), headers


_HANDSHAKES: tuple[Callable[[Target, random.Random, str, dict[str, str]], Awaitable[Head]], ...] = (
    *(_bad_key, _bad_version, _bad_subprotocol, _bad_ticket, _bad_ticket, _bad_session, _bad_session),
    *(_bad_header, _bad_header, _bad_header, _many_headers, _bad_path),
)


def _damaged(rng: random.Random, head: bytes) -> bytes:
    at = rng.randrange(len(head))
    kind = rng.randrange(4)
    if kind == 0:
        return head[:at]
    if kind == 1:
        return head[:at] + rng.randbytes(rng.randint(1, 5)) + head[at:]
    if kind == 2:
        return head.replace(b"\r\n", b"\n")
    return head.replace(b"HTTP/1.1", rng.choice((b"HTTP/1.0", b"HTTP/2", b"HTTP/9.9", b"http/1.1", b"")), 1)

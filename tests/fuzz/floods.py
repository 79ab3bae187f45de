"""Far too much of something."""

import asyncio
import json
import random

from tests.fuzz.target import HOLD, OPEN, Target
from tests.fuzz.wire import Wire, handshake
from tests.server.raw_socket import PING, TEXT


async def floods(target: Target, rng: random.Random) -> None:
    """Far too much of something."""
    kind = rng.choice((_commands_unread, _open_again, _come_and_go, _pings, _half_and_silence))
    target.note(f"flood: {kind.__name__.strip('_')}")
    await kind(target, rng)


async def _commands_unread(target: Target, rng: random.Random) -> None:
    async with await Wire.join(target.url, target.event_id, target.session(rng)) as wire:
        for number in range(rng.choice((500, 3_000))):
            command = rng.choice(
                (
                    {"type": "release_seats", "id": f"u{number}", "seats": []},
                    {"type": "extend_hold", "id": f"u{number}"},
                    {"type": "hold_seats", "id": f"u{number}", "seats": [rng.randrange(3_000)]},
                )
            )
            wire.frame(TEXT, json.dumps(command).encode())
        await wire.heard_out()


async def _open_again(target: Target, rng: random.Random) -> None:
    async with await Wire.join(target.url, target.event_id, target.session(rng)) as wire:
        opens = (OPEN, b'{"type":"open","epoch":"x","revision":1}', b'{"type":"open","revision":9}')
        for _ in range(rng.choice((50, 300))):
            wire.frame(TEXT, rng.choice(opens))
        await wire.heard_out()


async def _come_and_go(target: Target, rng: random.Random) -> None:
    async def visit(how: int, session_id: str | None) -> None:
        wire = await Wire.dial(target.url)
        head = handshake(
            f"/ws/events/{target.event_id}", {} if session_id is None else {"X-Session-Id": session_id}
        )
        if how:
            await wire.write(head if how > 1 else head[: len(head) // 2])
        if how > 2:
            wire.frame(TEXT, OPEN)
        if how > 3:
            wire.frame(TEXT, HOLD)
            await wire.response()
        wire.abort()

    visits = [visit(rng.randrange(6), target.session(rng)) for _ in range(rng.choice((20, 60)))]
    await asyncio.gather(*visits)


async def _pings(target: Target, rng: random.Random) -> None:
    async with await Wire.join(target.url, target.event_id, target.session(rng)) as wire:
        for number in range(rng.choice((300, 2_000))):
            if rng.random() < 0.5:
                wire.frame(PING, rng.randbytes(rng.choice((0, 125))))
            else:
                wire.frame(TEXT, b'{"type":"ping","at":%d}' % number)
        await wire.heard_out()


async def _half_and_silence(target: Target, rng: random.Random) -> None:
    """Half a frame, and then others speak; the server must neither wait nor wonder."""
    async with (
        await Wire.join(target.url, target.event_id, target.session(rng)) as wire,
        await Wire.join(target.url, target.event_id, target.session(rng)) as other,
    ):
        await wire.write(rng.choice((b"\x81", b"\x81\xfe", b"\x81\xfe\x10", b"\x81\x85abcd12", b"\x01\x80abcd")))
        await other.settled()

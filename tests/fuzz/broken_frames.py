"""Frames against the rules of WebSocket, or at their edge."""

import random
from collections.abc import Callable

from protocol.limits import MESSAGE_BYTES_MAX
from tests.fuzz.mutations import frame
from tests.fuzz.target import BYE, CONTINUATION, HOLD, OPEN, Target
from tests.fuzz.wire import Wire
from tests.server.raw_socket import BINARY, CLOSE, PING, PONG, TEXT


async def frames(target: Target, rng: random.Random) -> None:
    """Frames against the rules of WebSocket, or at their edge; then the server has closed, or goes on."""
    async with await Wire.join(target.url, target.event_id, target.session(rng)) as wire:
        if rng.random() < 0.3:
            wire.frame(TEXT, OPEN)
        kinds: list[str] = []
        for _ in range(rng.randint(1, 4)):
            kind = rng.choice(_FRAMES)
            kinds.append(kind.__name__.strip("_"))
            kind(wire, rng)
        target.note(f"frames: {', '.join(kinds)}")
        wire.frame(CLOSE, BYE)
        if {"wrong_length", "rubbish"} & set(kinds):
            await wire.end()  # what was announced may never come, and the server waits for it
        await wire.closed()


def _opcode(wire: Wire, rng: random.Random) -> None:
    wire.frame(rng.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), rng.randbytes(rng.choice((0, 1, 125))))


def _reserved_bits(wire: Wire, rng: random.Random) -> None:
    wire.frame(TEXT | rng.choice((0x10, 0x20, 0x40, 0x70)), HOLD)


def _unmasked(wire: Wire, rng: random.Random) -> None:
    wire.frame(rng.choice((TEXT, PING, CLOSE, BINARY)), b"" if rng.random() < 0.5 else HOLD, is_masked=False)


def _in_parts(wire: Wire, rng: random.Random) -> None:
    text = frame(rng)
    size = max(1, len(text) // rng.randint(1, 20))
    for at in range(0, len(text), size):
        is_final = at + size >= len(text) or rng.random() < 0.03
        wire.frame(CONTINUATION if at else TEXT, text[at : at + size], is_final=is_final)
        if rng.random() < 0.5:
            wire.frame(rng.choice((PING, PONG)), rng.randbytes(rng.randint(0, 125)))


def _long_control(wire: Wire, rng: random.Random) -> None:
    wire.frame(rng.choice((PING, PONG, CLOSE)), b"\x03\xe8" + b"x" * rng.choice((124, 125, 1_000, 70_000)))


def _control_in_parts(wire: Wire, rng: random.Random) -> None:
    wire.frame(rng.choice((PING, PONG, CLOSE)), b"", is_final=False)


def _wrong_length(wire: Wire, rng: random.Random) -> None:
    length = rng.choice(
        (
            bytes([0xFE]) + rng.choice((0, 10, 125)).to_bytes(2, "big"),
            bytes([0xFF]) + rng.choice((0, 10, 65_535)).to_bytes(8, "big"),
            bytes([0xFF]) + rng.choice((1 << 63, (1 << 64) - 1, (1 << 63) - 1, 1 << 40)).to_bytes(8, "big"),
        )
    )
    wire.put(b"\x81" + length + rng.randbytes(4 + rng.choice((0, 10))))


def _close_code(wire: Wire, rng: random.Random) -> None:
    code = rng.choice((0, 1, 999, 1000, 1001, 1004, 1005, 1006, 1015, 1016, 2999, 3000, 4999, 5000, 65535))
    reason = rng.choice((b"", b"bye", b"\xff\xfe", b"\xed\xa0\x80", b"x" * 123))
    wire.frame(CLOSE, code.to_bytes(2, "big") + reason)


def _half_a_code(wire: Wire, rng: random.Random) -> None:
    wire.frame(CLOSE, b"\x03")


def _binary(wire: Wire, rng: random.Random) -> None:
    wire.frame(BINARY, rng.choice((b"", HOLD, rng.randbytes(100))))


def _continuation(wire: Wire, rng: random.Random) -> None:
    wire.frame(CONTINUATION, HOLD, is_final=rng.random() < 0.5)


def _start_again(wire: Wire, rng: random.Random) -> None:
    wire.frame(TEXT, HOLD[:10], is_final=False)
    wire.frame(rng.choice((TEXT, BINARY)), HOLD[10:])


def _empty_parts(wire: Wire, rng: random.Random) -> None:
    wire.frame(TEXT, b"", is_final=False)
    for _ in range(rng.choice((1, 100, 2_000))):
        wire.frame(CONTINUATION, b"", is_final=False)


def _many_parts(wire: Wire, rng: random.Random) -> None:
    wire.frame(TEXT, b" ", is_final=False)
    for _ in range(rng.choice((10, MESSAGE_BYTES_MAX // 8 + 8))):
        wire.frame(CONTINUATION, b" " * 8, is_final=False)


def _rubbish(wire: Wire, rng: random.Random) -> None:
    wire.put(rng.randbytes(rng.choice((1, 2, 7, 100, 3_000))))


def _good(wire: Wire, rng: random.Random) -> None:
    wire.frame(rng.choice((TEXT, PING, PONG)), b"")


_FRAMES: tuple[Callable[[Wire, random.Random], None], ...] = (
    *(_opcode, _reserved_bits, _unmasked, _in_parts, _in_parts, _long_control, _control_in_parts, _wrong_length),
    *(_close_code, _close_code, _half_a_code, _binary, _continuation, _start_again, _empty_parts, _many_parts),
    *(_rubbish, _good),
)

"""The four states of a seat and their packed form in a snapshot."""

import base64
from enum import IntEnum


class SeatState(IntEnum):
    """What a seat is. The numbers are those of the snapshot and of the database."""

    AVAILABLE = 0
    HELD = 1
    SOLD = 2
    BLOCKED = 3


def pack_states(states: bytes | bytearray) -> str:
    """Base64 of 2 bits a seat in index order, low bits first; `states` has one byte (0…3) a seat.

    Promises ⌈n/4⌉ bytes with the spare bits 0, whatever n is.
    """
    padded = bytes(states) + bytes(-len(states) % 4)
    # One big-integer operation for each quarter instead of a Python loop over the seats.
    size = len(padded) // 4
    packed = sum(int.from_bytes(padded[part::4], "little") << (2 * part) for part in range(4))
    return base64.b64encode(packed.to_bytes(size, "little")).decode("ascii")


def unpack_states(packed: str, seat_count: int) -> bytearray:
    """One byte (0…3) a seat; the inverse of `pack_states`.

    Raises:
        ValueError: not base64, of another length, or with a spare bit set.
    """
    raw = base64.b64decode(packed, validate=True)
    if len(raw) != (seat_count + 3) // 4:
        raise ValueError(f"{len(raw)} bytes for {seat_count} seats")
    states = bytearray(4 * len(raw))
    for part in range(4):
        states[part::4] = bytes(byte >> (2 * part) & 3 for byte in raw)
    if any(states[seat_count:]):
        raise ValueError("a spare bit is set")
    return states[:seat_count]

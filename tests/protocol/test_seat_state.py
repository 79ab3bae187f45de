"""Packed seat states, against a way of packing that is slow and plain."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.seat_state import pack_states, unpack_states

states = st.binary(max_size=300).map(lambda raw: bytes(byte & 3 for byte in raw))


def packed_plainly(seats: bytes) -> bytes:
    packed = bytearray((len(seats) + 3) // 4)
    for index, state in enumerate(seats):
        packed[index // 4] |= state << (2 * (index % 4))
    return bytes(packed)


@given(states)
def test_packs_as_the_protocol_says(seats: bytes) -> None:
    assert base64.b64decode(pack_states(seats)) == packed_plainly(seats)
    assert pack_states(bytearray(seats)) == pack_states(seats)


@given(states)
def test_unpacks_what_was_packed(seats: bytes) -> None:
    assert unpack_states(pack_states(seats), len(seats)) == seats


@given(st.binary(max_size=40), st.integers(0, 170))
def test_unpacks_exactly_what_fits(raw: bytes, seat_count: int) -> None:
    packed = base64.b64encode(raw).decode()
    try:
        unpacked = unpack_states(packed, seat_count)
    except ValueError:
        fits = len(raw) == (seat_count + 3) // 4
        assert not fits or raw[-1] >> 2 * (seat_count % 4), "refused without need"
    else:
        assert len(unpacked) == seat_count
        assert pack_states(unpacked) == packed


@pytest.mark.parametrize(
    ("packed", "seat_count"),
    [("", 1), ("AA==", 5), ("AAA=", 4), ("A", 4), ("A*==", 4), ("AA==\n", 4), ("/w==", 3), ("EA==", 2)],
)
def test_refuses(packed: str, seat_count: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 speaks in its own words
        unpack_states(packed, seat_count)

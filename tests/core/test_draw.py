"""The draw's byte formats against vectors that plain hashing wrote, and what its order promises."""

import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.core import draw

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "draw_vectors.json").read_text())["draws"]

hashes = st.binary(min_size=32, max_size=32)
events = st.uuids()


def optional(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    event_id, operator_seed = UUID(vector["event_id"]), bytes.fromhex(vector["operator_seed"])
    entries = [draw.entry_id(event_id, bytes.fromhex(nonce)) for nonce in vector["nonces"]]
    committed = draw.commitment(event_id, operator_seed)
    first = draw.genesis(event_id, committed, optional(vector["beacon_chain"]))
    found = list(draw.heads(first, entries))
    seed = draw.seed(operator_seed, [first, *found][-1], optional(vector["beacon"]))

    assert [entry.hex() for entry in entries] == vector["entries"]
    assert committed.hex() == vector["commitment"]
    assert first.hex() == vector["genesis"]
    assert [head.hex() for head in found] == vector["heads"]
    assert seed.hex() == vector["seed"]
    assert draw.server_nonce(operator_seed, event_id, vector["account_id"]).hex() == vector["server_nonce"]
    assert [draw.lot(seed, entry).hex() for entry in entries] == vector["lots"]
    assert [entry.hex() for entry in draw.drawn_order(seed, entries)] == vector["order"]


def test_one_vector_by_hand() -> None:
    """As the documents tell a person to do it: nothing of ours is used."""
    vector = VECTORS[1]
    tagged = b"usher.draw.v1.entry\x00" + bytes.fromhex(vector["event_id"].replace("-", ""))
    assert hashlib.sha256(tagged + bytes.fromhex(vector["nonces"][0])).hexdigest() == vector["entries"][0]


@given(hashes, st.lists(hashes, unique=True, max_size=50), st.randoms(use_true_random=False))
def test_order_is_of_the_entries_alone(seed: bytes, entries: list[bytes], random: Any) -> None:
    """Whoever comes first gains nothing: the order of joining does not enter but through the head."""
    shuffled = random.sample(entries, len(entries))
    assert draw.drawn_order(seed, shuffled) == draw.drawn_order(seed, entries)
    assert sorted(draw.drawn_order(seed, entries)) == sorted(entries)


@given(events, hashes, st.lists(hashes, unique=True, min_size=2, max_size=20), st.data())
def test_head_tells_every_change(
    event_id: UUID, committed: bytes, entries: list[bytes], data: st.DataObject
) -> None:
    first = draw.genesis(event_id, committed)
    at = data.draw(st.integers(0, len(entries) - 2))
    dropped = entries[:at] + entries[at + 1 :]
    swapped = [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]]
    final = list(draw.heads(first, entries))[-1]
    for changed in (dropped, swapped, [*entries, bytes(32)]):
        assert list(draw.heads(first, changed))[-1] != final


@given(events, events, hashes, hashes, hashes)
def test_values_are_of_one_event_commitment_and_beacon(
    event_id: UUID, other_id: UUID, value: bytes, other: bytes, chain: bytes
) -> None:
    same_event, same_value = event_id == other_id, value == other
    assert (draw.entry_id(event_id, value) == draw.entry_id(other_id, value)) == same_event
    assert (draw.commitment(event_id, value) == draw.commitment(event_id, other)) == same_value
    assert (draw.genesis(event_id, value) == draw.genesis(other_id, value)) == same_event
    assert (draw.genesis(event_id, value) == draw.genesis(event_id, other)) == same_value
    assert (draw.genesis(event_id, value, chain) == draw.genesis(event_id, value)) == (chain == bytes(32))
    assert draw.entry_id(event_id, value) != draw.commitment(event_id, value), "each use has its own tag"


@given(hashes, hashes, hashes, hashes)
def test_seed_depends_on_all_three(operator_seed: bytes, head: bytes, beacon: bytes, other: bytes) -> None:
    seed = draw.seed(operator_seed, head, beacon)
    assert (draw.seed(other, head, beacon) == seed) == (other == operator_seed)
    assert (draw.seed(operator_seed, other, beacon) == seed) == (other == head)
    assert (draw.seed(operator_seed, head, other) == seed) == (other == beacon)
    assert draw.seed(operator_seed, head) != seed


@pytest.mark.parametrize("value", [b"", bytes(31), bytes(33)], ids=len)
def test_values_of_another_length_are_refused(value: bytes) -> None:
    event_id = UUID(int=1)
    for refused in (
        lambda: draw.entry_id(event_id, value),
        lambda: draw.commitment(event_id, value),
        lambda: draw.genesis(event_id, value),
        lambda: draw.genesis(event_id, bytes(32), value),
        lambda: draw.next_head(value, bytes(32)),
        lambda: draw.next_head(bytes(32), value),
        lambda: draw.seed(value, bytes(32)),
        lambda: draw.server_nonce(value, event_id, "somebody"),
        lambda: draw.seed(bytes(32), value),
        lambda: draw.seed(bytes(32), bytes(32), value),
        lambda: draw.drawn_order(value, []),
        lambda: draw.drawn_order(bytes(32), [value]),
    ):
        with pytest.raises(ValueError, match=f"{len(value)} bytes instead of 32"):
            refused()

"""The keys that all nodes share, what they sign, and how anybody verifies it."""

import asyncio
import logging
from datetime import UTC, datetime

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.signing import ASK_AGAIN_S, FRESH_S, Signature, SigningKeys, canonical, is_signed_by, key_id_of
from tests.server.parts import SHARED, Usher

NOW = datetime(2031, 5, 1, 12, tzinfo=UTC)


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def keys_on(database: asyncpg.Pool, clock: Clock) -> SigningKeys:
    return SigningKeys(database, lambda: NOW, clock)


async def test_nodes_that_begin_at_once_have_one_key(database: asyncpg.Pool) -> None:
    nodes = [keys_on(database, Clock()) for _ in range(8)]
    signatures = await asyncio.gather(*(node.sign("ticket", b"seat 1") for node in nodes))
    assert len(set(signatures)) == 1, "Ed25519 is deterministic: one key, one signature"
    assert await database.fetchval("SELECT count(*) FROM signing_key") == 1
    assert await nodes[0].verify("ticket", b"seat 1", signatures[1])


async def test_what_is_signed_is_verified_by_anybody(database: asyncpg.Pool) -> None:
    keys = keys_on(database, Clock())
    key_id, signature = await keys.sign("draw-receipt", b"mine")
    (public,) = await keys.public_keys()
    assert (public.key_id, public.retired_at) == (key_id, None)
    assert key_id == key_id_of(public.public_key)
    by_hand = Ed25519PublicKey.from_public_bytes(public.public_key)
    by_hand.verify(signature, b"usher.signed.v1.draw-receipt\x00mine")  # raises where it does not fit
    assert is_signed_by(public.public_key, "draw-receipt", b"mine", signature)


async def test_anything_else_is_not(database: asyncpg.Pool) -> None:
    keys = keys_on(database, Clock())
    good = await keys.sign("ticket", b"mine")
    assert await keys.verify("ticket", b"mine", good)
    assert not await keys.verify("ticket", b"Mine", good)
    assert not await keys.verify("draw-receipt", b"mine", good), "a ticket is no receipt"
    assert not await keys.verify("ticket", b"mine", good._replace(value=bytes(64)))
    assert not await keys.verify("ticket", b"mine", good._replace(value=b""))
    assert not await keys.verify("ticket", b"mine", good._replace(key_id="0" * 16))
    assert not is_signed_by(b"no key", "ticket", b"mine", good.value)


async def test_a_retired_key_signs_no_more_and_still_verifies(database: asyncpg.Pool) -> None:
    clock, other_clock = Clock(), Clock()
    keys, other_node = keys_on(database, clock), keys_on(database, other_clock)
    before = await keys.sign("ticket", b"mine")
    assert await other_node.verify("ticket", b"mine", before)

    new_id = await keys.rotate()
    after = await keys.sign("ticket", b"mine")
    assert after.key_id == new_id != before.key_id
    assert await keys.verify("ticket", b"mine", before)
    assert [key.retired_at for key in await keys.public_keys()] == [None, NOW]

    other_clock.seconds += ASK_AGAIN_S
    assert await other_node.verify("ticket", b"mine", after), "a key it did not know: it looks"
    other_clock.seconds += FRESH_S
    assert (await other_node.sign("ticket", b"mine")).key_id == new_id


async def test_unknown_keys_do_not_make_work_without_end(database: asyncpg.Pool) -> None:
    clock = Clock()
    keys, other_node = keys_on(database, clock), keys_on(database, Clock())
    await keys.sign("ticket", b"mine")
    new_id = await other_node.rotate()
    new = await other_node.sign("ticket", b"mine")
    assert not await keys.verify("ticket", b"mine", Signature("0" * 16, new.value))
    assert not await keys.verify("ticket", b"mine", new), "it has only just read them"
    clock.seconds += ASK_AGAIN_S
    assert await keys.verify("ticket", b"mine", new)
    assert new_id == new.key_id


async def test_two_keys_in_use_cannot_be(database: asyncpg.Pool) -> None:
    await keys_on(database, Clock()).sign("ticket", b"mine")
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.execute(
            "INSERT INTO signing_key SELECT 'other', public_key, private_key, created_at FROM signing_key"
        )


async def test_the_private_key_is_in_no_log(database: asyncpg.Pool, caplog: pytest.LogCaptureFixture) -> None:
    keys = keys_on(database, Clock())
    with caplog.at_level(logging.DEBUG):
        await keys.sign("ticket", b"mine")
        await keys.rotate()
        said = caplog.text + repr(keys) + repr(await keys.public_keys())
    for row in await database.fetch("SELECT private_key FROM signing_key"):
        assert row["private_key"].hex() not in said
        assert repr(row["private_key"]) not in said


def test_canonical_bytes() -> None:
    class Seat(msgspec.Struct):
        row: str
        at: int

    assert canonical(Seat("Ä", 3)) == '{"at":3,"row":"Ä"}'.encode()
    assert canonical({"b": 1, "a": {"d": 2, "c": None}}) == b'{"a":{"c":null,"d":2},"b":1}'


@SHARED
async def test_the_route_shows_the_public_keys_alone(usher: Usher) -> None:
    reply = await usher.rest("GET", "/signing-keys")
    (shown,) = reply.data
    row = await usher.database.fetchrow("SELECT * FROM signing_key")
    assert row is not None
    assert (shown["key_id"], shown["public_key"]) == (row["key_id"], row["public_key"].hex())
    assert (shown["algorithm"], shown["retired_at"]) == ("Ed25519", None)
    assert row["private_key"].hex().encode() not in reply.raw

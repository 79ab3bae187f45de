"""Draws as an honest publisher makes them, and receipts, for tests to commit fraud on."""

import hashlib
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from actors.core import draw
from protocol.draw_document import (
    Beacon,
    DrawDocument,
    EarlierDraw,
    HeadAt,
    PublishedKey,
    SignedHead,
    SignedReceipt,
    signed_head,
    signed_receipt,
)
from server.signing import Kind, canonical, key_id_of
from tests.server.parts import Usher

EVENT_ID = UUID("550e8400-e29b-41d4-a716-446655440202")
OPERATOR_SEED = hashlib.sha256(b"the operator's seed").digest()
ROUND_SIGNATURE = hashlib.sha512(b"what the beacon signs").hexdigest()
BEACON = Beacon(
    chain=hashlib.sha256(b"a chain").hexdigest(),
    url="https://beacon.example",
    round=77,
    round_at="2031-05-01T12:00:12.000Z",
    value=hashlib.sha256(bytes.fromhex(ROUND_SIGNATURE)).hexdigest(),
    signature=ROUND_SIGNATURE,
)
OPENED_AT, CLOSED_AT = "2031-04-01T12:00:00.000Z", "2031-05-01T12:00:00.000Z"

_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"the publisher's key").digest())
PUBLIC_KEY = _KEY.public_key().public_bytes_raw()
KEY_ID = key_id_of(PUBLIC_KEY)


def nonces(count: int) -> list[bytes]:
    """The nonces of so many entrants."""
    return [hashlib.sha256(b"entrant %d" % number).digest() for number in range(count)]


def entries(count: int) -> list[bytes]:
    """The entries of so many entrants."""
    return [draw.entry_id(EVENT_ID, nonce) for nonce in nonces(count)]


def first_head(beacon: Beacon | None = BEACON) -> bytes:
    """The genesis of the chain."""
    chain = None if beacon is None else bytes.fromhex(beacon.chain)
    return draw.genesis(EVENT_ID, draw.commitment(EVENT_ID, OPERATOR_SEED), chain)


def published(
    joined: list[bytes],
    heads: list[HeadAt] | None = None,
    beacon: Beacon | None = BEACON,
    operator_seed: bytes = OPERATOR_SEED,
) -> DrawDocument:
    """The draw of these entries: sound, unless the heads are not theirs or the seed is another."""
    chain = [first_head(beacon), *draw.heads(first_head(beacon), joined)]
    value = None if beacon is None or beacon.value is None else bytes.fromhex(beacon.value)
    order = draw.drawn_order(draw.seed(operator_seed, chain[-1], value), joined)
    places = {entry: place for place, entry in enumerate(order, 1)}
    return DrawDocument(
        version=1,
        event_id=EVENT_ID,
        status="drawn",
        commitment=draw.commitment(EVENT_ID, OPERATOR_SEED).hex(),
        opened_at=OPENED_AT,
        closed_at=CLOSED_AT,
        beacon=beacon,
        last_head=sign_head(HeadAt(len(joined), chain[-1].hex(), CLOSED_AT)),
        heads=heads_of(joined, beacon) if heads is None else heads,
        count=len(joined),
        operator_seed=operator_seed.hex(),
        entries=[entry.hex() for entry in joined],
        places=[places[entry] for entry in joined],
        earlier_draws=[],
        keys=[PublishedKey(KEY_ID, PUBLIC_KEY.hex())],
    )


def heads_of(joined: list[bytes], beacon: Beacon | None = BEACON, each: int = 10) -> list[HeadAt]:
    """The heads that were published while these joined, a second apart, after each so many."""
    chain = [first_head(beacon), *draw.heads(first_head(beacon), joined)]
    return [
        HeadAt(count, chain[count].hex(), f"2031-04-01T12:{second // 60:02}:{second % 60:02}.000Z")
        for second, count in enumerate(range(0, len(chain), each))
    ]


def in_the_lobby(joined: list[bytes], beacon: Beacon | None = BEACON) -> DrawDocument:
    """What is published before the draw."""
    drawn = published(joined, beacon=beacon)
    waiting = None if beacon is None else replace(beacon, round=None, round_at=None, value=None, signature=None)
    return replace(drawn, status="lobby", closed_at=None, operator_seed=None, entries=[], places=[], beacon=waiting)


def receipt_of(joined: list[bytes], number: int, beacon: Beacon | None = BEACON) -> SignedReceipt:
    """What entrant `number`, counted from 0, was given."""
    receipt = SignedReceipt(
        version=1,
        event_id=EVENT_ID,
        entry_id=joined[number].hex(),
        nonce=nonces(number + 1)[number].hex(),
        nonce_by="client",
        position=number + 1,
        head=list(draw.heads(first_head(beacon), joined[: number + 1]))[-1].hex(),
        commitment=draw.commitment(EVENT_ID, OPERATOR_SEED).hex(),
        beacon_chain=None if beacon is None else beacon.chain,
        joined_at=OPENED_AT,
        key_id=KEY_ID,
        signature="0" * 128,
    )
    return replace(receipt, signature=signature("draw-receipt", canonical(signed_receipt(receipt))))


def sign_head(head: HeadAt) -> SignedHead:
    """This head, signed by the publisher."""
    signed = signature("draw-head", canonical(signed_head(EVENT_ID, head)))
    return SignedHead(head.count, head.head, head.at, KEY_ID, signed)


def signature(kind: Kind, document: bytes) -> str:
    """The publisher's."""
    return _KEY.sign(b"usher.signed.v1." + kind.encode() + b"\0" + document).hex()


async def add_lobby(usher: Usher) -> str:
    """An event whose sale begins in an hour, with a draw before it."""
    event_id = await usher.event(on_sale_in=timedelta(hours=1))
    await usher.database.execute("UPDATE event SET waiting_room_enabled = true WHERE id = $1", UUID(event_id))
    return event_id


def dismissed() -> EarlierDraw:
    """A draw that the publisher did not like."""
    return EarlierDraw(commitment="0" * 64, final_head=None, count=0, replaced_at=OPENED_AT)

"""What is published about a draw, and what an entrant is given: so that anybody can check the one with the other.

Hashes, seeds, nonces, keys and signatures are lowercase hexadecimal. Times are ISO 8601 in UTC. Fields may be
added; `version` grows when the meaning of one changes. How the values are made is in `actors.core.draw`.
"""

from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct

VERSION: Final = 1

Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="32 bytes as hexadecimal digits.")]
SignatureText = Annotated[str, Meta(pattern="^[0-9a-f]{128}$", description="64 bytes as hexadecimal digits.")]
KeyId = Annotated[str, Meta(pattern="^[0-9a-f]{16}$", description="Which of the publisher's keys has signed.")]
Count = Annotated[int, Meta(ge=0)]
Place = Annotated[int, Meta(ge=1)]
Instant = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
        examples=["2031-05-01T12:00:00.000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]
DrawStatus = Literal["lobby", "awaiting_beacon", "drawn", "seed_withheld", "nobody_joined"]
"""`awaiting_beacon`: the lobby is closed, its round still to come; `nobody_joined`: there is nothing to draw."""


class HeadAt(Struct, frozen=True):
    """The head of the chain when it had `count` entries, as it was published."""

    count: Count
    head: Hash
    at: Instant


class SignedHead(Struct, frozen=True):
    """A head with the publisher's signature (kind `draw-head`) of `signed_head`."""

    count: Count
    head: Hash
    at: Instant
    key_id: KeyId
    signature: SignatureText


class Beacon(Struct, frozen=True):
    """The public randomness that enters the seed: a round that nobody knew when the lobby closed.

    `chain` is the beacon's chain hash, in the genesis of the entries. `round` is the first whose time is later than
    the lobby's end; `value` is SHA-256 of its `signature`.
    """

    chain: Hash
    url: str
    round: Place | None = None
    round_at: Instant | None = None
    value: Hash | None = None
    signature: str | None = None


class PublishedKey(Struct, frozen=True):
    """A public key of the publisher."""

    key_id: KeyId
    public_key: Hash


class EarlierDraw(Struct, frozen=True):
    """A draw of this event that does not count any more. That there is one must be seen."""

    commitment: Hash
    final_head: Hash | None
    count: Count
    replaced_at: Instant


class DrawDocument(Struct, frozen=True):
    """A draw. In the lobby there are no entries, places and seed in it; with a beacon, entries
    from when it is closed.

    `last_head` is the newest head; once the lobby has closed, the final one. `entries` are in the order of the
    chain, and `places[i]` is the place of `entries[i]`.
    """

    version: Literal[1]
    event_id: UUID
    status: DrawStatus
    commitment: Hash
    opened_at: Instant
    closed_at: Instant | None
    beacon: Beacon | None
    last_head: SignedHead
    heads: list[HeadAt]
    count: Count
    operator_seed: Hash | None
    entries: list[Hash]
    places: list[Place]
    earlier_draws: list[EarlierDraw]
    keys: list[PublishedKey]


class SignedReceipt(Struct, frozen=True):
    """What joining a lobby is answered with. The signature (kind `draw-receipt`) is of `signed_receipt`.

    `position` is the entry's in the chain, from 1; `head` is the head with it as the last. `nonce` is the
    entrant's, or the server's when none was sent (`nonce_by`); whoever knows it can say that the entry is theirs.
    """

    version: Literal[1]
    event_id: UUID
    entry_id: Hash
    nonce: Hash
    nonce_by: Literal["client", "server"]
    position: Place
    head: Hash
    commitment: Hash
    beacon_chain: Hash | None
    joined_at: Instant
    key_id: KeyId
    signature: SignatureText


def signed_head(event_id: UUID, head: SignedHead | HeadAt) -> dict[str, object]:
    """What a head's signature is of: the canonical JSON of this."""
    return {"at": head.at, "count": head.count, "event_id": str(event_id), "head": head.head, "version": VERSION}


def signed_receipt(receipt: SignedReceipt) -> dict[str, object]:
    """What a receipt's signature is of: the canonical JSON of all its fields but those of the signature."""
    fields = {name: getattr(receipt, name) for name in receipt.__struct_fields__}
    del fields["key_id"], fields["signature"]
    return fields | {"event_id": str(receipt.event_id)}

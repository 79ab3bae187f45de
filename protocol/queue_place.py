"""A customer's place in line, and the receipt for an entry in the draw: parts of what the server says."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class Receipt(Struct, frozen=True):
    """What proves an entry in the draw. All but the position are 32 bytes in hex.

    entry_id: what the entry is called when the draw is published
    nonce: what it was made of; nobody else is told
    position: number in the chain of entries
    head: of the chain with this entry and those before it; on joining, exactly these
    """

    entry_id: str
    nonce: str
    position: int
    head: str


class QueuePlace(Struct, frozen=True):
    """A customer's place in line.

    status: `lobby`: the line is not drawn yet; `waiting`: I am in line; `active`: I may shop;
        `not_in_queue`: none of these
    """

    status: Literal["lobby", "waiting", "active", "not_in_queue"]
    place: int | None = None
    ahead: int = 0
    eta_s: int | None = None
    eta_high_s: int | None = None
    admitted_until_ms: int | None = None
    receipt: Receipt | UnsetType = UNSET

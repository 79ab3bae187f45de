"""What the server says on the socket. Every struct is one JSON text frame; `encode` writes it."""

from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from protocol.codes import RETRIABLE, SENTENCES, Code


class _Outbound(Struct, frozen=True, tag_field="type", omit_defaults=True):
    pass


class User(Struct, frozen=True):
    """Who is connected."""

    id: str
    name: str
    role: str


class Counts(Struct, frozen=True):
    """Seats in each state."""

    available: int
    held: int
    sold: int
    blocked: int


class Hold(Struct, frozen=True):
    """What a customer holds in an event; nothing held is `[]`, null, 0."""

    seats: tuple[int, ...]
    expires_at_ms: int | None
    total_cents: int


class OrderStatus(StrEnum):
    """The public states of an order."""

    PENDING = "pending"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    PAYMENT_FAILED = "payment_failed"


class OrderSummary(Struct, frozen=True):
    """An order as a command's answer carries it."""

    order_id: str
    status: OrderStatus
    total_cents: int
    currency: str
    seats: tuple[int, ...]


class QueuePlace(Struct, frozen=True):
    """A customer's place in line."""

    status: Literal["lobby", "waiting", "active", "not_in_queue"]
    place: int | None = None
    ahead: int = 0
    eta_s: int | None = None
    eta_high_s: int | None = None
    admitted_until_ms: int | None = None


class Welcome(_Outbound, frozen=True, tag="welcome", omit_defaults=False):
    """The first frame, once. `map_url` is a path."""

    protocol: int
    node: str
    event_id: str
    seat_count: int
    map_url: str
    server_time_ms: int
    user: User | None


class Snapshot(_Outbound, frozen=True, tag="snapshot"):
    """The whole map; `seats` as `protocol.seat_state.pack_states` makes it."""

    epoch: str
    revision: int
    seats: str
    counts: Counts


class Patch(_Outbound, frozen=True, tag="patch"):
    """Committed changes since `base`: the seats now in each state. States without a seat are left out."""

    epoch: str
    base: int
    revision: int
    available: tuple[int, ...] = ()
    held: tuple[int, ...] = ()
    sold: tuple[int, ...] = ()
    blocked: tuple[int, ...] = ()


class Resync(_Outbound, frozen=True, tag="resync"):
    """Drop your map, a snapshot follows."""

    reason: str


class Heartbeat(_Outbound, frozen=True, tag="heartbeat"):
    """`revision` is that of the last patch of the stream."""

    epoch: str
    revision: int
    server_time_ms: int


class Accepted(_Outbound, frozen=True, tag="accepted"):
    """The command took effect and is durable; exactly one of hold, order, queue is there."""

    id: str
    revision: int
    hold: Hold | UnsetType = UNSET
    order: OrderSummary | UnsetType = UNSET
    queue: QueuePlace | UnsetType = UNSET


class Rejected(_Outbound, frozen=True, tag="rejected"):
    """The command had no effect. `retry`: the same command may succeed later. `seats`: those at fault."""

    id: str
    code: Code
    message: str
    retry: bool
    retry_after_ms: int | UnsetType = UNSET
    seats: tuple[int, ...] | UnsetType = UNSET


class HoldReason(StrEnum):
    """Why a `hold` is sent."""

    OPEN = "open"
    COMMAND = "command"
    EXPIRED = "expired"
    SOLD = "sold"


class HoldNow(_Outbound, frozen=True, tag="hold", omit_defaults=False):
    """My hold as it now is."""

    seats: tuple[int, ...]
    expires_at_ms: int | None
    total_cents: int
    reason: HoldReason


class OrderNow(_Outbound, frozen=True, tag="order"):
    """My order as it now is."""

    order_id: str
    status: OrderStatus
    total_cents: int
    currency: str
    seats: tuple[int, ...]


class QueueNow(_Outbound, frozen=True, tag="queue", omit_defaults=False):
    """My place in line as it now is."""

    status: Literal["lobby", "waiting", "active", "not_in_queue"]
    place: int | None = None
    ahead: int = 0
    eta_s: int | None = None
    eta_high_s: int | None = None
    admitted_until_ms: int | None = None


class EventNow(_Outbound, frozen=True, tag="event"):
    """The event as it now is."""

    status: str
    on_sale_at_ms: int


class Pong(_Outbound, frozen=True, tag="pong"):
    """The answer to `ping`."""

    at: int | float
    server_time_ms: int


Answer = Accepted | Rejected
Outbound = (
    Welcome
    | Snapshot
    | Patch
    | Resync
    | Heartbeat
    | Accepted
    | Rejected
    | HoldNow
    | OrderNow
    | QueueNow
    | EventNow
    | Pong
)

NOTHING_HELD = Hold((), None, 0)

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(Outbound).decode
"""Reads any server frame; fields that this version does not know are ignored, as clients do."""


def rejected(
    command_id: str,
    code: Code,
    seats: tuple[int, ...] = (),
    *,
    message: str | None = None,
    retry_after_ms: int | None = None,
) -> Rejected:
    """The refusal of a command, with the code's own sentence unless another is given."""
    return Rejected(
        command_id,
        code,
        message or SENTENCES[code],
        code in RETRIABLE,
        UNSET if retry_after_ms is None else retry_after_ms,
        seats or UNSET,
    )

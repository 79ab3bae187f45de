"""What the server says on the socket. Every struct is one JSON text frame; `encode` writes it."""

from enum import StrEnum
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from protocol.codes import RETRIABLE, SENTENCES, Code
from protocol.queue_place import QueuePlace, Receipt


class OutboundMessage(Struct, frozen=True, tag_field="type", omit_defaults=True):
    """What the server says. A field means the same wherever it is, unless that place says otherwise.

    id: that of the command which this answers
    epoch: opaque mark of the event's history; another one means that the map is to be fetched anew
    revision: how many batches of the event are committed
    seats: indices of seats
    server_time_ms: the server's clock
    expires_at_ms: when the hold ends; null: nothing is held
    total_cents: the price of these seats together, cents
    currency: ISO 4217
    order_id: opaque
    place: number in the order of the line, absolute; null until it is drawn
    ahead: how many wait before me
    eta_s: how long the wait may be, seconds; null: not known
    eta_high_s: how long the wait may be at worst, seconds; null: not known
    admitted_until_ms: when my turn ends; null: it has no end, or it is not my turn
    receipt: my entry in the draw; while I am in the lobby
    """


class User(Struct, frozen=True):
    """Who is connected.

    id: opaque
    name: as given at registration
    role: `user` or `admin`
    """

    id: str
    name: str
    role: str


class Counts(Struct, frozen=True):
    """How many seats are in each state.

    available: may be held
    held: are held, or being paid for
    sold: are sold
    blocked: are not for sale
    """

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
    """An order as a command's answer carries it.

    status: what has become of the order
    """

    order_id: str
    status: OrderStatus
    total_cents: int
    currency: str
    seats: tuple[int, ...]


class Welcome(OutboundMessage, frozen=True, tag="welcome", omit_defaults=False):
    """The first frame, once.

    protocol: version of this protocol
    node: name of the server process
    event_id: the event that this socket is about
    seat_count: how many seats the event has; their indices are 0…n-1
    map_url: path of the seat map, which never changes and may be kept for ever
    user: who is connected; null: nobody who is signed in
    """

    protocol: int
    node: str
    event_id: str
    seat_count: int
    map_url: str
    server_time_ms: int
    user: User | None


class Snapshot(OutboundMessage, frozen=True, tag="snapshot"):
    """The whole map.

    seats: base64 of ⌈n/4⌉ bytes: 2 bits a seat in index order, low bits first, spare bits 0;
        0 available, 1 held, 2 sold, 3 blocked
    counts: how many seats are in each state
    """

    epoch: str
    revision: int
    seats: str
    counts: Counts


class Patch(OutboundMessage, frozen=True, tag="patch"):
    """Committed changes since `base`: the seats now in each state. States without a seat are left out.

    Same epoch and `revision` ≤ mine: ignore it. `base` ≤ mine < `revision`: apply it, mine becomes `revision`.
    `base` > mine, or another epoch: send `open` once and take what comes.

    base: revision of the patch before it in the stream
    revision: the map's, once this is applied
    available: indices of the seats that are now available
    held: indices of the seats that are now held
    sold: indices of the seats that are now sold
    blocked: indices of the seats that are now not for sale
    """

    epoch: str
    base: int
    revision: int
    available: tuple[int, ...] = ()
    held: tuple[int, ...] = ()
    sold: tuple[int, ...] = ()
    blocked: tuple[int, ...] = ()


class Resync(OutboundMessage, frozen=True, tag="resync"):
    """Drop your map, a snapshot follows.

    reason: a word for whoever debugs
    """

    reason: str


class Heartbeat(OutboundMessage, frozen=True, tag="heartbeat"):
    """Every 15 s, so that a silent loss shows.

    revision: that of the last patch of the stream
    """

    epoch: str
    revision: int
    server_time_ms: int


class Accepted(OutboundMessage, frozen=True, tag="accepted"):
    """The command took effect and is durable; exactly one of hold, order, queue is there.

    revision: that of the batch which made it true
    hold: what I now hold; after `hold_seats`, `hold_best`, `release_seats` and `extend_hold`
    order: what I have bought; after `checkout`
    queue: my place in line; after `join_queue` and `leave_queue`
    together: after `hold_best`: are the seats that it added all next to each other?
    """

    id: str
    revision: int
    hold: Hold | UnsetType = UNSET
    order: OrderSummary | UnsetType = UNSET
    queue: QueuePlace | UnsetType = UNSET
    together: bool | UnsetType = UNSET


class Rejected(OutboundMessage, frozen=True, tag="rejected"):
    """The command had no effect.

    code: why, for programs
    message: why, for people
    retry: may the same command succeed later?
    retry_after_ms: how long to wait before that, ms
    seats: indices of the seats at fault
    instead: with `orphan_seat`: indices of seats that would do in place of those asked for, if there are any
    """

    id: str
    code: Code
    message: str
    retry: bool
    retry_after_ms: int | UnsetType = UNSET
    seats: tuple[int, ...] | UnsetType = UNSET
    instead: tuple[int, ...] | UnsetType = UNSET


class HoldReason(StrEnum):
    """Why a `hold` is sent."""

    OPEN = "open"
    COMMAND = "command"
    EXPIRED = "expired"
    SOLD = "sold"


class HoldNow(OutboundMessage, frozen=True, tag="hold", omit_defaults=False):
    """My hold as it now is: after `open`, and when it changed other than by a command of this socket.

    reason: `open`: you asked; `command`: by a command from elsewhere; `expired`: it ran out; `sold`: I bought it
    """

    seats: tuple[int, ...]
    expires_at_ms: int | None
    total_cents: int
    reason: HoldReason


class OrderNow(OutboundMessage, frozen=True, tag="order"):
    """My order as it now is.

    status: what has become of the order
    """

    order_id: str
    status: OrderStatus
    total_cents: int
    currency: str
    seats: tuple[int, ...]


class QueueNow(OutboundMessage, frozen=True, tag="queue", omit_defaults=False):
    """My place in line as it now is: after `open` and on change.

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


class LineNow(OutboundMessage, frozen=True, tag="line", omit_defaults=False):
    """How far the line is, for everybody: at most once a second, when it has changed. My own place is in `queue`.

    In places before `place` wait at most `place` - `admitted_upto` - 1.

    admitted_upto: the last place whose turn has come
    waiting: how many are in line; before the draw, how many are in the lobby
    per_minute: how many were admitted lately, in a minute; null: not known yet
    """

    admitted_upto: int
    waiting: int
    per_minute: float | None


class EventNow(OutboundMessage, frozen=True, tag="event", omit_defaults=False):
    """The event as it now is.

    status: `upcoming`, `on_sale`, `sold_out`, `completed` or `cancelled`
    on_sale_at_ms: when it goes or went on sale
    orphan_rule: what is done about a single seat that a choice would leave alone: nothing (`off`), pages `warn`, or
        it is refused (`enforce`)
    waiting_room_mode: `off`, `fifo`, `draw` or `closed`: nobody is let in
    max_concurrent_shoppers: so many may shop at once, where there is a waiting room
    admit_per_minute: so many are let in within a minute, at most; 0: no limit
    """

    status: str
    on_sale_at_ms: int
    orphan_rule: str
    waiting_room_mode: str = "off"
    max_concurrent_shoppers: int = 0
    admit_per_minute: int = 0


class Pong(OutboundMessage, frozen=True, tag="pong"):
    """The answer to `ping`.

    at: the number that was sent
    """

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
    | LineNow
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
    instead: tuple[int, ...] = (),
) -> Rejected:
    """The refusal of a command, with the code's own sentence unless another is given."""
    return Rejected(
        command_id,
        code,
        message or SENTENCES[code],
        code in RETRIABLE,
        UNSET if retry_after_ms is None else retry_after_ms,
        seats or UNSET,
        instead or UNSET,
    )

"""The plain data of an event on sale: terms, holds, orders, and the changes that a batch makes to them.

Times are milliseconds since the Unix epoch in UTC and are passed in. Customers and orders are known by their ids
as strings. Seats are known by their index.
"""

from enum import StrEnum

from msgspec import Struct

from protocol.outbound import OrderStatus
from protocol.seat_state import SeatState


class Stage(StrEnum):
    """What the organiser said last about the event."""

    SCHEDULED = "scheduled"
    ON_SALE = "on_sale"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Status(StrEnum):
    """What customers see of an event. The same words and the same rule as `event_status` in SQL."""

    UPCOMING = "upcoming"
    ON_SALE = "on_sale"
    SOLD_OUT = "sold_out"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class OrphanRule(StrEnum):
    """What is done about a single seat that a customer would leave alone.

    off: nothing; warn: pages tell the customer; enforce: it is refused while there is a better choice
    """

    OFF = "off"
    WARN = "warn"
    ENFORCE = "enforce"


class QueueMode(StrEnum):
    """How customers get in.

    off: everybody is in; fifo: in the order in which they came; draw: those who come before the sale are drawn, who
    comes later stands behind them; closed: everybody keeps the place, and nobody is admitted
    """

    OFF = "off"
    FIFO = "fifo"
    DRAW = "draw"
    CLOSED = "closed"


class Terms(Struct, frozen=True):
    """The conditions of the sale. `admit_per_minute` 0: as fast as places inside come free."""

    event_id: str
    stage: Stage
    on_sale_at_ms: int
    event_at_ms: int
    max_tickets_per_user: int
    currency: str
    orphan_rule: OrphanRule = OrphanRule.WARN
    queue_mode: QueueMode = QueueMode.OFF
    max_concurrent_shoppers: int = 500
    admit_per_minute: int = 0

    def is_over(self, now_ms: int) -> bool:
        """Is there nothing to wait for any more?"""
        return self.stage in (Stage.COMPLETED, Stage.CANCELLED) or now_ms >= self.event_at_ms

    def is_on_sale(self, now_ms: int) -> bool:
        """May seats be held and paid for?"""
        if self.is_over(now_ms):
            return False
        return self.stage is Stage.ON_SALE or now_ms >= self.on_sale_at_ms

    def status(self, now_ms: int, seats_open: int) -> Status:
        """What customers see; `seats_open` are available or held. Sold out: every seat is sold or blocked."""
        if self.stage is Stage.CANCELLED:
            return Status.CANCELLED
        if self.stage is Stage.COMPLETED or now_ms >= self.event_at_ms:
            return Status.COMPLETED
        if not self.is_on_sale(now_ms):
            return Status.UPCOMING
        return Status.ON_SALE if seats_open else Status.SOLD_OUT

    def next_change_ms(self, now_ms: int) -> int | None:
        """When the status changes next by the time alone."""
        if self.stage in (Stage.COMPLETED, Stage.CANCELLED):
            return None
        times = [self.event_at_ms] if self.stage is Stage.ON_SALE else [self.on_sale_at_ms, self.event_at_ms]
        return min((at for at in times if at > now_ms), default=None)


class Hold(Struct, frozen=True):
    """One customer's short claim. `seats` is in index order and never empty."""

    seats: tuple[int, ...]
    started_ms: int
    changed_ms: int
    expires_ms: int
    extended: bool = False


class IdempotencyKey(Struct, frozen=True):
    """What a REST client sent beside its checkout."""

    key: str
    request_hash: bytes


class Order(Struct, frozen=True):
    """An order with its seats in index order. `prices_cents` has one price a seat."""

    order_id: str
    customer: str
    status: OrderStatus
    seats: tuple[int, ...]
    prices_cents: tuple[int, ...]
    currency: str
    payment_method: str
    command_id: str
    content_hash: bytes
    created_ms: int
    payment_id: str | None = None
    failure: str | None = None
    idempotency: IdempotencyKey | None = None

    @property
    def total_cents(self) -> int:
        """What the customer pays."""
        return sum(self.prices_cents)


class Cause(StrEnum):
    """Why a seat changes."""

    HOLD = "hold"
    RELEASE = "release"
    EXPIRE = "expire"
    SELL = "sell"
    CANCEL = "cancel"
    BLOCK = "block"
    UNBLOCK = "unblock"


TRANSITIONS: dict[Cause, tuple[SeatState, SeatState]] = {
    Cause.HOLD: (SeatState.AVAILABLE, SeatState.HELD),
    Cause.RELEASE: (SeatState.HELD, SeatState.AVAILABLE),
    Cause.EXPIRE: (SeatState.HELD, SeatState.AVAILABLE),
    Cause.SELL: (SeatState.HELD, SeatState.SOLD),
    Cause.CANCEL: (SeatState.SOLD, SeatState.AVAILABLE),
    Cause.BLOCK: (SeatState.AVAILABLE, SeatState.BLOCKED),
    Cause.UNBLOCK: (SeatState.BLOCKED, SeatState.AVAILABLE),
}
"""The only ways in which a seat changes. Between states that have a holder, the holder stays the same."""


class SeatsMoved(Struct, frozen=True):
    """Seats that change together, by one customer or by the organiser."""

    cause: Cause
    customer: str
    seats: tuple[int, ...]


class HoldMoved(Struct, frozen=True):
    """The customer's hold as it now is; None: it ended. `ran_out_ms` says when, if the clock ended it."""

    customer: str
    hold: Hold | None
    ran_out_ms: int | None = None


class OrderMoved(Struct, frozen=True):
    """The order as it now is."""

    order: Order


class TermsMoved(Struct, frozen=True):
    """The terms as they now are."""

    terms: Terms


class BlockMoved(Struct, frozen=True):
    """Why these seats are not for sale, from now on; None: they are for sale again. `by` is the organiser."""

    by: str
    seats: tuple[int, ...]
    reason: str | None


class QueueState(StrEnum):
    """Where a customer stands in the waiting room.

    lobby -> waiting: drawn        waiting -> called: the turn came while away     waiting, called -> active: is in
    called -> waiting: did not come, once        any -> out: bought, left, ran out, or was gone
    """

    LOBBY = "lobby"
    WAITING = "waiting"
    CALLED = "called"
    ACTIVE = "active"
    OUT = "out"


class QueueEntry(Struct, frozen=True):
    """A customer in the waiting room: at most one for each customer and event.

    `position` is the number in the chain of those who came before the draw, `nonce` what the entry's id is made
    of; both stay for good, and so does `joined_ms` then. `place` is the number in line; that of a drawn entry
    follows from the draw. `until_ms` is the end of the admission, or until when who was called has to come.
    `admitted_ms` is when the turn of this place came.
    """

    customer: str
    state: QueueState
    joined_ms: int
    place: int | None = None
    position: int | None = None
    nonce: bytes = b""
    until_ms: int | None = None
    admitted_ms: int | None = None
    has_missed: bool = False


class BeaconRound(Struct, frozen=True):
    """A round of the beacon: `value`, 32 bytes, is SHA-256 of its signature."""

    number: int
    at_ms: int
    value: bytes
    signature: bytes


class Drawn(Struct, frozen=True):
    """The draw: how many entries, the head of their chain, and the seed that follows (see `draw`)."""

    at_ms: int
    entries: int
    head: bytes
    seed: bytes
    round: BeaconRound | None = None


class DrawTerms(Struct, frozen=True):
    """What the draw will be made of, from before the first entry on; `drawn` once it was made.

    A beacon is named by its chain. With one, the lobby closes first, and is drawn when the round has come.
    """

    operator_seed: bytes = bytes(32)
    beacon_chain: bytes | None = None
    closed_ms: int | None = None
    drawn: Drawn | None = None

    @property
    def is_awaiting_beacon(self) -> bool:
        """Is the lobby closed, and its round of the beacon not there yet?"""
        return self.closed_ms is not None and self.drawn is None


class EntryMoved(Struct, frozen=True):
    """The entry as it now is."""

    entry: QueueEntry


class LobbyClosed(Struct, frozen=True):
    """Nobody joins the chain any more: a round of the beacon is waited for that nobody knows yet."""

    at_ms: int


class LineDrawn(Struct, frozen=True):
    """Those in the lobby have their places."""

    drawn: Drawn


Change = SeatsMoved | HoldMoved | OrderMoved | TermsMoved | BlockMoved | EntryMoved | LobbyClosed | LineDrawn

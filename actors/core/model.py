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


class Terms(Struct, frozen=True):
    """The conditions of the sale."""

    event_id: str
    stage: Stage
    on_sale_at_ms: int
    event_at_ms: int
    max_tickets_per_user: int
    currency: str
    orphan_rule: OrphanRule = OrphanRule.WARN

    def is_on_sale(self, now_ms: int) -> bool:
        """May seats be held and paid for?"""
        if self.stage in (Stage.COMPLETED, Stage.CANCELLED) or now_ms >= self.event_at_ms:
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


Change = SeatsMoved | HoldMoved | OrderMoved | TermsMoved | BlockMoved

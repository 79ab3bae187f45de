"""The shapes of the contract, `/api/v1`: what REST clients read and write.

Amounts are numbers in the major unit, times ISO 8601 in UTC with milliseconds and Z, ids opaque strings.
"""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from protocol.outbound import OrderStatus

Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"}, examples=["2031-05-01T12:00:00.000Z"])]
Amount = Annotated[
    int | float, Meta(description="In the major unit, with at most two decimals.", examples=[350, 99.5])
]
SeatId = Annotated[
    str,
    Meta(
        description="The seat's index in its event.",
        examples=["17"],
        extra_json_schema={"pattern": "^(0|[1-9][0-9]{0,17})$"},
    ),
]
EventCategory = Literal["concert", "sports", "theater", "comedy", "other"]
EventStatus = Literal["upcoming", "on_sale", "sold_out", "completed", "cancelled"]
WaitingRoomMode = Literal["fifo", "draw", "closed"]
OrphanRule = Literal["off", "warn", "enforce"]
SeatStatus = Literal["available", "held", "sold", "blocked"]


class Said(Struct):
    """A sentence for a person."""

    message: str


class Role(StrEnum):
    """What an account may do."""

    USER = "user"
    STAFF = "staff"
    ADMIN = "admin"


class User(Struct):
    """An account. `email_verified`: somebody who reads mail at its address has confirmed it."""

    id: UUID
    email: str
    name: str
    role: Role
    email_verified: bool


class Venue(Struct):
    """A building."""

    id: UUID
    name: str
    address: str
    city: str
    state: str | None
    country: str
    capacity: int
    image_url: str | None
    timezone: str | None
    created_at: Moment
    updated_at: Moment


class Section(Struct):
    """A part of a venue; its place is in units of the venue's own grid."""

    id: UUID
    venue_id: UUID
    name: str
    row_count: int
    seats_per_row: int
    base_price: Amount
    section_type: str
    position_x: int
    position_y: int
    created_at: Moment


class Event(Struct):
    """A show. `available_seats` are those that can be held now."""

    id: UUID
    name: str
    description: str
    venue_id: UUID
    artist: str
    category: EventCategory
    event_date: Moment
    on_sale_date: Moment
    status: EventStatus
    total_capacity: int
    available_seats: int
    image_url: str | None
    currency: str
    waiting_room_enabled: bool
    waiting_room_mode: WaitingRoomMode
    max_concurrent_shoppers: int
    admit_per_minute: int
    waiting_room_verified_email: bool
    max_tickets_per_user: int
    orphan_rule: OrphanRule
    created_at: Moment
    updated_at: Moment
    venue: Venue


class BlockedSeats(Struct):
    """Seats that were blocked together. Without a reason: they were not for sale when the event was made."""

    seat_ids: list[SeatId]
    reason: str | None
    blocked_by: str | None
    blocked_at: Moment | None


class Page(Struct, rename="camel"):
    """Which page of how many; stands beside `data`."""

    total: int
    page: int
    limit: int
    total_pages: int


class EventSeat(Struct):
    """A seat that the customer holds. `held_by_session` is "self"."""

    id: SeatId
    event_id: UUID
    section: str
    row: str
    seat_number: str
    price_tier: str
    price: Amount
    status: SeatStatus
    held_until: Moment | None
    held_by_session: Literal["self"] | None
    order_id: UUID | None
    created_at: Moment
    updated_at: Moment


class SeatShown(Struct):
    """A seat as everybody sees it."""

    id: SeatId
    row: str
    seat_number: str
    price: Amount
    price_tier: str
    status: SeatStatus


class SectionCounts(Struct):
    """How many seats of a section can be held now, and what they cost."""

    section: str
    available: int
    total: int
    min_price: Amount
    max_price: Amount


class SectionShown(SectionCounts):
    """A section with its seats, which `summary=true` leaves out."""

    seats: list[SeatShown] | UnsetType = UNSET


class Order(Struct):
    """A purchase. `idempotency_key` is kept for 48 hours."""

    id: UUID
    user_id: UUID
    event_id: UUID
    status: OrderStatus
    total_amount: Amount
    currency: str
    payment_id: str | None
    idempotency_key: str | None
    created_at: Moment
    completed_at: Moment | None
    updated_at: Moment


class ListedOrder(Order):
    """An order with the event it is for."""

    event_name: str
    event_date: Moment
    artist: str
    venue_name: str
    venue_city: str
    venue_timezone: str | None


class ShownOrder(ListedOrder):
    """An order with all of its event's place."""

    venue_address: str


class OrderItem(Struct):
    """One seat of an order."""

    id: UUID
    order_id: UUID
    seat_id: SeatId
    price: Amount
    created_at: Moment


class NamedOrderItem(OrderItem):
    """One seat of an order, and what it is called."""

    section: str
    row: str
    seat_number: str


class Ticket(Struct):
    """A valid ticket: `code` is what its QR code carries, `qr_svg` the picture of that."""

    id: UUID
    seat_id: SeatId
    code: str
    qr_svg: str


class OrderSeat(Struct):
    """What a seat of an order is called and costs."""

    section: str
    row: str
    seat_number: str
    price: Amount

"""The customer's reservations: the holds of the socket, over REST."""

import re
from typing import Annotated
from uuid import UUID

import asyncpg
from aiohttp import web
from msgspec import Meta, Struct

from actors.core.verdict import Asked
from protocol.inbound import HoldSeats, ReleaseSeats
from protocol.limits import SEATS_PER_COMMAND_MAX, SEATS_PER_RELEASE_MAX
from protocol.outbound import Hold
from server.door.paced import Pace
from server.door.who_asks import customer
from server.reads.places import Places
from server.rest.asking import COMMAND_REFUSALS, ask, committed, new_command_id, sale_of
from server.rest.envelope import Refused, cents_to_major, iso, iso_ms, ok, read_body
from server.rest.operations import Operations, Who
from server.rest.shapes import Amount, EventSeat, Moment, Said, SeatId
from server.sales import Sale
from server.services import Services, services
from server.statements import sql

operations = Operations("seats")

_NO_SEATS = "seat_ids array is required"
_SEAT_ID = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)


class SeatIds(Struct):
    """Which seats are meant, each once."""

    seat_ids: Annotated[list[SeatId], Meta(extra_json_schema={"minItems": 1, "uniqueItems": True})]


class Reserved(Struct, rename="camel"):
    """All seats that the customer now holds in the event."""

    seats: list[EventSeat]
    expires_at: Moment
    total_price: Amount


class Reservation(Struct):
    """The customer's hold in one event."""

    event_id: UUID
    seats: list[EventSeat]
    total_price: Amount
    expires_at: Moment


class Reservations(Reservation):
    """The hold changed last, and all of the customer's holds."""

    reservations: list[Reservation]


@operations.post(
    "/api/v1/seats/{event_id}/reserve",
    who=Who.SIGNED_IN,
    pace=Pace.RESERVE,
    body=SeatIds,
    data=Reserved,
    refusals={**COMMAND_REFUSALS, 404: ("event_not_found",)},
)
async def reserve(request: web.Request) -> web.Response:
    """Hold these seats, all or none; answers all seats that the customer now holds in the event."""
    session = await customer(request)
    parts, sale = services(request), await sale_of(request)
    seats = asked_seats(await read_body(request, SeatIds, _NO_SEATS), "reserve", SEATS_PER_COMMAND_MAX)
    command = HoldSeats(new_command_id(), seats)
    accepted = await ask(parts, sale.event_id, Asked(str(session.customer_id), command))
    hold = accepted.hold
    assert isinstance(hold, Hold), "a hold was accepted without a hold"
    assert hold.expires_at_ms is not None
    expires_at, places = iso_ms(hold.expires_at_ms), await parts.places.get(sale.uuid)
    times = expires_at, iso(sale.created_at), _changed_at(parts, sale, session.customer_id)
    shown = _held_seats(sale.uuid, places, hold.seats, *times)
    return ok(Reserved(shown, expires_at, cents_to_major(hold.total_cents)))


@operations.post(
    "/api/v1/seats/{event_id}/release",
    who=Who.SIGNED_IN,
    body=SeatIds,
    data=Said,
    refusals={**COMMAND_REFUSALS, 404: ("event_not_found",)},
)
async def release(request: web.Request) -> web.Response:
    """Give these seats back; what the customer does not hold is ignored."""
    session = await customer(request)
    parts, sale = services(request), await sale_of(request)
    seats = asked_seats(await read_body(request, SeatIds, _NO_SEATS), "release", SEATS_PER_RELEASE_MAX)
    await ask(parts, sale.event_id, Asked(str(session.customer_id), ReleaseSeats(new_command_id(), seats)))
    return ok(Said("Seats released"))


@operations.get(
    "/api/v1/seats/reservation", who=Who.SIGNED_IN, data=Reservations | None, refusals={503: ("try_again",)}
)
async def reservation(request: web.Request) -> web.Response:
    """The hold changed last, with all of the customer's holds beside it; null: nothing is held."""
    session = await customer(request)
    found = await _reservations(services(request), session.customer_id)
    if not found:
        return ok(None)
    last = found[0]
    return ok(Reservations(last.event_id, last.seats, last.total_price, last.expires_at, found))


def asked_seats(body: SeatIds, verb: str, seats_max: int) -> tuple[int, ...]:
    """The indices of the seats that are meant. Raises Refused (400)."""
    if not body.seat_ids:
        raise Refused(400, _NO_SEATS, "bad_command")
    if not all(_SEAT_ID.fullmatch(seat) for seat in body.seat_ids):
        raise Refused(400, "seat_ids must be ids of seats of this event", "bad_command")
    if len(set(body.seat_ids)) != len(body.seat_ids):
        raise Refused(400, "seat_ids names a seat twice", "bad_command")
    if len(body.seat_ids) > seats_max:
        raise Refused(400, f"Cannot {verb} more than {seats_max} seats at once", "bad_command")
    return tuple(int(seat) for seat in body.seat_ids)


async def _reservations(parts: Services, customer_id: UUID) -> list[Reservation]:
    """What the customer holds, the hold changed last first."""
    found = []
    for row in await parts.database.fetch(sql("customer_holds"), customer_id):
        seating = await committed(parts, str(row["event_id"]))
        hold = seating.hold(str(customer_id))
        if hold is not None:
            found.append(_reservation(row, await parts.places.get(row["event_id"]), hold.seats))
    return found


def _reservation(row: asyncpg.Record, places: Places, seats: tuple[int, ...]) -> Reservation:
    expires_at, created_at, changed_at = map(iso, (row["expires_at"], row["event_created_at"], row["changed_at"]))
    return Reservation(
        event_id=row["event_id"],
        seats=_held_seats(row["event_id"], places, seats, expires_at, created_at, changed_at),
        total_price=cents_to_major(sum(places.seats[seat].price_cents for seat in seats)),
        expires_at=expires_at,
    )


def _changed_at(parts: Services, sale: Sale, customer_id: UUID) -> str:
    """When the hold changed last; now, if it is gone already."""
    seating = parts.supervisor.loaded(sale.event_id)
    hold = None if seating is None else seating.hold(str(customer_id))
    return iso(parts.now()) if hold is None else iso_ms(hold.changed_ms)


def _held_seats(
    event_id: UUID, places: Places, seats: tuple[int, ...], expires_at: str, created_at: str, changed_at: str
) -> list[EventSeat]:
    """One's own held seats."""
    return [
        EventSeat(
            id=str(index),
            event_id=event_id,
            section=place.section,
            row=place.row,
            seat_number=place.number,
            price_tier=place.price_tier,
            price=cents_to_major(place.price_cents),
            status="held",
            held_until=expires_at,
            held_by_session="self",
            order_id=None,
            created_at=created_at,
            updated_at=changed_at,
        )
        for index, place in ((index, places.seats[index]) for index in seats)
    ]

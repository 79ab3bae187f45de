"""Seats: what is available, and the customer's reservations (the holds of the socket)."""

import re
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from aiohttp import web

from actors.core.seating import Seating
from actors.core.verdict import Asked
from protocol.inbound import HoldSeats, ReleaseSeats
from protocol.limits import SEATS_PER_COMMAND_MAX, SEATS_PER_RELEASE_MAX
from protocol.outbound import Hold
from protocol.seat_state import SeatState
from server.rest.asking import ask, committed, new_command_id, sale_of
from server.rest.door import customer
from server.rest.envelope import Refused, cents_to_major, iso, iso_ms, ok, ok_again, ok_body, read_body
from server.rest.places import Places
from server.sales import Sale
from server.services import Services, services
from server.statements import sql

routes = web.RouteTableDef()

_SEAT_ID = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_STATUS_JSON = [f'{state.name.lower()}"}}'.encode() for state in SeatState]


class SeatIds(msgspec.Struct):
    """Which seats a customer means."""

    seat_ids: list[str]


@routes.get("/api/v1/seats/{event_id}/availability")
async def availability(request: web.Request) -> web.Response:
    """The seats of the event by section, or of one section; with `summary=true` only the counts."""
    parts, sale = services(request), await sale_of(request)
    places = await parts.places.get(sale.uuid)
    seating = await committed(parts, sale.event_id)
    wanted = request.query.get("section")
    if wanted and wanted not in places.sections:
        raise Refused(404, "Section not found", "section_not_found")
    if request.query.get("summary") == "true":
        names = [wanted] if wanted else list(places.sections)
        return ok([_counts(places, seating, name) for name in names])
    if wanted:
        return ok([_section(places, seating, wanted)])
    return ok_again(places.answer.get(seating, lambda: _all_sections(places, seating)))


@routes.get("/api/v1/seats/{event_id}/sections/{section}")
async def section_seats(request: web.Request) -> web.Response:
    """The seats of one section."""
    parts, sale = services(request), await sale_of(request)
    places = await parts.places.get(sale.uuid)
    seating = await committed(parts, sale.event_id)
    section = request.match_info["section"]
    if section not in places.sections:
        raise Refused(404, "Section not found", "section_not_found")
    return ok(_seats(places, seating, section))


@routes.post("/api/v1/seats/{event_id}/reserve")
async def reserve(request: web.Request) -> web.Response:
    """Hold these seats, all or none; answers all seats that the customer now holds in the event."""
    session = await customer(request)
    parts, sale = services(request), await sale_of(request)
    seats = await _asked_seats(request)
    if not seats:
        raise Refused(400, "seat_ids array is required", "bad_command")
    if len(seats) > SEATS_PER_COMMAND_MAX:
        raise Refused(400, f"Cannot reserve more than {SEATS_PER_COMMAND_MAX} seats at once", "bad_command")
    command = HoldSeats(new_command_id(), seats)
    accepted = await ask(parts, sale.event_id, Asked(str(session.customer_id), command))
    hold = accepted.hold
    assert isinstance(hold, Hold), "a hold was accepted without a hold"
    assert hold.expires_at_ms is not None
    expires_at, places = iso_ms(hold.expires_at_ms), await parts.places.get(sale.uuid)
    times = expires_at, iso(sale.created_at), _changed_at(parts, sale, session.customer_id)
    shown = _held_seats(sale.uuid, places, hold.seats, *times)
    return ok({"seats": shown, "expiresAt": expires_at, "totalPrice": cents_to_major(hold.total_cents)})


@routes.post("/api/v1/seats/{event_id}/release")
async def release(request: web.Request) -> web.Response:
    """Give these seats back; what the customer does not hold is ignored."""
    session = await customer(request)
    parts, sale = services(request), await sale_of(request)
    seats = await _asked_seats(request)
    if not seats:
        raise Refused(400, "seat_ids array is required", "bad_command")
    if len(seats) > SEATS_PER_RELEASE_MAX:
        raise Refused(400, f"Cannot release more than {SEATS_PER_RELEASE_MAX} seats at once", "bad_command")
    await ask(parts, sale.event_id, Asked(str(session.customer_id), ReleaseSeats(new_command_id(), seats)))
    return ok({"message": "Seats released"})


@routes.get("/api/v1/seats/reservation")
async def reservation(request: web.Request) -> web.Response:
    """The hold changed last, with all of the customer's holds beside it; null: nothing is held."""
    session = await customer(request)
    found = await _reservations(services(request), session.customer_id)
    return ok({**found[0], "reservations": found} if found else None)


async def _asked_seats(request: web.Request) -> tuple[int, ...]:
    body = await read_body(request, SeatIds, "seat_ids array is required")
    if not all(_SEAT_ID.fullmatch(seat) for seat in body.seat_ids):
        raise Refused(400, "seat_ids must be ids of seats of this event", "bad_command")
    if len(set(body.seat_ids)) != len(body.seat_ids):
        raise Refused(400, "seat_ids names a seat twice", "bad_command")
    return tuple(int(seat) for seat in body.seat_ids)


def _all_sections(places: Places, seating: Seating) -> bytes:
    return ok_body([_section(places, seating, name) for name in places.sections])


def _section(places: Places, seating: Seating, name: str) -> dict[str, Any]:
    return {**_counts(places, seating, name), "seats": _seats(places, seating, name)}


def _counts(places: Places, seating: Seating, name: str) -> dict[str, Any]:
    indexes = places.sections[name]
    prices = {places.seats[index].price_cents for index in indexes}
    return {
        "section": name,
        "available": sum(seating.states[index] == SeatState.AVAILABLE for index in indexes),
        "total": len(indexes),
        "min_price": cents_to_major(min(prices)),
        "max_price": cents_to_major(max(prices)),
    }


def _seats(places: Places, seating: Seating, section: str) -> msgspec.Raw:
    seats, states = places.seats, seating.states
    return msgspec.Raw(
        b"[%s]" % b",".join(seats[index].prefix + _STATUS_JSON[states[index]] for index in places.sections[section])
    )


async def _reservations(parts: Services, customer_id: UUID) -> list[dict[str, Any]]:
    """What the customer holds, the hold changed last first."""
    found = []
    for row in await parts.database.fetch(sql("customer_holds"), customer_id):
        seating = await committed(parts, str(row["event_id"]))
        hold = seating.hold(str(customer_id))
        if hold is not None:
            found.append(_reservation(row, await parts.places.get(row["event_id"]), hold.seats))
    return found


def _reservation(row: asyncpg.Record, places: Places, seats: tuple[int, ...]) -> dict[str, Any]:
    expires_at, created_at, changed_at = map(iso, (row["expires_at"], row["event_created_at"], row["changed_at"]))
    return {
        "event_id": row["event_id"],
        "seats": _held_seats(row["event_id"], places, seats, expires_at, created_at, changed_at),
        "total_price": cents_to_major(sum(places.seats[seat].price_cents for seat in seats)),
        "expires_at": expires_at,
    }


def _changed_at(parts: Services, sale: Sale, customer_id: UUID) -> str:
    """When the hold changed last; now, if it is gone already."""
    seating = parts.supervisor.loaded(sale.event_id)
    hold = None if seating is None else seating.hold(str(customer_id))
    return iso(parts.now()) if hold is None else iso_ms(hold.changed_ms)


def _held_seats(
    event_id: UUID, places: Places, seats: tuple[int, ...], expires_at: str, created_at: str, changed_at: str
) -> list[dict[str, Any]]:
    """One's own held seats as the contract's EventSeat."""
    return [
        {
            "id": str(index),
            "event_id": event_id,
            "section": place.section,
            "row": place.row,
            "seat_number": place.number,
            "price_tier": place.price_tier,
            "price": cents_to_major(place.price_cents),
            "status": "held",
            "held_until": expires_at,
            "held_by_session": "self",
            "order_id": None,
            "created_at": created_at,
            "updated_at": changed_at,
        }
        for index, place in ((index, places.seats[index]) for index in seats)
    ]

"""The organiser's part of venues: make and change them, with sections by rows and seats, or an imported plan."""

import asyncio
from typing import Annotated, Literal
from uuid import uuid4

from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import asdict

from server.plans.descriptors import SectionDescriptor
from server.plans.importing import Imported, import_file
from server.plans.oddities import PlanError
from server.plans.of_venue import replace_plan, replace_sections
from server.plans.publish import PublishedSeats, published_seats
from server.rest.envelope import Refused, decode_body, ok, read_body, read_raw
from server.rest.finding import venue_called
from server.rest.operations import Operations, Who
from server.rest.organising_events import ImageUrl, Name
from server.rest.shapes import Venue
from server.rest.venues import venue_shape
from server.services import services
from server.statements import sql

operations = Operations("organising")

PLAN_BYTES_MAX = 8 * 1024 * 1024
PLAN_READ_S = 60
ROWS_MAX = 500
SEATS_PER_ROW_MAX = 500
SECTIONS_MAX = 500
SEATS_MAX = 200_000
PRICE_MAX = 1_000_000

Place = Annotated[int, Meta(ge=-1_000, le=1_000)]
Price = Annotated[
    float,
    Meta(ge=0, le=PRICE_MAX, description="In the major unit, with at most two decimals.", examples=[99.5]),
]


class SectionWanted(Struct):
    """A section in numbers; its place is in units of the venue's own grid, the stage at the top, y the level."""

    name: Name
    row_count: Annotated[int, Meta(ge=1, le=ROWS_MAX)]
    seats_per_row: Annotated[int, Meta(ge=1, le=SEATS_PER_ROW_MAX)]
    base_price: Price
    section_type: Literal["vip", "premium", "standard", "economy"] = "standard"
    position_x: Place = 0
    position_y: Place = 0


Sections = Annotated[list[SectionWanted], Meta(max_length=SECTIONS_MAX)]
Capacity = Annotated[int, Meta(ge=0, le=10_000_000)]


class VenueWanted(Struct):
    """A new venue. `capacity` left out is the number of seats in its sections."""

    name: Name
    address: Name
    city: Name
    country: Name
    state: Name | None = None
    capacity: Capacity | None = None
    image_url: ImageUrl | None = None
    sections: Sections = []


class VenueChanges(Struct):
    """What is to be changed of a venue; what is left out stays. Events that have their seats keep them."""

    name: Name | UnsetType = UNSET
    address: Name | UnsetType = UNSET
    city: Name | UnsetType = UNSET
    country: Name | UnsetType = UNSET
    state: Name | UnsetType | None = UNSET
    capacity: Capacity | UnsetType = UNSET
    image_url: ImageUrl | UnsetType | None = UNSET
    sections: Sections | UnsetType = UNSET


class PlanWanted(Struct):
    """A seating plan in pretix's JSON, and what its categories cost."""

    plan: Raw
    prices: dict[str, Price] = {}
    default_price: Price | None = None
    blocked_categories: list[str] = []
    is_strict: bool = False


class OddityFound(Struct):
    """What is odd about a plan."""

    code: str
    count: int
    text: str


class PlanTaken(Struct):
    """What was read from a plan."""

    seats: int
    sections: list[str]
    oddities: list[OddityFound]


@operations.post(
    "/api/v1/venues",
    who=Who.ADMIN,
    body=VenueWanted,
    status=201,
    data=Venue,
    refusals={400: ("bad_price", "bad_sections")},
)
async def create_venue(request: web.Request) -> web.Response:
    """Make a venue, with its sections or without any yet."""
    wanted = await read_body(request, VenueWanted)
    sections = _numbers(wanted.sections)
    capacity = wanted.capacity
    if capacity is None:
        capacity = sum(section.row_count * section.seats_per_row for section in sections)
    parts, venue_id = services(request), uuid4()
    place = wanted.address, wanted.city, wanted.state, wanted.country
    async with parts.database.acquire() as connection, connection.transaction():
        row = (venue_id, wanted.name, *place, capacity, wanted.image_url, parts.now())
        await connection.execute(sql("add_venue"), *row)
        await replace_sections(connection, venue_id, sections, parts.now())
    return ok(venue_shape(await venue_called(parts, str(venue_id))), 201)


@operations.put(
    "/api/v1/venues/{venue_id}",
    who=Who.ADMIN,
    body=VenueChanges,
    data=Venue,
    refusals={400: ("bad_price", "bad_sections"), 404: ("venue_not_found",)},
)
async def update_venue(request: web.Request) -> web.Response:
    """Change a venue. New sections replace the old ones, or its plan, for the events to come."""
    wanted = await read_body(request, VenueChanges)
    sections = None if wanted.sections is UNSET else _numbers(wanted.sections)
    parts = services(request)
    before = await venue_called(parts, request.match_info["venue_id"])
    venue_id = before["id"]
    after = dict(before) | {name: value for name, value in asdict(wanted).items() if value is not UNSET}
    async with parts.database.acquire() as connection, connection.transaction():
        columns = (after[name] for name in ("name", "address", "city", "state", "country", "capacity", "image_url"))
        await connection.execute(sql("update_venue"), venue_id, *columns, parts.now())
        if sections is not None:
            await replace_sections(connection, venue_id, sections, parts.now())
    return ok(venue_shape(await venue_called(parts, str(venue_id))))


@operations.put(
    "/api/v1/venues/{venue_id}/plan",
    who=Who.ADMIN,
    body=PlanWanted,
    data=PlanTaken,
    refusals={400: ("bad_plan", "bad_price"), 404: ("venue_not_found",)},
)
async def import_venue_plan(request: web.Request) -> web.Response:
    """Give the venue a seating plan, in place of its sections, for the events to come."""
    parts = services(request)
    venue_id = (await venue_called(parts, request.match_info["venue_id"]))["id"]
    raw = await read_raw(request, bytes_max=PLAN_BYTES_MAX, patience_s=PLAN_READ_S)
    wanted = decode_body(raw, PlanWanted)
    try:
        imported, seats = await asyncio.to_thread(_read_plan, wanted)
    except PlanError as problem:
        raise Refused(400, str(problem), "bad_plan") from None
    async with parts.database.acquire() as connection, connection.transaction():
        await connection.execute(sql("without_time_limit"))
        await replace_plan(connection, venue_id, imported.seat_map, seats, parts.now())
    names = [section.name for section in imported.seat_map.sections]
    oddities = [OddityFound(one.code, one.count, one.text) for one in imported.oddities]
    return ok(PlanTaken(len(seats.states), names, oddities))


def _read_plan(wanted: PlanWanted) -> tuple[Imported, PublishedSeats]:
    default = wanted.default_price
    imported = import_file(
        bytes(wanted.plan),
        {name: _cents(price) for name, price in wanted.prices.items()},
        default_price_cents=None if default is None else _cents(default),
        blocked_categories=wanted.blocked_categories,
        strict=wanted.is_strict,
    )
    try:
        return imported, published_seats(imported.seat_map)
    except ValueError as problem:
        raise PlanError(str(problem)) from None


def _numbers(sections: list[SectionWanted]) -> list[SectionDescriptor]:
    """The sections as they are stored. Raises Refused (400)."""
    if len({section.name for section in sections}) != len(sections):
        raise Refused(400, "Two sections have one name", "bad_sections")
    if sum(section.row_count * section.seats_per_row for section in sections) > SEATS_MAX:
        raise Refused(400, f"A venue has at most {SEATS_MAX} seats", "bad_sections")
    return [
        SectionDescriptor(
            section.name,
            section.row_count,
            section.seats_per_row,
            _cents(section.base_price),
            section.section_type,
            section.position_x,
            section.position_y,
        )
        for section in sections
    ]


def _cents(amount: float) -> int:
    cents = round(amount * 100)
    if abs(cents - amount * 100) > 1e-6 * max(1.0, abs(amount)):
        raise Refused(400, "A price has at most two decimals", "bad_price")
    return cents

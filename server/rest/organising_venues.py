"""The organiser's part of venues: make and change them, with sections by rows and seats."""

from typing import Annotated, Literal
from uuid import uuid4

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from server.plans.descriptors import SectionDescriptor
from server.plans.of_venue import replace_sections
from server.rest.envelope import Refused, ok, read_body
from server.rest.finding import venue_called
from server.rest.operations import Operations, Who
from server.rest.organising_events import ImageUrl, Name
from server.rest.prices import Price, cents_of
from server.rest.shapes import Venue
from server.rest.venues import venue_shape
from server.services import services
from server.statements import sql
from server.timezones import is_timezone

operations = Operations("organising")

ROWS_MAX = 500
SEATS_PER_ROW_MAX = 500
SECTIONS_MAX = 500
SEATS_MAX = 200_000

Place = Annotated[int, Meta(ge=-1_000, le=1_000)]


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
Timezone = Annotated[str, Meta(min_length=1, max_length=64)]
"""An IANA name."""


class VenueWanted(Struct):
    """A new venue. `capacity` left out is the number of seats in its sections."""

    name: Name
    address: Name
    city: Name
    country: Name
    state: Name | None = None
    capacity: Capacity | None = None
    image_url: ImageUrl | None = None
    timezone: Timezone | None = None
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
    timezone: Timezone | UnsetType | None = UNSET
    sections: Sections | UnsetType = UNSET


@operations.post(
    "/api/v1/venues",
    who=Who.ADMIN,
    body=VenueWanted,
    status=201,
    data=Venue,
    refusals={400: ("bad_price", "bad_sections", "bad_timezone")},
)
async def create_venue(request: web.Request) -> web.Response:
    """Make a venue, with its sections or without any yet."""
    wanted = await read_body(request, VenueWanted)
    _check_timezone(wanted.timezone)
    sections = _numbers(wanted.sections)
    capacity = wanted.capacity
    if capacity is None:
        capacity = sum(section.row_count * section.seats_per_row for section in sections)
    parts, venue_id = services(request), uuid4()
    place = wanted.address, wanted.city, wanted.state, wanted.country
    async with parts.database.acquire() as connection, connection.transaction():
        row = (venue_id, wanted.name, *place, capacity, wanted.image_url, parts.now(), wanted.timezone)
        await connection.execute(sql("add_venue"), *row)
        await replace_sections(connection, venue_id, sections, parts.now())
    return ok(venue_shape(await venue_called(parts, str(venue_id))), 201)


@operations.put(
    "/api/v1/venues/{venue_id}",
    who=Who.ADMIN,
    body=VenueChanges,
    data=Venue,
    refusals={400: ("bad_price", "bad_sections", "bad_timezone"), 404: ("venue_not_found",)},
)
async def update_venue(request: web.Request) -> web.Response:
    """Change a venue. New sections replace the old ones, or its plan, for the events to come."""
    wanted = await read_body(request, VenueChanges)
    sections = None if wanted.sections is UNSET else _numbers(wanted.sections)
    _check_timezone(wanted.timezone)
    parts = services(request)
    before = await venue_called(parts, request.match_info["venue_id"])
    venue_id = before["id"]
    after = dict(before) | {name: value for name, value in asdict(wanted).items() if value is not UNSET}
    async with parts.database.acquire() as connection, connection.transaction():
        columns = (after[name] for name in ("name", "address", "city", "state", "country", "capacity", "image_url"))
        await connection.execute(sql("update_venue"), venue_id, *columns, parts.now(), after["timezone"])
        if sections is not None:
            await replace_sections(connection, venue_id, sections, parts.now())
    return ok(venue_shape(await venue_called(parts, str(venue_id))))


def _check_timezone(timezone: str | UnsetType | None) -> None:
    if timezone and not is_timezone(timezone):
        raise Refused(400, "timezone is no IANA name, such as Europe/London", "bad_timezone")


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
            cents_of(section.base_price),
            section.section_type,
            section.position_x,
            section.position_y,
        )
        for section in sections
    ]

"""Venues and their sections."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg
from aiohttp import web

from server.ids import uuid_or_none
from server.rest.envelope import cents_to_major, iso, ok
from server.rest.finding import no_venue, venue_called
from server.rest.operations import Operations
from server.rest.shapes import Section, Venue
from server.services import services
from server.statements import sql

Row: TypeAlias = asyncpg.Record | Mapping[str, Any]

operations = Operations("venues")

_NOT_FOUND = {404: ("venue_not_found",)}


@operations.get("/api/v1/venues", data=list[Venue], is_revalidated=True)
async def list_venues(request: web.Request) -> web.Response:
    """All venues by name."""
    rows = await services(request).database.fetch(sql("venues"))
    return ok([venue_shape(row) for row in rows])


@operations.get("/api/v1/venues/{venue_id}", data=Venue, refusals=_NOT_FOUND, is_revalidated=True)
async def show_venue(request: web.Request) -> web.Response:
    """One venue."""
    return ok(venue_shape(await venue_called(services(request), request.match_info["venue_id"])))


@operations.get("/api/v1/venues/{venue_id}/sections", data=list[Section], refusals=_NOT_FOUND, is_revalidated=True)
async def list_sections(request: web.Request) -> web.Response:
    """The sections of a venue by position."""
    venue_id = uuid_or_none(request.match_info["venue_id"])
    rows = [] if venue_id is None else await services(request).database.fetch(sql("sections"), venue_id)
    if not rows:
        raise no_venue()
    return ok([_section_shape(row) for row in rows if row["id"] is not None])


def venue_shape(venue: Row) -> Venue:
    """A Venue of the contract, from its row."""
    return Venue(
        id=venue["id"],
        name=venue["name"],
        address=venue["address"],
        city=venue["city"],
        state=venue["state"],
        country=venue["country"],
        capacity=venue["capacity"],
        image_url=venue["image_url"],
        timezone=venue["timezone"],
        created_at=iso(venue["created_at"]),
        updated_at=iso(venue["updated_at"]),
    )


def _section_shape(section: Row) -> Section:
    return Section(
        id=section["id"],
        venue_id=section["venue_id"],
        name=section["name"],
        row_count=section["row_count"],
        seats_per_row=section["seats_per_row"],
        base_price=cents_to_major(section["base_price_cents"]),
        section_type=section["section_type"],
        position_x=section["position_x"],
        position_y=section["position_y"],
        created_at=iso(section["created_at"]),
    )

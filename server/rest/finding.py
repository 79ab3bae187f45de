"""The event or the venue that a path or a body names."""

from uuid import UUID

import asyncpg
from aiohttp import web

from server.ids import uuid_or_none
from server.rest.envelope import Refused
from server.services import Services
from server.statements import sql


def event_id_of(request: web.Request) -> UUID:
    """The id of the event in the path. Raises Refused (404): it can be none."""
    event_id = uuid_or_none(request.match_info["event_id"])
    if event_id is None:
        raise no_event()
    return event_id


async def venue_called(parts: Services, text: str) -> asyncpg.Record:
    """The venue with this id, as a row. Raises Refused (404)."""
    venue_id = uuid_or_none(text)
    row = None if venue_id is None else await parts.database.fetchrow(sql("venue"), venue_id)
    if row is None:
        raise no_venue()
    return row


def no_event() -> Refused:
    """There is no such event."""
    return Refused(404, "Event not found", "event_not_found")


def no_venue() -> Refused:
    """There is no such venue."""
    return Refused(404, "Venue not found", "venue_not_found")

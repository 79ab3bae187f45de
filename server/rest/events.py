"""Events: the list with its filters, and one event."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from server.rest.envelope import iso, ok, ok_again, ok_body, read_query
from server.rest.finding import event_id_of, no_event
from server.rest.moments import DayOrMoment, day_or_moment
from server.rest.operations import Operations
from server.rest.shapes import Event, EventCategory, EventStatus, Page
from server.rest.venues import Row, venue_shape
from server.services import Services, services
from server.statements import sql

LIMIT_DEFAULT = 10
LIMIT_MAX = 100
PAGE_MAX = 10**15 - 1
TEXT_CHARS_MAX = 200

operations = Operations("events")

Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]


class EventQuery(Struct, frozen=True, rename={"from_": "from"}):
    """Which events are wanted. `search` looks in name, artist and venue; `venue` is an id or part of a name.

    `city` is the whole name of one, in any case.
    """

    category: EventCategory | UnsetType = UNSET
    status: EventStatus | UnsetType = UNSET
    search: Text | UnsetType = UNSET
    artist: Text | UnsetType = UNSET
    venue: Text | UnsetType = UNSET
    city: Text | UnsetType = UNSET
    from_: DayOrMoment | UnsetType = UNSET
    to: DayOrMoment | UnsetType = UNSET
    page: Annotated[int, Meta(ge=1, le=PAGE_MAX)] = 1
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT


@operations.get("/api/v1/events", query=EventQuery, data=list[Event], beside=Page, is_revalidated=True)
async def list_events(request: web.Request) -> web.Response:
    """One page of the events that match, by date, then id."""
    query, parts = read_query(request, EventQuery), services(request)
    return ok_again(await parts.event_lists.answer(query, lambda: _list(parts, query)))


@operations.get("/api/v1/events/{event_id}", data=Event, refusals={404: ("event_not_found",)}, is_revalidated=True)
async def show_event(request: web.Request) -> web.Response:
    """One event."""
    return ok(await stored_event(services(request), event_id_of(request)))


async def stored_event(parts: Services, event_id: UUID) -> Event:
    """The event as it is stored now. Raises Refused (404)."""
    row = await parts.database.fetchrow(sql("event"), parts.now(), event_id)
    if row is None:
        raise no_event()
    return event_shape(row)


def event_shape(event: Row) -> Event:
    """An Event of the contract, from a row of the statements `events` or `event`."""
    return Event(
        id=event["id"],
        name=event["name"],
        description=event["description"],
        venue_id=event["venue_id"],
        artist=event["artist"],
        category=event["category"],
        event_date=iso(event["event_at"]),
        on_sale_date=iso(event["on_sale_at"]),
        status=event["status"],
        total_capacity=event["seat_count"],
        available_seats=event["available"],
        image_url=event["image_url"],
        currency=event["currency"],
        waiting_room_enabled=event["waiting_room_enabled"],
        waiting_room_mode=event["waiting_room_mode"],
        max_concurrent_shoppers=event["max_concurrent_shoppers"],
        admit_per_minute=event["admit_per_minute"],
        waiting_room_verified_email=event["waiting_room_verified_email"],
        max_tickets_per_user=event["max_tickets_per_user"],
        orphan_rule=event["orphan_rule"],
        created_at=iso(event["created_at"]),
        updated_at=iso(event["updated_at"]),
        venue=venue_shape(_venue_of(event)),
    )


async def _list(parts: Services, query: EventQuery) -> bytes:
    page, limit = query.page, query.limit
    paging = limit, (page - 1) * limit
    rows = await parts.database.fetch(sql("events"), parts.now(), *_filters(query), *paging, _trimmed(query.city))
    total = rows[0]["total"]
    data = [event_shape(row) for row in rows if row["id"] is not None]
    return ok_body(data, Page(total, page, limit, total_pages=-(-total // limit)))


def _venue_of(event: Row) -> dict[str, Any]:
    same = {name: event[name] for name in ("address", "city", "state", "country", "timezone", "capacity")}
    other = {name: event[f"venue_{name}"] for name in ("id", "name", "image_url", "created_at", "updated_at")}
    return same | other


def _filters(query: EventQuery) -> tuple[str | datetime | None, ...]:
    """The filters in the order of the statement; None lets everything pass."""
    return (
        None if query.category is UNSET else query.category,
        None if query.status is UNSET else query.status,
        _trimmed(query.search),
        _trimmed(query.artist),
        _trimmed(query.venue),
        None if query.from_ is UNSET else day_or_moment("from", query.from_)[0],
        None if query.to is UNSET else day_or_moment("to", query.to)[1],
    )


def _trimmed(text: str | UnsetType) -> str | None:
    return None if text is UNSET else text.strip() or None

"""The organiser's part of events: make, change, open, close, and give them their seats."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID, uuid4

import asyncpg
from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from actors.core import model
from actors.core.model import Stage, Status
from actors.core.verdict import Asked, ChangeTerms
from server.door.who_asks import admin
from server.plans.of_venue import seats_of_venue
from server.plans.publish import Connection, PublishedSeats, SeatsExist, publish
from server.rest.asking import COMMAND_REFUSALS, ask, new_command_id
from server.rest.envelope import Refused, ok, read_body
from server.rest.events import stored_event
from server.rest.finding import event_id_of, no_event, venue_called
from server.rest.moments import WrittenMoment, moment
from server.rest.operations import Operations, Who
from server.rest.shapes import Event, EventCategory, EventStatus, OrphanRule, Said, WaitingRoomMode
from server.services import Services, services
from server.statements import sql

operations = Operations("organising")

NAME_CHARS_MAX = 200
TEXT_CHARS_MAX = 10_000
URL_CHARS_MAX = 2_000
TICKETS_MAX = 1_000
SHOPPERS_MAX = 1_000_000
PER_MINUTE_MAX = 1_000_000

Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX, pattern=r"\S")]
ImageUrl = Annotated[str, Meta(max_length=URL_CHARS_MAX, pattern=r"^https?://\S+$")]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", examples=["USD"])]
Shoppers = Annotated[int, Meta(ge=1, le=SHOPPERS_MAX)]
PerMinute = Annotated[int, Meta(ge=0, le=PER_MINUTE_MAX)]
Tickets = Annotated[int, Meta(ge=1, le=TICKETS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]

_STAGES = {
    Status.UPCOMING: Stage.SCHEDULED,
    Status.ON_SALE: Stage.ON_SALE,
    Status.COMPLETED: Stage.COMPLETED,
    Status.CANCELLED: Stage.CANCELLED,
}
_BOUND_BY_SEATS = ("venue_id", "currency")
_ROOM = ("waiting_room_enabled", "waiting_room_mode", "max_concurrent_shoppers", "admit_per_minute")
_TERMS = ("stage", "on_sale_at", "event_at", "max_tickets_per_user", "orphan_rule", *_ROOM)
_DESCRIBED = (
    *("name", "description", "venue_id", "artist", "category", "image_url", "currency"),
    "waiting_room_verified_email",
)
_EPOCH = datetime.fromtimestamp(0, UTC)
_MS = timedelta(milliseconds=1)


class EventWanted(Struct):
    """A new event. Its seats are made from the venue's plan or sections."""

    name: Name
    venue_id: str
    category: EventCategory
    event_date: WrittenMoment
    on_sale_date: WrittenMoment
    description: Text = ""
    artist: Name | None = None
    image_url: ImageUrl | None = None
    currency: Currency = "USD"
    waiting_room_enabled: bool = False
    waiting_room_mode: WaitingRoomMode = "draw"
    max_concurrent_shoppers: Shoppers = 500
    admit_per_minute: PerMinute = 0
    waiting_room_verified_email: bool = False
    max_tickets_per_user: Tickets = 4
    orphan_rule: OrphanRule = "warn"


class EventChanges(Struct, omit_defaults=True):
    """What is to be changed of an event; what is left out stays. The venue and the currency follow the seats."""

    name: Name | UnsetType = UNSET
    venue_id: str | UnsetType = UNSET
    category: EventCategory | UnsetType = UNSET
    event_date: WrittenMoment | UnsetType = UNSET
    on_sale_date: WrittenMoment | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    artist: Name | UnsetType = UNSET
    image_url: ImageUrl | UnsetType | None = UNSET
    currency: Currency | UnsetType = UNSET
    waiting_room_enabled: bool | UnsetType = UNSET
    waiting_room_mode: WaitingRoomMode | UnsetType = UNSET
    max_concurrent_shoppers: Shoppers | UnsetType = UNSET
    admit_per_minute: PerMinute | UnsetType = UNSET
    waiting_room_verified_email: bool | UnsetType = UNSET
    max_tickets_per_user: Tickets | UnsetType = UNSET
    orphan_rule: OrphanRule | UnsetType = UNSET


class StatusWanted(Struct):
    """`sold_out` follows from the seats, and cannot be asked for."""

    status: EventStatus


@operations.post(
    "/api/v1/events",
    who=Who.ADMIN,
    body=EventWanted,
    status=201,
    data=Event,
    refusals={400: ("bad_dates",), 404: ("venue_not_found",)},
)
async def create_event(request: web.Request) -> web.Response:
    """Make an event with its seats; without any if its venue has neither a plan nor sections yet."""
    wanted = await read_body(request, EventWanted)
    event_at, on_sale_at = moment("event_date", wanted.event_date), moment("on_sale_date", wanted.on_sale_date)
    _check_dates(event_at, on_sale_at)
    parts, event_id = services(request), uuid4()
    venue_id = (await venue_called(parts, wanted.venue_id))["id"]
    seats = await seats_of_venue(parts.database, venue_id, wanted.currency)
    row = (
        *(event_id, wanted.name.strip(), wanted.description, venue_id, (wanted.artist or wanted.name).strip()),
        *(wanted.category, event_at, on_sale_at, wanted.currency, wanted.waiting_room_enabled),
        *(wanted.max_concurrent_shoppers, wanted.max_tickets_per_user, wanted.image_url, parts.now()),
        *(
            wanted.orphan_rule,
            wanted.waiting_room_mode,
            wanted.admit_per_minute,
            wanted.waiting_room_verified_email,
        ),
    )
    async with parts.database.acquire() as connection, connection.transaction():
        await connection.execute(sql("without_time_limit"))
        await connection.execute(sql("add_event"), *row)
        if seats is not None:
            await publish(connection, event_id, seats, parts.now())
    return ok(await stored_event(parts, event_id), 201)


@operations.put(
    "/api/v1/events/{event_id}",
    who=Who.ADMIN,
    body=EventChanges,
    data=Event,
    refusals={
        **COMMAND_REFUSALS,
        400: ("bad_dates",),
        404: ("event_not_found", "venue_not_found"),
        409: ("seats_exist",),
    },
)
async def update_event(request: web.Request) -> web.Response:
    """Change an event. Whoever holds or has bought seats keeps them; later commands are judged by the new terms."""
    session = await admin(request)
    wanted = await read_body(request, EventChanges)
    parts, event_id = services(request), event_id_of(request)
    given = await _columns(parts, wanted)
    async with parts.database.acquire() as connection, connection.transaction():
        before = await _to_change(connection, event_id)
        after = _changed(before, given)
    # The terms first: whoever is told that they could not be changed has changed nothing.
    await _set_terms(parts, session.customer_id, event_id, before, after)
    async with parts.database.acquire() as connection, connection.transaction():
        after = _changed(await _to_change(connection, event_id), given)
        await connection.execute(sql("update_event"), event_id, *(after[name] for name in _DESCRIBED), parts.now())
    return ok(await stored_event(parts, event_id))


@operations.patch(
    "/api/v1/events/{event_id}/status",
    who=Who.ADMIN,
    body=StatusWanted,
    data=Said,
    refusals={**COMMAND_REFUSALS, 404: ("event_not_found",), 409: ("status_follows",)},
)
async def set_status(request: web.Request) -> web.Response:
    """Open the sale at once, close it, call the event off, or go back to its dates."""
    session = await admin(request)
    status = Status((await read_body(request, StatusWanted, "Invalid status")).status)
    parts, event_id = services(request), event_id_of(request)
    async with parts.database.acquire() as connection, connection.transaction():
        before = await _to_change(connection, event_id)
    after = dict(before) | {"stage": _stage(status, before, parts.now())}
    await _set_terms(parts, session.customer_id, event_id, before, after)
    return ok(Said("Status updated"))


@operations.post(
    "/api/v1/events/{event_id}/generate-seats",
    who=Who.ADMIN,
    data=Said,
    refusals={400: ("no_sections",), 404: ("event_not_found",), 409: ("event_changed", "seats_exist")},
)
async def generate_seats(request: web.Request) -> web.Response:
    """Make the seats of an event that was made before its venue had any."""
    parts, event_id = services(request), event_id_of(request)
    async with parts.database.acquire() as connection, connection.transaction():
        event = await _to_change(connection, event_id)
    if event["seat_count"]:
        raise _seats_exist()
    seats = await seats_of_venue(parts.database, event["venue_id"], event["currency"])
    if seats is None:
        raise Refused(400, "The venue has neither a plan nor sections", "no_sections")
    count = await _publish(parts, event_id, event, seats)
    return ok(Said(f"Generated {count} seats for event"))


async def _publish(parts: Services, event_id: UUID, event: asyncpg.Record, seats: PublishedSeats) -> int:
    """Make the seats that were made ready for the event as it was read. Raises Refused (409)."""
    async with parts.database.acquire() as connection, connection.transaction():
        await connection.execute(sql("without_time_limit"))
        now = await _to_change(connection, event_id)
        if any(now[name] != event[name] for name in _BOUND_BY_SEATS):
            raise Refused(409, "The event was changed meanwhile, try again", "event_changed")
        try:
            return await publish(connection, event_id, seats, parts.now())
        except SeatsExist:
            raise _seats_exist() from None


async def _columns(parts: Services, wanted: EventChanges) -> dict[str, Any]:
    """What is to be changed, as columns. Raises Refused (400, 404)."""
    given = {name: value for name, value in asdict(wanted).items() if value is not UNSET}
    for name, column in (("event_date", "event_at"), ("on_sale_date", "on_sale_at")):
        if name in given:
            given[column] = moment(name, given.pop(name))
    for name in ("name", "artist"):
        if name in given:
            given[name] = given[name].strip()
    if "venue_id" in given:
        given["venue_id"] = (await venue_called(parts, given["venue_id"]))["id"]
    return given


async def _set_terms(
    parts: Services, by: UUID, event_id: UUID, before: asyncpg.Record, after: dict[str, Any]
) -> None:
    """Make the terms of the sale these: by its seat manager, if the event has seats."""
    changed = {name: after[name] for name in _TERMS if after[name] != before[name]}
    if not changed:
        return
    if not before["seat_count"]:
        terms = (after[name] for name in _TERMS)
        if await parts.database.fetchval(sql("set_terms"), event_id, *terms, parts.now()) is not None:
            return
    command = ChangeTerms(
        new_command_id(),
        stage=Stage(changed["stage"]) if "stage" in changed else None,
        on_sale_at_ms=(changed["on_sale_at"] - _EPOCH) // _MS if "on_sale_at" in changed else None,
        event_at_ms=(changed["event_at"] - _EPOCH) // _MS if "event_at" in changed else None,
        max_tickets_per_user=changed.get("max_tickets_per_user"),
        orphan_rule=model.OrphanRule(changed["orphan_rule"]) if "orphan_rule" in changed else None,
        queue_mode=_queue_mode(after) if changed.keys() & set(_ROOM) else None,
        max_concurrent_shoppers=changed.get("max_concurrent_shoppers"),
        admit_per_minute=changed.get("admit_per_minute"),
    )
    await ask(parts, str(event_id), Asked(str(by), command))


def _queue_mode(event: dict[str, Any]) -> model.QueueMode:
    is_on = event["waiting_room_enabled"]
    return model.QueueMode(event["waiting_room_mode"]) if is_on else model.QueueMode.OFF


def _changed(event: asyncpg.Record, given: dict[str, Any]) -> dict[str, Any]:
    """The event with these columns. Raises Refused (400, 409)."""
    after = dict(event) | given
    _check_dates(after["event_at"], after["on_sale_at"])
    if event["seat_count"] and any(after[name] != event[name] for name in _BOUND_BY_SEATS):
        raise Refused(409, "The event has its seats: its venue and currency stay", "seats_exist")
    return after


def _stage(status: Status, event: asyncpg.Record, now: datetime) -> Stage:
    """The stage in which the event has this status. Raises Refused (409): no stage gives it."""
    if status is Status.SOLD_OUT:
        raise Refused(409, "sold_out follows from the seats and cannot be set", "status_follows")
    if status in (Status.UPCOMING, Status.ON_SALE) and event["event_at"] <= now:
        raise Refused(409, "The event is over; move event_date first", "status_follows")
    if status is Status.UPCOMING and event["on_sale_at"] <= now:
        raise Refused(409, "The sale has begun; move on_sale_date first", "status_follows")
    return _STAGES[status]


def _check_dates(event_at: datetime, on_sale_at: datetime) -> None:
    if on_sale_at >= event_at:
        raise Refused(400, "on_sale_date must be before event_date", "bad_dates")


async def _to_change(connection: Connection, event_id: UUID) -> asyncpg.Record:
    row = await connection.fetchrow(sql("event_to_change"), event_id)
    if row is None:
        raise no_event()
    return row


def _seats_exist() -> Refused:
    return Refused(409, "Seats already exist for this event", "seats_exist")

"""The sample data: four venues, eight events with their seats, and an administrator."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

from msgspec.structs import replace

from actors.core.model import OrphanRule
from protocol.seat_map import Row, SeatMap
from server.demo_data import ADMIN_EMAIL, ADMIN_NAME, EVENTS, VENUES, DemoEvent, DemoVenue
from server.plans.bowl import bowl
from server.plans.publish import Connection, PublishedSeats, SeatsExist, publish, published_seats
from server.statements import sql

_IDS = UUID("1f0a6a0e-6f0c-4b57-9d3e-0f4f8a1b7c55")
"""The ids that the demo makes up follow from this one, so that making it again makes nothing new."""
_PASSWORD_BYTES = 12
_ROWS_OF_A_LARGE_SECTION = 10


class Seeded(NamedTuple):
    """What was made. `admin_password` is to be shown once: it is set only when it was made up just now."""

    admin_password: str | None
    events_made: int


async def seed(
    connection: Connection,
    now: datetime,
    hash_password: Callable[[str], Awaitable[str]],
    admin_password: str | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Seeded:
    """Make what is missing of the demo; what is there stays as it is.

    Safe at every start, when an earlier one was killed midway, and when two processes start at once: each event
    appears together with its seats. An `admin_password` given is applied each time, to an administrator's account
    only.
    """
    made = 0
    there = await connection.fetch(sql("events_with_seats"), [event.id for event in EVENTS])
    missing = {event.id for event in EVENTS} - {row["id"] for row in there}
    for venue in VENUES:
        wanted = [event for event in EVENTS if event.id in missing and event.venue_id == venue.id]
        if wanted:
            progress(f"{venue.name}: {', '.join(event.name for event in wanted)}")
            seats = await asyncio.to_thread(
                published_seats, _with_wheelchair_places(bowl(venue.name, venue.sections))
            )
            made += sum([await _make_event(connection, venue, event, seats, now) for event in wanted])
    return Seeded(await _admin(connection, now, hash_password, admin_password), made)


def _with_wheelchair_places(seat_map: SeatMap) -> SeatMap:
    """The map with a wheelchair place and a companion seat at both ends of the last row of every large section."""
    return replace(
        seat_map,
        sections=tuple(
            replace(section, rows=(*section.rows[:-1], _with_places_at_its_ends(section.rows[-1])))
            if len(section.rows) >= _ROWS_OF_A_LARGE_SECTION
            else section
            for section in seat_map.sections
        ),
    )


def _with_places_at_its_ends(row: Row) -> Row:
    last = row.seats - 1
    return replace(row, accessible=(0, last), companion=(1, last - 1))


async def _make_event(
    connection: Connection, venue: DemoVenue, event: DemoEvent, seats: PublishedSeats, now: datetime
) -> bool:
    async with connection.transaction():
        await connection.execute(sql("wait_for_locks"))
        await _add_venue(connection, venue, now)
        await connection.execute(
            sql("add_event"),
            event.id,
            event.name,
            event.description,
            event.venue_id,
            event.artist,
            event.category,
            _half_hour(now + event.event_in),
            now + event.on_sale_in,
            "USD",
            event.waiting_room,
            event.shoppers_max,
            event.tickets_max,
            None,
            now,
            OrphanRule.WARN,
            event.waiting_room_mode,
            0,
            False,
        )
        try:
            await publish(connection, event.id, seats, now)
        except SeatsExist:  # another process was faster
            return False
    return True


async def _add_venue(connection: Connection, venue: DemoVenue, now: datetime) -> None:
    await connection.execute(
        sql("add_venue"),
        venue.id,
        venue.name,
        venue.address,
        venue.city,
        venue.state,
        venue.country,
        venue.capacity,
        None,
        now,
        venue.timezone,
    )
    await connection.executemany(
        sql("add_section"),
        [(uuid5(_IDS, f"{venue.id} {s.name}"), venue.id, *s, now) for s in venue.sections],
    )


def _half_hour(moment: datetime) -> datetime:
    """The full or half hour nearest to it: no show begins at 19:07."""
    later = moment + timedelta(minutes=15)
    return later.replace(minute=later.minute // 30 * 30, second=0, microsecond=0)


async def _admin(
    connection: Connection,
    now: datetime,
    hash_password: Callable[[str], Awaitable[str]],
    password: str | None,
) -> str | None:
    """Make the administrator's account, or give it the password; answer the one that was made up."""
    if not password and await connection.fetchval(sql("customer_by_email"), ADMIN_EMAIL):
        return None
    chosen = password or secrets.token_urlsafe(_PASSWORD_BYTES)
    hashed = await hash_password(chosen)
    admin_id = uuid5(_IDS, ADMIN_EMAIL)
    added = await connection.fetchval(sql("add_admin"), admin_id, ADMIN_EMAIL, ADMIN_NAME, hashed, now)
    if added is None and password:
        await connection.execute(sql("set_admin_password"), ADMIN_EMAIL, hashed)
    return chosen if added and not password else None

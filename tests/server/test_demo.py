"""The demo: what the contract lists is there, once, however often and with whatever interruptions it is made."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from protocol.seat_map import decode_map, places
from server.demo import seed
from server.demo_data import ADMIN_EMAIL, EVENTS
from server.plans import publish as publishing
from tests.rows import add_customer

UNLIMITED = "SET idle_in_transaction_session_timeout = 0; SET transaction_timeout = 0"
"""As the connection that makes the demo at a server's start."""
NOW = datetime(2031, 5, 1, 12, 7, 33, tzinfo=UTC)
EVENT_ID = "550e8400-e29b-41d4-a716-4466554402{:02}"
VENUE_ID = "550e8400-e29b-41d4-a716-44665544000{}"

DAY = timedelta(days=1)

# number: name, artist, category, venue, days to the event, days to the sale, waiting room, tickets, seats
LISTED = {
    1: ("Taylor Swift | The Eras Tour", "Taylor Swift", "concert", 1, 45, 1, True, 4, 5150),
    2: ("Coldplay | Music of the Spheres World Tour", "Coldplay", "concert", 2, 30, -5, False, 6, 3750),
    3: ("Lakers vs Celtics - NBA Finals", "NBA", "sports", 3, 60, 10, True, 4, 2985),
    4: ("Dave Chappelle - Live Comedy", "Dave Chappelle", "comedy", 4, 20, -10, False, 4, 4250),
    5: ("The Weeknd | After Hours Tour", "The Weeknd", "concert", 1, 75, 20, True, 4, 5150),
    6: ("Hamilton - The Musical", "Lin-Manuel Miranda", "theater", 2, 90, 30, True, 4, 3750),
}

# number: name, address, city, state, country, capacity, sections
LISTED_VENUES = {
    1: ("Madison Square Garden", "4 Pennsylvania Plaza", "New York", "NY", "USA", 20789, 12),
    2: ("The O2 Arena", "Peninsula Square", "London", None, "UK", 20000, 7),
    3: ("Staples Center", "1111 S Figueroa St", "Los Angeles", "CA", "USA", 18997, 7),
    4: ("Red Rocks Amphitheatre", "18300 W Alameda Pkwy", "Morrison", "CO", "USA", 9525, 4),
}


async def hashed(password: str) -> str:
    return f"hash of {password}"


async def make(database: asyncpg.Pool, now: datetime = NOW, password: str | None = None) -> Any:
    async with database.acquire() as connection:
        await connection.execute(UNLIMITED)
        return await seed(connection, now, hashed, password)


async def counts(database: asyncpg.Pool) -> dict[str, int]:
    tables = "venue", "section", "event", "event_head", "place", "seat", "seat_map", "customer"
    return {table: await database.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_the_listed_venues_and_events_are_there(database: asyncpg.Pool) -> None:
    await make(database)
    for number, (*columns, sections) in LISTED_VENUES.items():
        (venue,) = await database.fetch("SELECT * FROM venue WHERE id = $1", VENUE_ID.format(number))
        assert [venue[key] for key in ("name", "address", "city", "state", "country", "capacity")] == columns
        assert await database.fetchval("SELECT count(*) FROM section WHERE venue_id = $1", venue["id"]) == sections
    for number, (name, artist, category, venue_number, days, sale_days, room, tickets, seats) in LISTED.items():
        (event,) = await database.fetch("SELECT * FROM event WHERE id = $1", EVENT_ID.format(number))
        assert (event["name"], event["artist"], event["category"]) == (name, artist, category)
        assert str(event["venue_id"]) == VENUE_ID.format(venue_number)
        assert abs(event["event_at"] - NOW - days * DAY) <= timedelta(minutes=15)
        assert event["event_at"].minute in (0, 30)
        assert event["on_sale_at"] == NOW + sale_days * DAY
        assert (event["waiting_room_enabled"], event["max_tickets_per_user"]) == (room, tickets)
        assert (event["stage"], event["seat_count"]) == ("scheduled", seats)
        assert event["description"]


async def test_every_event_has_its_seats_and_its_map(database: asyncpg.Pool) -> None:
    await make(database)
    for event in await database.fetch(
        "SELECT e.*, h.available FROM event e JOIN event_head h ON h.event_id = e.id"
    ):
        body = await database.fetchval("SELECT body FROM seat_map WHERE sha256 = $1", event["map_sha256"])
        seat_map = decode_map(body)
        count = await database.fetchval("SELECT count(*) FROM seat WHERE event_id = $1", event["id"])
        assert count == event["seat_count"] == event["available"] == sum(1 for _ in places(seat_map))
    assert (await counts(database))["seat_map"] == 4


async def test_there_are_wheelchair_places_with_a_companion_seat_beside_each(database: asyncpg.Pool) -> None:
    await make(database)
    body = await database.fetchval(
        "SELECT body FROM seat_map JOIN event ON map_sha256 = sha256 WHERE id = $1", EVENT_ID.format("02")
    )
    sections = {section.name: section for section in decode_map(body).sections}
    assert sections["Floor"].rows[-1].accessible == (0, 29)
    assert sections["Floor"].rows[-1].companion == (1, 28)
    assert not any(row.accessible for row in sections["Floor"].rows[:-1])
    in_the_shop = await database.fetchval(
        "SELECT count(*) FROM place WHERE event_id = $1 AND accessible", EVENT_ID.format("02")
    )
    assert in_the_shop == 2 * len(sections)


async def test_sections_keep_price_tier_and_position(database: asyncpg.Pool) -> None:
    await make(database)
    rows = await database.fetch(
        "SELECT name, row_count, seats_per_row, base_price_cents, section_type, position_x, position_y"
        "  FROM section WHERE venue_id = $1 ORDER BY position_y, position_x, name",
        VENUE_ID.format(1),
    )
    assert tuple(rows[0]) == ("Floor A", 10, 20, 350_00, "vip", 0, 0)
    assert tuple(rows[1]) == ("Floor B", 10, 20, 300_00, "premium", 0, 1)
    assert tuple(rows[2]) == ("Section 101", 20, 25, 200_00, "standard", -2, 2)
    assert tuple(rows[-1]) == ("Upper 205", 15, 30, 100_00, "economy", 2, 3)


def test_two_more_events_are_for_trying_things() -> None:
    queue, soon = EVENTS[6:]
    assert (queue.waiting_room, queue.shoppers_max) == (True, 3)
    assert queue.on_sale_in < timedelta(0) < queue.event_in
    assert soon.on_sale_in == timedelta(minutes=1)
    assert "comedy" not in (queue.category, soon.category)


async def test_a_second_start_changes_nothing(database: asyncpg.Pool) -> None:
    first = await make(database)
    before = await counts(database)
    events = await database.fetch("SELECT * FROM event ORDER BY id")
    second = await make(database, NOW + 3 * DAY)
    assert (first.events_made, second.events_made) == (8, 0)
    assert second.admin_password is None
    assert await counts(database) == before
    assert await database.fetch("SELECT * FROM event ORDER BY id") == events


async def test_a_start_that_was_killed_midway_is_completed(
    database: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = publishing.publish

    async def dies_at_the_third(connection: Any, event_id: Any, seats: Any, now: datetime) -> int:
        if await connection.fetchval("SELECT count(*) FROM event WHERE seat_count > 0") == 2:
            raise ConnectionResetError
        return await whole(connection, event_id, seats, now)

    with monkeypatch.context() as patch:
        patch.setattr("server.demo.publish", dies_at_the_third)
        with pytest.raises(ConnectionResetError):
            await make(database)
    assert await database.fetchval("SELECT count(*) FROM event WHERE seat_count = 0") == 0
    assert (await counts(database))["event"] == 2
    made = await make(database, NOW + DAY)
    assert made.events_made == 6
    assert made.admin_password is not None
    assert (await counts(database))["event"] == 8


async def test_two_processes_that_start_at_once_make_one_demo(database: asyncpg.Pool) -> None:
    one, other = await asyncio.gather(make(database), make(database))
    assert one.events_made + other.events_made == 8
    assert [one.admin_password, other.admin_password].count(None) == 1
    assert (await counts(database))["event"] == 8


async def test_the_admins_password_is_made_up_and_told_once(database: asyncpg.Pool) -> None:
    seeded = await make(database)
    (admin,) = await database.fetch("SELECT * FROM customer WHERE email = $1", ADMIN_EMAIL)
    assert admin["role"] == "admin"
    assert admin["password_hash"] == await hashed(seeded.admin_password)
    assert len(seeded.admin_password) >= 16


async def test_a_password_given_is_applied_at_every_start_and_not_told(database: asyncpg.Pool) -> None:
    for password in ("first of them", "second of them"):
        assert (await make(database, password=password)).admin_password is None
        stored = await database.fetchval("SELECT password_hash FROM customer WHERE email = $1", ADMIN_EMAIL)
        assert stored == await hashed(password)
    assert (await make(database)).admin_password is None


async def test_a_customer_who_took_the_admins_address_gets_nothing(database: asyncpg.Pool) -> None:
    await add_customer(database, email=ADMIN_EMAIL.upper(), password_hash="theirs")
    assert (await make(database, password="the admin's")).admin_password is None
    (row,) = await database.fetch("SELECT role, password_hash FROM customer")
    assert tuple(row) == ("user", "theirs")

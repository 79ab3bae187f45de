"""The seats of an event: all of them at once, and only once."""

from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg
import pytest
from msgspec import structs

from protocol.seat_map import SeatMap, decode_map, places
from server.demo_data import MADISON_SQUARE_GARDEN
from server.plans.bowl import bowl
from server.plans.descriptors import SectionDescriptor
from server.plans.publish import EventUnknown, SeatsExist, make_seats
from tests.rows import SOME_TIME, add_venue

AN_EVENT = """
INSERT INTO event (id, name, venue_id, artist, category, event_at, on_sale_at, created_at, updated_at)
VALUES (gen_random_uuid(), 'The Show', $1, 'The Band', 'concert', $2, $2, $2, $2) RETURNING id"""


def small_map() -> SeatMap:
    """Two sections of 6 and 4 seats: for a companion, blocked, with wheelchair access, and others."""
    seat_map = bowl(
        "Hall",
        [
            SectionDescriptor("Floor", 2, 3, 50_00, "vip", 0, 0),
            SectionDescriptor("Stand", 1, 4, 20_50, "economy", 0, 1),
        ],
    )
    floor, stand = seat_map.sections
    front, *others = floor.rows
    floor = structs.replace(
        floor, rows=(structs.replace(front, blocked=(1,), accessible=(2,), companion=(0,)), *others)
    )
    return structs.replace(seat_map, sections=(floor, stand))


async def new_event(database: asyncpg.Pool) -> UUID:
    event_id = await database.fetchval(AN_EVENT, await add_venue(database), SOME_TIME)
    assert isinstance(event_id, UUID)
    return event_id


async def test_an_event_gets_its_seats(database: asyncpg.Pool) -> None:
    event_id, seat_map = await new_event(database), small_map()
    async with database.acquire() as connection:
        assert await make_seats(connection, event_id, seat_map, SOME_TIME) == 10
    rows = await database.fetch("SELECT * FROM place WHERE event_id = $1 ORDER BY seat_index", event_id)
    for index, (row, place) in enumerate(zip(rows, places(seat_map), strict=True)):
        assert row["seat_index"] == index
        assert (row["section"], row["row_label"], row["seat_number"]) == place[:3]
        assert (row["price_tier"], row["price_cents"]) == (place.category.price_tier, place.category.price_cents)
        assert (row["run"], row["accessible"], row["companion"]) == (place.run, place.accessible, place.companion)
        expected = ((place.x - seat_map.focal[0]) ** 2 + (place.y - seat_map.focal[1]) ** 2) ** 0.5
        assert row["distance"] == pytest.approx(expected, rel=1e-5)
    states = await database.fetch(
        "SELECT state, holder FROM seat WHERE event_id = $1 ORDER BY seat_index", event_id
    )
    assert [row["state"] for row in states] == [0, 3, *[0] * 8]
    assert {row["holder"] for row in states} == {None}


async def test_the_head_begins_a_history_of_its_own(database: asyncpg.Pool) -> None:
    event_ids = [await new_event(database) for _ in range(2)]
    async with database.acquire() as connection:
        for event_id in event_ids:
            await make_seats(connection, event_id, small_map(), SOME_TIME)
    one, other = await database.fetch("SELECT * FROM event_head WHERE event_id = ANY($1::uuid[])", event_ids)
    timeline = await database.fetchval("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)")
    for head in (one, other):
        assert (head["owner"], head["term"], head["revision"], head["timeline"]) == (None, 0, 0, timeline)
        assert (head["available"], head["held"]) == (9, 0)
    assert len({one["epoch"], other["epoch"], ""}) == 3


async def test_the_same_map_is_stored_once_and_known_by_its_hash(database: asyncpg.Pool) -> None:
    event_ids = [await new_event(database) for _ in range(2)]
    async with database.acquire() as connection:
        for event_id in event_ids:
            await make_seats(connection, event_id, small_map(), SOME_TIME)
    (stored,) = await database.fetch("SELECT * FROM seat_map")
    assert stored["sha256"] == sha256(stored["body"]).hexdigest()
    assert decode_map(stored["body"]) == small_map()
    events = await database.fetch("SELECT seat_count, map_sha256 FROM event")
    assert {tuple(event) for event in events} == {(10, stored["sha256"])}


async def test_seats_are_made_once(database: asyncpg.Pool) -> None:
    event_id = await new_event(database)
    async with database.acquire() as connection:
        await make_seats(connection, event_id, small_map(), SOME_TIME)
        with pytest.raises(SeatsExist):
            await make_seats(connection, event_id, small_map(), SOME_TIME)
    assert await database.fetchval("SELECT count(*) FROM seat") == 10


async def test_an_unknown_event_gets_nothing(database: asyncpg.Pool) -> None:
    async with database.acquire() as connection:
        with pytest.raises(EventUnknown):
            await make_seats(connection, uuid4(), small_map(), SOME_TIME)
    assert await database.fetchval("SELECT count(*) FROM seat_map") == 0


async def test_a_map_without_seats_is_refused(database: asyncpg.Pool) -> None:
    event_id = await new_event(database)
    async with database.acquire() as connection:
        with pytest.raises(ValueError, match="no seats"):
            await make_seats(connection, event_id, structs.replace(small_map(), sections=()), SOME_TIME)


async def test_what_fails_midway_leaves_nothing(database: asyncpg.Pool) -> None:
    event_id = await new_event(database)
    await database.execute("INSERT INTO event_head (event_id, epoch, timeline) VALUES ($1, 'e', '1')", event_id)
    async with database.acquire() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await make_seats(connection, event_id, small_map(), SOME_TIME)
    for table in ("seat_map", "place", "seat"):
        assert await database.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_twenty_thousand_seats_are_made_at_once(database: asyncpg.Pool) -> None:
    seat_map = bowl("Large", [s._replace(row_count=s.row_count * 4) for s in MADISON_SQUARE_GARDEN.sections])
    event_id = await new_event(database)
    async with database.acquire() as connection:
        assert await make_seats(connection, event_id, seat_map, SOME_TIME) == 20_600
    assert await database.fetchval("SELECT count(*) FROM seat WHERE event_id = $1", event_id) == 20_600

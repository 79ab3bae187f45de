"""The list of events with its filters and pages, and one event."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.rows import add_event, add_venue
from tests.server.conftest import Client, Clock
from tests.server.test_venues import STRANGE_IDS

EVENTS = "/api/v1/events"


async def names(client: Client, **query: str) -> list[str]:
    """The names of the events listed for this query, in order."""
    answer = await client.get(EVENTS, params=query)
    body = await answer.json()
    assert answer.status == 200, body
    assert body["total"] >= len(body["data"])
    return [event["name"] for event in body["data"]]


@pytest.fixture
async def hall(database: asyncpg.Pool) -> UUID:
    return await add_venue(database, name="The Hall")


async def test_an_event_has_the_fields_of_the_contract(client: Client, database: asyncpg.Pool, hall: UUID) -> None:
    event_id = await add_event(
        database, hall, available=7, held=2, event_at=datetime(2031, 6, 1, 20, 0, 0, 123_456, tzinfo=UTC)
    )
    expected = {
        "id": str(event_id),
        "name": "The Show",
        "description": "A show",
        "venue_id": str(hall),
        "artist": "The Band",
        "category": "concert",
        "event_date": "2031-06-01T20:00:00.123Z",
        "on_sale_date": "2031-04-01T00:00:00.000Z",
        "status": "on_sale",
        "total_capacity": 100,
        "available_seats": 7,
        "image_url": None,
        "currency": "USD",
        "waiting_room_enabled": False,
        "waiting_room_mode": "draw",
        "admit_per_minute": 0,
        "waiting_room_verified_email": False,
        "max_concurrent_shoppers": 500,
        "max_tickets_per_user": 4,
        "orphan_rule": "warn",
        "created_at": "2031-05-01T12:00:00.000Z",
        "updated_at": "2031-05-01T12:00:00.000Z",
    }
    answer = await client.get(f"{EVENTS}/{event_id}")
    assert answer.status == 200
    event = (await answer.json())["data"]
    venue = await (await client.get(f"/api/v1/venues/{hall}")).json()
    assert event == expected | {"venue": venue["data"]}
    listed = await (await client.get(EVENTS)).json()
    assert listed == {
        "success": True,
        "data": [event],
        "total": 1,
        "page": 1,
        "limit": 10,
        "totalPages": 1,
    }


async def test_there_is_no_other_event(client: Client, database: asyncpg.Pool, hall: UUID) -> None:
    await add_event(database, hall, id=UUID("550e8400-e29b-41d4-a716-446655440001"))
    for event_id in (*STRANGE_IDS, str(uuid4())):
        answer = await client.get(f"{EVENTS}/{event_id}")
        assert answer.status == 404, event_id
        body = await answer.json()
        assert (body["success"], body["error"]) == (False, "Event not found")


async def test_an_event_without_a_head_has_nothing_to_sell(
    client: Client, database: asyncpg.Pool, hall: UUID
) -> None:
    await add_event(database, hall, seat_count=0)
    await database.execute("DELETE FROM event_head")
    event = (await (await client.get(EVENTS)).json())["data"][0]
    assert (event["status"], event["available_seats"]) == ("on_sale", 0)


async def test_the_status_follows_from_stage_time_and_seats(
    client: Client, database: asyncpg.Pool, hall: UUID, clock: Clock
) -> None:
    later = {"on_sale_at": clock() + timedelta(seconds=10), "event_at": clock() + timedelta(seconds=100)}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("upcoming", later),
        ("on_sale", later | {"stage": "on_sale"}),
        ("cancelled", later | {"stage": "cancelled"}),
        ("completed", later | {"stage": "completed"}),
        ("completed", {"event_at": clock()}),
        ("sold_out", {"available": 0, "held": 0}),
        ("on_sale", {"available": 0, "held": 1}),
    ]
    for expected, values in cases:
        event_id = await add_event(database, hall, name=expected, **values)
        event = (await (await client.get(f"{EVENTS}/{event_id}")).json())["data"]
        assert event["status"] == expected, values
    for status in ("upcoming", "on_sale", "sold_out", "completed", "cancelled"):
        assert set(await names(client, status=status)) == {status}
    clock.pass_s(10)
    assert await names(client, status="upcoming") == []
    clock.pass_s(90)
    assert await names(client, status="cancelled") == ["cancelled"]


async def test_events_come_by_date_then_id(client: Client, database: asyncpg.Pool, hall: UUID) -> None:
    day = datetime(2031, 6, 1, tzinfo=UTC)
    for name, number, days in (("c", 3, 2), ("b", 2, 1), ("a", 1, 1), ("z", 9, 0)):
        await add_event(database, hall, id=UUID(int=number), name=name, event_at=day + timedelta(days=days))
    assert await names(client) == ["z", "a", "b", "c"]


async def test_filters_find_by_words(client: Client, database: asyncpg.Pool, hall: UUID) -> None:
    arena = await add_venue(database, name="O2 Arena", city="Gotham")
    await add_event(database, hall, name="Eras Tour", artist="Taylor Swift")
    await add_event(database, arena, name="Spheres", artist="Coldplay")
    await add_event(database, arena, name="100% Laughs_", artist="Ünal", category="comedy")
    everything = {"Eras Tour", "Spheres", "100% Laughs_"}
    cases: list[tuple[dict[str, str], set[str]]] = [
        ({}, everything),
        (
            {"search": "", "artist": "", "venue": " ", "category": "", "status": "", "from": "", "to": ""},
            everything,
        ),
        ({"search": "ERAS"}, {"Eras Tour"}),
        ({"search": "swift"}, {"Eras Tour"}),
        ({"search": "arena"}, {"Spheres", "100% Laughs_"}),
        ({"search": "%"}, {"100% Laughs_"}),
        ({"search": "_"}, {"100% Laughs_"}),
        ({"search": "\\"}, set()),
        ({"search": "'; DROP TABLE event; --"}, set()),
        ({"artist": "PLAY"}, {"Spheres"}),
        ({"artist": "ünal"}, {"100% Laughs_"}),
        ({"artist": "eras"}, set()),
        ({"venue": "hall"}, {"Eras Tour"}),
        ({"venue": str(arena)}, {"Spheres", "100% Laughs_"}),
        ({"venue": str(arena).upper()}, {"Spheres", "100% Laughs_"}),
        ({"city": "GOTHAM"}, {"Spheres", "100% Laughs_"}),
        ({"city": "goth"}, set()),
        ({"category": "comedy"}, {"100% Laughs_"}),
        ({"category": "sports"}, set()),
        ({"venue": "arena", "category": "concert"}, {"Spheres"}),
        ({"unknown": "x"}, everything),
    ]
    for query, expected in cases:
        assert set(await names(client, **query)) == expected, query


async def test_filters_find_by_date(client: Client, database: asyncpg.Pool, hall: UUID) -> None:
    moments = {
        "eve": datetime(2031, 5, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        "start": datetime(2031, 6, 1, tzinfo=UTC),
        "noon": datetime(2031, 6, 1, 12, 0, 0, 500_700, tzinfo=UTC),
        "end": datetime(2031, 6, 1, 23, 59, 59, 999_999, tzinfo=UTC),
        "next": datetime(2031, 6, 2, tzinfo=UTC),
    }
    for name, moment in moments.items():
        await add_event(database, hall, name=name, event_at=moment)
    cases: list[tuple[dict[str, str], list[str]]] = [
        ({"from": "2031-06-01"}, ["start", "noon", "end", "next"]),
        ({"to": "2031-06-01"}, ["eve", "start", "noon", "end"]),
        ({"from": "2031-06-01", "to": "2031-06-01"}, ["start", "noon", "end"]),
        ({"from": "2031-06-02", "to": "2031-06-01"}, []),
        ({"from": "2031-06-01T12:00:00.500Z"}, ["noon", "end", "next"]),
        ({"to": "2031-06-01T12:00:00.500Z"}, ["eve", "start", "noon"]),
        ({"to": "2031-06-01T12:00:00.499Z"}, ["eve", "start"]),
        ({"from": "2031-06-02T00:00:00Z", "to": "2031-06-02T00:00:00Z"}, ["next"]),
        ({"from": "2031-06-02T02:00:00+02:00"}, ["next"]),
        ({"from": "2031-06-02T00:00:00"}, ["next"]),
        ({"to": "0001-01-01"}, []),
        ({"from": "2031-06-02", "to": "9999-12-31"}, ["next"]),
        ({"from": "9999-12-30"}, []),
    ]
    for query, expected in cases:
        assert await names(client, **query) == expected, query


async def test_pages(client: Client, database: asyncpg.Pool, hall: UUID) -> None:
    day = datetime(2031, 6, 1, tzinfo=UTC)
    for number in range(12):
        await add_event(database, hall, name=str(number), event_at=day + timedelta(days=number))
    cases: list[tuple[dict[str, str], range, dict[str, int]]] = [
        ({}, range(10), {"total": 12, "page": 1, "limit": 10, "totalPages": 2}),
        ({"page": "2"}, range(10, 12), {"total": 12, "page": 2, "limit": 10, "totalPages": 2}),
        ({"page": "3"}, range(0), {"total": 12, "page": 3, "limit": 10, "totalPages": 2}),
        ({"limit": "5", "page": "2"}, range(5, 10), {"total": 12, "page": 2, "limit": 5, "totalPages": 3}),
        ({"limit": "100"}, range(12), {"total": 12, "page": 1, "limit": 100, "totalPages": 1}),
        ({"limit": "4"}, range(4), {"total": 12, "page": 1, "limit": 4, "totalPages": 3}),
        ({"page": "9" * 15, "limit": "100"}, range(0), {"total": 12, "limit": 100, "totalPages": 1}),
        ({"search": "nothing"}, range(0), {"total": 0, "page": 1, "limit": 10, "totalPages": 0}),
    ]
    for query, shown, beside in cases:
        body = await (await client.get(EVENTS, params=query)).json()
        assert [event["name"] for event in body["data"]] == [str(number) for number in shown], query
        assert {name: body[name] for name in beside} == beside, query


BAD_QUERIES = [
    {name: value}
    for name, values in {
        "page": ("0", "-1", "x", "1.5", "", " 1", "１", "1_0", "9" * 16, "0x1", "1\0"),
        "limit": ("0", "101", "-5", "x", "", "1e3"),
        "category": ("x", "CONCERT", "concert\0", "null"),
        "status": ("x", "On_sale"),
        "search": ("a\0b", "x" * 201),
        "artist": ("\0",),
        "venue": ("\0", "x" * 201),
        "from": (
            "x",
            "2031-13-01",
            "2031-02-30",
            "2031",
            "12:00",
            "2031-06-01T25:00",
            "1e9",
            "\0",
            "0001-01-01T00:00+14:00",
        ),
        "to": ("x", "99999-01-01", "-1", "9999-12-31T23:59:59.9999-14:00"),
    }.items()
    for value in values
]


async def test_what_cannot_be_meant_is_refused(client: Client) -> None:
    for query in BAD_QUERIES:
        answer = await client.get(EVENTS, params=query)
        assert answer.status == 400, query
        body = await answer.json()
        assert (body["success"], body["code"]) == (False, "bad_request")
        assert next(iter(query)) in body["error"]


async def test_bytes_that_are_no_text_find_nothing(client: Client) -> None:
    for query in ("search=%ff", "search=%ed%a0%80", "search=%zz", "venue=%f0%28%8c%28", "%ff=%ff", "&&=;="):
        answer = await client.get(f"{EVENTS}?{query}")
        assert answer.status == 200, query


async def test_reading_events_needs_no_session_and_writes_nothing(
    client: Client, database: asyncpg.Pool, hall: UUID
) -> None:
    await add_event(database, hall)
    answer = await client.get(EVENTS, headers={"X-Session-Id": "dead"})
    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers

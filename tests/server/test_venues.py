"""Venues and their sections."""

from uuid import UUID, uuid4

import asyncpg

from tests.rows import add_section, add_venue
from tests.server.conftest import Client

STRANGE_IDS = (
    "x",
    "1",
    "%00",
    "a" * 300,
    "550e8400e29b41d4a716446655440001",
    "urn:uuid:550e8400-e29b-41d4-a716-446655440001",
)


async def test_venues_are_listed_by_name(client: Client, database: asyncpg.Pool) -> None:
    assert (await (await client.get("/api/v1/venues")).json())["data"] == []
    for name in ("The O2", "Madison", "Red Rocks"):
        await add_venue(database, name=name)
    answer = await client.get("/api/v1/venues")
    assert answer.status == 200
    assert [venue["name"] for venue in (await answer.json())["data"]] == ["Madison", "Red Rocks", "The O2"]


async def test_a_venue_has_the_fields_of_the_contract(client: Client, database: asyncpg.Pool) -> None:
    venue_id = await add_venue(database, state="NY", image_url="/x.png", timezone="America/New_York")
    for written in (str(venue_id), str(venue_id).upper()):
        answer = await client.get(f"/api/v1/venues/{written}")
        assert answer.status == 200
        assert await answer.json() == {
            "success": True,
            "data": {
                "id": str(venue_id),
                "name": "The Hall",
                "address": "1 Hall Street",
                "city": "Springfield",
                "state": "NY",
                "country": "UK",
                "capacity": 100,
                "image_url": "/x.png",
                "timezone": "America/New_York",
                "created_at": "2031-05-01T12:00:00.000Z",
                "updated_at": "2031-05-01T12:00:00.000Z",
            },
        }


async def test_sections_are_listed_by_position(client: Client, database: asyncpg.Pool) -> None:
    venue_id, other_id = await add_venue(database), await add_venue(database)
    await add_section(database, other_id, name="elsewhere")
    for name, x, y in (("back", 0, 9), ("right", 1, 0), ("middle b", 0, 0), ("middle a", 0, 0), ("left", -1, 0)):
        await add_section(database, venue_id, name=name, position_x=x, position_y=y)
    answer = await client.get(f"/api/v1/venues/{venue_id}/sections")
    names = [section["name"] for section in (await answer.json())["data"]]
    assert names == ["left", "middle a", "middle b", "right", "back"]


async def test_a_section_has_the_fields_of_the_contract(client: Client, database: asyncpg.Pool) -> None:
    venue_id = await add_venue(database)
    section_id = await add_section(database, venue_id, base_price_cents=9950, position_x=-2)
    answer = await client.get(f"/api/v1/venues/{venue_id}/sections")
    assert answer.status == 200
    assert await answer.json() == {
        "success": True,
        "data": [
            {
                "id": str(section_id),
                "venue_id": str(venue_id),
                "name": "Floor",
                "row_count": 5,
                "seats_per_row": 10,
                "base_price": 99.5,
                "section_type": "standard",
                "position_x": -2,
                "position_y": 0,
                "created_at": "2031-05-01T12:00:00.000Z",
            }
        ],
    }


async def test_a_venue_may_have_no_sections(client: Client, database: asyncpg.Pool) -> None:
    answer = await client.get(f"/api/v1/venues/{await add_venue(database)}/sections")
    assert await answer.json() == {"success": True, "data": []}


async def test_there_is_no_other_venue(client: Client, database: asyncpg.Pool) -> None:
    await add_venue(database, id=UUID("550e8400-e29b-41d4-a716-446655440001"))
    for venue_id in (*STRANGE_IDS, str(uuid4())):
        for path in ("", "/sections"):
            answer = await client.get(f"/api/v1/venues/{venue_id}{path}")
            assert answer.status == 404, venue_id
            body = await answer.json()
            assert (body["success"], body["error"]) == (False, "Venue not found")

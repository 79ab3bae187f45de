"""Rows put in by hand, for tests that need some."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import asyncpg

UNHURRIED = "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL transaction_timeout = 0"
"""For a transaction that may take its time: it is a test's, on a busy machine."""

SOME_TIME = datetime(2031, 5, 1, 12, tzinfo=UTC)


async def add_customer(
    database: asyncpg.Pool, *, email: str = "", name: str = "Ada", role: str = "user", password_hash: str = "-"
) -> UUID:
    """A customer; without `email` some address that nobody has."""
    customer_id = uuid4()
    await database.execute(
        "INSERT INTO customer VALUES ($1, $2, $3, $4, $5, $6)",
        customer_id,
        email or f"{customer_id}@example.org",
        name,
        password_hash,
        role,
        SOME_TIME,
    )
    return customer_id


async def add_venue(database: asyncpg.Pool, **values: Any) -> UUID:
    """A venue; `values` are its columns."""
    row = {
        "id": uuid4(),
        "name": "The Hall",
        "address": "1 Hall Street",
        "city": "Springfield",
        "state": None,
        "country": "UK",
        "capacity": 100,
        "image_url": None,
        "timezone": None,
        "created_at": SOME_TIME,
        "updated_at": SOME_TIME,
    }
    return await _add(database, "venue", row | values)


async def add_section(database: asyncpg.Pool, venue_id: UUID, **values: Any) -> UUID:
    """A section of a venue; `values` are its columns."""
    row = {
        "id": uuid4(),
        "venue_id": venue_id,
        "name": "Floor",
        "row_count": 5,
        "seats_per_row": 10,
        "base_price_cents": 9950,
        "section_type": "standard",
        "position_x": 0,
        "position_y": 0,
        "created_at": SOME_TIME,
    }
    return await _add(database, "section", row | values)


async def add_event(
    database: asyncpg.Pool, venue_id: UUID, *, available: int = 100, held: int = 0, **values: Any
) -> UUID:
    """An event on sale with its head, without seats; `values` are its columns."""
    row = {
        "id": uuid4(),
        "name": "The Show",
        "description": "A show",
        "venue_id": venue_id,
        "artist": "The Band",
        "category": "concert",
        "event_at": datetime(2031, 6, 1, 20, tzinfo=UTC),
        "on_sale_at": datetime(2031, 4, 1, tzinfo=UTC),
        "seat_count": 100,
        "created_at": SOME_TIME,
        "updated_at": SOME_TIME,
    }
    event_id = await _add(database, "event", row | values)
    await database.execute(
        "INSERT INTO event_head (event_id, epoch, timeline, available, held) VALUES ($1, 'e', '1', $2, $3)",
        event_id,
        available,
        held,
    )
    return event_id


async def _add(database: asyncpg.Pool, table: str, row: dict[str, Any]) -> UUID:
    places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    await database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", *row.values())
    added = row["id"]
    assert isinstance(added, UUID)
    return added

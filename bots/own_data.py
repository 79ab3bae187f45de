"""What a server of one's own is given before the bots come: customers who are signed in, events of any size.

Straight into its database: a thousand customers who sign up one by one would keep it busy for minutes, with hashing
passwords, which is not what is to be looked at.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
from msgspec import Struct

from bots.rest import Customer, ServerAway
from server.database import TROUBLE, connected
from server.engines import EngineError, PostgresAddress
from server.plans.bowl import bowl
from server.plans.descriptors import SectionDescriptor
from server.plans.publish import make_seats

ROWS, SEATS_PER_ROW = 20, 25
BLOCKS_PER_LEVEL = 19
FIRST_PRICE_CENTS, PRICE_STEP_CENTS, PRICES = 12_000, 1_500, 6


async def sign_in(at: PostgresAddress, count: int) -> list[Customer]:
    """So many new customers with sessions; a customer's name is its id.

    Raises:
        ServerAway: the server's database has gone.
    """
    now = datetime.now(UTC)
    made = [Customer(str(uuid4()), secrets.token_urlsafe(32)) for _ in range(count)]
    async with _connected(at) as connection:
        await connection.copy_records_to_table(
            "customer",
            records=[(one.name, f"{one.name}@bots.example", "Bot", "-", "user", now) for one in made],
            columns=("id", "email", "name", "password_hash", "role", "created_at"),
        )
        hashes = [hashlib.sha256(one.session_id.encode()).digest() for one in made]
        end = now + timedelta(days=1)
        await connection.copy_records_to_table(
            "session",
            records=[(key, one.name, now, end) for key, one in zip(hashes, made, strict=True)],
            columns=("id_hash", "customer_id", "created_at", "expires_at"),
        )
    return made


class Room(Struct, frozen=True):
    """A waiting room: so many may be inside at one time, and the lobby is open for so long before the sale."""

    slots: int
    lobby_s: float = 0.0


async def put_on_sale(at: PostgresAddress, seats: int, *, max_tickets: int = 6, room: Room | None = None) -> str:
    """A new event in a hall of so many seats, on sale, or soon when its waiting room has a lobby; answers its id.

    Raises:
        ServerAway: the server's database has gone.
    """
    now, event_id, venue_id = datetime.now(UTC), uuid4(), uuid4()
    async with _connected(at) as connection:
        await connection.execute(
            "INSERT INTO venue (id, name, address, city, country, capacity, created_at, updated_at)"
            " VALUES ($1, $2, '1 Hall Street', 'Ghent', 'BE', $3, $4, $4)",
            venue_id,
            f"A hall of {seats:,} seats",
            seats,
            now,
        )
        await connection.execute(
            "INSERT INTO event (id, name, venue_id, artist, category, event_at, on_sale_at, stage,"
            " max_tickets_per_user, created_at, updated_at, waiting_room_enabled, max_concurrent_shoppers)"
            " VALUES ($1, $2, $3, 'The Bots', 'concert', $4, $5, 'scheduled', $6, $7, $7, $8, $9)",
            event_id,
            f"A rehearsal with {seats:,} seats",
            venue_id,
            now + timedelta(days=30),
            now - timedelta(days=1) if room is None else now + timedelta(seconds=room.lobby_s),
            max_tickets,
            now,
            room is not None,
            500 if room is None else room.slots,
        )
        await make_seats(connection, event_id, bowl("A hall", _blocks(seats)), now)
    return str(event_id)


@asynccontextmanager
async def _connected(at: PostgresAddress) -> AsyncIterator[asyncpg.Connection]:
    try:
        async with connected(at) as connection:
            yield connection
    except (EngineError, *TROUBLE) as problem:
        raise ServerAway(f"the database of the server has gone: {problem}") from problem


def _blocks(seats: int) -> list[SectionDescriptor]:
    """Blocks of 500 seats around the stage, level above level; what is left is one block of one row."""
    whole, left = divmod(seats, ROWS * SEATS_PER_ROW)
    sizes = [(ROWS, SEATS_PER_ROW)] * whole
    rows, odd = divmod(left, SEATS_PER_ROW)
    sizes += [(rows, SEATS_PER_ROW)] * (rows > 0) + [(1, odd)] * (odd > 0)
    blocks = []
    for number, (row_count, seats_per_row) in enumerate(sizes):
        level, place = divmod(number, BLOCKS_PER_LEVEL)
        price_cents = FIRST_PRICE_CENTS - PRICE_STEP_CENTS * min(level, PRICES - 1)
        blocks.append(
            SectionDescriptor(
                f"Block {number + 1}",
                row_count,
                seats_per_row,
                price_cents,
                "standard",
                place - BLOCKS_PER_LEVEL // 2,
                level,
            )
        )
    return blocks

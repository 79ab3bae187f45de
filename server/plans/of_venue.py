"""The seats of a venue's next event: from its imported plan, or else from its sections."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

import asyncpg
from msgspec.structs import replace

from protocol.seat_map import SeatMap, decode_map
from server.plans.bowl import bowl
from server.plans.descriptors import SectionDescriptor, section_in_numbers
from server.plans.publish import Connection, PublishedSeats, published_seats
from server.statements import sql


async def seats_of_venue(database: asyncpg.Pool, venue_id: UUID, currency: str) -> PublishedSeats | None:
    """The seats to publish, priced in `currency`; None: the venue has neither a plan nor sections."""
    async with database.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        venue = await connection.fetchrow(sql("venue_map"), venue_id)
        rows = await connection.fetch(sql("section_numbers"), venue_id)
    if venue is None or (venue["body"] is None and not rows):
        return None
    sections = [SectionDescriptor(*row) for row in rows]
    return await asyncio.to_thread(_published, venue["name"], venue["body"], sections, currency)


async def replace_sections(
    connection: Connection, venue_id: UUID, sections: Sequence[SectionDescriptor], now: datetime
) -> None:
    """From now on the venue has these sections and no plan. Events that have seats keep them."""
    async with connection.transaction():
        await connection.execute(sql("set_venue_map"), venue_id, None, now)
        await _put_sections(connection, venue_id, sections, now)


async def replace_plan(
    connection: Connection, venue_id: UUID, seat_map: SeatMap, seats: PublishedSeats, now: datetime
) -> None:
    """From now on the venue has this plan, and its sections in numbers, as near as that comes."""
    async with connection.transaction():
        await connection.execute(sql("store_seat_map"), seats.sha256, seats.body, now)
        await connection.execute(sql("set_venue_map"), venue_id, seats.sha256, now)
        numbers = [section_in_numbers(seat_map, level) for level in range(len(seat_map.sections))]
        await _put_sections(connection, venue_id, numbers, now)


async def _put_sections(
    connection: Connection, venue_id: UUID, sections: Sequence[SectionDescriptor], now: datetime
) -> None:
    await connection.execute(sql("drop_sections"), venue_id)
    rows = [(uuid4(), venue_id, *section, now) for section in sections]
    await connection.executemany(sql("add_section"), rows)


def _published(name: str, body: bytes | None, sections: list[SectionDescriptor], currency: str) -> PublishedSeats:
    if body is None:
        return published_seats(bowl(name, sections, currency))
    return published_seats(replace(decode_map(body), currency=currency))

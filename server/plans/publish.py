"""Making the seats of an event: its map, what each seat is, and that it can be sold."""

import asyncio
import hashlib
import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from protocol.seat_map import SeatMap, encode_map, places
from protocol.seat_state import SeatState
from server.statements import sql

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy


class SeatsExist(Exception):
    """The event has its seats; they are made once and never changed."""


class EventUnknown(Exception):
    """There is no such event."""


class PublishedSeats(NamedTuple):
    """A map as it is stored: its JSON, one `place` and one state for each seat, what the seats are known by."""

    body: bytes
    sha256: str
    places: list[tuple[object, ...]]
    states: list[int]
    names: bytes | None
    names_sha256: str | None


async def make_seats(connection: Connection, event_id: UUID, seat_map: SeatMap, now: datetime) -> int:
    """Give an event the seats of a map, in one transaction, and answer how many.

    Raises:
        EventUnknown: there is no such event.
        SeatsExist: the event has seats.
        ValueError: the map has no seats, or rows that do not fit their descriptors.
    """
    seats = await asyncio.to_thread(published_seats, seat_map)
    return await publish(connection, event_id, seats, now)


def published_seats(seat_map: SeatMap, names: Sequence[str] | None = None) -> PublishedSeats:
    """What `publish` writes; `names` are what the seats are known by in their plan, in index order.

    For a large map this takes a while: it wants a thread, before any transaction.

    Raises:
        ValueError: the map has no seats, or rows that do not fit their descriptors.
    """
    rows: list[tuple[object, ...]] = []
    states = []
    for index, place in enumerate(places(seat_map)):
        category = place.category
        distance = math.dist((place.x, place.y), seat_map.focal)
        rows.append(
            (
                index,
                place.section,
                place.row,
                place.number,
                category.price_tier,
                category.price_cents,
                place.run,
                distance,
                place.accessible,
                place.companion,
            )
        )
        states.append(int(SeatState.BLOCKED if place.blocked else SeatState.AVAILABLE))
    if not rows:
        raise ValueError("the map has no seats")
    body = encode_map(seat_map)
    names_body = None if names is None else msgspec.json.encode(names)
    names_sha256 = None if names_body is None else hashlib.sha256(names_body).hexdigest()
    return PublishedSeats(body, hashlib.sha256(body).hexdigest(), rows, states, names_body, names_sha256)


async def store_map(connection: Connection, seats: PublishedSeats, now: datetime) -> None:
    """Keep the map, and what its seats are known by."""
    await connection.execute(sql("store_seat_map"), seats.sha256, seats.body, now)
    if seats.names is not None:
        await connection.execute(sql("store_seat_names"), seats.names_sha256, seats.names, now)


async def publish(connection: Connection, event_id: UUID, seats: PublishedSeats, now: datetime) -> int:
    """As `make_seats`, with seats made ready before."""
    async with connection.transaction():
        count = await connection.fetchval(sql("lock_event_for_seats"), event_id)
        if count is None:
            raise EventUnknown(str(event_id))
        if count > 0:
            raise SeatsExist(f"{event_id} has {count} seats")
        await store_map(connection, seats, now)
        await connection.copy_records_to_table(
            "place",
            records=((event_id, *row) for row in seats.places),
            columns=(
                "event_id",
                "seat_index",
                "section",
                "row_label",
                "seat_number",
                "price_tier",
                "price_cents",
                "run",
                "distance",
                "accessible",
                "companion",
            ),
        )
        await connection.copy_records_to_table(
            "seat",
            records=((event_id, index, state) for index, state in enumerate(seats.states)),
            columns=("event_id", "seat_index", "state"),
        )
        available = seats.states.count(SeatState.AVAILABLE)
        await connection.execute(sql("begin_event_head"), event_id, available)
        row = (event_id, len(seats.states), seats.sha256, now, seats.names_sha256)
        await connection.execute(sql("set_event_seats"), *row)
    return len(seats.states)

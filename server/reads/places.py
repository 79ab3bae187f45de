"""What an event's seats are called: read once from PostgreSQL, never changed after the seats were made."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from msgspec import Struct

from server.reads.kept import Kept
from server.reads.rounds import Rounds
from server.reads.seat_answers import SeatAnswers
from server.reads.seat_texts import sections_of
from server.reads.shared_work import Turns
from server.statements import sql

SEATS_MAX = 500_000
"""The places of so many seats are kept, whatever number of events they are in, and at least one event's."""
ROWS_IN_PLACE_MAX = 2_000
"""More are turned into places in a thread: they would stop the loop for longer than a command takes."""


class Place(Struct, frozen=True):
    """One seat for people."""

    section: str
    row: str
    number: str
    price_tier: str
    price_cents: int


class Places(Struct, frozen=True):
    """All seats of an event in index order, and the answers about them, kept here so that both go together."""

    seats: Sequence[Place]
    answers: SeatAnswers


class PlacesCache:
    """The places of the events asked for last. Who answers about many of them at a time takes part in `rounds`."""

    def __init__(self, database: asyncpg.Pool) -> None:
        self.rounds = Rounds()
        self._database = database
        self._kept = Kept(self._read, lambda places: len(places.seats), SEATS_MAX)
        self._turns = Turns()

    async def get(self, event_id: UUID) -> Places:
        """The places of an event that has seats; who asks while they are read waits for the same reading."""
        found = await self._kept.get(event_id)
        assert found is not None, f"event {event_id} has no places"
        return found

    async def _read(self, event_id: UUID) -> Places | None:
        rows = await self._database.fetch(sql("places"), event_id)
        if len(rows) > ROWS_IN_PLACE_MAX:
            return await asyncio.to_thread(_places, rows, self._turns)
        return _places(rows, self._turns) if rows else None


def _places(rows: Sequence[asyncpg.Record], turns: Turns) -> Places:
    seats = [
        Place(row["section"], row["row_label"], row["seat_number"], row["price_tier"], row["price_cents"])
        for row in rows
    ]
    return Places(seats, SeatAnswers(sections_of(seats), len(seats), turns))

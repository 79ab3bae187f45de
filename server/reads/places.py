"""What an event's seats are called: read once from PostgreSQL, never changed after the seats were made."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from msgspec import Struct

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
        self._known: OrderedDict[UUID, Places] = OrderedDict()
        self._coming: dict[UUID, asyncio.Task[Places]] = {}
        self._seat_count = 0
        self._turns = Turns()

    async def get(self, event_id: UUID) -> Places:
        """The places of an event that has seats; who asks while they are read waits for the same reading."""
        known = self._known.get(event_id)
        if known is not None:
            self._known.move_to_end(event_id)
            return known
        coming = self._coming.get(event_id)
        if coming is None:
            coming = self._coming[event_id] = asyncio.create_task(self._read(event_id))
            coming.add_done_callback(lambda done: self._end(event_id, done))
        return await asyncio.shield(coming)

    async def _read(self, event_id: UUID) -> Places:
        rows = await self._database.fetch(sql("places"), event_id)
        if len(rows) > ROWS_IN_PLACE_MAX:
            places = await asyncio.to_thread(_places, rows, self._turns)
        else:
            places = _places(rows, self._turns)
        if places.seats:
            self._keep(event_id, places)
        return places

    def _keep(self, event_id: UUID, places: Places) -> None:
        self._known[event_id] = places
        self._seat_count += len(places.seats)
        while self._seat_count > SEATS_MAX and len(self._known) > 1:
            _, dropped = self._known.popitem(last=False)
            self._seat_count -= len(dropped.seats)

    def _end(self, event_id: UUID, done: asyncio.Task[Places]) -> None:
        del self._coming[event_id]
        if not done.cancelled():
            done.exception()  # who asked may have gone meanwhile


def _places(rows: Sequence[asyncpg.Record], turns: Turns) -> Places:
    seats = [
        Place(row["section"], row["row_label"], row["seat_number"], row["price_tier"], row["price_cents"])
        for row in rows
    ]
    return Places(seats, SeatAnswers(sections_of(seats), len(seats), turns))

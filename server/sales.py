"""What an event's seats are called: read once from PostgreSQL, never changed after the seats were made."""

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from server.rest.envelope import cents_to_major
from server.rest.ids import uuid_or_none
from server.statements import sql

EVENTS_MAX = 64


class Sale(Struct, frozen=True):
    """An event that has seats. `map_url` is the path of its geometry."""

    event_id: str
    seat_count: int
    map_url: str


async def find_sale(database: asyncpg.Pool, event_id: str) -> Sale | None:
    """The event with this id; None: there is none, or its seats are not made yet."""
    known = uuid_or_none(event_id)
    row = None if known is None else await database.fetchrow(sql("sale"), known)
    if row is None:
        return None
    return Sale(str(known), row["seat_count"], f"/maps/{row['map_sha256']}.json")


class Place(Struct, frozen=True):
    """One seat for people. `prefix` is its JSON object in an availability answer, up to the value of `status`."""

    section: str
    row: str
    number: str
    price_tier: str
    price_cents: int
    prefix: bytes


class Places(Struct, frozen=True):
    """All seats of an event in index order, and which of them make up each section, in order of the map."""

    seats: Sequence[Place]
    sections: dict[str, list[int]]


class PlacesCache:
    """The places of the events asked for last."""

    def __init__(self, database: asyncpg.Pool) -> None:
        self._database = database
        self._known: OrderedDict[UUID, Places] = OrderedDict()

    async def get(self, event_id: UUID) -> Places:
        """The places of an event that has seats."""
        known = self._known.get(event_id)
        if known is None:
            known = _places(await self._database.fetch(sql("places"), event_id))
            if not known.seats:
                return known
            self._known[event_id] = known
            if len(self._known) > EVENTS_MAX:
                self._known.popitem(last=False)
        self._known.move_to_end(event_id)
        return known


def _places(rows: Sequence[asyncpg.Record]) -> Places:
    seats: list[Place] = []
    sections: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        seats.append(
            Place(
                row["section"],
                row["row_label"],
                row["seat_number"],
                row["price_tier"],
                row["price_cents"],
                _prefix(index, row),
            )
        )
        sections.setdefault(row["section"], []).append(index)
    return Places(seats, sections)


def _prefix(index: int, row: asyncpg.Record) -> bytes:
    shown = {
        "id": str(index),
        "row": row["row_label"],
        "seat_number": row["seat_number"],
        "price": cents_to_major(row["price_cents"]),
        "price_tier": row["price_tier"],
    }
    return msgspec.json.encode(shown)[:-1] + b',"status":"'

"""Which events have seats. That does not change any more once the seats are made."""

from collections import OrderedDict
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from server.ids import uuid_or_none
from server.statements import sql

SALES_MAX = 10_000


class Sale(Struct, frozen=True):
    """An event that has seats. `map_url` is the path of its geometry; `event_id` is `uuid` in its usual form."""

    event_id: str
    uuid: UUID
    seat_count: int
    map_url: str
    created_at: datetime


class Sales:
    """The sales asked for last; what is not there is asked for again each time."""

    def __init__(self, database: asyncpg.Pool) -> None:
        self._database = database
        self._known: OrderedDict[UUID, Sale] = OrderedDict()

    async def find(self, event_id: str) -> Sale | None:
        """The event with this id; None: there is none, or its seats are not made yet."""
        uuid = uuid_or_none(event_id)
        if uuid is None:
            return None
        known = self._known.get(uuid)
        if known is None:
            known = await find_sale(self._database, event_id)
            if known is None:
                return None
            self._known[uuid] = known
            if len(self._known) > SALES_MAX:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(uuid)
        return known


async def find_sale(database: asyncpg.Pool, event_id: str) -> Sale | None:
    """The event with this id as PostgreSQL knows it; None: there is none, or its seats are not made yet."""
    uuid = uuid_or_none(event_id)
    row = None if uuid is None else await database.fetchrow(sql("sale"), uuid)
    if uuid is None or row is None:
        return None
    return Sale(str(uuid), uuid, row["seat_count"], f"/maps/{row['map_sha256']}.json", row["created_at"])

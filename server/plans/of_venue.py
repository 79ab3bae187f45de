"""The plan of a venue: what its next event is sold on, and how it is changed while others are being sold."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import asyncpg
import msgspec
from msgspec import Struct, structs

from protocol.seat_map import decode_map, places
from protocol.seat_state import SeatState
from server.plans.bowl import bowl
from server.plans.changes import Changes, Former, compared
from server.plans.descriptors import SectionDescriptor, sections_in_numbers
from server.plans.importing import Imported
from server.plans.oddities import PlanError
from server.plans.publish import Connection, PublishedSeats, published_seats, store_map
from server.statements import sql

NAMED_MAX = 50
"""So many seats at most are named in a refusal."""

_decode_names = msgspec.json.Decoder(tuple[str, ...]).decode


class SeatsInUse(PlanError):
    """Seats that are held, sold or blocked in events to come would be gone; at most `NAMED_MAX` are named."""

    def __init__(self, count: int, seats: Sequence[str]) -> None:
        more = f", … {count - len(seats)} more" if count > len(seats) else ""
        super().__init__(f"{count} seats that the plan no longer has are in use: {', '.join(seats)}{more}")
        self.seats = seats


class PlanChanged(PlanError):
    """Somebody else has changed the venue's plan since it was read."""

    def __init__(self) -> None:
        super().__init__("the venue's plan was changed meanwhile, try again")


class StoredPlan(NamedTuple):
    """The plan of a venue as it is stored: equal to another reading while nobody has changed it."""

    name: str
    body: bytes | None
    names: bytes | None
    sections: tuple[SectionDescriptor, ...]

    def former(self) -> Former:
        """The plan itself. For a large one this takes a while: it wants a thread, and no transaction."""
        if self.body is None:
            return Former(bowl(self.name, self.sections), None)
        return Former(decode_map(self.body), None if self.names is None else _decode_names(self.names))


class Taken(Struct, frozen=True):
    """A plan as its venue takes it: in the order that keeps the former seats', all that is written of it, what it
    changes of the plan that was `stored`, and by which names and labels its seats are known."""

    imported: Imported
    seats: PublishedSeats
    sections: list[SectionDescriptor]
    stored: StoredPlan | None
    changes: Changes | None
    names: frozenset[str]
    labels: frozenset[tuple[str, ...]]


async def seats_of_venue(database: asyncpg.Pool, venue_id: UUID, currency: str) -> PublishedSeats | None:
    """The seats to publish, priced in `currency`; None: the venue has neither a plan nor sections."""
    async with database.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        stored = await stored_plan(connection, venue_id)
    return None if stored is None else await asyncio.to_thread(_priced, stored, currency)


async def stored_plan(connection: Connection, venue_id: UUID) -> StoredPlan | None:
    """The plan that the venue has, imported or in its sections; None: neither."""
    venue = await connection.fetchrow(sql("venue_map"), venue_id)
    rows = await connection.fetch(sql("section_numbers"), venue_id)
    if venue is None or (venue["body"] is None and not rows):
        return None
    return StoredPlan(venue["name"], venue["body"], venue["names"], tuple(SectionDescriptor(*row) for row in rows))


def known_prices(former: Former | None) -> dict[str, int]:
    """What the categories of a plan cost, in cents."""
    return {} if former is None else {one.name: one.price_cents for one in former.seat_map.categories}


async def venue_called(connection: Connection, name: str | None) -> UUID | None:
    """The venue of this name or id; None: there is none. Raises PlanError: there are several."""
    found = [] if name is None else await connection.fetch(sql("venues_called"), name)
    if len(found) > 1:
        ids = ", ".join(str(row["id"]) for row in found)
        raise PlanError(f"there are {len(found)} venues called “{name}”; name one of them by its id: {ids}")
    return found[0]["id"] if found else None


async def replace_sections(
    connection: Connection, venue_id: UUID, sections: Sequence[SectionDescriptor], now: datetime
) -> None:
    """From now on the venue has these sections and no plan. Events that have seats keep them."""
    async with connection.transaction():
        await connection.execute(sql("set_venue_map"), venue_id, None, now, None)
        await _put_sections(connection, venue_id, sections, now)


def take_plan(stored: StoredPlan | None, former: Former | None, imported: Imported) -> Taken:
    """The plan as the venue would take it that has this one. A large one takes a while: it wants a thread."""
    changes = None
    if former is not None:
        imported, changes = compared(former, imported)
    return Taken(
        imported,
        published_seats(imported.seat_map, imported.identities),
        sections_in_numbers(imported.seat_map),
        stored,
        changes,
        frozenset(imported.identities),
        frozenset(place[:3] for place in places(imported.seat_map)),
    )


async def check_plan(connection: Connection, venue_id: UUID, taken: Taken, now: datetime) -> None:
    """See that the venue may take the plan; its plan is locked until the transaction ends.

    Events that have seats keep their map; but what is sold for one to come is a seat that must be there then.

    Raises:
        PlanChanged: the venue has another plan than the one that this was compared with.
        SeatsInUse: seats that are held, sold or blocked in an event to come would be gone.
    """
    await connection.fetchval(sql("lock_venue"), venue_id)
    if await stored_plan(connection, venue_id) != taken.stored:
        raise PlanChanged
    found: list[str] = []
    for event in await connection.fetch(sql("coming_events_of_venue"), venue_id, now):
        names = None if event["names"] is None else _decode_names(event["names"])
        for seat in await connection.fetch(sql("seats_in_use"), event["id"]):
            label = seat["section"], seat["row_label"], seat["seat_number"]
            is_there = label in taken.labels if names is None else names[seat["seat_index"]] in taken.names
            if not is_there:
                state = SeatState(seat["state"]).name.lower()
                found.append(f"{' '.join(filter(None, label))} ({state}, {event['name']})")
    if found:
        raise SeatsInUse(len(found), found[:NAMED_MAX])


async def write_plan(connection: Connection, venue_id: UUID, taken: Taken, now: datetime) -> None:
    """From now on the venue has this plan, and its sections in numbers, as near as that comes."""
    async with connection.transaction():
        await store_map(connection, taken.seats, now)
        await connection.execute(sql("set_venue_map"), venue_id, taken.seats.sha256, now, taken.seats.names_sha256)
        await _put_sections(connection, venue_id, taken.sections, now)


async def _put_sections(
    connection: Connection, venue_id: UUID, sections: Sequence[SectionDescriptor], now: datetime
) -> None:
    await connection.execute(sql("drop_sections"), venue_id)
    rows = [(uuid4(), venue_id, *section, now) for section in sections]
    await connection.executemany(sql("add_section"), rows)


def _priced(stored: StoredPlan, currency: str) -> PublishedSeats:
    former = stored.former()
    return published_seats(structs.replace(former.seat_map, currency=currency), former.names)

"""The plan of a venue: what its next event is sold on, and how it is changed while others are being sold."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
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


class Taken(Struct, frozen=True):
    """A plan as its venue takes it: in the order that keeps the former seats', and what it changes."""

    imported: Imported
    seats: PublishedSeats
    changes: Changes | None


async def seats_of_venue(database: asyncpg.Pool, venue_id: UUID, currency: str) -> PublishedSeats | None:
    """The seats to publish, priced in `currency`; None: the venue has neither a plan nor sections."""
    async with database.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        former = await plan_of_venue(connection, venue_id)
    if former is None:
        return None
    return await asyncio.to_thread(
        published_seats, structs.replace(former.seat_map, currency=currency), former.names
    )


async def plan_of_venue(connection: Connection, venue_id: UUID) -> Former | None:
    """The plan that the venue has, imported or made from its sections; None: neither."""
    venue = await connection.fetchrow(sql("venue_map"), venue_id)
    rows = await connection.fetch(sql("section_numbers"), venue_id)
    if venue is None or (venue["body"] is None and not rows):
        return None
    if venue["body"] is None:
        return Former(await asyncio.to_thread(bowl, venue["name"], [SectionDescriptor(*row) for row in rows]), None)
    names = None if venue["names"] is None else _decode_names(venue["names"])
    return Former(await asyncio.to_thread(decode_map, venue["body"]), names)


async def known_prices(connection: Connection, venue_id: UUID) -> dict[str, int]:
    """What the categories of the venue's plan cost, in cents."""
    former = await plan_of_venue(connection, venue_id)
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


async def new_plan(imported: Imported) -> Taken:
    """The plan as a venue takes it that had none."""
    return Taken(imported, await asyncio.to_thread(published_seats, imported.seat_map, imported.identities), None)


async def take_plan(connection: Connection, venue_id: UUID, imported: Imported, now: datetime) -> Taken:
    """What the plan would be for the venue. Nothing is written; the venue is locked until the transaction ends.

    Raises:
        SeatsInUse: seats that are held, sold or blocked in an event to come would be gone.
    """
    await connection.fetchval(sql("lock_venue"), venue_id)
    former = await plan_of_venue(connection, venue_id)
    changes = None
    if former is not None:
        imported, changes = await asyncio.to_thread(compared, former, imported)
        await _check_in_use(connection, venue_id, imported, now)
    return structs.replace(await new_plan(imported), changes=changes)


async def write_plan(connection: Connection, venue_id: UUID, taken: Taken, now: datetime) -> None:
    """From now on the venue has this plan, and its sections in numbers, as near as that comes."""
    async with connection.transaction():
        await store_map(connection, taken.seats, now)
        await connection.execute(sql("set_venue_map"), venue_id, taken.seats.sha256, now, taken.seats.names_sha256)
        await _put_sections(connection, venue_id, sections_in_numbers(taken.imported.seat_map), now)


async def _check_in_use(connection: Connection, venue_id: UUID, imported: Imported, now: datetime) -> None:
    """Events that have seats keep their map; but what is sold for one to come is a seat that must be there then."""
    known = set(imported.identities)
    labels = {place[:3] for place in places(imported.seat_map)}
    found: list[str] = []
    for event in await connection.fetch(sql("coming_events_of_venue"), venue_id, now):
        names = None if event["names"] is None else _decode_names(event["names"])
        for seat in await connection.fetch(sql("seats_in_use"), event["id"]):
            label = seat["section"], seat["row_label"], seat["seat_number"]
            if (names is None and label not in labels) or (
                names is not None and names[seat["seat_index"]] not in known
            ):
                state = SeatState(seat["state"]).name.lower()
                found.append(f"{' '.join(filter(None, label))} ({state}, {event['name']})")
    if found:
        raise SeatsInUse(len(found), found[:NAMED_MAX])


async def _put_sections(
    connection: Connection, venue_id: UUID, sections: Sequence[SectionDescriptor], now: datetime
) -> None:
    await connection.execute(sql("drop_sections"), venue_id)
    rows = [(uuid4(), venue_id, *section, now) for section in sections]
    await connection.executemany(sql("add_section"), rows)

"""The organiser's part of seats: which are not for sale, and why."""

from itertools import groupby
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from actors.core.verdict import Asked, BlockSeats, UnblockSeats
from server.door.who_asks import admin
from server.rest.asking import COMMAND_REFUSALS, ask, new_command_id, sale_of
from server.rest.envelope import iso, ok, read_body
from server.rest.operations import Operations, Who
from server.rest.seats import SeatIds, asked_seats
from server.rest.shapes import BlockedSeats, Said
from server.services import services
from server.statements import sql

operations = Operations("organising")

SEATS_MAX = 2_000
"""At once: one batch writes them all."""
REASON_CHARS_MAX = 200

Reason = Annotated[str, Meta(min_length=1, max_length=REASON_CHARS_MAX, pattern=r"\S")]


class BlockWanted(SeatIds, kw_only=True):
    """Seats to take out of the sale, and why."""

    reason: Reason


@operations.post(
    "/api/v1/events/{event_id}/block-seats",
    who=Who.ADMIN,
    body=BlockWanted,
    data=Said,
    refusals={**COMMAND_REFUSALS, 404: ("event_not_found",)},
)
async def block_seats(request: web.Request) -> web.Response:
    """Take seats out of the sale, all or none: none may be held or sold. Blocked ones get the new reason."""
    session = await admin(request)
    parts, sale = services(request), await sale_of(request)
    wanted = await read_body(request, BlockWanted)
    seats = asked_seats(wanted, "block", SEATS_MAX)
    command = BlockSeats(new_command_id(), seats, wanted.reason.strip())
    await ask(parts, sale.event_id, Asked(str(session.customer_id), command))
    return ok(Said("Seats blocked"))


@operations.post(
    "/api/v1/events/{event_id}/unblock-seats",
    who=Who.ADMIN,
    body=SeatIds,
    data=Said,
    refusals={**COMMAND_REFUSALS, 404: ("event_not_found",)},
)
async def unblock_seats(request: web.Request) -> web.Response:
    """Put blocked seats into the sale again; what is not blocked stays as it is."""
    session = await admin(request)
    parts, sale = services(request), await sale_of(request)
    seats = asked_seats(await read_body(request, SeatIds), "unblock", SEATS_MAX)
    await ask(parts, sale.event_id, Asked(str(session.customer_id), UnblockSeats(new_command_id(), seats)))
    return ok(Said("Seats are for sale again"))


@operations.get(
    "/api/v1/events/{event_id}/blocked-seats",
    who=Who.ADMIN,
    data=list[BlockedSeats],
    refusals={400: ("seat_not_found",), 404: ("event_not_found",)},
)
async def blocked_seats(request: web.Request) -> web.Response:
    """The seats that are not for sale, those that were blocked together in one group, the last group last."""
    parts, sale = services(request), await sale_of(request)
    rows = await parts.database.fetch(sql("blocked_seats"), sale.uuid)
    groups = groupby(rows, key=lambda row: (row["reason"], row["blocked_by_name"], row["blocked_at"]))
    return ok(
        [
            BlockedSeats([str(row["seat_index"]) for row in group], reason, name, at and iso(at))
            for (reason, name, at), group in groups
        ]
    )

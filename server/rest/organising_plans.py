"""The organiser's part of plans: give a venue the plan in a file, and take it out as a file."""

import asyncio

import msgspec
from aiohttp import web
from msgspec import Raw, Struct

from server.plans.export import pretix_plan
from server.plans.formats import PLAN_BYTES_MAX
from server.plans.importing import import_file
from server.plans.oddities import PlanError
from server.plans.of_venue import (
    PlanChanged,
    SeatsInUse,
    StoredPlan,
    Taken,
    check_plan,
    known_prices,
    stored_plan,
    take_plan,
    write_plan,
)
from server.plans.report import PlanReport, report_of
from server.rest.envelope import Refused, decode_body, ok, read_raw
from server.rest.finding import venue_called
from server.rest.operations import Operations, Who
from server.rest.prices import Price, cents_of
from server.services import services
from server.statements import sql

operations = Operations("organising")

PLAN_READ_S = 60


class PlanWanted(Struct):
    """A seating plan, JSON as it is and any other file as a string, and what its categories cost."""

    plan: Raw
    prices: dict[str, Price] = {}
    default_price: Price | None = None
    blocked_categories: list[str] = []
    is_strict: bool = False
    is_dry_run: bool = False


@operations.put(
    "/api/v1/venues/{venue_id}/plan",
    who=Who.ADMIN,
    body=PlanWanted,
    data=PlanReport,
    refusals={400: ("bad_plan", "bad_price"), 404: ("venue_not_found",), 409: ("plan_changed", "seats_in_use")},
)
async def import_venue_plan(request: web.Request) -> web.Response:
    """Give the venue a seating plan, in place of its former one or its sections, for the events to come."""
    parts = services(request)
    venue_id = (await venue_called(parts, request.match_info["venue_id"]))["id"]
    raw = await read_raw(request, bytes_max=PLAN_BYTES_MAX, patience_s=PLAN_READ_S)
    wanted = decode_body(raw, PlanWanted)
    prices = {name: cents_of(price) for name, price in wanted.prices.items()}
    default = None if wanted.default_price is None else cents_of(wanted.default_price)
    try:
        async with parts.database.acquire() as connection:
            stored = await stored_plan(connection, venue_id)
        taken = await asyncio.to_thread(_taken, stored, wanted, prices, default)
        async with parts.database.acquire() as connection, connection.transaction():
            await connection.execute(sql("without_time_limit"))
            await check_plan(connection, venue_id, taken, parts.now())
            if not wanted.is_dry_run:
                await write_plan(connection, venue_id, taken, parts.now())
    except SeatsInUse as problem:
        raise Refused(409, str(problem), "seats_in_use") from None
    except PlanChanged as problem:
        raise Refused(409, str(problem), "plan_changed") from None
    except PlanError as problem:
        raise Refused(400, str(problem), "bad_plan") from None
    return ok(await asyncio.to_thread(report_of, taken.imported, taken.changes, is_written=not wanted.is_dry_run))


@operations.get(
    "/api/v1/venues/{venue_id}/plan",
    who=Who.ADMIN,
    is_enveloped=False,
    refusals={404: ("no_plan", "venue_not_found")},
)
async def export_venue_plan(request: web.Request) -> web.Response:
    """The venue's plan as a file in pretix's format, which imports again to the same."""
    parts = services(request)
    venue_id = (await venue_called(parts, request.match_info["venue_id"]))["id"]
    async with parts.database.acquire() as connection:
        stored = await stored_plan(connection, venue_id)
    if stored is None:
        raise Refused(404, "The venue has neither a plan nor sections", "no_plan")
    body = await asyncio.to_thread(_exported, stored)
    headers = {"Content-Disposition": 'attachment; filename="plan.json"'}
    return web.Response(body=body, content_type="application/json", headers=headers)


def _taken(
    stored: StoredPlan | None, wanted: PlanWanted, prices: dict[str, int], default_cents: int | None
) -> Taken:
    former = None if stored is None else stored.former()
    imported = import_file(
        _file_of(bytes(wanted.plan)),
        prices,
        known_prices=known_prices(former),
        default_price_cents=default_cents,
        blocked_categories=wanted.blocked_categories,
        strict=wanted.is_strict,
    )
    return take_plan(stored, former, imported)


def _exported(stored: StoredPlan) -> bytes:
    plan = stored.former()
    return pretix_plan(plan.seat_map, plan.names)


def _file_of(plan: bytes) -> bytes:
    """The plan's file: the JSON itself, or what is in a string."""
    if not plan.lstrip().startswith(b'"'):
        return plan
    return str(msgspec.json.decode(plan)).encode("utf-8", "surrogatepass")

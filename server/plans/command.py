"""`import-plan FILE`: a venue, its sections and an event on sale, from a seating plan in a file."""

import argparse
import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from protocol.seat_map import SeatMap, places
from server.plans.descriptors import section_in_numbers
from server.plans.formats import PLAN_BYTES_MAX
from server.plans.importing import Imported, import_file
from server.plans.oddities import Oddity, PlanError
from server.plans.options import add_arguments
from server.plans.publish import Connection, publish, published_seats
from server.statements import sql

__all__ = ["add_arguments", "import_plan"]

_EVENT_IN = timedelta(days=30)


async def import_plan(
    connection: Connection | None, file: Path, options: argparse.Namespace, console: Console
) -> int:
    """Read the plan, say what is in it, and put an event on sale on it; answer the exit code.

    Nothing is written unless all of it can be. A connection without time limits is wanted, as a large plan takes
    seconds; a dry run needs none.
    """
    now = datetime.now(UTC)
    try:
        with console.status(f"Reading {escape(file.name)} …"):
            imported = _read(file, options)
            on_sale_at, event_at = _times(options, now)
    except PlanError as error:
        console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        return 1
    _show(imported, options.currency, console)
    if options.dry_run:
        console.print("Nothing was written (dry run).")
        return 0
    assert connection is not None
    with console.status("Making the event and its seats …"):
        event_id = await _write(connection, imported.seat_map, options, now, on_sale_at, event_at)
    console.print(f"/events/{event_id}")
    return 0


def _read(file: Path, options: argparse.Namespace) -> Imported:
    try:
        with file.open("rb") as opened:
            raw = opened.read(PLAN_BYTES_MAX + 1)
    except OSError as error:
        raise PlanError(f"{file}: {error.strerror}") from None
    return import_file(
        raw,
        dict(options.price),
        default_price_cents=options.default_price,
        blocked_categories=options.blocked,
        currency=options.currency,
        strict=options.strict,
    )


def _times(options: argparse.Namespace, now: datetime) -> tuple[datetime, datetime]:
    on_sale_at, event_at = options.on_sale_at or now, options.event_at or now + _EVENT_IN
    if event_at <= now:
        raise PlanError(f"the event would be over: it is at {event_at:%Y-%m-%d %H:%M} UTC")
    if on_sale_at >= event_at:
        raise PlanError("the sale would begin after the event")
    return on_sale_at, event_at


def _show(imported: Imported, currency: str, console: Console) -> None:
    seat_map = imported.seat_map
    seats = list(places(seat_map))
    blocked = sum(place.blocked for place in seats)
    console.print(
        f"[bold]{escape(seat_map.name)}[/bold]: {len(seats):,} seats, sections: {len(seat_map.sections)}"
        + (f", blocked: {blocked:,}" if blocked else "")
        + f"; everybody looks at {escape(imported.focal_from)}"
    )
    by_section = Counter(place.section for place in seats)
    table = _table("Section", "Rows", "Seats")
    for section in seat_map.sections:
        table.add_row(escape(section.name), f"{len(section.rows):,}", f"{by_section[section.name]:,}")
    console.print(table)
    by_category = Counter(place.category for place in seats)
    table = _table("Category", f"Price ({currency})", "Seats")
    for category in seat_map.categories:
        cost = f"{category.price_cents / 100:,.2f}"
        table.add_row(escape(category.name), cost, f"{by_category[category]:,}")
    console.print(table)
    _show_oddities(imported.oddities, console)


def _show_oddities(oddities: Sequence[Oddity], console: Console) -> None:
    if not oddities:
        console.print("Nothing about the plan is odd.")
        return
    console.print("[yellow]What is odd about the plan:[/yellow]")
    for oddity in oddities:
        console.print(f"  • {escape(oddity.text)}", soft_wrap=True)


def _table(name: str, *numbers: str) -> Table:
    table = Table()
    table.add_column(name)
    for number in numbers:
        table.add_column(number, justify="right")
    return table


async def _write(
    connection: Connection,
    seat_map: SeatMap,
    options: argparse.Namespace,
    now: datetime,
    on_sale_at: datetime,
    event_at: datetime,
) -> UUID:
    seats = await asyncio.to_thread(published_seats, seat_map)
    venue_id, event_id = uuid4(), uuid4()
    name = options.name or seat_map.name
    venue = options.venue or seat_map.name
    place = options.address, options.city, None, options.country
    async with connection.transaction():
        await connection.execute(sql("add_venue"), venue_id, venue, *place, len(seats.states), None, now)
        await connection.executemany(
            sql("add_section"),
            [
                (uuid4(), venue_id, *section_in_numbers(seat_map, level), now)
                for level in range(len(seat_map.sections))
            ],
        )
        await connection.execute(
            sql("add_event"),
            event_id,
            name,
            "",
            venue_id,
            options.artist or name,
            options.category,
            event_at,
            on_sale_at,
            options.currency,
            False,
            500,
            options.max_tickets,
            None,
            now,
        )
        await publish(connection, event_id, seats, now)
    return event_id

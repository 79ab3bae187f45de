"""`import-plan FILE`: a venue and an event on sale from a plan in a file, or a new plan for a venue."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from actors.core.model import OrphanRule
from server.plans.formats import PLAN_BYTES_MAX
from server.plans.importing import STEPS, Imported, Say, import_file
from server.plans.oddities import PlanError
from server.plans.of_venue import Taken, check_plan, known_prices, stored_plan, take_plan, venue_called, write_plan
from server.plans.options import add_arguments
from server.plans.publish import Connection, publish
from server.plans.report import PlanReport, report_of
from server.plans.shown import show
from server.statements import sql

__all__ = ["add_arguments", "import_plan"]

_EVENT_IN = timedelta(days=30)


async def import_plan(
    connection: Connection | None, file: Path, options: argparse.Namespace, console: Console
) -> int:
    """Read the plan, say what is in it, and write it; answer the exit code.

    A new venue gets an event on sale; one that is there gets the plan for its events to come, and an event only if
    `--name` names one. Nothing is written unless all of it can be. A connection without time limits is wanted, as a
    large plan takes seconds; a dry run for a new venue needs none.
    """
    now = datetime.now(UTC)
    if options.report is not None and (problem := _not_writable(options.report)):
        console.print(f"[red]{escape(problem)}[/red]", soft_wrap=True)
        return 1
    try:
        times = _times(options, now)
        venue_id = None if connection is None else await venue_called(connection, options.venue)
        stored = None if connection is None or venue_id is None else await stored_plan(connection, venue_id)
        former = None if stored is None else stored.former()
        taken = take_plan(stored, former, _imported(file, options, known_prices(former), console))
        show(taken.imported, options.currency, taken.changes, console)
        event_id = None
        if connection is not None:
            event_id = await _write(connection, venue_id, taken, options, now, times, console)
        _report(options, report_of(taken.imported, taken.changes, is_written=not options.dry_run))
    except PlanError as error:
        console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        _report(options, {"refused": str(error), "is_written": False})
        return 1
    if options.dry_run:
        console.print("Nothing was written (dry run).")
    elif event_id is None:
        console.print("The venue's events to come are sold on this plan; those that have their seats keep them.")
    else:
        console.print(f"/events/{event_id}")
    return 0


def _times(options: argparse.Namespace, now: datetime) -> tuple[datetime, datetime]:
    on_sale_at, event_at = options.on_sale_at or now, options.event_at or now + _EVENT_IN
    if event_at <= now:
        raise PlanError(f"the event would be over: it is at {event_at:%Y-%m-%d %H:%M} UTC")
    if on_sale_at >= event_at:
        raise PlanError("the sale would begin after the event")
    return on_sale_at, event_at


def _imported(file: Path, options: argparse.Namespace, known: Mapping[str, int], console: Console) -> Imported:
    try:
        with file.open("rb") as opened:
            raw = opened.read(PLAN_BYTES_MAX + 1)
    except OSError as error:
        raise PlanError(f"{file}: {error.strerror}") from None
    with _progress(console) as say:
        return import_file(
            raw,
            dict(options.price),
            known_prices=known,
            default_price_cents=options.default_price,
            blocked_categories=options.blocked,
            currency=options.currency,
            strict=options.strict,
            say=say,
        )


@contextmanager
def _progress(console: Console) -> Iterator[Say]:
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=STEPS)

        def say(sentence: str) -> None:
            progress.update(task, description=f"{sentence} …", advance=1)

        yield say


async def _write(
    connection: Connection,
    venue_id: UUID | None,
    taken: Taken,
    options: argparse.Namespace,
    now: datetime,
    times: tuple[datetime, datetime],
    console: Console,
) -> UUID | None:
    """See that the plan may be taken, and write all of it, nothing in a dry run; answer the event that was made."""
    with console.status("Writing …"):
        async with connection.transaction():
            is_new = venue_id is None
            if venue_id is not None:
                await check_plan(connection, venue_id, taken, now)
            if options.dry_run:
                return None
            if venue_id is None:
                venue_id = await _add_venue(connection, taken, options, now)
            await write_plan(connection, venue_id, taken, now)
            if is_new or options.name:
                return await _add_event(connection, venue_id, taken, options, now, times)
    return None


async def _add_venue(connection: Connection, taken: Taken, options: argparse.Namespace, now: datetime) -> UUID:
    venue_id = uuid4()
    name = options.venue or taken.imported.seat_map.name
    place = options.address, options.city, None, options.country
    await connection.execute(
        sql("add_venue"), venue_id, name, *place, len(taken.seats.states), None, now, options.timezone
    )
    return venue_id


async def _add_event(
    connection: Connection,
    venue_id: UUID,
    taken: Taken,
    options: argparse.Namespace,
    now: datetime,
    times: tuple[datetime, datetime],
) -> UUID:
    event_id = uuid4()
    on_sale_at, event_at = times
    name = options.name or taken.imported.seat_map.name
    row = (
        *(event_id, name, "", venue_id, options.artist or name, options.category, event_at, on_sale_at),
        *(options.currency, False, 500, options.max_tickets, None, now, OrphanRule.WARN, "draw", 0, False),
    )
    await connection.execute(sql("add_event"), *row)
    await publish(connection, event_id, taken.seats, now)
    return event_id


def _not_writable(file: Path) -> str:
    """Why it is not, which must be known before anything is written elsewhere; "": it is."""
    try:
        file.open("ab").close()
    except OSError as error:
        return f"{file}: {error.strerror}"
    return ""


def _report(options: argparse.Namespace, report: PlanReport | dict[str, str | bool]) -> None:
    if options.report is not None:
        options.report.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")

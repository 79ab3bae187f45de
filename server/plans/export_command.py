"""`export-plan VENUE FILE`: the plan of a venue as a pretix seating plan in a file."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from server.plans.export import pretix_plan
from server.plans.oddities import PlanError
from server.plans.of_venue import stored_plan, venue_called
from server.plans.publish import Connection


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `export_plan` wants to know."""
    parser.add_argument("venue", help="its name or id")
    parser.add_argument("file", type=Path, help="where to write the plan")


async def export_plan(connection: Connection, options: argparse.Namespace, console: Console) -> int:
    """Write the plan; answer the exit code."""
    try:
        venue_id = await venue_called(connection, options.venue)
        stored = None if venue_id is None else await stored_plan(connection, venue_id)
        if stored is None:
            problem = "there is no venue called" if venue_id is None else "neither a plan nor sections has"
            raise PlanError(f"{problem} “{options.venue}”")
        plan = stored.former()
        options.file.write_bytes(pretix_plan(plan.seat_map, plan.names))
    except PlanError as error:
        console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        return 1
    except OSError as error:
        console.print(f"[red]{escape(f'{options.file}: {error.strerror}')}[/red]", soft_wrap=True)
        return 1
    console.print(f"{options.file}", markup=False)
    return 0

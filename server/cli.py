"""The commands: `python -m server serve | soak | import-plan | export-plan | migrate | audit | verify-draw`."""

import argparse
import asyncio
import gc
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from bots.soak import add_arguments as soak_options
from bots.soak import run_soak
from server.app import CannotListen, running_server
from server.audit import add_arguments as audit_options
from server.audit import run_audit
from server.command_database import command_database
from server.door.open_files import raise_open_files_limit
from server.draws.verifying import add_arguments as verify_options
from server.draws.verifying import verify_draw
from server.engines import EngineError
from server.migrate import MigrationError
from server.plans.command import add_arguments as import_options
from server.plans.command import import_plan
from server.plans.export_command import add_arguments as export_options
from server.plans.export_command import export_plan
from server.settings import Settings, SettingsError
from server.telemetry import logs

INTERRUPTED = 130
GARBAGE_THRESHOLDS = 20_000, 10, 5
"""A batch leaves thousands of small objects behind, hardly any in cycles: with the defaults of Python a fifth of
all work was looking for cycles among them (decision 14)."""

console = Console(stderr=True, highlight=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ends the process with its status."""
    options = _parser().parse_args(arguments)
    try:
        logs.set_up(os.environ)
        sys.exit(_run(options.command(options)))
    except (SettingsError, EngineError, MigrationError, CannotListen) as problem:
        console.print(f"[bold red]usher:[/] {problem}", soft_wrap=True)
        sys.exit(1)


def _run(work: Coroutine[Any, Any, int]) -> int:
    """Run to the end, or to the first SIGTERM or SIGINT, after which everything is ended in order."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_until_told(work))
        except asyncio.CancelledError:
            return 0


async def _until_told(work: Coroutine[Any, Any, int]) -> int:
    task, is_told = asyncio.ensure_future(work), False

    def end_once() -> None:
        # A second signal must not cut the orderly end short: it lasts a few seconds at most.
        nonlocal is_told
        if not is_told:
            is_told = True
            task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end_once)
    return await task


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="usher", description="A real-time ticketing server.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the server")
    serve.add_argument("--host", help="address to listen on (127.0.0.1)")
    serve.add_argument("--port", type=int, help="port to listen on (PORT, or 3001; 0: any free one)")
    serve.add_argument("--workers", type=int, help="server processes; this version runs one")
    serve.add_argument("--demo", action=argparse.BooleanOptionalAction, default=None, help="make the demo data")
    serve.set_defaults(command=_serve)
    import_plan = commands.add_parser("import-plan", help="put an event on sale on a seating plan")
    import_options(import_plan)
    import_plan.set_defaults(command=_import_plan)
    export_plan = commands.add_parser("export-plan", help="write a venue's seating plan to a file")
    export_options(export_plan)
    export_plan.set_defaults(command=_export_plan)
    migrate = commands.add_parser("migrate", help="bring the database to this version's schema")
    migrate.set_defaults(command=_migrate)
    soak = commands.add_parser("soak", help="let bots buy, on a server of their own or a running one")
    soak_options(soak)
    soak.set_defaults(command=_soak)
    audit = commands.add_parser("audit", help="compare seats, orders, tickets, payments and journal")
    audit_options(audit)
    audit.set_defaults(command=_audit)
    verify = commands.add_parser("verify-draw", help="check a published draw, and one's own receipt")
    verify_options(verify)
    verify.set_defaults(command=_verify_draw)
    for command in (serve, import_plan, export_plan, migrate, audit):
        command.add_argument("--data-dir", type=Path, help="where the embedded engines keep their data (.data)")
    return parser


async def _serve(options: argparse.Namespace) -> int:
    settings = Settings.from_env(
        os.environ,
        host=options.host,
        port=options.port,
        workers=options.workers,
        data_dir=options.data_dir,
        demo=options.demo,
    )
    raise_open_files_limit()
    if settings.workers > 1:
        raise SettingsError("This version runs one worker; start it with --workers 1")
    with console.status("starting …") as status:
        async with running_server(settings, lambda sentence: status.update(f"{sentence} …")) as server:
            status.stop()
            gc.collect()
            gc.freeze()  # what is there now stays
            gc.set_threshold(*GARBAGE_THRESHOLDS)
            url = f"http://{settings.host}:{server.port}"
            print(f"ready {url}", flush=True)
            _greet(url, server.admin_password)
            await asyncio.Event().wait()
    return 0


def _greet(url: str, admin_password: str | None) -> None:
    console.print(f"\nOpen [bold]{url}[/] and pick a seat. Ctrl-C stops the server and its engines.")
    if admin_password is not None:
        console.print(
            f"The demo's admin is admin@ticketmaster.local, password [bold]{admin_password}[/] (told once)."
        )


async def _import_plan(options: argparse.Namespace) -> int:
    if options.dry_run and options.venue is None:
        return await import_plan(None, options.file, options, console)
    settings = Settings.from_env(os.environ, data_dir=options.data_dir)
    async with command_database(settings, console.print) as connection:
        return await import_plan(connection, options.file, options, console)


async def _export_plan(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ, data_dir=options.data_dir)
    async with command_database(settings, console.print) as connection:
        return await export_plan(connection, options, console)


async def _migrate(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ, data_dir=options.data_dir)
    async with command_database(settings, console.print):
        console.print("The database has this version's schema.")
    return 0


async def _soak(options: argparse.Namespace) -> int:
    return await run_soak(options, console)


async def _audit(options: argparse.Namespace) -> int:
    settings = Settings.from_env(os.environ, data_dir=options.data_dir)
    try:
        return await run_audit(settings, options, console)
    except asyncio.CancelledError:
        return INTERRUPTED


async def _verify_draw(options: argparse.Namespace) -> int:
    return await verify_draw(options, console)

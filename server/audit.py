"""The auditor: compares seats, holds, orders, tickets, payments, counters and journal, and names what diverges.

Every check is a statement of `sql/queries/audit.sql` that finds nothing in a sound database. All of them see one
moment (one read-only snapshot), so a server may go on selling meanwhile.
"""

import argparse
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from server.command_database import command_address
from server.database import connected
from server.engines import EngineError
from server.settings import Settings
from server.statements import sql, statements

EXAMPLES_MAX = 5
_PREFIX = "audit_"

Connection: TypeAlias = asyncpg.Connection | PoolConnectionProxy


class Finding(Struct, frozen=True):
    """One check that found something: how often, and some of what it found."""

    check: str
    promise: str
    found: int
    examples: list[str]


class Report(Struct, frozen=True):
    """What one audit has looked at and found."""

    looked_at: dict[str, int]
    checks: int
    findings: list[Finding]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `usher audit`, besides `--data-dir`."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file, too")


async def run_audit(settings: Settings, options: argparse.Namespace, console: Console) -> int:
    """Audit the database of these settings, say what was found; the exit status: 1 with a finding."""
    async with _database(settings, console.print) as connection:
        with console.status("auditing …"):
            report = await audit(connection)
    _show(report, console)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    return 1 if report.findings else 0


async def audit(connection: Connection) -> Report:
    """Run every check on one snapshot of the database; nothing is locked or written.

    Raises:
        EngineError: this database has no schema of this version.
    """
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            looked_at = dict(await connection.fetchrow(sql("audited")) or {})
            return Report(looked_at, len(checks()), await findings(connection))
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as problem:
        raise EngineError(f"This database is not of this version (see `usher migrate`): {problem}") from problem


def checks() -> dict[str, str]:
    """What each check expects, in a sentence, by its name."""
    found = {}
    for name, text in statements().items():
        if name.startswith(_PREFIX):
            described = (line[2:].strip() for line in text.splitlines() if line.startswith("--"))
            found[name.removeprefix(_PREFIX)] = " ".join(described).partition(". ")[0].rstrip(".")
    return found


async def findings(connection: Connection) -> list[Finding]:
    """What the checks find, in whatever transaction this connection is."""
    found = []
    for check, promise in checks().items():
        rows = await connection.fetch(
            f"SELECT event_id, what, count(*) OVER () AS found FROM ({sql(_PREFIX + check)}\n) f LIMIT $1",  # noqa: S608 (ours, all of it)
            EXAMPLES_MAX,
        )
        if rows:
            examples = [f"{row['event_id']}: {row['what']}" for row in rows]
            found.append(Finding(check, promise, rows[0]["found"], examples))
    return found


@asynccontextmanager
async def _database(settings: Settings, say: Callable[[str], None]) -> AsyncIterator[asyncpg.Connection]:
    """A connection without time limits to the database as it is: nothing is made or migrated."""
    if settings.database is None and not (settings.data_dir / "postgres").exists():
        raise EngineError(f"There is no database in {settings.data_dir}: name another --data-dir, or set DB_HOST")
    async with command_address(settings, say) as at, connected(at) as connection:
        yield connection


def _show(report: Report, console: Console) -> None:
    size = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.looked_at.items())
    console.print(f"Looked at {size}.")
    if not report.findings:
        console.print(f"[green]All {report.checks} checks found nothing.[/]")
        return
    table = Table(title=f"{len(report.findings)} of {report.checks} checks found something", show_lines=True)
    for column in ("expected", "found", "for example"):
        table.add_column(column, justify="right" if column == "found" else "left")
    for finding in report.findings:
        table.add_row(escape(finding.promise), f"{finding.found:,}", escape("\n".join(finding.examples)))
    console.print(table)

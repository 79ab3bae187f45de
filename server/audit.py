"""The auditor: compares seats, holds, orders, tickets, payments, counters and journal, and names what diverges.

Every check is a statement of `sql/queries/audit.sql` that finds nothing in a sound database. All of them see one
moment (one read-only snapshot), so a server may go on selling meanwhile. Those of `audit_answers.sql` compare what
bots were told with what is stored; the bots must have ended before.
"""

import argparse
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

from server.audit_answers import BadAnswers, Connection, load_answers
from server.command_database import command_address
from server.database import connected
from server.engines import EngineError
from server.settings import Settings
from server.statements import sql, statements

EXAMPLES_MAX = 5
BROKEN, MISUSED = 1, 2
_PREFIX, _OF_ANSWERS = "audit_", "audit_told_"


class Finding(Struct, frozen=True):
    """One check that found something: how often, and some of what it found."""

    check: str
    promise: str
    found: int
    examples: list[str]


class Report(Struct, frozen=True):
    """What one audit has looked at and found. `left_out`: lines that were cut off when a bot was killed."""

    looked_at: dict[str, int]
    checks: int
    findings: list[Finding]
    left_out: list[str] = []


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `usher audit`, besides `--data-dir`."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to this file, too")
    parser.add_argument(
        "--answers",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="compare with what bots were told, too: the files of `usher soak --answers`, all those of its"
        " customers, after its end and within 48 hours (so long the journal is kept)",
    )


async def run_audit(settings: Settings, options: argparse.Namespace, console: Console) -> int:
    """Audit the database of these settings, say what was found.

    The exit status: 1 with a finding, 2 when an answer file is none.
    """
    try:
        async with _database(settings, console.print) as connection:
            with Progress(console=console, transient=True) as progress:
                report = await audit(connection, options.answers, progress)
    except BadAnswers as problem:
        console.print(f"[bold red]usher audit:[/] {escape(str(problem))}", soft_wrap=True)
        return MISUSED
    _show(report, console)
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    return BROKEN if report.findings else 0


async def audit(connection: Connection, answers: Sequence[Path] = (), progress: Progress | None = None) -> Report:
    """Run every check on one snapshot of the database; nothing is locked, or written but to a temporary table.

    `answers` are the files of what bots were told, if that is to be compared as well.

    Raises:
        EngineError: this database has no schema of this version.
        BadAnswers: one of these files cannot be read, or is not one that bots have written.
    """
    progress = progress or Progress(disable=True)
    try:
        left_out = await load_answers(connection, answers, progress) if answers else []
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            looked_at = dict(await connection.fetchrow(sql("audited")) or {})
            if answers:
                looked_at |= dict(await connection.fetchrow(sql("told_counted")) or {})
            expected = checks(with_answers=bool(answers))
            return Report(looked_at, len(expected), await findings(connection, expected, progress), left_out)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as problem:
        raise EngineError(f"This database is not of this version (see `usher migrate`): {problem}") from problem


def checks(*, with_answers: bool = False) -> dict[str, str]:
    """What each check expects, in a sentence, by its name."""
    found = {}
    for name, text in statements().items():
        if name.startswith(_PREFIX) and (with_answers or not name.startswith(_OF_ANSWERS)):
            described = (line[2:].strip() for line in text.splitlines() if line.startswith("--"))
            found[name.removeprefix(_PREFIX)] = " ".join(described).partition(". ")[0].rstrip(".")
    return found


async def findings(
    connection: Connection, expected: Mapping[str, str], progress: Progress | None = None
) -> list[Finding]:
    """What these `checks` find, in whatever transaction this connection is."""
    progress = progress or Progress(disable=True)
    found, shown = [], progress.add_task("checks", total=len(expected))
    for check, promise in expected.items():
        rows = await connection.fetch(
            f"SELECT event_id, what, count(*) OVER () AS found FROM ({sql(_PREFIX + check)}\n) f LIMIT $1",  # noqa: S608 (ours, all of it)
            EXAMPLES_MAX,
        )
        if rows:
            examples = [f"{row['event_id']}: {row['what']}" for row in rows]
            found.append(Finding(check, promise, rows[0]["found"], examples))
        progress.advance(shown)
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
    for sentence in report.left_out:
        console.print(f"[yellow]{escape(sentence)}[/]", soft_wrap=True)
    if not report.findings:
        console.print(f"[green]All {report.checks} checks found nothing.[/]")
        return
    table = Table(title=f"{len(report.findings)} of {report.checks} checks found something", show_lines=True)
    for column in ("expected", "found", "for example"):
        table.add_column(column, justify="right" if column == "found" else "left")
    for finding in report.findings:
        table.add_row(escape(finding.promise), f"{finding.found:,}", escape("\n".join(finding.examples)))
    console.print(table)

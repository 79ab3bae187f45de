"""`usher soak`: bots against a server, with a summary and an exit status that can be trusted."""

import argparse
import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bots.answer_log import AnswerLog
from bots.own_server import own_server
from bots.rehearsal import NoSale, Rehearsal, Summary
from bots.rest import BotError, Rest, ServerAway

DEMO_EVENT = "550e8400-e29b-41d4-a716-446655440202"
"""Coldplay: on sale, no waiting room, 3,750 seats, 6 a customer."""
BROKEN, MISUSED, INTERRUPTED = 1, 2, 130
REQUEST_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `usher soak`."""
    parser.add_argument("--url", type=_url, help="a running server (default: one of its own, on this machine)")
    parser.add_argument("--event", help="the event's id; needed with --url (default: the demo's Coldplay)")
    parser.add_argument(
        "--behaviour",
        choices=["sell-out", "shop"],
        default="sell-out",
        help="sell-out: buy until nothing is left; shop: hold, release, pay and cancel on few seats for a while",
    )
    parser.add_argument("--bots", type=_positive, default=300, help="customers at the same time (300)")
    parser.add_argument("--seconds", type=_positive, default=30, help="how long `shop` goes on (30)")
    parser.add_argument("--seed", type=int, default=1, help="of the bots' choices (1)")
    parser.add_argument("--timeout", type=_positive, default=300, metavar="S", help="the longest it may take (300)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary to this file, too")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="write every answer to this file (JSON lines)")


async def run_soak(options: argparse.Namespace, console: Console) -> int:
    """Run the bots; 0 when every promise was kept, 1 when one was broken, 2 when it was asked for wrongly."""
    if options.url is not None and options.event is None:
        console.print("[bold red]usher soak:[/] --url needs --event: the id of an event of that server")
        return MISUSED
    try:
        async with asyncio.timeout(options.timeout):
            summary = await _soak(options, console)
    except NoSale as problem:
        console.print(f"[bold red]usher soak:[/] {escape(str(problem))}", soft_wrap=True)
        return MISUSED
    except (BotError, ServerAway) as problem:
        console.print(f"[bold red]broken:[/] {escape(str(problem))}", soft_wrap=True)
        return BROKEN
    except TimeoutError:
        console.print(f"[bold red]broken:[/] not at the end after {options.timeout} s (--timeout)")
        return BROKEN
    except asyncio.CancelledError:
        console.print("interrupted: nothing is shown by this run")
        return INTERRUPTED
    console.print(_table(summary))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")
    return BROKEN if summary.broken else 0


async def _soak(options: argparse.Namespace, console: Console) -> Summary:
    async with AsyncExitStack() as stack:
        own = None
        if options.url is None:
            with console.status("starting a server …"):
                own = await stack.enter_async_context(own_server())
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=REQUEST_S)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
        rest = Rest(http, options.url if own is None else own.url)
        progress = stack.enter_context(_progress(console))
        log = stack.enter_context(AnswerLog(options.answers))
        rehearsal = Rehearsal(rest, options.event or DEMO_EVENT, options.bots, options.seed, log, progress)
        if options.behaviour == "sell-out":
            summary = await rehearsal.sell_out()
        else:
            summary = await rehearsal.shop(options.seconds)
        if own is not None:
            summary.broken += await own.audit()
            summary.is_audited = True
        return summary


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise argparse.ArgumentTypeError(f"{text!r} is not a server such as http://127.0.0.1:3001")
    return text


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 100,000")
    return int(text)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _table(summary: Summary) -> Table:
    table = Table(title=escape(summary.event), show_header=False)
    shown = msgspec.structs.asdict(summary)
    for name in ("event", "broken", "refusals", "is_audited"):
        del shown[name]
    for name, value in shown.items():
        table.add_row(name.replace("_", " "), f"{value:,}" if isinstance(value, int | float) else str(value))
    refusals = (f"{code} {count:,}" for code, count in sorted(summary.refusals.items()))
    table.add_row("refusals", ", ".join(refusals) or "none")
    table.add_row("audit of the database", "made" if summary.is_audited else "not made: run `usher audit` there")
    table.add_row("broken promises", escape("\n".join(summary.broken)) or "[green]none[/]")
    return table

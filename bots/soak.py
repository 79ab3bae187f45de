"""`usher soak`: rehearse an on-sale with bots; a live view, a summary, and an exit status that can be trusted."""

import argparse
import asyncio
import math
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bots.behaviours import BEHAVIOURS, ENDLESS, MIXES, QUEUING, assigned
from bots.misuse import Misused, behaviours, check
from bots.own_data import Room, put_on_sale, sign_in
from bots.own_server import OwnServer, own_server
from bots.progress import View
from bots.rehearsal import Event, NoSale, Plan, Rehearsal, find_event
from bots.rest import BotError, Customer, Rest, ServerAway
from bots.summary import Summary, as_table

BROKEN, MISUSED, INTERRUPTED = 1, 2, 130
SEATS, DURATION_S = 20_000, 60
REQUEST_S = 60.0
SPARE_S = 600
"""Beyond its duration a run may take so long: to start, to sign up, to compare and audit."""
SIGN_UPS_AT_ONCE = 8
PACE_PER_S = 1_000.0
SLOTS_PER_BOT = 0.1
LOBBY_S, ARRIVE_PER_S = 5.0, 100.0
"""The sale begins when so many a second have come to the lobby, and a little later."""
PASSWORD = "a bot's password"  # noqa: S105  (accounts of bots, on a server under test)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `usher soak`."""
    number = _up_to
    parser.add_argument("--url", type=_url, help="a running server (default: one of its own, on this machine)")
    parser.add_argument(
        "--event", type=_event_id, help="the event's id; needed with --url (default: a new one, see --seats)"
    )
    parser.add_argument("--seats", type=number(100_000), help=f"of the new event on its own server ({SEATS:,})")
    parser.add_argument(
        "--slots",
        type=number(10_000),
        help="how many may shop at one time, where bots queue at the new event on its own server (a tenth of them)",
    )
    doing = parser.add_mutually_exclusive_group()
    mixes = "; ".join(
        f"{name}: {', '.join(f'{share} %% {who}' for who, share in shares.items())}"
        for name, shares in MIXES.items()
    )
    doing.add_argument("--mix", choices=MIXES, default="on-sale", help=f"who is there (on-sale). {mixes}")
    doing.add_argument("--behaviour", choices=BEHAVIOURS, help="let all bots do the same instead")
    parser.add_argument("--bots", type=number(100_000), default=1_000, help="customers at the same time (1,000)")
    parser.add_argument("--processes", type=number(64), default=1, help="processes to be spread over (1)")
    parser.add_argument("--duration", type=number(86_400), metavar="S", help=f"how long ({DURATION_S})")
    parser.add_argument(
        "--pace", type=number(100_000), metavar="N", help="commands a second of the behaviour `paced` (1,000)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the bots' choices (1)")
    parser.add_argument(
        "--timeout", type=number(200_000), metavar="S", help=f"the longest it may take (duration + {SPARE_S})"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary to this file, too")
    parser.add_argument(
        "--answers",
        type=Path,
        metavar="FOLDER",
        help="keep what the bots were told here, for `usher audit --answers`",
    )


async def run_soak(options: argparse.Namespace, console: Console) -> int:
    """Run the bots; 0 when every promise was kept, 1 when one was broken, 2 when it was asked for wrongly."""
    timeout_s = options.timeout or (options.duration or DURATION_S) + SPARE_S
    try:
        check(options)
        async with asyncio.timeout(timeout_s):
            summary = await _soak(options, console)
    except (NoSale, Misused) as problem:
        console.print(f"[bold red]usher soak:[/] {escape(str(problem))}", soft_wrap=True)
        return MISUSED
    except (BotError, ServerAway) as problem:
        return _failed(str(problem), options, console)
    except TimeoutError:
        return _failed(f"not at the end after {timeout_s} s (--timeout)", options, console)
    except asyncio.CancelledError:
        console.print("interrupted: nothing is shown by this run")
        return INTERRUPTED
    console.print(as_table(summary, _audit_said(summary, options)))
    _write(summary, options)
    return BROKEN if summary.broken_count else 0


def _failed(text: str, options: argparse.Namespace, console: Console) -> int:
    """The run has come to no end, and there is no summary of it."""
    console.print(f"[bold red]broken:[/] {escape(text)}", soft_wrap=True)
    _write({"broken_count": 1, "broken": [text]}, options)
    return BROKEN


def _write(found: Summary | dict[str, object], options: argparse.Namespace) -> None:
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")


async def _soak(options: argparse.Namespace, console: Console) -> Summary:
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(_started(console)) if options.url is None else None
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=REQUEST_S)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
        url = options.url if own is None else own.url
        event = await find_event(Rest(http, url), await _event_of(options, own))
        plan = _plan(options)
        if own is not None and plan.answers is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="usher-soak-"))
            plan = replace(plan, answers=Path(folder))
        customers = await _customers(options, own, Rest(http, url), event, console)
        is_endless = bool(ENDLESS & set(plan.behaviours))
        title = f"{event.name}: {options.behaviour or options.mix}, {options.bots:,} bots"
        lost = None if own is None else own.lost
        with View(console, title, plan.duration_s if is_endless else None) as view:
            summary = await Rehearsal(http, url, event, plan, customers, view.show, lost).run()
        if own is not None and plan.answers is not None:
            with console.status("auditing …"):
                await _audited(own, plan.answers, summary)
        return summary


async def _audited(own: OwnServer, answers: Path, summary: Summary) -> None:
    """Audit, unless there is nothing left to audit, and stop the server: what is wrong belongs to the summary."""
    found = []
    try:
        if not own.lost.done():
            found = await own.audit(sorted(answers.glob("answers-*.jsonl")))
            summary.is_audited = True
        await own.stop()
    except BotError as problem:
        found.append(str(problem))
    found = [text for text in found if text not in summary.broken]
    summary.broken += found
    summary.broken_count += len(found)


@asynccontextmanager
async def _started(console: Console) -> AsyncIterator[OwnServer]:
    with console.status("starting a server …") as status:
        async with own_server() as own:
            status.stop()
            yield own


async def _event_of(options: argparse.Namespace, own: OwnServer | None) -> str:
    if options.event is not None or own is None:
        return str(options.event)
    room = None
    if QUEUING & behaviours(options):
        lobby_s = LOBBY_S + options.bots / ARRIVE_PER_S
        room = Room(options.slots or math.ceil(SLOTS_PER_BOT * options.bots), lobby_s)
    return await put_on_sale(own.database, options.seats or SEATS, room=room)


def _plan(options: argparse.Namespace) -> Plan:
    shares = {options.behaviour: 1} if options.behaviour else MIXES[options.mix]
    return Plan(
        assigned(shares, options.bots),
        duration_s=options.duration or DURATION_S,
        per_s=options.pace or PACE_PER_S,
        processes=options.processes,
        seed=options.seed,
        answers=options.answers,
    )


async def _customers(
    options: argparse.Namespace, own: OwnServer | None, rest: Rest, event: Event, console: Console
) -> Sequence[Customer]:
    """As many as there are bots; to sell out, as many as it takes."""
    count = options.bots
    if options.behaviour == "sell-out":
        count = math.ceil(event.available / event.limit) + 1
    if own is not None:
        return await sign_in(own.database, count)
    run, turn = f"{options.seed}-{time.time_ns():x}", asyncio.Semaphore(SIGN_UPS_AT_ONCE)
    columns = TextColumn("signing up"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        shown = progress.add_task("", total=count)

        async def one(number: int) -> Customer:
            async with turn:
                try:
                    session_id = await rest.sign_up(f"bot-{number}-{run}@bots.example", PASSWORD, f"Bot {number}")
                    name = await rest.customer_of(session_id)
                except (BotError, ServerAway) as problem:
                    raise Misused(f"a bot could not sign up: {problem}") from problem
            progress.advance(shown)
            return Customer(name, session_id)

        return await asyncio.gather(*(one(number) for number in range(count)))


def _audit_said(summary: Summary, options: argparse.Namespace) -> str:
    if summary.is_audited:
        return "made, of the database and of what the bots were told"
    if options.url is None:
        return "none: the server is gone, or could not be audited"
    if options.answers is None:
        return "none: with --answers FOLDER, what the bots are told is kept for `usher audit` on the server's side"
    return f"to be made on the server's side: usher audit --answers {options.answers}/answers-*.jsonl"


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise argparse.ArgumentTypeError(f"{text!r} is not a server such as http://127.0.0.1:3001")
    return text


def _event_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an event's id") from None


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {most:,}")
        return int(text)

    return number

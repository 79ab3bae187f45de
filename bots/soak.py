"""`usher soak`: bots against a running server, with a summary and an exit status that can be trusted."""

import argparse
import asyncio
import math
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bots.client import BotError, EventSocket, Rest
from bots.sell_out import Tally, buy_all
from protocol.seat_state import SeatState

SIGN_UPS_AT_ONCE = 8
SPARE_ACCOUNTS = 0.1
PASSWORD = "a bot's password"  # noqa: S105  (accounts of bots, on a server under test)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `usher soak`."""
    parser.add_argument("--url", required=True, help="the server, such as http://127.0.0.1:3001")
    parser.add_argument("--event", required=True, help="the event's id")
    parser.add_argument("--behaviour", choices=["sell-out"], default="sell-out", help="what the bots do")
    parser.add_argument("--bots", type=int, default=300, help="buyers at the same time (300)")
    parser.add_argument("--seed", type=int, default=1, help="of the bots' choices (1)")
    parser.add_argument("--json", type=Path, help="write the summary to this file, too")


async def soak(options: argparse.Namespace, console: Console) -> int:
    """Run the bots; 0 when every promise was kept, 1 when one was broken."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        rest = Rest(http, options.url)
        try:
            summary = await sell_out(rest, options.event, options.bots, options.seed, console)
        except (BotError, aiohttp.ClientError, TimeoutError) as problem:
            console.print(f"[bold red]broken:[/] {problem}")
            return 1
    console.print(_table(summary))
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(summary)))
    return 1 if summary["broken"] else 0


async def sell_out(rest: Rest, event_id: str, bots: int, seed: int, console: Console) -> dict[str, Any]:
    """Sell every seat that is still available; the summary says what was done and which promises were broken."""
    status, envelope = await rest.call("GET", f"/events/{event_id}")
    if status != 200:
        raise BotError(f"event {event_id}: {status} {envelope.get('error')}")
    event = envelope["data"]
    limit = event["max_tickets_per_user"]
    accounts = math.ceil(event["available_seats"] / limit * (1 + SPARE_ACCOUNTS)) + 1
    async with EventSocket(rest, event_id) as watcher:
        await watcher.open()
        before = bytes(watcher.map.states)
        with _progress(console) as progress:
            sessions = await _sign_up(rest, accounts, seed, progress)
            tally = Tally({}, Counter())
            began = time.perf_counter()
            await _sell(rest, event_id, sessions, bots, limit, tally, seed, progress, len(before))
            took_s = time.perf_counter() - began
        broken = await _broken_promises(rest, event_id, watcher, before, tally)
    return {
        "event": event["name"],
        "seats": len(before),
        "sold_now": len(tally.sold),
        "accounts": accounts,
        "bots": bots,
        "seconds": round(took_s, 3),
        "commands": tally.commands,
        "orders": tally.orders,
        "orders_per_s": round(tally.orders / took_s, 1),
        "commands_per_s": round(tally.commands / took_s, 1),
        "refusals": dict(tally.refusals),
        "broken": broken,
    }


async def _sign_up(rest: Rest, accounts: int, seed: int, progress: Progress) -> list[str]:
    shown = progress.add_task("accounts", total=accounts)
    turn = asyncio.Semaphore(SIGN_UPS_AT_ONCE)
    run = f"{seed}-{time.time_ns():x}"

    async def one(number: int) -> str:
        async with turn:
            session_id = await rest.sign_up(f"bot-{run}-{number}@bots.example", PASSWORD, f"Bot {number}")
        progress.advance(shown)
        return session_id

    return await asyncio.gather(*(one(number) for number in range(accounts)))


async def _sell(
    rest: Rest,
    event_id: str,
    sessions: list[str],
    bots: int,
    limit: int,
    tally: Tally,
    seed: int,
    progress: Progress,
    seat_count: int,
) -> None:
    shown = progress.add_task("seats sold", total=seat_count)
    queue = iter(enumerate(sessions))

    async def worker() -> None:
        for number, session_id in queue:
            dice = random.Random(f"{seed}/{number}")
            await buy_all(rest, event_id, session_id, f"bot {number}", limit, tally, dice)
            progress.update(shown, completed=len(tally.sold))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(bots, len(sessions))):
            group.create_task(worker())


async def _broken_promises(
    rest: Rest, event_id: str, watcher: EventSocket, before: bytes, tally: Tally
) -> list[str]:
    broken = [f"seat {seat} was sold to {buyers}" for seat, buyers in tally.sold.items() if len(buyers) > 1]
    to_sell = {index for index, state in enumerate(before) if state == SeatState.AVAILABLE}
    if missing := to_sell - tally.sold.keys():
        broken.append(f"{len(missing)} seats were not sold")
    async with EventSocket(rest, event_id) as fresh:
        await fresh.open()
        # The watcher's last patch may still be on its way.
        for _ in range(100):
            if watcher.map.states == fresh.map.states:
                break
            await asyncio.sleep(0.05)
        if watcher.map.states != fresh.map.states:
            broken.append("a watcher's map, rebuilt from patches, is not the snapshot")
        if unsold := [seat for seat in to_sell if fresh.map.states[seat] != SeatState.SOLD]:
            broken.append(f"{len(unsold)} seats are not shown as sold")
    return broken


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _table(summary: dict[str, Any]) -> Table:
    table = Table(title=summary["event"], show_header=False)
    for name, value in summary.items():
        if name not in ("event", "broken"):
            table.add_row(name.replace("_", " "), str(value))
    table.add_row("broken promises", "\n".join(summary["broken"]) or "none")
    return table

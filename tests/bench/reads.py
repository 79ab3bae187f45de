"""How fast seats are read while they are sold: `python -m tests.bench.reads [--seconds 5] [--connections 64]`.

A server of its own sells an event of 3,750 seats at a steady pace to bots on sockets. Beside them readers ask for
the same event, for one that nobody buys, for the list of events: one request at a time on a connection that stays,
the answer counted and thrown away, as fast as they are answered or at a pace. They are a process of their own: a
reader's work is not to count as a buyer's wait.
"""

import argparse
import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from multiprocessing import get_context
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import uvloop

from bots.event_socket import EventSocket
from bots.own_server import own_server
from bots.rest import Rest
from protocol.inbound import HoldSeats, ReleaseSeats

EVENT = "550e8400-e29b-41d4-a716-446655440202"
"""The demo's event at the O2: 3,750 seats, on sale."""
SEAT_COUNT = 3_750
QUIET_EVENT = "550e8400-e29b-41d4-a716-446655440204"
WHOLE = f"/api/v1/seats/{EVENT}/availability"
PACKED = "Accept-Encoding: gzip\r\n"
ROUNDS = 3
WARM_UP_S = 0.5


class Case(NamedTuple):
    """What the readers ask for. `revalidates`: with the tag of the last answer. `per_s` 0: as fast as can be."""

    name: str
    path: str = ""
    headers: str = PACKED
    revalidates: bool = False
    per_s: float = 0.0


CASES = (
    Case("nobody reads"),
    Case("whole event", WHOLE),
    Case("whole event, 2,000/s", WHOLE, per_s=2_000),
    Case("whole event, not packed", WHOLE, headers=""),
    Case("whole event, If-None-Match", WHOLE, revalidates=True),
    Case("quiet event, If-None-Match", WHOLE.replace(EVENT, QUIET_EVENT), revalidates=True),
    Case("one section", f"{WHOLE}?section=Block%20B1"),
    Case("summary", f"{WHOLE}?summary=true"),
    Case("events", "/api/v1/events"),
)


class Reader:
    """One connection that asks again and again."""

    def __init__(self, case: Case) -> None:
        self.answers = 0
        self.not_modified = 0
        self.octets = 0
        self._case = case
        self._tag = b""

    async def read(self, url: str, pause_s: float, chance: random.Random) -> None:
        """Until it is cancelled, one request each `pause_s`."""
        at, loop = urlsplit(url), asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection(at.hostname, at.port, limit=1 << 20)
        next_at = loop.time() + chance.random() * pause_s
        try:
            while True:
                if pause_s:
                    next_at = max(next_at + pause_s, loop.time())
                    await asyncio.sleep(next_at - loop.time())
                tag = b"If-None-Match: %s\r\n" % self._tag if self._tag else b""
                said = f"GET {self._case.path} HTTP/1.1\r\nHost: {at.netloc}\r\n{self._case.headers}"
                writer.write(said.encode() + tag + b"\r\n")
                await self._take(reader)
        finally:
            writer.transport.abort()

    async def _take(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        length = int(lines.get(b"content-length", b"0"))
        await reader.readexactly(length)
        status = head[9:12]
        assert status in (b"200", b"304"), head
        self.answers += 1
        self.not_modified += status == b"304"
        self.octets += length
        if self._case.revalidates:
            self._tag = lines.get(b"etag", b"")


class Answers(NamedTuple):
    """What the readers were told, by the second."""

    answers: float
    not_modified: float
    kilobytes: float


class Measured(NamedTuple):
    """One case, once."""

    answers: float
    not_modified: float
    kilobytes: float
    command_p50_ms: float
    command_p99_ms: float
    commands: float


def read_for(url: str, case: Case, seconds: float, connections: int) -> Answers:
    """Read for so long, in a process of its own."""
    return uvloop.run(_read_for(url, case, seconds, connections))


async def _read_for(url: str, case: Case, seconds: float, connections: int) -> Answers:
    loop = asyncio.get_running_loop()
    readers = [Reader(case) for _ in range(connections)]
    pause_s = connections / case.per_s if case.per_s else 0.0
    tasks = [asyncio.create_task(one.read(url, pause_s, random.Random(k))) for k, one in enumerate(readers)]
    await asyncio.sleep(WARM_UP_S)
    before, began = _sums(readers), loop.time()
    await asyncio.sleep(seconds)
    after, took_s = _sums(readers), loop.time() - began
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
    answers, not_modified, octets = (new - old for new, old in zip(after, before, strict=True))
    return Answers(answers / took_s, not_modified / took_s, octets / max(answers, 1) / 1000)


def _sums(readers: list[Reader]) -> tuple[int, int, int]:
    return (
        sum(one.answers for one in readers),
        sum(one.not_modified for one in readers),
        sum(one.octets for one in readers),
    )


async def measure(
    pool: ProcessPoolExecutor, url: str, case: Case, options: argparse.Namespace, answered: list[float]
) -> Measured:
    """One case; `answered` collects how long commands waited for their answers, s."""
    loop, seconds = asyncio.get_running_loop(), options.seconds
    connections = options.connections if case.path else 0
    reading = loop.run_in_executor(pool, read_for, url, case, seconds, connections)
    await asyncio.sleep(WARM_UP_S)
    answered.clear()
    await asyncio.sleep(seconds)
    waits = sorted(answered)
    found = await reading
    return Measured(
        *found,
        1000 * waits[len(waits) // 2],
        1000 * waits[len(waits) * 99 // 100],
        len(waits) / seconds,
    )


@asynccontextmanager
async def selling(url: str, bots: int, commands_per_s: float, answered: list[float]) -> AsyncIterator[None]:
    """Bots that hold two seats and release them, at this pace together."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        rest = Rest(http, url)
        sessions = [await rest.sign_up(f"bench-{k}@example.org", "a bench is no bank", "Ben") for k in range(bots)]
        tasks = [
            asyncio.create_task(_sell(rest, session, bots / commands_per_s, random.Random(k), answered))
            for k, session in enumerate(sessions)
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended


async def _sell(rest: Rest, session: str, pause_s: float, chance: random.Random, answered: list[float]) -> None:
    loop = asyncio.get_running_loop()
    async with EventSocket(rest, EVENT, session) as socket:
        at = loop.time() + chance.random() * pause_s
        for number in count():
            at = max(at + pause_s, loop.time())
            await asyncio.sleep(at - loop.time())
            seats = tuple(chance.sample(range(SEAT_COUNT), 2))
            command = ReleaseSeats(f"c{number}", ()) if number % 2 else HoldSeats(f"c{number}", seats)
            asked = time.perf_counter()
            await socket.ask(command)
            answered.append(time.perf_counter() - asked)


async def run(options: argparse.Namespace, say: Callable[[str], None] = print) -> None:
    """All cases, a few rounds, the medians."""
    answered: list[float] = []
    found: dict[str, list[Measured]] = {}
    cases = [case for case in CASES if not options.only or options.only in case.name]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        async with own_server() as server, selling(server.url, options.bots, options.commands, answered):
            for case in cases * ROUNDS:
                measured = await measure(pool, server.url, case, options, answered)
                found.setdefault(case.name, []).append(measured)
    say(f"{options.connections} connections, {options.bots} bots; medians of {ROUNDS} rounds")
    say(f"{'':36}{'answers/s':>10}{'304/s':>8}{'kB':>7}{'p50 ms':>8}{'p99 ms':>8}{'commands/s':>11}")
    for name, rounds in found.items():
        medians = Measured(*(statistics.median(column) for column in zip(*rounds, strict=True)))
        say(
            f"{name:36}{medians.answers:10.0f}{medians.not_modified:8.0f}{medians.kilobytes:7.1f}"
            f"{medians.command_p50_ms:8.2f}{medians.command_p99_ms:8.2f}{medians.commands:11.0f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each case is measured each time")
    parser.add_argument("--connections", type=int, default=64, help="readers")
    parser.add_argument("--bots", type=int, default=20, help="buyers")
    parser.add_argument("--commands", type=float, default=500.0, help="their commands a second, all together")
    parser.add_argument("--only", default="", help="cases with this in their name")
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()

"""B6, B7 and those who never read: patches to many, and what a watcher costs."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from statistics import median

import aiohttp

from bots.rest import Rest
from server.door.open_files import FILES_RESERVED
from server.sockets.broadcast import BEHIND_MAX_S
from tests.bench.bench import Bench, Case
from tests.bench.bot import Broken
from tests.bench.c_loop import NoCompiler, SendLoop, send_loop
from tests.bench.child import Generator, generator
from tests.bench.orders import Await, Leave, Pace
from tests.bench.rig import Rig, rig
from tests.bench.rows import Goal, row
from tests.bench.watching import watchers_of

SEATS = 2_000
PATCH_SEATS = range(1_000, 1_004)
"""These make a patch of about 120 bytes."""
PATCH_S = 30.0
FANNED_OUT = Goal("at most", ratio=1.3)

FIRST_WATCHERS = 200
IDLE_KB = Goal("at most", 16)
REST_S = 1.0
"""How long everything is left alone before memory is looked at."""

DEAF = 1_000
DEAF_SEATS = 80_000
DEAF_OPENS = 8
"""So many maps of 27 KB are more than the kernel takes for a connection, and less than gets it cut off."""
DEAF_S = BEHIND_MAX_S + 2
"""So long they are looked at: they are cut off meanwhile."""
DEAF_KB = Goal("at most", 512)
OTHERS, OTHERS_PER_S = 200, 2_000
LOOK_S = 0.2


class Trigger:
    """Somebody who holds the same few seats and releases them, over REST: each time there is one patch."""

    def __init__(self, one: Rig, http: aiohttp.ClientSession, event_id: str, session: str) -> None:
        self._rest = Rest(http, one.url)
        self._session = session
        self._steps = cycle((f"/seats/{event_id}/reserve", f"/seats/{event_id}/release"))
        self._body = {"seat_ids": [str(seat) for seat in PATCH_SEATS]}

    async def pull(self) -> None:
        """The next patch."""
        status, envelope = await self._rest.call("POST", next(self._steps), self._body, self._session)
        if status != 200:
            raise Broken(f"{status} {envelope}")


async def fan_out(bench: Bench) -> None:
    """B6."""
    one = await bench.rig()
    for count in bench.sizes((1_000,), (1_000, 5_000, 10_000)):
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        case = f"one patch to {count:,} watchers"
        if allowed != resource.RLIM_INFINITY and allowed < count + FILES_RESERVED:
            bench.put(row("B6", case, "ms", None, FANNED_OUT, note=f"a process may open {allowed:,} files here"))
            continue
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            event_id = await one.event(SEATS, f"fan-out {count}")
            trigger = Trigger(one, http, event_id, (await one.customers(1))[0])
            audience = await stack.enter_async_context(generator(watchers_of(one.url, event_id, count)))
            await trigger.pull()
            frame_bytes = round((await audience.do(Await(PATCH_S)))["octets"])
            loop: SendLoop | None = None
            try:
                loop = await stack.enter_async_context(send_loop(count, frame_bytes))
            except NoCompiler:
                pass
            await _compare(bench, case, count, trigger, audience, loop, frame_bytes)


async def _compare(
    bench: Bench,
    case: str,
    count: int,
    trigger: Trigger,
    audience: Generator,
    loop: SendLoop | None,
    frame_bytes: int,
) -> None:
    ours, theirs, own = [], [], []
    for _ in range(10 * bench.rounds):
        await trigger.pull()
        ours.append((await audience.do(Await(PATCH_S)))["span_ms"])
        if loop is not None:
            span_ms, loop_ms = await loop.burst()
            theirs.append(span_ms)
            own.append(loop_ms)
    details = {"us_per_watcher": 1000 * median(ours) / count, "frame_bytes": float(frame_bytes)}
    if own:
        details |= {"c_us_per_watcher": 1000 * median(theirs) / count, "c_loop_by_its_own_clock_ms": median(own)}
    bench.put(
        row(
            "B6",
            case,
            "ms from first to last",
            median(ours),
            FANNED_OUT,
            yardstick=median(theirs) if theirs else None,
            yardstick_is="a C send() loop" if theirs else "",
            details=details,
            note="" if theirs else "there is no C compiler here, so there is nothing to compare with",
        )
    )


async def idle(bench: Bench) -> None:
    """B7."""
    (count,) = bench.sizes((1_000,), (5_000,))
    async with rig() as one:
        event_id = await one.event(SEATS)
        async with generator(watchers_of(one.url, event_id, FIRST_WATCHERS)):
            await asyncio.sleep(REST_S)
            before = one.memory_bytes()
            async with generator(watchers_of(one.url, event_id, count)):
                await asyncio.sleep(REST_S)
                grown = one.memory_bytes() - before
    bench.put(
        row(
            "B7",
            f"memory per idle watcher, {count:,} of them",
            "KB",
            grown / count / 1024,
            IDLE_KB,
            note="what the server process has to itself; the kernel's socket buffers are not in it",
        )
    )


@asynccontextmanager
async def highest_memory(one: Rig) -> AsyncIterator[list[int]]:
    """What the server has at most from now on, bytes: the last number."""
    found = [one.memory_bytes()]

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            found.append(max(found[-1], one.memory_bytes()))

    looking = asyncio.create_task(look())
    try:
        yield found
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def never_read(bench: Bench) -> None:
    """Watchers that leave everything unread, beside others who work."""
    order = Pace(bench.seconds if bench.is_quick else DEAF_S, OTHERS_PER_S, bench.warm_up_s)
    async with rig() as one, generator(await one.bots(OTHERS, DEAF_SEATS)) as others:
        before = await others.do(order, order.seconds)
        event_id = await one.event(DEAF_SEATS, "0")
        deaf = watchers_of(one.url, event_id, DEAF, reads=False, opens=DEAF_OPENS)
        async with highest_memory(one) as memory, generator(deaf) as silent:
            during = await others.do(order, order.seconds)
            most = memory[-1]
            left = await silent.do(Leave())
    bench.put(
        row(
            "unread",
            f"{DEAF:,} watchers that never read: memory each",
            "KB",
            (most - memory[0]) / DEAF / 1024,
            DEAF_KB,
            is_right=left["had_unread"] == DEAF or None,
            details=left,
            note="at most, in the server process",
        )
    )
    bench.put(
        row(
            "unread",
            f"{OTHERS} bots meanwhile, {OTHERS_PER_S:,}/s",
            "ms p99",
            during["p99_ms"],
            yardstick=before["p99_ms"],
            yardstick_is="without them",
            details={"p50_ms": during["p50_ms"], "p50_ms_without_them": before["p50_ms"]},
        )
    )


CASES = (
    Case("B6", "fan-out", fan_out, 400),
    Case("B7", "memory per idle watcher", idle, 120),
    Case("unread", "watchers that never read", never_read, 120),
)

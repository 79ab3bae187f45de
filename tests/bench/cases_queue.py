"""B11: the waiting room."""

import asyncio
import resource

import aiohttp

from bots.rest import Rest
from server.door.open_files import FILES_RESERVED
from tests.bench.bench import Bench, Case, Figures, middle
from tests.bench.bot import Broken
from tests.bench.cases_commands import shown
from tests.bench.child import generator
from tests.bench.orders import Await, Bots, Forget, Loop
from tests.bench.rig import Cores
from tests.bench.rows import Goal, row
from tests.bench.watching import watchers_of

SEATS = 20_000
BOTS = 1_000
JOINS = Goal("at least", 10_000)

PUSHED_MS = Goal("at most", 100)
PUSH_S = 30.0
PUSHES = 5
LINE_S = 1.1
"""The line is told at most once a second."""


async def join_and_leave(bench: Bench) -> None:
    """How many join the line, each durably, while as many leave it."""
    one = await bench.rig()
    event_id = await one.queued_event(SEATS, "line")
    line: list[Figures] = []
    (count,) = bench.sizes((200,), (BOTS,))
    queueing = Bots(one.url, [event_id], SEATS, await one.customers(count))
    async with generator(queueing) as people:
        for _ in range(bench.rounds):
            cores = Cores(one, people.pid)
            order = Loop(bench.seconds, bench.warm_up_s, queues=True)
            line.append(await people.do(order, order.seconds) | cores.busy())
    async with generator(await one.bots(count, SEATS)) as buyers:
        order = Loop(bench.seconds, bench.warm_up_s)
        seats = [await buyers.do(order, order.seconds) for _ in range(bench.rounds)]
    found = middle(line)
    bench.put(
        row(
            "B11",
            f"join the line and leave it, {count:,} bots",
            "joins/s",
            found["accepted_per_s"] / 2,
            JOINS,
            yardstick=middle(seats)["accepted_per_s"] / 2,
            yardstick_is="holds of seats by the same bots",
            details=shown(found),
            note="every other command leaves the line",
        )
    )


async def push_the_line(bench: Bench) -> None:
    """How long it takes to tell everybody how far the line is."""
    (count,) = bench.sizes((1_000,), (10_000,))
    case = f"the line to {count:,} sockets"
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if allowed != resource.RLIM_INFINITY and allowed < count + FILES_RESERVED:
        bench.put(row("B11", case, "ms", None, PUSHED_MS, note=f"a process may open {allowed:,} files here"))
        return
    one = await bench.rig()
    event_id = await one.queued_event(SEATS, "push")
    sessions = iter(await one.customers(PUSHES))
    audience_job = watchers_of(one.url, event_id, count, waits_for="line")
    told: list[Figures] = []
    async with aiohttp.ClientSession() as http, generator(audience_job) as audience:
        for _ in range(PUSHES):
            await asyncio.sleep(LINE_S)
            await audience.do(Forget())  # everybody is told of the line on coming, too
            status, envelope = await Rest(http, one.url).call(
                "POST", f"/queue/{event_id}/join", session_id=next(sessions)
            )
            if status != 200:
                raise Broken(f"{status} {envelope}")
            told.append(await audience.do(Await(PUSH_S)))
    bench.put(
        row(
            "B11",
            case,
            "ms from first to last",
            (found := middle(told))["span_ms"],
            PUSHED_MS,
            details={"us_per_socket": 1000 * found["span_ms"] / count, "frame_bytes": found["octets"]},
        )
    )


CASES = (
    Case("B11", "the waiting room", join_and_leave, 200),
    Case("B11", "the line to everybody", push_the_line, 200),
)

"""B8 and B9: what is asked over REST."""

import asyncio

from tests.bench.bench import Bench, Case, Figures, middle
from tests.bench.cases_commands import NAIVE
from tests.bench.child import Generator, generator
from tests.bench.orders import Loop, Order, Pace, Readers, RestBots
from tests.bench.rig import Cores
from tests.bench.rows import Goal, row

SEATS = 20_000
REQUESTS = Goal("at least", 4_000)
P99_MS = Goal("at most", 50)
P99_SESSIONS = 128

READ_SEATS = 3_750
READERS = 64
FULL_ANSWERS = Goal("at least", 2_000)
BUYERS, BUYERS_PER_S = 20, 500
PACKED = "Accept-Encoding: gzip\r\n"


async def reserve_and_release(bench: Bench) -> None:
    """B8."""
    one = await bench.rig()
    for count in bench.sizes((32, 128), (32, 128, 512)):
        sessions = await one.customers(count)
        event_id = await one.naive_event(SEATS, "rest")
        order = Loop(bench.seconds, bench.warm_up_s)
        ours: list[Figures] = []
        theirs: list[Figures] = []
        async with (
            generator(RestBots(one.url, event_id, SEATS, sessions)) as product,
            generator(RestBots(one.naive_url, event_id, SEATS, sessions)) as naive,
        ):
            for _ in range(bench.rounds):
                cores = Cores(one, product.pid)
                ours.append(await product.do(order, order.seconds) | cores.busy())
                theirs.append(await naive.do(order, order.seconds))
        found, other = middle(ours), middle(theirs)
        told = {name: value for name, value in found.items() if name.endswith(("_cores", "_ms"))}
        bench.put(
            row(
                "B8",
                f"REST reserve and release, {count} sessions",
                "requests/s",
                found["answered_per_s"],
                REQUESTS,
                yardstick=other["answered_per_s"],
                yardstick_is=NAIVE,
                details=told,
            )
        )
        if count == P99_SESSIONS:
            bench.put(
                row(
                    "B8",
                    f"REST reserve and release, {count} sessions: wait",
                    "ms p99",
                    found["p99_ms"],
                    P99_MS,
                    yardstick=other["p99_ms"],
                    yardstick_is=NAIVE,
                )
            )


async def availability(bench: Bench) -> None:
    """B9: seats are read while they are sold."""
    one = await bench.rig()
    event_id, quiet = await one.event(READ_SEATS, "0"), await one.event(READ_SEATS, "quiet")
    whole, pace = f"/api/v1/seats/{event_id}/availability", Loop(bench.seconds, bench.warm_up_s)

    def asks(path: str, headers: str = PACKED, *, revalidates: bool = False) -> Readers:
        return Readers(one.url, path, READERS, headers, revalidates)

    at_2_000 = Pace(bench.seconds, 2_000, bench.warm_up_s)
    cases: list[tuple[str, Readers, Order, Goal | None]] = [
        ("whole event of 3,750 seats, gzip", asks(whole), pace, FULL_ANSWERS),
        ("the same, If-None-Match", asks(whole, revalidates=True), pace, None),
    ]
    if not bench.is_quick:
        unsold = f"/api/v1/seats/{quiet}/availability"
        cases += [
            ("the same, 2,000/s", asks(whole), at_2_000, None),
            ("the same, not packed", asks(whole, ""), pace, None),
            ("one section", asks(f"{whole}?section=Block%201"), pace, None),
            ("summary", asks(f"{whole}?summary=true"), pace, None),
            ("an event that nobody buys, If-None-Match", asks(unsold, revalidates=True), pace, None),
            ("list of events", asks("/api/v1/events"), pace, None),
        ]
    async with generator(await one.bots(BUYERS, READ_SEATS)) as buyers:
        sales = Pace(bench.seconds, BUYERS_PER_S, bench.warm_up_s)
        alone = await buyers.do(sales, sales.seconds)
        for case, readers, order, goal in cases:
            async with generator(readers) as reading:
                rounds = [await _both(reading, order, buyers, sales) for _ in range(bench.rounds)]
            found = middle(rounds)
            bench.put(
                row(
                    "B9",
                    f"availability: {case}",
                    "answers/s",
                    found["answered_per_s"],
                    goal,
                    details={
                        "not_modified_per_s": found["answered_per_s"] - found["accepted_per_s"],
                        "kilobytes": found["kilobytes"],
                        "p99_ms": found["p99_ms"],
                        "commands_p99_ms": found["commands_p99_ms"],
                        "commands_p99_ms_without_readers": alone["p99_ms"],
                    },
                    note=f"{READERS} connections, while {BUYERS} bots send {BUYERS_PER_S}/s" if goal else "",
                )
            )


async def _both(readers: Generator, reading: Order, buyers: Generator, buying: Pace) -> Figures:
    """At the same time; what was read, and how long the buyers waited."""
    found, sold = await asyncio.gather(readers.do(reading, buying.seconds), buyers.do(buying, buying.seconds))
    return found | {f"commands_{name}": figure for name, figure in sold.items()}


CASES = (
    Case("B8", "REST reserve and release", reserve_and_release, 200),
    Case("B9", "availability over REST", availability, 300),
)

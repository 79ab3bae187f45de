"""B10, B12 and overload: sales to the end, what a command costs as things grow, and what is too much."""

from contextlib import AsyncExitStack

from tests.bench.bench import Bench, Case, Figures, middle
from tests.bench.cases_commands import NAIVE, SEATS, UNSENT, is_kept, loops, shown
from tests.bench.cases_watchers import highest_memory
from tests.bench.child import Generator, generator
from tests.bench.orders import Loop, Pace, Settle
from tests.bench.rig import Cores, Rig, rig
from tests.bench.rows import Goal, row

SALES = Goal("at least", 1_500)

FLAT = Goal("at most", ratio=1.25)
"""A quarter more than at the smallest size counts as flat: a measurement differs by as much from the next."""
GROWING_BOTS = {"seats": 200, "events": 1_000}

CROWD = 256
TIMES = 5
BURST = 8
"""Frames in one write: less work for the generator, which has to send more than the server can take."""
SOON_PERCENT = Goal("at least", 99)
KEPT = Goal("at least", ratio=0.8)


async def sales(bench: Bench) -> None:
    """B10."""
    one = await bench.rig()
    (seats,) = bench.sizes((30_000,), (120_000,))
    order = Loop(bench.seconds, bench.warm_up_s, buys=True)
    async with (
        generator(await one.bots(200, seats, use="sold")) as product,
        generator(await one.naive_bots(200, seats, use="sold")) as naive,
    ):
        ours, theirs = await loops(bench, one, product, naive, order)
    bench.put(
        row(
            "B10",
            "sales: hold 2, pay, ticket; 200 bots",
            "sales/s",
            ours["sales_per_s"],
            SALES,
            yardstick=theirs["sales_per_s"],
            yardstick_is=NAIVE,
            details=shown(ours),
        )
    )


async def growth(bench: Bench) -> None:
    """B12 without the nodes."""
    one = await bench.rig()
    seats = bench.sizes((2_000, 20_000), (2_000, 20_000, 80_000))
    await _grow(bench, one, "seats", [(f"{size:,} seats", size, 1) for size in seats])
    events = bench.sizes((1, 100), (1, 10, 100, 1_000))
    await _grow(
        bench, one, "events", [(f"{size:,} event{'s' * (size > 1)}", SEATS // size, size) for size in events]
    )


async def _grow(bench: Bench, one: Rig, what: str, sizes: list[tuple[str, int, int]]) -> None:
    """The same load at each size, by turns: CPU a command, beside that of the first size."""
    bots, order = GROWING_BOTS[what], Loop(bench.seconds, bench.warm_up_s)
    rounds: list[list[Figures]] = [[] for _ in sizes]
    async with AsyncExitStack() as stack:
        crowds = [
            await stack.enter_async_context(generator(await one.bots(bots, seats, events, f"{what} {name} ")))
            for name, seats, events in sizes
        ]
        for _ in range(bench.rounds):
            for mine, crowd in zip(rounds, crowds, strict=True):
                mine.append(await _cost(one, crowd, order))
    first: float | None = None
    for (name, _, _), mine in zip(sizes, rounds, strict=True):
        found = middle(mine)
        bench.put(
            row(
                "B12",
                f"cost of a command, {bots:,} bots, {name}",
                "µs of CPU",
                found["cost_us"],
                None if first is None else FLAT,
                yardstick=first,
                yardstick_is="" if first is None else "the first size",
                details={
                    name: found[name]
                    for name in ("accepted_per_s", "p99_ms", "frames_per_s", "server_us", "postgres_us")
                },
                note="server, PostgreSQL and Valkey together; refusals count as commands" if first is None else "",
            )
        )
        first = first or found["cost_us"]


async def _cost(one: Rig, crowd: Generator, order: Loop) -> Figures:
    cores = Cores(one)
    found = await crowd.do(order, order.seconds)
    await crowd.do(Settle())
    spent = cores.spent_s()
    found |= {f"{name}_us": 1e6 * seconds / found["commands"] for name, seconds in spent.items()}
    return found | {"cost_us": 1e6 * sum(spent.values()) / found["commands"]}


async def overload(bench: Bench) -> None:
    """An open loop of five times of what the same bots get done when each waits for its answer."""
    seconds = 10.0 if bench.is_quick else 60.0
    async with rig() as one, generator(await one.bots(CROWD, SEATS)) as crowd:
        able = await crowd.do(Loop(bench.seconds, bench.warm_up_s), bench.seconds)
        order = Pace(seconds, TIMES * able["accepted_per_s"], bench.warm_up_s, BURST)
        before = one.memory_bytes()
        async with highest_memory(one) as memory:
            cores = Cores(one, crowd.pid)
            found = await crowd.do(order, seconds)
            busy = cores.busy()
        await crowd.do(Settle())
    is_sent, soon = is_kept(order, found), found.get("busy_soon")
    notes = [UNSENT] * (not is_sent) + ["nothing was refused for being too much"] * (soon is None)
    case = f"{TIMES} times too much for {seconds:.0f} s"
    bench.put(
        row(
            "overload",
            f"{case}: refusals within 50 ms",
            "% of them",
            None if soon is None else 100 * soon,
            SOON_PERCENT,
            is_right=is_sent or None,
            details={
                "capacity_per_s": able["accepted_per_s"],
                "sent_per_s": found["sent_per_s"],
                "times_the_capacity": found["sent_per_s"] / able["accepted_per_s"],
                "refused_per_s": found["busy_per_s"],
                "refused_p99_ms": found.get("busy_p99_ms", 0.0),
                **busy,
            },
            note="; ".join(notes),
        )
    )
    bench.put(
        row(
            "overload",
            f"{case}: goodput",
            "accepted/s",
            found["accepted_per_s"],
            KEPT,
            is_right=is_sent or None,
            yardstick=able["accepted_per_s"],
            yardstick_is="the capacity",
            details={"p50_ms": found["p50_ms"], "p99_ms": found["p99_ms"]},
        )
    )
    bench.put(row("overload", f"{case}: memory of the server", "MB more", (memory[-1] - before) / 2**20))


CASES = (
    Case("B10", "sales", sales, 200),
    Case("B12", "growth", growth, 400),
    Case("overload", "more than can be done", overload, 300),
)

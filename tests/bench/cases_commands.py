"""B1 to B5: commands on sockets, as fast as can be, at a pace, alone, and all for the same seats."""

from statistics import median

from tests.bench.bench import Bench, Case, Figures, middle
from tests.bench.child import Generator, generator
from tests.bench.orders import Loop, Pace, Race, Settle
from tests.bench.rig import Cores, Rig
from tests.bench.rows import Goal, row
from tests.bench.watching import watchers_of

SEATS = 20_000
HOT_SEATS = 200
NAIVE = "the naive design"
UNSENT = "the bots, on the same cores, could not send as much as was wanted"
REFUSED = "the server refused some for having too much to do"

ACCEPTED = Goal("at least", 10_000, 25)
P99_MS = {5_000: Goal("at most", 5), 10_000: Goal("at most", 10)}
SENT_MIN = 0.98
"""A pace counts as kept when so much of it was sent."""
ALONE = Goal("at most", 1)
HOT = Goal("at most", 100)


async def loops(
    bench: Bench, one: Rig, product: Generator, naive: Generator, order: Loop | None = None
) -> tuple[Figures, Figures]:
    """Both by turns as fast as can be: the medians, those of the product with the cores that were busy."""
    order = order or Loop(bench.seconds, bench.warm_up_s)
    ours: list[Figures] = []
    theirs: list[Figures] = []
    for _ in range(bench.rounds):
        cores = Cores(one, product.pid)
        found = await product.do(order, order.seconds)
        ours.append(found | cores.busy())
        theirs.append(await naive.do(order, order.seconds))
        await naive.do(Settle())  # until it has answered all: it is not to be at work beside the product
    return middle(ours), middle(theirs)


def shown(figures: Figures) -> Figures:
    """What else is told of a loop."""
    names = ("p50_ms", "p99_ms", "frames_per_s")
    return {name: value for name, value in figures.items() if name in names or name.endswith("_cores")}


async def as_fast_as_can_be(bench: Bench) -> None:
    """B1."""
    one = await bench.rig()
    for count in (200, 1_000):
        async with (
            generator(await one.bots(count, SEATS)) as product,
            generator(await one.naive_bots(count, SEATS)) as naive,
        ):
            ours, theirs = await loops(bench, one, product, naive)
        bench.put(
            row(
                "B1",
                f"durable commands, {count:,} bots",
                "accepted/s",
                ours["accepted_per_s"],
                ACCEPTED,
                yardstick=theirs["accepted_per_s"],
                yardstick_is=NAIVE,
                details=shown(ours),
            )
        )


async def at_a_pace(bench: Bench) -> None:
    """B3."""
    one = await bench.rig()
    async with generator(await one.bots(1_000, SEATS)) as product:
        for per_s, goal in P99_MS.items():
            order = Pace(bench.seconds, per_s, bench.warm_up_s)
            rounds = []
            for _ in range(bench.rounds):
                cores = Cores(one, product.pid)
                rounds.append(await product.do(order, order.seconds) | cores.busy())
            ours = middle(rounds)
            theirs = None if bench.is_quick else await _naive_at_a_pace(one, order)
            names = ("p50_ms", "accepted_per_s", "sent_per_s", "sent_late_p99_ms", "unanswered")
            refused_per_s = max(one["busy_per_s"] for one in rounds)
            is_sent = all(is_kept(order, one) for one in rounds)
            notes = [UNSENT] * (not is_sent) + [REFUSED] * (refused_per_s > 0)
            bench.put(
                row(
                    "B3",
                    f"answer time, 1,000 bots, {per_s:,}/s",
                    "ms p99",
                    ours["p99_ms"],
                    goal,
                    yardstick=None if theirs is None else theirs["p99_ms"],
                    yardstick_is="" if theirs is None else NAIVE,
                    is_right=False if refused_per_s else is_sent or None,
                    details=shown(ours) | {name: ours[name] for name in names} | {"busy_per_s": refused_per_s},
                    note="; ".join(notes + ([] if theirs is None else [_told_of_naive(theirs)])),
                )
            )


def is_kept(order: Pace, found: Figures) -> bool:
    """Was as much sent as was to be?"""
    return found["sent_per_s"] >= SENT_MIN * order.per_s


def _told_of_naive(found: Figures) -> str:
    return (
        f"the naive design answered {found['answered_per_s']:,.0f}/s of these; "
        f"{found['unanswered']:,.0f} had no answer at the end and count as waits until then"
    )


async def _naive_at_a_pace(one: Rig, order: Pace) -> Figures:
    """Once, and with a naive design of its own that ends then: it would answer what it has taken in for minutes."""
    async with one.another_naive() as url, generator(await one.naive_bots(1_000, SEATS, "paced", url)) as naive:
        return await naive.do(order, order.seconds)


async def alone(bench: Bench) -> None:
    """B4."""
    one = await bench.rig()
    async with (
        generator(await one.bots(1, SEATS)) as product,
        generator(await one.naive_bots(1, SEATS)) as naive,
    ):
        ours, theirs = await loops(bench, one, product, naive)
    bench.put(
        row(
            "B4",
            "one bot alone",
            "ms p50",
            ours["p50_ms"],
            ALONE,
            yardstick=theirs["p50_ms"],
            yardstick_is=NAIVE,
            details=shown(ours),
        )
    )


async def for_the_same_seats(bench: Bench) -> None:
    """B5."""
    one = await bench.rig()
    async with (
        generator(await one.bots(1_000, SEATS)) as product,
        generator(await one.naive_bots(1_000, SEATS)) as naive,
    ):
        ours: list[Figures] = []
        theirs: list[Figures] = []
        for number in range(3 * bench.rounds):
            order = Race(number * HOT_SEATS, HOT_SEATS)
            ours.append(await product.do(order))
            if number % 3 == 0:
                theirs.append(await naive.do(order))
    wrong = sum(one["twice"] + one["unnamed"] + HOT_SEATS - one["held"] for one in ours)
    bench.put(
        row(
            "B5",
            "1,000 bots race for 200 seats: all held",
            "ms",
            median(one["held_ms"] for one in ours),
            HOT,
            yardstick=median(one["held_ms"] for one in theirs),
            yardstick_is=NAIVE,
            is_right=not wrong,
            details={name: middle(ours)[name] for name in ("sent_ms", "answered_ms", "twice", "unnamed")},
            note="twice: seats that two were given; unnamed: refusals that do not name the seat",
        )
    )


async def before_an_audience(bench: Bench) -> None:
    """B2."""
    one = await bench.rig()
    async with (
        generator(await one.bots(200, SEATS)) as product,
        generator(await one.naive_bots(200, SEATS)) as naive,
        generator(watchers_of(one.url, await one.event(SEATS, "0"), 1_000)),
        generator(watchers_of(one.naive_url, await one.event(SEATS, "0"), 1_000)),
    ):
        ours, theirs = await loops(bench, one, product, naive)
    bench.put(
        row(
            "B2",
            "durable commands, 200 bots, 1,000 watchers more",
            "accepted/s",
            ours["accepted_per_s"],
            Goal("at least", 10_000),
            yardstick=theirs["accepted_per_s"],
            yardstick_is=NAIVE,
            details=shown(ours),
        )
    )


async def the_best_seats(bench: Bench) -> None:
    """B14."""
    one = await bench.rig()
    best, chosen = [], []
    async with generator(await one.bots(200, SEATS)) as product:
        for _ in range(bench.rounds):
            cores = Cores(one, product.pid)
            order = Loop(bench.seconds, bench.warm_up_s, asks_for_best=True)
            best.append(await product.do(order, order.seconds) | cores.busy())
            chosen.append(await product.do(Loop(bench.seconds, bench.warm_up_s), bench.seconds))
    ours = middle(best)
    bench.put(
        row(
            "B14",
            "hold_best of 2, 200 bots",
            "held/s",
            ours["accepted_per_s"] / 2,
            Goal("at least", 2_000),
            yardstick=middle(chosen)["accepted_per_s"] / 2,
            yardstick_is="seats that bots choose by chance",
            details=shown(ours),
            note="every other command releases what was held",
        )
    )


CASES = (
    Case("B1", "durable commands", as_fast_as_can_be, 600),
    Case("B2", "durable commands before an audience", before_an_audience, 300),
    Case("B3", "answer time under a paced load", at_a_pace, 200),
    Case("B4", "one bot alone", alone, 100),
    Case("B5", "hot seats", for_the_same_seats, 300),
    Case("B14", "the best seats", the_best_seats, 200),
)

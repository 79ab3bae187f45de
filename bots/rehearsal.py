"""A rehearsal of a sale: bots in processes of their own against one event, and what is compared at the end."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import msgspec
from msgspec import Struct

from bots.answer_log import AnswerLog
from bots.behaviours import ENDLESS
from bots.crew import Crew, hired
from bots.memory import MemoryCurve, grown, watch_server
from bots.progress import Progress
from bots.rest import BotError, Customer, Rest, ServerAway
from bots.sale import Terms
from bots.steady_socket import SteadySocket
from bots.summary import Summary, summarised
from bots.turns import Turn, line_figures, wrong_turns
from bots.work import Belongings, Job
from protocol.seat_state import SeatState

HOT_SEATS = 200
SEATS_PER_SHOPPER = 3
SHOW_S = 0.5
FIND_S = 2.0

T = TypeVar("T")


class NoSale(Exception):
    """There is nothing to rehearse: no server, no such event, or it is not on sale."""


class Plan(Struct, frozen=True):
    """What is to be done.

    behaviours: what each bot does
    duration_s: how long, for those who would go on for ever
    per_s: commands a second of all bots that keep a pace
    answers: folder for the answer files, if any
    """

    behaviours: list[str]
    duration_s: float = 60.0
    per_s: float = 1_000.0
    processes: int = 1
    seed: int = 1
    answers: Path | None = None


class Event(Struct, frozen=True):
    """What the server says of the event.

    seats, available: those that are there, and those that can be bought
    limit: tickets a customer
    slots: how many may be inside at one time; 0: there is no waiting room
    """

    event_id: str
    name: str
    seats: int
    available: int
    limit: int
    slots: int = 0


class _Found(Struct, frozen=True):
    """The part of a REST event that is read."""

    name: str
    status: str
    total_capacity: int
    available_seats: int
    max_tickets_per_user: int
    waiting_room_enabled: bool
    max_concurrent_shoppers: int


async def find_event(rest: Rest, event_id: str) -> Event:
    """Look the event up. Raises NoSale."""
    try:
        status, envelope = await rest.patiently("GET", f"/events/{event_id}", patience_s=FIND_S)
    except ServerAway as problem:
        raise NoSale(f"no server there: {problem}") from problem
    except BotError as problem:
        raise NoSale(f"what is there does not answer as an Usher does: {problem}") from problem
    if status != 200:
        raise NoSale(f"event {event_id}: {envelope.get('error')}")
    try:
        found = msgspec.convert(envelope.get("data"), _Found)
    except msgspec.ValidationError as problem:
        raise NoSale(f"what is there does not answer as an Usher does: {problem}") from problem
    has_lobby = found.waiting_room_enabled and found.status == "upcoming"
    if found.status != "on_sale" and not has_lobby:
        raise NoSale(f"{found.name} is not on sale: {found.status}")
    slots = found.max_concurrent_shoppers if found.waiting_room_enabled else 0
    seats, available = found.total_capacity, found.available_seats
    return Event(event_id, found.name, seats, available, found.max_tickets_per_user, slots)


class Rehearsal:
    """One run of a plan against one event, with these customers. `show` is called while it goes on.

    `lost` fails with a BotError when the server has ended for good.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        event: Event,
        plan: Plan,
        customers: Sequence[Customer],
        show: Callable[[Progress], None] = lambda _progress: None,
        lost: asyncio.Future[None] | None = None,
    ) -> None:
        self._http = http
        self._rest = Rest(http, url)
        self._event = event
        self._plan = plan
        self._customers = customers
        self._show = show
        self._lost = lost
        self._server_memory, self._bots_memory = MemoryCurve(), MemoryCurve()
        self._turns: list[Turn] = []

    async def run(self) -> Summary:
        """Run it. Whatever ends it early is the last broken promise of the summary.

        Raises:
            BotError: the server cannot even be watched.
        """
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="usher-soak-")))
            watcher = await stack.enter_async_context(
                SteadySocket([self._rest], self._event.event_id, None, "watcher", AnswerLog(), random.Random(0))
            )
            await watcher.opened()
            before = watcher.map.states
            crew = await stack.enter_async_context(hired(self._jobs(before), folder))
            try:
                wrong = await self._sell(crew, watcher, before)
            except BotError as problem:
                wrong = [str(problem)]
            tally = crew.tally
            for text in wrong:
                tally.broke(text)
            return summarised(
                self._event.name,
                watcher.map,
                Counter(self._plan.behaviours),
                self._plan.processes,
                len(self._customers),
                tally,
                self._server_memory.summary(),
                self._bots_memory.summary(),
                line_figures(self._turns, self._event.slots) if self._event.slots else None,
            )

    async def _sell(self, crew: Crew, watcher: SteadySocket, before: bytes) -> list[str]:
        """From the first bot that comes to the last that goes; answers what is wrong at the end."""
        expected = min(len(self._plan.behaviours), len(self._customers))
        began = time.monotonic()

        def show_coming() -> None:
            self._show(Progress(time.monotonic() - began, crew.tally, watcher.map.states, None, expected))

        await self._watched(crew.arrive(), show_coming)
        crew.go()
        begun = time.monotonic()

        def show() -> None:
            tally, now = crew.tally, time.monotonic()
            self._bots_memory.add(tally.memory_bytes, now)
            self._show(Progress(now - begun, tally, watcher.map.states, self._server_memory.summary()))

        watching = asyncio.create_task(watch_server(self._http, self._rest.url, self._server_memory))
        try:
            belongings = await self._watched(crew.done(), show)
            self._turns = [turn for one in belongings for turn in one.turns]
            await self._watched(watcher.check_map(), show)
        finally:
            watching.cancel()
        memory = grown(self._server_memory.summary(), time.monotonic() - begun)
        return [*self._wrong_at_the_end(before, watcher, belongings), *memory]

    def _jobs(self, states: bytes) -> list[Job]:
        """The bots in turns to the processes, and the customers to the bots."""
        plan, processes = self._plan, self._plan.processes
        hot = [seat for seat, state in enumerate(states) if state == SeatState.AVAILABLE][:HOT_SEATS]
        if not hot:
            raise NoSale(f"{self._event.name}: nothing is left to buy")
        terms = Terms(
            self._event.event_id,
            self._event.limit,
            len(states),
            hot,
            min(len(states), SEATS_PER_SHOPPER * len(plan.behaviours)),
            plan.behaviours.count("paced") / plan.per_s,
            self._event.slots,
        )
        folder = plan.answers
        return [
            Job(
                self._rest.url,
                terms,
                plan.behaviours[number::processes],
                list(self._customers[number::processes]),
                number,
                processes,
                plan.seed,
                plan.duration_s if ENDLESS & set(plan.behaviours) else None,
                None if folder is None else str(folder / f"answers-{number + 1}.jsonl"),
            )
            for number in range(processes)
        ]

    async def _watched(self, work: Coroutine[Any, Any, T], show: Callable[[], None]) -> T:
        """Do this and show how it goes, unless the server is lost. Raises BotError."""
        doing = asyncio.ensure_future(work)
        try:
            while not doing.done():
                show()
                ends: set[asyncio.Future[Any]] = {doing} if self._lost is None else {doing, self._lost}
                await asyncio.wait(ends, timeout=SHOW_S, return_when=asyncio.FIRST_COMPLETED)
                if self._lost is not None and self._lost.done():
                    self._lost.result()
            return doing.result()
        finally:
            doing.cancel()
            await asyncio.gather(doing, return_exceptions=True)

    def _wrong_at_the_end(
        self, before: bytes, watcher: SteadySocket, belongings: Sequence[Belongings]
    ) -> list[str]:
        now_ms = 1000 * (time.time() + watcher.clock_ahead_s)
        after = watcher.map.states
        broken = [*given_twice(belongings, now_ms), *hidden(belongings, after)]
        if self._event.slots:
            broken += wrong_turns(self._turns, self._event.slots)
        if "sell-out" in self._plan.behaviours:
            left = [seat for seat, state in enumerate(before) if state == 0 and after[seat] != SeatState.SOLD]
            if left:
                broken.append(f"{len(left)} seats were not sold, {left[:5]} among them")
        racers = self._plan.behaviours.count("hot-seats")
        if racers:
            held = {seat for one in belongings for seat in one.held}
            wanted = min(racers, HOT_SEATS, before.count(SeatState.AVAILABLE))
            if len(held) < wanted:
                broken.append(f"{wanted - len(held)} of {wanted} seats that all raced for were given to nobody")
        return broken


def given_twice(belongings: Sequence[Belongings], now_ms: float) -> list[str]:
    """Seats that two customers were told they have, each in a sentence. A hold that is over is nobody's."""
    owners: dict[int, list[str]] = {}
    for one in belongings:
        held = one.held if one.held_until_ms > now_ms else []
        for seat in {*one.bought, *held}:
            owners.setdefault(seat, []).append(one.customer)
    return [f"seat {seat} was given to {' and '.join(who)}" for seat, who in owners.items() if len(who) > 1]


def hidden(belongings: Sequence[Belongings], states: bytes) -> list[str]:
    """Seats that were bought and that the map does not show as sold, in a sentence."""
    bought = {seat for one in belongings for seat in one.bought}
    found = [seat for seat in bought if states[seat] != SeatState.SOLD]
    return [f"{len(found)} seats were bought and are not shown as sold, {found[:5]} among them"] if found else []

"""One storm: people, chaos, the calm after it, and the audit."""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from actors.core.model import Order
from protocol.outbound import OrderStatus
from protocol.seat_state import SeatState
from tests.auditor import AuditFailure
from tests.fake_database import FakeDatabase
from tests.simulation.people import Organiser, Tab, Watcher
from tests.simulation.virtual_time import NothingComes, run
from tests.simulation.weather import CLIMATES, Climate, StormyStore
from tests.simulation.world import EVENT, HOUR_MS, OPENING_MS, Databases, Deaths, Stores, World

CUSTOMERS = 9
COMMANDS_PER_TAB = 50
NEVER_S = 40_000.0
"""Nobody needs so long, whatever the weather."""


@dataclass(frozen=True)
class Outcome:
    """What a storm came to. `trace` is equal for equal storms."""

    seed: int
    climate: str
    attempts: int
    revisions: int
    sold: int
    nodes: int
    trace: str


def climate_of(seed: int) -> str:
    """Each seed has its kind of weather."""
    return list(CLIMATES)[seed % len(CLIMATES)]


def storm(
    seed: int,
    climate: str | None = None,
    *,
    database: Databases = FakeDatabase,
    store: Stores = StormyStore,
) -> Outcome:
    """Live through one storm.

    Raises:
        AuditFailure: a promise was broken. The message begins with the seed.
    """
    name = climate or climate_of(seed)
    deaths = Deaths()
    log = logging.getLogger("actors")
    log.addHandler(deaths)
    was = log.propagate, log.level
    log.propagate = False
    log.setLevel(logging.ERROR)
    try:
        return run(_Storm(seed, name, database, store, deaths).run())
    except (AuditFailure, NothingComes, TimeoutError) as failure:
        raise AuditFailure(
            f"seed {seed} ({name}); to see it again: USHER_SIM_SEED={seed}\n{type(failure).__name__}: {failure}"
        ) from failure
    finally:
        log.removeHandler(deaths)
        log.propagate = was[0]
        log.setLevel(was[1])


class _Storm:
    def __init__(self, seed: int, name: str, database: Databases, store: Stores, deaths: Deaths) -> None:
        self._seed = seed
        self._name = name
        self._make = database, store
        self._deaths = deaths

    async def run(self) -> Outcome:
        self.world = world = World(self._seed, CLIMATES[self._name], *self._make)
        try:
            async with asyncio.timeout(NEVER_S):
                return await self._run(world)
        finally:
            world.end()

    async def _run(self, world: World) -> Outcome:
        world.start_node()
        self.tabs = [
            Tab(world, f"customer-{number}", tab, self._seed * 1_000 + number * 10 + tab, COMMANDS_PER_TAB)
            for number in range(CUSTOMERS)
            for tab in range(1 + (number % 3 == 0))
        ]
        self.tabs.append(Organiser(world, "organiser", 0, self._seed * 1_000 + 99, COMMANDS_PER_TAB))
        self.watchers = [
            Watcher(world, self._seed * 1_000 + 900 + number) for number in range(3 * (self._seed % 2))
        ]
        watching = [world.spawn(watcher.live()) for watcher in self.watchers]
        chaos = world.spawn(self._chaos())
        janitor = world.spawn(self._bring_up_nodes())
        await asyncio.gather(*(world.spawn(tab.live()) for tab in self.tabs))
        for task in (chaos, *watching):
            assert not task.done(), task
            task.cancel()
        await self._calm(world)
        self._check_what_people_know(world)
        await self._all_over(world)
        assert not janitor.done(), janitor
        janitor.cancel()
        for death in self._deaths.heard:
            world.auditor.blame(death)
        world.auditor.opening_ms = None if self._has_jumped else OPENING_MS
        world.auditor.excuses = world.troubles
        world.auditor.audit(world.event, world.provider.charges)
        frames = b"".join(frame for attempt in world.auditor.attempts for frame in attempt.frames)
        return Outcome(
            self._seed,
            self._name,
            len(world.auditor.attempts),
            world.event.revision,
            sum(order.status is OrderStatus.COMPLETED for order in world.event.orders.values()),
            len(world.nodes),
            hashlib.sha256(frames).hexdigest(),
        )

    @property
    def _has_jumped(self) -> bool:
        return CLIMATES[self._name].jump_each_s is not None

    async def _chaos(self) -> None:
        climate, spawn = self.world.climate, self.world.spawn
        kinds = [
            (climate.store_away_each_s, self._store_goes_away),
            (climate.crash_each_s, self._node_crashes),
            (climate.zombie_each_s, self._node_is_cut_off),
            (climate.lock_each_s, self._somebody_locks),
            (climate.jump_each_s, self._clock_jumps),
        ]
        await asyncio.gather(*(spawn(self._again(each_s, do)) for each_s, do in kinds if each_s is not None))
        await asyncio.Event().wait()

    async def _again(self, each_s: float, do: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self.world.random.expovariate(1 / each_s))
            do()

    def _store_goes_away(self) -> None:
        self.world.send_store_away(self.world.random.uniform(0.1, 8))

    def _node_crashes(self) -> None:
        if self.world.front is not None:
            self.world.crash(self.world.front)

    def _node_is_cut_off(self) -> None:
        node, draw = self.world.front, self.world.random.uniform
        if node is not None:
            self.world.cut_off(node, believes_s=draw(0, 8))
            asyncio.get_running_loop().call_later(draw(5, 60), self.world.crash, node)

    def _somebody_locks(self) -> None:
        world, draw = self.world, self.world.random
        duration_s = draw.uniform(0.05, 4)
        world.trouble(duration_s + 2)
        loop = asyncio.get_running_loop()
        if draw.random() < 0.2:
            world.event.head_is_locked = True
            loop.call_later(duration_s, world.unlock_head)
        else:
            seats = draw.sample(range(len(world.event.states)), draw.randint(1, 8))
            world.event.locked_seats.update(seats)
            loop.call_later(duration_s, world.event.locked_seats.difference_update, seats)

    def _clock_jumps(self) -> None:
        world = self.world
        world.jumped_ms = world.random.choice([-HOUR_MS, HOUR_MS]) if world.jumped_ms == 0 else 0

    async def _bring_up_nodes(self) -> None:
        while True:
            await self.world.front_lost.wait()
            await asyncio.sleep(self.world.random.uniform(0.05, 3))
            self.world.start_node()

    async def _calm(self, world: World) -> None:
        """The weather clears, old nodes end, and what was asked is answered."""
        world.climate = Climate()
        await asyncio.sleep(10)
        for node in world.nodes:
            if node is not world.front:
                world.crash(node)
        await asyncio.sleep(30)

    def _check_what_people_know(self, world: World) -> None:
        """Answers and news together tell every tab what its customer holds."""
        for tab in self.tabs:
            held = [seat for seat, who in world.event.holders.items() if who == tab.customer]
            mine = tuple(sorted(seat for seat in held if world.event.states[seat] == SeatState.HELD))
            if tab.is_connected and tab.holds != mine:
                world.auditor.blame(f"a tab of {tab.customer} believes to hold {tab.holds}, and holds {mine}")
        mirrored = {customer: hold.expires_ms for customer, hold in world.mirror.holds[EVENT].items()}
        rows = {customer: hold.expires_ms for customer, hold in world.event.hold_rows.items()}
        if mirrored != rows:
            world.auditor.blame(f"the mirror shows {mirrored}, the rows are {rows}")

    async def _all_over(self, world: World) -> None:
        """Every hold ends by itself; a last restart asks again for the payments that nobody answered."""
        for_all_s = 1_300 + (2 * HOUR_MS / 1000 if self._has_jumped else 0)
        await asyncio.sleep(for_all_s)
        paying = {order.customer for order in self._pending(world)}
        if left := world.event.hold_rows.keys() - paying:
            world.auditor.blame(f"without a payment under way these hold for ever: {sorted(left)}")
        if paying and not CLIMATES[self._name].payment_silent:
            world.auditor.blame(f"the provider has answered, and these wait for ever: {sorted(paying)}")
        if world.front is not None:
            world.crash(world.front)
        await asyncio.sleep(60 + for_all_s)
        if world.event.hold_rows or SeatState.HELD in world.event.states:
            world.auditor.blame(f"seats are held long after their end: {world.event.hold_rows}")
        for watcher in self.watchers:
            await watcher.look()
            if watcher.states != world.event.states:
                world.auditor.blame(f"a watcher ends with a wrong map at revision {watcher.revision}")
        if world.mirror.holds[EVENT]:
            world.auditor.blame(f"the mirror keeps {world.mirror.holds[EVENT]}")

    def _pending(self, world: World) -> list[Order]:
        return [order for order in world.event.orders.values() if order.status is OrderStatus.PENDING]

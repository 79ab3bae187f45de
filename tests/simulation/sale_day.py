"""A whole on-sale with a waiting room, on the real actors and a virtual clock: thousands come, some vanish."""

import asyncio
from dataclasses import dataclass
from random import Random

from actors.core.layout import Run
from actors.core.model import DrawTerms, Order, QueueMode, Stage, Terms
from actors.core.seating import Seating
from actors.core.verdict import Settle
from actors.core.waiting_room import shown_place
from actors.ports import Batch, Committed, Outcome, PersonalNews, Ports
from actors.supervisor import Supervisor, SupervisorSettings
from protocol.outbound import QueueNow
from protocol.queue_place import QueuePlace
from tests.fake_database import FakeDatabase, FakeEvent
from tests.fakes import FakeAudience, FakeLease, FakeMeter, FakeMirror, FakePayments, FakeRandomness, FakeStore
from tests.simulation.line_record import LineRecord, Told
from tests.simulation.shoppers import Shopper
from tests.simulation.stage import OPENING_MS
from tests.simulation.virtual_time import run

EVENT = "550e8400-e29b-41d4-a716-446655440299"
ROW_SEATS = 20
LOBBY_S = 600.0
LATE_S = 3_600.0
ASKED_EVERY_S = 20.0
ASKED = 40
"""So many of those who wait ask how long it takes, each time."""


@dataclass(frozen=True)
class Scenario:
    """What an on-sale is like. `lobby_share` of the people come before the sale begins."""

    name: str
    people: int = 5_000
    seats: int = 10_000
    slots: int = 100
    admit_per_minute: int = 0
    lobby_share: float = 0.6
    seed: int = 1


class DayStore(FakeStore):
    """Takes a few milliseconds for each batch, and writes down what it is about. Nobody dies on this day."""

    def __init__(self, database: FakeDatabase, record: LineRecord, random: Random) -> None:
        super().__init__(database, lambda: "node")
        self._record, self._random = record, random

    async def commit(self, batch: Batch) -> Outcome:
        if batch.writes:
            await asyncio.sleep(self._random.uniform(0.002, 0.02))
            self._record.committed(batch, asyncio.get_running_loop().time())
        return Committed(batch.revision + batch.writes)

    async def neglected(self, limit: int) -> list[str]:
        return []


class Crowd(FakeAudience):
    """The sockets of the people: who has one hears of the own place."""

    def __init__(self, day: "SaleDay") -> None:
        super().__init__()
        self._day = day
        self.last_seen: dict[str, float] = {}

    def tell(self, event_id: str, personal: PersonalNews) -> None:
        shopper = self._day.shoppers.get(personal.customer)
        if shopper is not None and isinstance(personal.message, QueueNow) and shopper.name in self.present:
            now = personal.message
            self._day.was_told(
                shopper.name, QueuePlace(now.status, now.place, now.ahead, now.eta_s, now.eta_high_s)
            )
            shopper.hears(now.status)

    def seen_s(self, event_id: str, customer: str) -> float:
        return super().seen_s(event_id, customer) or self.last_seen.get(customer, 0.0)


class Till(FakePayments):
    """The provider answers after some seconds; one card in twenty is declined."""

    def __init__(self, day: "SaleDay") -> None:
        super().__init__()
        self._day = day

    def collect(self, event_id: str, order: Order) -> None:
        random = self._day.random
        failure = "declined" if random.random() < 0.05 else None
        settled = Settle(order.order_id, None if failure else f"paid-{order.order_id}", failure)
        self._day.loop.call_later(random.uniform(1, 6), self._day.supervisor.settle, event_id, settled)


class SaleDay:
    """One on-sale. `record` is what became true."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.loop = asyncio.get_running_loop()
        self.random = Random(scenario.seed)
        database = FakeDatabase(lambda: OPENING_MS + int(self.loop.time() * 1000))
        rows = range(scenario.seats // ROW_SEATS)
        runs = [Run("Hall", "standard", 5_000, row * ROW_SEATS, ROW_SEATS, 10.0 * row) for row in rows]
        draws = DrawTerms(operator_seed=self.random.randbytes(32))
        database.events[EVENT] = FakeEvent(self.terms(), runs, bytearray(scenario.seats), draws=draws)
        database.living.add("node")
        per_minute = scenario.admit_per_minute
        interval_s = 60 / per_minute if per_minute else 0.0
        self.record = LineRecord(scenario.slots, interval_s, scenario.seats, LOBBY_S)
        self.shoppers: dict[str, Shopper] = {}
        self.crowd = Crowd(self)
        self.crowd.watching.add(EVENT)
        store = DayStore(database, self.record, Random(scenario.seed + 1))
        ports = Ports(store, FakeMirror(), self.crowd, Till(self), FakeLease("node"), FakeMeter(), FakeRandomness())
        self.supervisor = Supervisor(ports, SupervisorSettings())

    @property
    def seating(self) -> Seating:
        """The event as it is committed."""
        seating = self.supervisor.loaded(EVENT)
        assert seating is not None, "the event is not loaded"
        return seating

    def terms(self) -> Terms:
        """What is agreed for the event."""
        return Terms(
            EVENT,
            Stage.SCHEDULED,
            OPENING_MS + int(LOBBY_S * 1000),
            OPENING_MS + 10**10,
            4,
            "EUR",
            queue_mode=QueueMode.DRAW,
            max_concurrent_shoppers=self.scenario.slots,
            admit_per_minute=self.scenario.admit_per_minute,
        )

    async def live(self) -> None:
        """Until everybody has gone home."""
        scan = asyncio.create_task(self.supervisor.run())
        await self.supervisor.seating(EVENT)
        asking = asyncio.create_task(self._ask_now_and_then())
        try:
            async with asyncio.TaskGroup() as people:
                for number in range(self.scenario.people):
                    shopper = Shopper(self, f"customer-{number}", Random(f"{self.scenario.seed}-{number}"))
                    self.shoppers[shopper.name] = shopper
                    people.create_task(shopper.live(self._comes_at(number)))
        finally:
            asking.cancel()
            scan.cancel()
        self.told_right = self.seating.line.pace.right, self.seating.line.pace.told
        await self.supervisor.stop()

    def was_told(self, customer: str, place: QueuePlace) -> None:
        """The customer has read this of the own place."""
        if place.status == "waiting":
            told = Told(self.loop.time(), customer, place.ahead, place.eta_s, place.eta_high_s)
            self.record.told.append(told)

    def _comes_at(self, number: int) -> float:
        if number < self.scenario.people * self.scenario.lobby_share:
            return self.random.uniform(0, LOBBY_S - 1)
        return LOBBY_S + self.random.expovariate(3 / LATE_S)

    async def _ask_now_and_then(self) -> None:
        await asyncio.sleep(LOBBY_S + 0.5)
        entries = self.seating.line.entries.values()
        self.record.drawn = {one.customer: one.place for one in entries if one.position and one.place}
        while True:
            await asyncio.sleep(ASKED_EVERY_S)
            waiting = list(self.seating.line.by_place.values())
            for customer in self.random.sample(waiting, min(ASKED, len(waiting))):
                self.was_told(customer, shown_place(self.seating, customer))


def play(scenario: Scenario) -> SaleDay:
    """The whole on-sale, in virtual time."""

    async def day() -> SaleDay:
        made = SaleDay(scenario)
        await made.live()
        return made

    return run(day())

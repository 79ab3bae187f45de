"""A whole on-sale with a waiting room, on the real actors: people come, vanish and come back, and nodes die."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest
from msgspec.structs import replace

from actors.core.layout import Run
from actors.core.model import QueueMode, QueueState, Stage, Terms
from actors.core.verdict import Asked
from actors.ports import Batch, Claim, Committed, Loaded, Outcome
from actors.told import Told
from protocol import outbound
from protocol.inbound import Command, HoldBest, JoinQueue, LeaveQueue
from protocol.outbound import Accepted, Rejected
from tests.fake_database import FakeDatabase, FakeEvent
from tests.simulation.stage import OPENING_MS, SceneNode
from tests.simulation.virtual_time import run

EVENT = "550e8400-e29b-41d4-a716-446655440299"
PEOPLE = 40
SLOTS = 3
INSIDE = (QueueState.CALLED, QueueState.ACTIVE)
LOBBY_S = 60.0
SEEDS = range(6)

Answer = Accepted | Rejected | None


class Recorder(FakeDatabase):
    """Writes down who was admitted, in the order in which it became true."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        super().__init__(clock_ms)
        self.admitted: list[tuple[str, int]] = []
        self.most_inside = 0

    def commit(self, batch: Batch) -> Outcome:
        before = self.events[EVENT]
        outcome = super().commit(batch)
        event = self.events[EVENT]
        if isinstance(outcome, Committed) and event.revision == before.revision + 1:
            for entry in batch.queue:
                was = before.queue.get(entry.customer)
                if entry.state in INSIDE and (was is None or was.state not in INSIDE):
                    assert entry.place is not None
                    self.admitted.append((entry.customer, entry.place))
            inside = sum(entry.state in INSIDE for entry in event.queue.values())
            self.most_inside = max(self.most_inside, inside)
        return outcome


class Forgetful(Recorder):
    """Says that it is committed, and writes no joins of the lobby after the third."""

    def commit(self, batch: Batch) -> Outcome:
        kept = tuple(e for e in batch.queue if e.state is not QueueState.LOBBY or (e.position or 0) <= 3)
        return super().commit(replace(batch, queue=kept))


class Careless(Recorder):
    """A new owner does not find who is inside."""

    def load(self, claim: Claim) -> Loaded:
        loaded = super().load(claim)
        found = [replace(one, state=QueueState.OUT) if one.state in INSIDE else one for one in loaded.line.entries]
        return replace(loaded, line=replace(loaded.line, entries=found))


class OnSale:
    """One on-sale; `told` are the customers who have been told that they are in the room."""

    def __init__(self, seed: int, make: type[Recorder]) -> None:
        loop = asyncio.get_running_loop()
        self.random = Random(seed)
        self.database = make(lambda: OPENING_MS + int(loop.time() * 1000))
        terms = Terms(
            EVENT,
            Stage.SCHEDULED,
            OPENING_MS + int(LOBBY_S * 1000),
            OPENING_MS + 10**9,
            4,
            "EUR",
            queue_mode=QueueMode.DRAW,
            max_concurrent_shoppers=SLOTS,
        )
        self.database.events[EVENT] = FakeEvent(terms, [Run("Floor", "vip", 1_000, 0, 90, 1.0)], bytearray(90))
        self.present: set[str] = set()
        self.told: set[str] = set()
        self.had_turn: set[str] = set()
        self.nodes = 0
        self.front = self.new_node()

    async def run(self) -> None:
        """Until everybody has had a turn."""
        chaos = asyncio.create_task(self.kill_nodes())
        try:
            async with asyncio.timeout(20_000), asyncio.TaskGroup() as people:
                for number in range(PEOPLE):
                    people.create_task(self.live(f"customer-{number}"))
        finally:
            chaos.cancel()
            self.scan.cancel()

    def audit(self) -> None:
        """Nobody is lost, nobody is passed over, and no more are in than may be."""
        admitted = {customer for customer, _ in self.database.admitted}
        assert self.told <= admitted, f"lost: {self.told - admitted}"
        places = [place for _, place in self.database.admitted]
        assert places == sorted(set(places)), f"inversions: {places}"
        assert self.database.most_inside <= SLOTS, f"{self.database.most_inside} are in"

    def new_node(self) -> SceneNode:
        """A node that has just started."""
        self.nodes += 1
        node = SceneNode(self.database, f"n{self.nodes}")
        node.audience.present = self.present
        self.scan = asyncio.create_task(node.supervisor.run())
        return node

    async def kill_nodes(self) -> None:
        """Each minute or so the node dies, with whatever it was doing; some batches get lost, or their answers."""
        while True:
            await asyncio.sleep(self.random.expovariate(1 / 60))
            self.front.store.script = [self.random.choice(["lost before", "lost after"])]
            await asyncio.sleep(self.random.uniform(0, 0.01))
            self.scan.cancel()
            self.front.lease.has_run_out = True
            self.front.store.is_away = True
            self.database.living.discard(self.front.lease.node_id)
            self.front = self.new_node()

    async def live(self, customer: str) -> None:
        """Join, wait, perhaps elsewhere, shop for a while, leave."""
        await asyncio.sleep(self.random.uniform(0, LOBBY_S * 1.5))
        self.present.add(customer)
        answer = await self.ask(customer, JoinQueue(f"join-{customer}"))
        assert isinstance(answer, Accepted), answer
        self.told.add(customer)
        is_restless, count = self.random.random() < 0.2, 0
        while True:
            count += 1
            if is_restless and self.random.random() < 0.3:
                self.present.symmetric_difference_update({customer})
            answer = await self.ask(customer, HoldBest(f"hold-{customer}-{count}", 1))
            if isinstance(answer, Accepted):
                break
            assert answer is not None
            assert answer.code in ("not_admitted", "not_on_sale"), answer
            row = self.database.events[EVENT].queue[customer]
            if row.state is QueueState.OUT:
                return  # missed twice
            await asyncio.sleep(self.random.uniform(3, 6))
        self.had_turn.add(customer)
        await asyncio.sleep(self.random.uniform(5, 60))
        await self.ask(customer, LeaveQueue(f"leave-{customer}"))

    async def ask(self, customer: str, command: Command) -> Answer:
        """Ask the node that lives until there is an answer that says something."""
        while True:
            heard: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

            def reply(frame: bytes, _refusal: Rejected | None, heard: asyncio.Future[Answer] = heard) -> None:
                found = outbound.decode(frame)
                assert isinstance(found, Accepted | Rejected)
                if not heard.done():
                    heard.set_result(found)

            self.front.supervisor.tell(EVENT, Told(Asked(customer, command), reply))
            try:
                async with asyncio.timeout(2):
                    answer = await heard
            except TimeoutError:
                continue
            if isinstance(answer, Rejected) and answer.code == "try_again":
                await asyncio.sleep(0.2)
                continue
            return answer


def on_sale(seed: int, make: type[Recorder] = Recorder) -> OnSale:
    """One on-sale, audited."""

    async def play() -> OnSale:
        sale = OnSale(seed, make)
        try:
            await sale.run()
        finally:
            sale.audit()
        return sale

    return run(play())


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_loses_the_place_and_nobody_is_passed_over(seed: int) -> None:
    sale = on_sale(seed)
    assert len(sale.told) == PEOPLE
    assert len(sale.had_turn) > PEOPLE / 2
    assert sale.nodes > 3, "somebody has to die"


@pytest.mark.parametrize(("make", "finding"), [(Forgetful, "lost: "), (Careless, "are in")])
def test_a_store_that_forgets_is_found(make: type[Recorder], finding: str) -> None:
    with pytest.raises(AssertionError, match=finding):
        on_sale(1, make)

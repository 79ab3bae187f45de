"""What may go wrong in a storm, by chance but from a seed: the store, the provider, the clock."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct

from actors.ports import Batch, BrokenPromise, Claim, Loaded, Outcome, OwnershipLost, StoreUnavailable
from server.payments.port import Charge, Collected, Declined, PaymentProvider, ProviderAway
from tests import auditor
from tests.fakes import FakeStore

if TYPE_CHECKING:
    from tests.simulation.world import Node, World


class Climate(Struct, frozen=True):
    """How bad it is. Shares are of the calls, `*_each_s` are mean times between."""

    lost_before: float = 0.0
    lost_after: float = 0.0
    straggling: float = 0.0
    slow: float = 0.0
    crash_before: float = 0.0
    crash_after: float = 0.0
    cut_reply: float = 0.0
    store_away_each_s: float | None = None
    crash_each_s: float | None = None
    zombie_each_s: float | None = None
    lock_each_s: float | None = None
    jump_each_s: float | None = None
    declined: float = 0.2
    payment_late: float = 0.1
    payment_silent: float = 0.0
    payment_unclear: float = 0.0


CLIMATES = {
    "calm": Climate(),
    "lossy": Climate(lost_before=0.04, lost_after=0.06, slow=0.03, cut_reply=0.05, store_away_each_s=20),
    "straggling": Climate(lost_before=0.02, straggling=0.15, lock_each_s=2),
    "crashing": Climate(
        crash_before=0.02,
        crash_after=0.03,
        crash_each_s=20,
        payment_silent=0.1,
        payment_unclear=0.2,
        cut_reply=0.03,
    ),
    "haunted": Climate(zombie_each_s=15, slow=0.1, lost_after=0.03, straggling=0.03, payment_silent=0.05),
    "locked": Climate(lock_each_s=2, lost_before=0.01),
    "jumping": Climate(jump_each_s=40, crash_each_s=30, lost_after=0.02),
    "everything": Climate(
        lost_before=0.03,
        lost_after=0.03,
        straggling=0.03,
        slow=0.03,
        crash_before=0.01,
        crash_after=0.02,
        cut_reply=0.05,
        store_away_each_s=40,
        crash_each_s=40,
        zombie_each_s=40,
        lock_each_s=10,
        payment_silent=0.05,
        payment_unclear=0.1,
    ),
}

FATES = ("lost_before", "lost_after", "straggling", "slow", "crash_before", "crash_after")


class StormyStore(FakeStore):
    """A node's way to the database through the weather.

    A batch on its way is a task of the world, not of the node: it may arrive after the node has died.
    """

    def __init__(self, world: "World", node: "Node") -> None:
        super().__init__(world.database, lambda: node.id)
        self._world = world
        self._node = node
        self._random = world.random

    async def claim(self, event_id: str) -> Claim | None:
        await self._knock()
        claim = await super().claim(event_id)
        await self._travel()
        return claim

    async def load(self, claim: Claim) -> Loaded:
        await self._knock()
        loaded = await super().load(claim)
        await self._travel()
        return loaded

    async def release(self, claim: Claim) -> None:
        await self._knock()
        await super().release(claim)

    async def neglected(self, limit: int) -> list[str]:
        await self._knock()
        return await super().neglected(limit)

    async def commit(self, batch: Batch) -> Outcome:
        return await asyncio.shield(self.send(batch))

    def send(self, batch: Batch) -> asyncio.Task[Outcome]:
        """The statement on its way."""
        statement = self._world.spawn(self._statement(batch))
        statement.add_done_callback(_nobody_listens)
        self._node.statements.append(statement)
        return statement

    async def _statement(self, batch: Batch) -> Outcome:
        fate = self._fate()
        if fate in FATES and fate not in ("slow", "crash_before", "crash_after"):
            self._world.trouble(1.5)
        await self._knock()
        if fate == "lost_before":
            raise StoreUnavailable("the connection broke on the way")
        if fate == "straggling":
            self._world.later(self._random.uniform(0, 3), lambda: self._arrive_late(batch))
            raise StoreUnavailable("the connection broke while the statement was under way")
        if fate == "crash_before":
            self._world.crash(self._node)
            raise StoreUnavailable("nobody is left to hear this")
        if fate == "slow":
            pause_s = self._random.uniform(0.2, 3)
            self._world.trouble(pause_s + 1)
            await asyncio.sleep(pause_s)
        outcome = await super().commit(batch)
        if fate == "crash_after":
            self._world.crash(self._node)
        if fate in ("crash_after", "lost_after"):
            raise StoreUnavailable("the connection broke on the way back")
        await self._travel()
        return outcome

    def _arrive_late(self, batch: Batch) -> None:
        try:
            self._world.database.commit(batch)
        except (OwnershipLost, BrokenPromise):
            return

    def _fate(self) -> str:
        climate, drawn = self._world.climate, self._random.random()
        for fate in FATES:
            drawn -= getattr(climate, fate)
            if drawn < 0:
                return fate
        return "fine"

    async def _knock(self) -> None:
        await self._travel()
        if self._world.is_store_away:
            raise StoreUnavailable("nobody opens")

    async def _travel(self) -> None:
        await asyncio.sleep(self._random.expovariate(1 / 0.002))


def _nobody_listens(statement: asyncio.Task[Outcome]) -> None:
    """What a statement came to may interest nobody: its node has died."""
    if not statement.cancelled():
        statement.exception()


class StormyProvider(PaymentProvider):
    """A provider with a ledger. What it decides for a key it decides once; whether it says so is another matter."""

    def __init__(self, random: Random, climate: Callable[[], Climate]) -> None:
        self.charges: list[auditor.Charge] = []
        self._random = random
        self._climate = climate
        self._decided: dict[str, Collected | Declined] = {}

    async def collect(self, charge: Charge) -> Collected | Declined:
        climate, drawn = self._climate(), self._random.random()
        is_late = drawn < climate.payment_late
        await asyncio.sleep(self._random.uniform(5, 40) if is_late else self._random.expovariate(1 / 0.2))
        if self._random.random() < climate.payment_unclear / 2:
            raise ProviderAway("timeout, before")
        answer = self._decide(charge)
        if self._random.random() < climate.payment_unclear / 2:
            raise ProviderAway("timeout, after")
        if self._random.random() < climate.payment_silent:
            await asyncio.Event().wait()
        return answer

    def _decide(self, charge: Charge) -> Collected | Declined:
        if charge.key not in self._decided:
            if self._random.random() < self._climate().declined:
                self._decided[charge.key] = Declined("card declined")
            else:
                self._decided[charge.key] = Collected(f"p-{len(self.charges)}")
                self.charges.append(auditor.Charge(charge.key, charge.amount_cents))
        return self._decided[charge.key]

"""Fakes of the ports in `actors.ports`: in memory, with the same promises as the real ones.

`tests/contract` holds the fake store and the real one to one suite.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from actors.core.model import DrawTerms, Hold, Order, QueueEntry, QueueState
from actors.ports import (
    Audience,
    Batch,
    Claim,
    Lease,
    Loaded,
    Meter,
    Mirror,
    News,
    Outcome,
    Payments,
    PersonalNews,
    Randomness,
    Store,
)
from protocol.outbound import Outbound
from tests.fake_database import FakeDatabase


class FakeStore(Store):
    """One node's way to the database."""

    def __init__(self, database: FakeDatabase, node_id: Callable[[], str]) -> None:
        self.database = database
        self.node_id = node_id

    async def claim(self, event_id: str) -> Claim | None:
        return self.database.claim(event_id, self.node_id())

    async def load(self, claim: Claim) -> Loaded:
        return self.database.load(claim)

    async def commit(self, batch: Batch) -> Outcome:
        return self.database.commit(batch)

    async def release(self, claim: Claim) -> None:
        self.database.release(claim)

    async def neglected(self, limit: int) -> list[str]:
        return self.database.neglected(limit)


class FakeMirror(Mirror):
    """The holds and entries of each event as they would stand in Redis."""

    def __init__(self) -> None:
        self.holds: dict[str, dict[str, Hold]] = {}
        self.line: dict[str, dict[str, QueueEntry]] = {}
        self._entries: dict[str, Callable[[], Mapping[str, QueueEntry]]] = {}
        self.at: dict[str, tuple[int, int]] = {}

    def touch(self, claim: Claim, revision: int, holds: dict[str, Hold | None], moved: Iterable[str] = ()) -> None:
        if self.at.get(claim.event_id, (0, 0)) >= (claim.term, revision):
            return
        self.at[claim.event_id] = (claim.term, revision)
        mine = self.holds.setdefault(claim.event_id, {})
        for customer, hold in holds.items():
            mine.pop(customer, None)
            if hold is not None:
                mine[customer] = hold
        for customer in moved:
            self._show(claim.event_id, customer)

    def replace(
        self,
        claim: Claim,
        revision: int,
        epoch: str,
        holds: Callable[[], dict[str, Hold]],
        entries: Callable[[], Mapping[str, QueueEntry]] = dict,
    ) -> None:
        self.at[claim.event_id] = (claim.term, revision)
        self.holds[claim.event_id] = dict(holds())
        self.line[claim.event_id], self._entries[claim.event_id] = {}, entries
        for customer in entries():
            self._show(claim.event_id, customer)

    def forget(self, claim: Claim) -> None:
        """What is there stays until it runs out."""

    def _show(self, event_id: str, customer: str) -> None:
        entry = self._entries[event_id]().get(customer)
        self.line[event_id].pop(customer, None)
        if entry is not None and entry.state is not QueueState.OUT:
            self.line[event_id][customer] = entry


class FakeAudience(Audience):
    """Remembers what was told, in order."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self.personal: list[PersonalNews] = []
        self.announced: list[Outbound] = []
        self.watching: set[str] = set()
        self.places_told = 0
        """How often everybody was told the place in line."""
        self.present: set[str] = set()
        """Customers with a socket."""

    def begin(self, event_id: str, revision: int, epoch: str) -> None:
        """Nobody is told."""

    def publish(self, event_id: str, news: News) -> None:
        self.news.append(news)

    def tell(self, event_id: str, personal: PersonalNews) -> None:
        self.personal.append(personal)

    def announce(self, event_id: str, message: Outbound) -> None:
        self.announced.append(message)

    def tell_places(self, event_id: str) -> None:
        self.places_told += 1

    def seen_s(self, event_id: str, customer: str) -> float:
        return asyncio.get_running_loop().time() if customer in self.present else 0.0

    def lost(self, event_id: str) -> None:
        self.watching.discard(event_id)

    def watched(self) -> frozenset[str]:
        return frozenset(self.watching)


class FakePayments(Payments):
    """Remembers for which orders it was asked to collect."""

    def __init__(self) -> None:
        self.wanted: dict[str, Order] = {}

    def collect(self, event_id: str, order: Order) -> None:
        self.wanted.setdefault(order.order_id, order)


class FakeRandomness(Randomness):
    """A beacon that is asked; the test answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, DrawTerms]] = []

    def await_round(self, event_id: str, draws: DrawTerms) -> None:
        self.asked.append((event_id, draws))


class FakeLease(Lease):
    """A lease that lasts until the test says otherwise."""

    def __init__(self, node_id: str) -> None:
        self._node_id = node_id
        self.has_run_out = False

    @property
    def node_id(self) -> str:
        return self._node_id

    def is_held(self, owner: str) -> bool:
        return owner == self._node_id and not self.has_run_out


class FakeMeter(Meter):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        """The commands of each batch."""
        self.failures = 0
        self.orders: list[Order] = []

    def batch_committed(self, commands: int, took_s: float) -> None:
        self.batches.append(commands)

    def batch_failed(self) -> None:
        self.failures += 1

    def order_moved(self, order: Order) -> None:
        self.orders.append(order)

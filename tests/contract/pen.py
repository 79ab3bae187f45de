"""Batches written by hand, as a seat manager would write them."""

from typing import Any
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from actors.core.model import Hold, Order
from actors.core.verdict import Entry
from actors.ports import Batch, Claim, Committed, SeatWrite, Store
from protocol.outbound import OrderStatus
from tests.contract.benches import RUNS, Bench

ADA, BOB = "aaaaaaaa-0000-4000-8000-00000000000a", "bbbbbbbb-0000-4000-8000-00000000000b"
HASH = b"0123456789abcdef"


class Owner(Struct):
    """A node that owns an event, and its store."""

    bench: Bench
    store: Store
    claim: Claim
    at_ms: int

    async def write(self, batch: Batch) -> int:
        """Commit what must be committed; the new revision."""
        outcome = await self.store.commit(batch)
        assert isinstance(outcome, Committed), outcome
        return outcome.revision

    def batch(self, revision: int, *entries: Entry, **parts: Any) -> Batch:
        """A batch from this revision on, which looks up the commands that it has."""
        lookups = tuple((one.customer, one.command_id) for one in entries if one.command_id is not None)
        fields: dict[str, Any] = {"claim": self.claim, "lookups": lookups, "entries": entries} | parts
        return Batch(revision=revision, at_ms=self.at_ms, **fields)

    def holds(self, revision: int, customer: str, *seats: int, id_: str | None = None) -> Batch:
        """The customer holds these available seats and no others."""
        return self.batch(
            revision,
            accepted(customer, id_ or f"hold-{revision}", "hold", *seats),
            seats=tuple(SeatWrite(seat, 0, None, 1, customer) for seat in seats),
            holds=((customer, self.hold(*seats)),),
        )

    def gives_back(self, revision: int, customer: str, *seats: int) -> Batch:
        """The customer gives all back."""
        return self.batch(
            revision,
            accepted(customer, f"release-{revision}", "release", *seats),
            seats=tuple(SeatWrite(seat, 1, customer, 0, None) for seat in seats),
            holds=((customer, None),),
        )

    def begins(self, revision: int, order: Order) -> Batch:
        """A checkout begins."""
        return self.batch(revision, Entry("checkout_begun", order.customer, ()), orders=(order,))

    def completes(self, revision: int, order: Order) -> Batch:
        """The order is paid."""
        return self.batch(
            revision,
            accepted(order.customer, order.command_id, "completed", *order.seats),
            seats=tuple(SeatWrite(seat, 1, order.customer, 2, order.customer) for seat in order.seats),
            holds=((order.customer, None),),
            orders=(as_it_is(order, OrderStatus.COMPLETED, payment_id="paid"),),
        )

    def cancels(self, revision: int, order: Order) -> Batch:
        """The order is given back."""
        return self.batch(
            revision,
            accepted(order.customer, f"cancel-{revision}", "cancelled", *order.seats),
            seats=tuple(SeatWrite(seat, 2, order.customer, 0, None) for seat in order.seats),
            orders=(as_it_is(order, OrderStatus.CANCELLED),),
        )

    def hold(self, *seats: int, extended: bool = False) -> Hold:
        """A hold that began now."""
        return Hold(tuple(sorted(seats)), self.at_ms, self.at_ms, self.at_ms + 600_000, extended)

    def order(self, customer: str, *seats: int, id_: str = "checkout") -> Order:
        """An order that begins now."""
        prices = tuple(next(run.price_cents for run in RUNS if seat < run.first + run.count) for seat in seats)
        return Order(
            str(uuid4()), customer, OrderStatus.PENDING, seats, prices, "EUR", "card", id_, HASH, self.at_ms
        )  # fmt: skip

    async def sell(self, revision: int, customer: str, *seats: int) -> Order:
        """Hold, begin, pay: three batches from this revision on."""
        order = self.order(customer, *seats, id_=f"checkout-{revision}")
        await self.write(self.holds(revision, customer, *seats))
        await self.write(self.begins(revision + 1, order))
        await self.write(self.completes(revision + 2, order))
        return order


async def owner_of(bench: Bench, event_id: str, node_id: str | None = None) -> Owner:
    """A living node claims the event."""
    node_id = node_id or await bench.add_node()
    store = bench.store(node_id)
    claim = await store.claim(event_id)
    assert claim is not None
    return Owner(bench, store, claim, await bench.now_ms())


def accepted(customer: str, id_: str, kind: str, *seats: int, content: bytes = HASH) -> Entry:
    """The journal row of an accepted command, with some answer."""
    frame = f'{{"type":"accepted","id":"{id_}","n":"\\"ß"}}'.encode()
    return Entry(kind, customer, seats, id_, content, frame)


def as_it_is(order: Order, status: OrderStatus, **changes: Any) -> Order:
    """The order with another status."""
    return replace(order, status=status, **changes)

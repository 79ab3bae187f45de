"""What every store promises about orders: paid, failed and cancelled once, with tickets that fit the seats."""

import pytest

from actors.core.verdict import Entry
from actors.ports import BrokenPromise, Known
from protocol.outbound import OrderStatus
from protocol.seat_state import SeatState
from tests.contract.benches import Bench
from tests.contract.pen import ADA, BOB, as_it_is, owner_of

FREE, HELD, SOLD = SeatState.AVAILABLE, SeatState.HELD, SeatState.SOLD


async def test_an_order_is_begun_and_paid(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1, 4))
    order = owner.order(ADA, 1, 4)
    await owner.write(owner.begins(1, order))
    picture = await bench.picture(event_id)
    assert picture.orders == {order.order_id: (ADA, "pending", 4_000, None, None)}
    assert picture.tickets == []
    await owner.write(owner.completes(2, order))
    picture = await bench.picture(event_id)
    assert picture.orders == {order.order_id: (ADA, "completed", 4_000, "paid", None)}
    assert picture.tickets == [(order.order_id, 1, ADA, True), (order.order_id, 4, ADA, True)]
    assert [picture.seats[seat] for seat in (1, 4)] == [(2, ADA)] * 2
    assert picture.head[2:] == (3, 5, 0)


async def test_a_payment_fails(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    order = owner.order(ADA, 1)
    await owner.write(owner.begins(1, order))
    failed = as_it_is(order, OrderStatus.PAYMENT_FAILED, failure="card declined")
    await owner.write(owner.batch(2, Entry("payment_failed", ADA, ()), orders=(failed,)))
    picture = await bench.picture(event_id)
    assert picture.orders == {order.order_id: (ADA, "payment_failed", 3_000, None, "card declined")}
    assert picture.seats[1] == (1, ADA)
    assert list((await owner.store.load(owner.claim)).orders) == []
    await owner.write(owner.begins(3, owner.order(ADA, 1)))


async def test_an_order_is_cancelled(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    order = await owner.sell(0, ADA, 1, 2)
    await owner.write(owner.cancels(3, order))
    picture = await bench.picture(event_id)
    assert picture.orders[order.order_id][1] == "cancelled"
    assert picture.tickets == [(order.order_id, 1, ADA, False), (order.order_id, 2, ADA, False)]
    assert picture.seats[1:3] == [(0, None)] * 2
    assert picture.head[2:] == (4, 7, 0)
    await owner.sell(4, BOB, 1, 2)


async def test_a_cancelled_order_is_still_a_known_command(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    order = await owner.sell(0, ADA, 1)
    await owner.write(owner.cancels(3, order))
    found = await owner.store.commit(owner.batch(4, lookups=((ADA, order.command_id),)))
    assert isinstance(found, Known)


async def test_cancelling_never_frees_a_seat_that_is_somebody_elses_by_now(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    order = await owner.sell(0, ADA, 1, 2)
    await bench.put_seat(event_id, 2, SOLD, BOB)
    before = await bench.picture(event_id)
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.cancels(3, order))
    assert await bench.picture(event_id) == before


async def test_cancelling_twice_is_a_broken_promise(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    order = await owner.sell(0, ADA, 1)
    await owner.write(owner.cancels(3, order))
    await owner.sell(4, ADA, 1)
    before = await bench.picture(event_id)
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.cancels(7, order))
    assert await bench.picture(event_id) == before


async def test_cancelling_without_a_valid_ticket_is_a_broken_promise(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    order = await owner.sell(0, ADA, 1, 2)
    await bench.void_ticket(event_id, 2)
    before = await bench.picture(event_id)
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.cancels(3, order))
    assert await bench.picture(event_id) == before


async def test_a_seat_never_has_two_valid_tickets(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.sell(0, ADA, 1)
    await bench.put_seat(event_id, 1, FREE, None)
    order = owner.order(BOB, 1)
    await owner.write(owner.holds(3, BOB, 1))
    await owner.write(owner.begins(4, order))
    before = await bench.picture(event_id)
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.completes(5, order))
    assert await bench.picture(event_id) == before


async def test_a_customer_has_one_pending_order(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    await owner.write(owner.begins(1, owner.order(ADA, 1)))
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.begins(2, owner.order(ADA, 1)))
    assert len((await bench.picture(event_id)).orders) == 1


@pytest.mark.parametrize("status", [OrderStatus.COMPLETED, OrderStatus.PAYMENT_FAILED, OrderStatus.CANCELLED])
async def test_an_order_goes_no_way_but_its_own(bench: Bench, status: OrderStatus) -> None:
    """What nobody began cannot be settled, what failed cannot be paid."""
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    unknown = as_it_is(owner.order(ADA, 1), status)
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.batch(1, Entry("settled", ADA, ()), orders=(unknown,)))
    order = owner.order(ADA, 1)
    await owner.write(owner.begins(1, order))
    failed = as_it_is(order, OrderStatus.PAYMENT_FAILED, failure="no")
    await owner.write(owner.batch(2, Entry("payment_failed", ADA, ()), orders=(failed,)))
    before = await bench.picture(event_id)
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.batch(3, Entry("settled", ADA, ()), orders=(as_it_is(order, status),)))
    assert await bench.picture(event_id) == before

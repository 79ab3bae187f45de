"""Rows locked by somebody outside: nothing is written, and the seats are named."""

import pytest

from actors.core.verdict import Entry
from actors.ports import HeadBusy, SeatsBusy, StoreUnavailable
from tests.contract.benches import Bench
from tests.contract.pen import ADA, owner_of


async def test_locked_seats_are_named(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    batch = owner.holds(0, ADA, 1, 2, 3)
    before = await bench.picture(event_id)
    async with bench.seats_locked(event_id, [2, 3, 5]):
        assert await owner.store.commit(batch) == SeatsBusy(frozenset({2, 3}))
        assert await owner.store.commit(batch) == SeatsBusy(frozenset({2, 3}))
        assert await bench.picture(event_id) == before
    assert await owner.write(batch) == 1


async def test_other_seats_are_not_disturbed(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    async with bench.seats_locked(event_id, [2]):
        assert await owner.write(owner.holds(0, ADA, 1, 3)) == 1
        assert await owner.write(owner.batch(1, Entry("payment_failed", ADA, ()))) == 2


async def test_a_locked_head_is_busy(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    batch = owner.holds(0, ADA, 1)
    async with bench.head_locked(event_id):
        assert await owner.store.commit(batch) == HeadBusy()
    assert await owner.write(batch) == 1


async def test_a_locked_head_is_not_claimed(bench: Bench) -> None:
    event_id = await bench.add_event()
    old = await owner_of(bench, event_id)
    async with bench.head_locked(event_id):
        with pytest.raises(StoreUnavailable):
            await old.store.claim(event_id)
    assert await old.store.claim(event_id) is not None


async def test_looking_up_minds_no_lock(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1, id_="c"))
    known = await owner.store.commit(owner.batch(1, lookups=((ADA, "c"),)))
    async with bench.head_locked(event_id), bench.seats_locked(event_id, range(8)):
        assert await owner.store.commit(owner.batch(1, lookups=((ADA, "c"),))) == known

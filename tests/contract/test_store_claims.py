"""Who owns an event: one living node, by its newest claim."""

import asyncio

import pytest

from actors.core.verdict import Entry
from actors.ports import OwnershipLost
from tests.contract.benches import Bench
from tests.contract.pen import ADA, owner_of


async def test_an_event_without_an_owner_is_claimed(bench: Bench) -> None:
    event_id, node_id = await bench.add_event(), await bench.add_node()
    claim = await bench.store(node_id).claim(event_id)
    assert claim is not None
    assert (claim.event_id, claim.owner, claim.term) == (event_id, node_id, 1)
    assert (await bench.picture(event_id)).head[:3] == (node_id, 1, 0)


async def test_there_is_no_claim_on_what_is_not_there(bench: Bench) -> None:
    node_id = await bench.add_node()
    assert await bench.store(node_id).claim("00000000-0000-4000-8000-000000000000") is None


async def test_a_living_owner_keeps_the_event(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    assert await bench.store(await bench.add_node()).claim(event_id) is None
    assert await owner.write(owner.holds(0, ADA, 1)) == 1


async def test_claiming_anew_is_a_new_term(bench: Bench) -> None:
    """After a lost answer a node may claim twice; what it sent under the old term is fenced."""
    event_id = await bench.add_event()
    first = await owner_of(bench, event_id)
    second = await owner_of(bench, event_id, first.claim.owner)
    assert second.claim.term == first.claim.term + 1
    with pytest.raises(OwnershipLost):
        await first.store.commit(first.holds(0, ADA, 1))
    with pytest.raises(OwnershipLost):
        await first.store.load(first.claim)
    assert await second.write(second.holds(0, ADA, 1)) == 1


@pytest.mark.parametrize("death", ["crash", "hang"])
async def test_a_dead_owner_loses_the_event_and_is_fenced(bench: Bench, death: str) -> None:
    event_id = await bench.add_event()
    old = await owner_of(bench, event_id)
    await old.write(old.holds(0, ADA, 1))
    await getattr(bench, death)(old.claim.owner)
    new = await owner_of(bench, event_id)
    assert new.claim.term == old.claim.term + 1
    before = await bench.picture(event_id)
    for batch in (old.holds(1, ADA, 2), old.batch(1, Entry("payment_failed", ADA, ()))):
        with pytest.raises(OwnershipLost):
            await old.store.commit(batch)
    with pytest.raises(OwnershipLost):
        await old.store.load(old.claim)
    assert await bench.picture(event_id) == before
    loaded = await new.store.load(new.claim)
    assert (loaded.revision, loaded.holders) == (1, {1: ADA})
    assert await new.write(new.holds(1, ADA, 2)) == 2


async def test_the_last_batch_of_a_dead_owner_is_no_longer_its_own(bench: Bench) -> None:
    """Committed by the old owner, not answered, asked again after the event has moved on: not to be told."""
    event_id = await bench.add_event()
    old = await owner_of(bench, event_id)
    batch = old.holds(0, ADA, 1)
    await old.write(batch)
    await bench.crash(old.claim.owner)
    await owner_of(bench, event_id)
    with pytest.raises(OwnershipLost):
        await old.store.commit(batch)


async def test_a_fence_by_term_alone(bench: Bench) -> None:
    """The same owner and revision under another term."""
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    for term in (owner.claim.term - 1, owner.claim.term + 1):
        other = type(owner.claim)(event_id, owner.claim.owner, term)
        with pytest.raises(OwnershipLost):
            await owner.store.commit(owner.batch(0, Entry("payment_failed", ADA, ()), claim=other))
    assert (await bench.picture(event_id)).journal == []


async def test_a_fence_by_owner_alone(bench: Bench) -> None:
    """The same term and revision by another owner."""
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    other = type(owner.claim)(event_id, await bench.add_node(), owner.claim.term)
    with pytest.raises(OwnershipLost):
        await owner.store.commit(owner.batch(0, Entry("payment_failed", ADA, ()), claim=other))
    assert (await bench.picture(event_id)).journal == []


async def test_a_released_event_is_anybodys(bench: Bench) -> None:
    event_id = await bench.add_event()
    old = await owner_of(bench, event_id)
    await old.store.release(old.claim)
    with pytest.raises(OwnershipLost):
        await old.store.commit(old.holds(0, ADA, 1))
    new = await owner_of(bench, event_id)
    await old.store.release(old.claim)
    assert await new.write(new.holds(0, ADA, 1)) == 1, "an old claim releases nothing"


async def test_the_epoch_stays_over_claims(bench: Bench) -> None:
    event_id = await bench.add_event()
    old = await owner_of(bench, event_id)
    epoch = (await old.store.load(old.claim)).epoch
    await bench.crash(old.claim.owner)
    new = await owner_of(bench, event_id)
    assert (await new.store.load(new.claim)).epoch == epoch


async def test_neglected_events_are_those_with_something_to_do_and_no_living_owner(bench: Bench) -> None:
    node_id = await bench.add_node()
    idle, held, paying, owned = [await bench.add_event() for _ in range(4)]
    for event_id in (held, paying):
        owner = await owner_of(bench, event_id, node_id)
        await owner.write(owner.holds(0, ADA, 1))
        if event_id == paying:
            await owner.write(owner.begins(1, owner.order(ADA, 1)))
    living = await owner_of(bench, owned)
    await living.write(living.holds(0, ADA, 1))
    assert await living.store.neglected(10) == []
    await bench.crash(node_id)
    assert sorted(await living.store.neglected(10)) == sorted([held, paying])
    assert len(await living.store.neglected(1)) == 1
    for event_id in (held, paying):
        again = await owner_of(bench, event_id, living.claim.owner)
        await again.store.release(again.claim)
    assert idle not in await living.store.neglected(10)
    assert sorted(await living.store.neglected(10)) == sorted([held, paying]), "released, and still to do"


async def test_two_nodes_claim_at_once_and_one_has_it(bench: Bench) -> None:
    event_id = await bench.add_event()
    dead = await owner_of(bench, event_id)
    await bench.crash(dead.claim.owner)
    nodes = [await bench.add_node() for _ in range(4)]
    claims = await asyncio.gather(*(bench.store(node_id).claim(event_id) for node_id in nodes))
    assert len([claim for claim in claims if claim is not None]) == 1


async def test_events_do_not_touch_each_other(bench: Bench) -> None:
    one_id, other_id = await bench.add_event(), await bench.add_event()
    node_id = await bench.add_node()
    one, other = await owner_of(bench, one_id, node_id), await owner_of(bench, other_id, node_id)
    before = await bench.picture(other_id)
    await one.sell(0, ADA, 1)
    assert await bench.picture(other_id) == before
    await other.write(other.holds(0, ADA, 1))

"""What every store promises about batches: written whole, once, by the owner; or not at all."""

import pytest
from msgspec import structs
from msgspec.structs import replace

from actors.core.model import BlockMoved, OrphanRule, Stage
from actors.core.verdict import Entry
from actors.ports import BrokenPromise, Committed, Known, OwnershipLost, SeatWrite, Stored
from protocol.outbound import OrderStatus
from protocol.seat_state import SeatState
from tests.contract.benches import ACCESSIBLE, BLOCKED, COMPANION, RUNS, Bench
from tests.contract.pen import ADA, BOB, HASH, accepted, as_it_is, owner_of

FREE, HELD, SOLD = SeatState.AVAILABLE, SeatState.HELD, SeatState.SOLD


async def test_a_fresh_event_is_loaded(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    loaded = await owner.store.load(owner.claim)
    assert abs(loaded.now_ms - await bench.now_ms()) < 5_000
    assert (loaded.revision, loaded.holders, loaded.holds, loaded.ran_out_ms) == (0, {}, {}, {})
    assert list(loaded.orders) == []
    assert loaded.epoch
    assert list(loaded.states) == [3 if seat == BLOCKED else 0 for seat in range(8)]
    assert [structs.replace(run, distances=()) for run in loaded.runs] == RUNS
    for run in loaded.runs:
        assert not run.distances or (len(run.distances), min(run.distances)) == (run.count, run.distance)
    assert loaded.accessible == {ACCESSIBLE}
    assert loaded.companion == {COMPANION}
    terms = loaded.terms
    assert (terms.event_id, terms.stage, terms.max_tickets_per_user, terms.currency) == (
        event_id,
        "scheduled",
        4,
        "EUR",
    )
    assert terms.on_sale_at_ms < loaded.now_ms < terms.event_at_ms


async def test_a_hold_is_written_whole(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    assert await owner.write(owner.holds(0, ADA, 1, 2, id_="c-1")) == 1
    picture = await bench.picture(event_id)
    assert picture.head == (owner.claim.owner, owner.claim.term, 1, 5, 2)
    assert picture.seats[1:3] == [(1, ADA), (1, ADA)]
    assert picture.holds == {ADA: (owner.at_ms, owner.at_ms, owner.at_ms + 600_000, False)}
    frame = accepted(ADA, "c-1", "hold").frame
    assert frame is not None
    assert picture.journal == [(1, 1, owner.at_ms, "hold", ADA, "c-1", (1, 2), frame.decode())]


async def test_what_was_written_is_loaded(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    sold = await owner.sell(0, ADA, 4)
    await owner.write(owner.holds(3, ADA, 2, 0))
    await owner.write(owner.holds(4, BOB, 5))
    pending = owner.order(BOB, 5)
    await owner.write(owner.begins(5, pending))
    loaded = await owner.store.load(owner.claim)
    assert loaded.revision == 6
    assert list(loaded.states) == [1, 0, 1, 0, 2, 1, 0, 3]
    assert loaded.holders == {0: ADA, 2: ADA, 4: ADA, 5: BOB}
    assert loaded.holds == {ADA: owner.hold(0, 2), BOB: owner.hold(5)}
    expected = [pending, as_it_is(sold, OrderStatus.COMPLETED, payment_id="paid")]
    assert sorted(loaded.orders, key=lambda order: order.order_id) == sorted(
        expected, key=lambda order: order.order_id
    )


async def test_a_hold_changes_and_ends(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1, 2))
    longer = replace(owner.hold(1, 2), expires_ms=owner.at_ms + 900_000, changed_ms=owner.at_ms + 1, extended=True)
    await owner.write(owner.batch(1, accepted(ADA, "x", "extend"), holds=((ADA, longer),)))
    assert (await bench.picture(event_id)).holds == {
        ADA: (owner.at_ms, owner.at_ms + 1, owner.at_ms + 900_000, True)
    }
    await owner.write(owner.gives_back(2, ADA, 1, 2))
    picture = await bench.picture(event_id)
    assert picture.holds == {}
    assert picture.seats[1:3] == [(0, None)] * 2
    assert picture.head[2:] == (3, 7, 0)


async def test_the_clocks_work_has_no_command(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    ended = owner.batch(
        1, Entry("expired", ADA, (1,)), seats=(SeatWrite(1, 1, ADA, 0, None),), holds=((ADA, None),)
    )
    await owner.write(ended)
    picture = await bench.picture(event_id)
    assert picture.journal[-1] == (2, 1, owner.at_ms, "expired", ADA, None, (1,), None)
    assert (await owner.store.load(owner.claim)).ran_out_ms == {ADA: owner.at_ms}


async def test_terms_change_with_a_batch_and_are_loaded(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    before = (await owner.store.load(owner.claim)).terms
    assert before.orphan_rule is OrphanRule.WARN
    changes = {"on_sale_at_ms": 5_000, "event_at_ms": 9_000, "max_tickets_per_user": 9}
    after = replace(before, stage=Stage.CANCELLED, orphan_rule=OrphanRule.ENFORCE, **changes)
    await owner.write(replace(owner.holds(0, ADA, 1), terms=after))
    loaded = await owner.store.load(owner.claim)
    assert (loaded.terms, loaded.holders) == (after, {1: ADA})


async def test_terms_do_not_change_with_a_batch_that_is_fenced(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    before = (await owner.store.load(owner.claim)).terms
    late = owner.batch(2, Entry("terms", ADA, ()), terms=replace(before, stage=Stage.CANCELLED))
    with pytest.raises(OwnershipLost):
        await owner.store.commit(late)
    assert (await owner.store.load(owner.claim)).terms == before


async def test_seats_are_blocked_with_a_reason_and_sold_again(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    both = BlockMoved(BOB, (2, 3), "Camera"), BlockMoved(ADA, (3,), 'A "pillar", it\'s said')
    writes = tuple(SeatWrite(seat, FREE, None, SeatState.BLOCKED, None) for seat in (2, 3))
    await owner.write(owner.batch(0, accepted(BOB, "b-1", "blocked", 2, 3), seats=writes, blocks=both))
    picture = await bench.picture(event_id)
    assert picture.head[2:] == (1, 5, 0)
    assert picture.seats[2:4] == [(3, None)] * 2
    assert picture.blocks == [(2, "Camera", BOB, owner.at_ms), (3, 'A "pillar", it\'s said', ADA, owner.at_ms)]
    assert list((await owner.store.load(owner.claim)).states) == [0, 0, 3, 3, 0, 0, 0, 3]
    again = tuple(SeatWrite(seat, SeatState.BLOCKED, None, FREE, None) for seat in (2, BLOCKED))
    on_sale = (BlockMoved(ADA, (2, BLOCKED), None),)
    await owner.write(owner.batch(1, accepted(ADA, "b-2", "unblocked", 2), seats=again, blocks=on_sale))
    picture = await bench.picture(event_id)
    assert [seat for seat, *_ in picture.blocks] == [3]
    assert (picture.seats[2], picture.seats[BLOCKED], picture.head[2:]) == ((0, None), (0, None), (2, 7, 0))


async def test_no_reason_is_written_with_a_batch_that_is_fenced(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    late = owner.batch(2, Entry("blocked", ADA, ()), blocks=(BlockMoved(ADA, (2,), "Late"),))
    with pytest.raises(OwnershipLost):
        await owner.store.commit(late)
    assert (await bench.picture(event_id)).blocks == []


async def test_what_ran_out_long_ago_is_forgotten(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    owner.at_ms -= 901_000
    await owner.write(owner.batch(0, Entry("expired", ADA, ())))
    assert (await owner.store.load(owner.claim)).ran_out_ms == {}


async def test_many_changes_in_one_batch(bench: Bench) -> None:
    """An order is paid and cancelled, its seat is held by another, an old hold runs out."""
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    order = owner.order(ADA, 1)
    await owner.write(owner.begins(1, order))
    await owner.write(owner.holds(2, BOB, 3))
    batch = owner.batch(
        3,
        Entry("expired", BOB, (3,)),
        accepted(ADA, "checkout", "completed", 1),
        accepted(ADA, "x", "cancelled", 1),
        accepted(BOB, "y", "hold", 1),
        seats=(SeatWrite(3, 1, BOB, 0, None), SeatWrite(1, 1, ADA, 1, BOB)),
        holds=((ADA, None), (BOB, owner.hold(1, extended=True))),
        orders=(
            as_it_is(order, OrderStatus.COMPLETED, payment_id="p"),
            as_it_is(order, OrderStatus.CANCELLED, payment_id="p"),
        ),
    )
    assert await owner.write(batch) == 4
    picture = await bench.picture(event_id)
    assert picture.seats[1] == (1, BOB)
    assert list(picture.holds) == [BOB]
    assert picture.orders[order.order_id][1] == "cancelled"
    assert picture.tickets == [(order.order_id, 1, ADA, False)]
    assert [row[3] for row in picture.journal[3:]] == ["expired", "completed", "cancelled", "hold"]
    assert [row[1] for row in picture.journal[3:]] == [1, 2, 3, 4]
    assert picture.head[2:] == (4, 6, 1)


async def test_the_counters_follow_every_change(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    first = await owner.sell(0, ADA, 0, 1)
    await owner.write(owner.holds(3, BOB, 4, 5, 6))
    await owner.write(owner.cancels(4, first))
    await owner.write(owner.gives_back(5, BOB, 4, 5, 6))
    await owner.write(owner.holds(6, ADA, 2))
    picture = await bench.picture(event_id)
    states = [state for state, _ in picture.seats]
    assert picture.head[3:] == (states.count(FREE), states.count(HELD)) == (6, 1)


async def test_a_batch_sent_twice_is_written_once(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    batch = owner.holds(0, ADA, 1)
    assert await owner.store.commit(batch) == Committed(1)
    before = await bench.picture(event_id)
    assert await owner.store.commit(batch) == Committed(1)
    assert await bench.picture(event_id) == before


async def test_a_batch_that_may_be_written_twice_is_written_once(bench: Bench) -> None:
    """One without seats or commands, where nothing but the revision can tell."""
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    batch = owner.batch(0, Entry("payment_failed", ADA, ()))
    for _ in range(3):
        assert await owner.store.commit(batch) == Committed(1)
    picture = await bench.picture(event_id)
    assert picture.head[2] == len(picture.journal) == 1


async def test_an_old_revision_is_fenced(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    await owner.write(owner.holds(1, BOB, 2))
    for revision in (0, 3, 99):
        with pytest.raises(OwnershipLost):
            await owner.store.commit(owner.holds(revision, ADA, 4, id_="other"))
    picture = await bench.picture(event_id)
    assert picture.seats[4] == (0, None)
    assert len(picture.journal) == 2


async def test_a_known_command_stops_the_batch_and_is_answered(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1, id_="c-1"))
    before = await bench.picture(event_id)
    batch = owner.batch(
        1,
        accepted(BOB, "c-2", "hold", 2),
        accepted(ADA, "c-1", "hold", 3, content=b"something else.."),
        seats=(SeatWrite(2, 0, None, 1, BOB), SeatWrite(3, 0, None, 1, ADA)),
    )
    frame = accepted(ADA, "c-1", "hold").frame
    assert frame is not None
    assert await owner.store.commit(batch) == Known((Stored(ADA, "c-1", HASH, frame),))
    assert await bench.picture(event_id) == before


async def test_known_commands_are_those_of_the_customer_and_the_event(bench: Bench) -> None:
    event_id, other_id = await bench.add_event(), await bench.add_event()
    owner, other = await owner_of(bench, event_id), await owner_of(bench, other_id)
    await owner.write(owner.holds(0, ADA, 1, id_="c"))
    assert await owner.write(owner.holds(1, BOB, 2, id_="c")) == 2
    assert await other.write(other.holds(0, ADA, 1, id_="c")) == 1


async def test_commands_are_looked_up_without_a_write(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1, id_="c-1"))
    before = await bench.picture(event_id)
    found = await owner.store.commit(owner.batch(1, lookups=((ADA, "c-1"), (ADA, "c-2"), (BOB, "c-1"))))
    assert isinstance(found, Known)
    assert [(one.customer, one.command_id) for one in found.stored] == [(ADA, "c-1")]
    assert await owner.store.commit(owner.batch(1, lookups=((ADA, "c-2"),))) == Committed(1)
    assert await bench.picture(event_id) == before


@pytest.mark.parametrize(
    "write",
    [
        SeatWrite(1, FREE, None, HELD, BOB),
        SeatWrite(1, HELD, BOB, FREE, None),
        SeatWrite(1, SOLD, ADA, FREE, None),
        SeatWrite(2, HELD, ADA, FREE, None),
        SeatWrite(BLOCKED, FREE, None, HELD, ADA),
        SeatWrite(99, FREE, None, HELD, ADA),
        SeatWrite(3, FREE, None, HELD, None),
        SeatWrite(3, FREE, None, FREE, ADA),
        SeatWrite(3, FREE, None, 7, None),
    ],
    ids=[
        "free: held", "another's", "sold: held", "held: free", "blocked", "no such seat",
        "held by nobody", "free with a holder", "no such state",
    ],
)  # fmt: skip
async def test_a_seat_that_is_not_as_expected_is_a_broken_promise(bench: Bench, write: SeatWrite) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    await owner.write(owner.holds(0, ADA, 1))
    before = await bench.picture(event_id)
    batch = owner.batch(
        1,
        accepted(ADA, "x", "hold", 5),
        seats=(SeatWrite(5, FREE, None, HELD, ADA), write),
        holds=((ADA, owner.hold(1, 5)),),
    )
    with pytest.raises(BrokenPromise):
        await owner.store.commit(batch)
    assert await bench.picture(event_id) == before

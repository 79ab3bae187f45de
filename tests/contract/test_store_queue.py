"""The waiting room in a store: entries, the draw, and what a new owner finds."""

from uuid import UUID

import pytest
from msgspec.structs import replace

from actors.core.draw import commitment
from actors.core.model import BeaconRound, Drawn, LobbyClosed, QueueEntry, QueueMode, QueueState
from actors.core.verdict import Entry
from actors.ports import Batch, BrokenPromise, OwnershipLost
from tests.contract.benches import Bench
from tests.contract.pen import ADA, BOB, Owner, owner_of

NONCE = bytes(range(32))


def lobby(owner: Owner, customer: str, position: int, nonce: bytes = NONCE) -> QueueEntry:
    """An entry of the chain."""
    return QueueEntry(customer, QueueState.LOBBY, owner.at_ms, position=position, nonce=nonce)


def moves(owner: Owner, revision: int, *entries: QueueEntry, drawn: Drawn | None = None) -> Batch:
    """A batch that moves these entries."""
    rows = tuple(Entry("queue", entry.customer, ()) for entry in entries) or (Entry("drawn", ADA, ()),)
    return owner.batch(revision, *rows, queue=entries, drawn=drawn)


async def test_entries_are_found_as_they_were_written(bench: Bench) -> None:
    owner = await owner_of(bench, await bench.add_event())
    ada = lobby(owner, ADA, 1)
    bob = QueueEntry(
        BOB, QueueState.ACTIVE, owner.at_ms, 7, until_ms=owner.at_ms + 900_000, admitted_ms=owner.at_ms
    )
    await owner.write(moves(owner, 0, ada, bob))
    line = (await owner.store.load(owner.claim)).line
    assert sorted(line.entries, key=lambda entry: entry.customer) == [ada, bob]
    assert (line.tail, line.admitted_upto, line.admitted_ms) == (7, 7, owner.at_ms)
    missed = replace(bob, state=QueueState.WAITING, place=8, until_ms=None, admitted_ms=None, has_missed=True)
    await owner.write(moves(owner, 1, missed))
    line = (await owner.store.load(owner.claim)).line
    assert sorted(line.entries, key=lambda entry: entry.customer) == [ada, missed]


async def test_who_is_out_leaves_the_places_given_and_the_chain(bench: Bench) -> None:
    owner = await owner_of(bench, await bench.add_event())
    ada, bob = lobby(owner, ADA, 1), QueueEntry(BOB, QueueState.WAITING, owner.at_ms, 5)
    await owner.write(moves(owner, 0, ada, bob))
    out = [replace(entry, state=QueueState.OUT) for entry in (ada, bob)]
    await owner.write(moves(owner, 1, *out))
    line = (await owner.store.load(owner.claim)).line
    assert list(line.entries) == [out[0]]
    assert line.tail == 5


async def test_a_turn_is_not_forgotten_when_somebody_joins_again(bench: Bench) -> None:
    """The next owner keeps the pace by the last turn; how far the line is does not follow from who waits."""
    owner = await owner_of(bench, await bench.add_event())
    turn = QueueEntry(
        ADA, QueueState.ACTIVE, owner.at_ms, 3, until_ms=owner.at_ms + 900_000, admitted_ms=owner.at_ms
    )
    await owner.write(moves(owner, 0, turn, replace(turn, customer=BOB, place=2, admitted_ms=owner.at_ms - 9_000)))
    await owner.write(moves(owner, 1, replace(turn, state=QueueState.OUT, until_ms=None)))
    await owner.write(moves(owner, 2, QueueEntry(ADA, QueueState.WAITING, owner.at_ms + 1, 4)))
    line = (await owner.store.load(owner.claim)).line
    assert (line.tail, line.admitted_upto, line.admitted_ms) == (4, 3, owner.at_ms)
    assert {entry.customer: entry.admitted_ms is None for entry in line.entries} == {ADA: True, BOB: False}


async def test_what_the_draw_is_made_of_is_chosen_once(bench: Bench) -> None:
    owner = await owner_of(bench, await bench.add_event())
    first = (await owner.store.load(owner.claim)).line.draws
    assert (await owner.store.load(owner.claim)).line.draws == first
    assert first.drawn is None
    drawn = Drawn(owner.at_ms, 1, b"h" * 32, b"s" * 32)
    await owner.write(moves(owner, 0, lobby(owner, ADA, 1)))
    await owner.write(moves(owner, 1, drawn=drawn))
    found = (await owner.store.load(owner.claim)).line
    assert found.draws == replace(first, drawn=drawn)
    assert [entry.state for entry in found.entries] == [QueueState.LOBBY]
    with pytest.raises(BrokenPromise):
        await owner.store.commit(moves(owner, 2, drawn=replace(drawn, seed=b"t" * 32)))
    assert (await owner.store.load(owner.claim)).line.draws.drawn == drawn


async def test_an_entry_of_the_chain_stays_the_same(bench: Bench) -> None:
    owner = await owner_of(bench, await bench.add_event())
    ada = lobby(owner, ADA, 1)
    await owner.write(moves(owner, 0, ada))
    for other in (replace(ada, nonce=b"x" * 32), replace(ada, position=2), replace(ada, position=None)):
        with pytest.raises(BrokenPromise):
            await owner.store.commit(moves(owner, 1, other))
    assert list((await owner.store.load(owner.claim)).line.entries) == [ada]


async def test_an_old_owner_moves_nobody(bench: Bench) -> None:
    event_id = await bench.add_event()
    old = await owner_of(bench, event_id)
    await bench.crash(old.claim.owner)
    new = await owner_of(bench, event_id)
    with pytest.raises(OwnershipLost):
        await old.store.commit(moves(old, 0, lobby(old, ADA, 1)))
    assert not (await new.store.load(new.claim)).line.entries


async def test_an_event_with_somebody_in_its_room_is_looked_after(bench: Bench) -> None:
    event_id = await bench.add_event()
    owner = await owner_of(bench, event_id)
    ada = QueueEntry(ADA, QueueState.WAITING, owner.at_ms, 1)
    await owner.write(moves(owner, 0, ada))
    assert await owner.store.neglected(10) == []
    await bench.crash(owner.claim.owner)
    other = await owner_of(bench, await bench.add_event())
    assert await other.store.neglected(10) == [event_id]
    new = await owner_of(bench, event_id)
    await new.write(moves(new, 1, replace(ada, state=QueueState.OUT)))
    await bench.crash(new.claim.owner)
    assert await other.store.neglected(10) == []


async def test_the_terms_of_the_waiting_room_are_kept(bench: Bench) -> None:
    owner = await owner_of(bench, await bench.add_event())
    terms = (await owner.store.load(owner.claim)).terms
    for mode in (QueueMode.FIFO, QueueMode.CLOSED, QueueMode.DRAW, QueueMode.OFF):
        changed = replace(terms, queue_mode=mode, max_concurrent_shoppers=3, admit_per_minute=60)
        revision = (await owner.store.load(owner.claim)).revision
        await owner.write(owner.batch(revision, Entry("terms", ADA, ()), terms=changed))
        assert (await owner.store.load(owner.claim)).terms == changed


async def test_the_seed_is_committed_to(postgres_bench: Bench) -> None:
    """The commitment in the database is that of the seed beside it."""
    event_id = await postgres_bench.add_event()
    owner = await owner_of(postgres_bench, event_id)
    seed = (await owner.store.load(owner.claim)).line.draws.operator_seed
    row = await postgres_bench.pool.fetchrow("SELECT * FROM queue_draw")  # type: ignore[attr-defined]  # PostgreSQL's
    assert row["operator_seed"] == seed != bytes(32)
    assert row["commitment"] == commitment(UUID(event_id), seed)


async def test_a_lobby_is_closed_once_and_drawn_with_its_round(bench: Bench) -> None:
    owner = await owner_of(bench, await bench.add_event())
    assert not (await owner.store.load(owner.claim)).line.draws.is_awaiting_beacon
    await owner.write(moves(owner, 0, lobby(owner, ADA, 1)))
    await owner.write(owner.batch(1, Entry("closed", ADA, ()), closed=LobbyClosed(owner.at_ms)))
    found = (await owner.store.load(owner.claim)).line.draws
    assert (found.closed_ms, found.drawn, found.is_awaiting_beacon) == (owner.at_ms, None, True)
    with pytest.raises(BrokenPromise):
        await owner.store.commit(owner.batch(2, Entry("closed", ADA, ()), closed=LobbyClosed(owner.at_ms + 1)))
    spoken = BeaconRound(7, owner.at_ms + 10_000, b"v" * 32, b"signature")
    await owner.write(moves(owner, 2, drawn=Drawn(owner.at_ms, 1, b"h" * 32, b"s" * 32, spoken)))
    found = (await owner.store.load(owner.claim)).line.draws
    assert (found.closed_ms, found.is_awaiting_beacon) == (owner.at_ms, False)

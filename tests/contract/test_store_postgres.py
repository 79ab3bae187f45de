"""What only the real store can show: lost connections, cancelled callers, rows that no fake has."""

import asyncio
import re
from base64 import b64encode
from typing import Any

import pytest
from msgspec.structs import replace

from actors.core.model import IdempotencyKey
from actors.core.verdict import Entry
from actors.ports import Batch, Committed, HeadBusy, SeatsBusy, StoreUnavailable
from protocol.outbound import OrderStatus
from server import store
from tests.contract.benches import PostgresBench
from tests.contract.pen import ADA, BOB, Owner, accepted, as_it_is, owner_of

WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def a_longer_hold(bench: PostgresBench) -> tuple[Owner, Batch]:
    """An owner, and a batch that changes Ada's hold: for the row of a hold it waits, with no NOWAIT."""
    owner = await owner_of(bench, await bench.add_event())
    await owner.write(owner.holds(0, ADA, 1))
    hold = replace(owner.hold(1), extended=True)
    return owner, owner.batch(1, accepted(ADA, "x", "extend"), holds=((ADA, hold),))


async def until_somebody_waits(bench: PostgresBench) -> int:
    """The process that waits for a lock."""
    while (process := await bench.pool.fetchval(WAITING)) is None:
        pass
    assert isinstance(process, int)
    return process


async def row(bench: PostgresBench, query: str, *arguments: object) -> tuple[object, ...]:
    """The one row that the query finds."""
    found = await bench.pool.fetchrow(query, *arguments)
    assert found is not None
    return tuple(found)


async def until_revision(bench: PostgresBench, event_id: str, revision: int) -> None:
    while (await bench.picture(event_id)).head[2] < revision:
        pass


async def test_a_connection_that_was_lost_in_its_spare_time_is_not_missed(postgres_bench: PostgresBench) -> None:
    owner, batch = await a_longer_hold(postgres_bench)
    made: Any = owner.store
    assert made._kept, "the store keeps what it has used"
    for connection in made._kept:
        await postgres_bench.pool.execute("SELECT pg_terminate_backend($1, 5000)", connection.get_server_pid())
    while any(connection._con is not None for connection in made._kept):
        await postgres_bench.now_ms()
    assert await owner.store.commit(batch) == Committed(2)


async def test_a_lost_connection_is_an_unknown_outcome_and_the_same_batch_can_be_sent(
    postgres_bench: PostgresBench,
) -> None:
    owner, batch = await a_longer_hold(postgres_bench)
    event_id = owner.claim.event_id
    async with postgres_bench.hold_locked(event_id, ADA):
        commit = asyncio.create_task(owner.store.commit(batch))
        process = await until_somebody_waits(postgres_bench)
        await postgres_bench.pool.execute("SELECT pg_terminate_backend($1)", process)
        with pytest.raises(StoreUnavailable):
            await commit
    assert await owner.store.commit(batch) == Committed(2)
    assert await owner.store.commit(batch) == Committed(2)
    assert len((await postgres_bench.picture(event_id)).journal) == 2


async def test_a_cancelled_caller_does_not_cut_the_statement(postgres_bench: PostgresBench) -> None:
    owner, batch = await a_longer_hold(postgres_bench)
    event_id = owner.claim.event_id
    async with postgres_bench.hold_locked(event_id, ADA):
        commit = asyncio.create_task(owner.store.commit(batch))
        await until_somebody_waits(postgres_bench)
        commit.cancel()
        with pytest.raises(asyncio.CancelledError):
            await commit
    await until_revision(postgres_bench, event_id, 2)


async def test_a_row_that_stays_locked_is_busy_and_nothing_is_written(postgres_bench: PostgresBench) -> None:
    owner, batch = await a_longer_hold(postgres_bench)
    event_id = owner.claim.event_id
    async with postgres_bench.hold_locked(event_id, ADA):
        assert await owner.store.commit(batch) == HeadBusy()
    assert (await postgres_bench.picture(event_id)).head[2] == 1
    assert await owner.store.commit(batch) == Committed(2)


async def test_without_a_database_there_is_no_answer(postgres_bench: PostgresBench) -> None:
    event_id = await postgres_bench.add_event()
    owner = await owner_of(postgres_bench, event_id)
    postgres_bench.pool.terminate()
    for ask in (
        owner.store.commit(owner.holds(0, ADA, 1)),
        owner.store.load(owner.claim),
        owner.store.claim(event_id),
        owner.store.release(owner.claim),
        owner.store.neglected(1),
    ):
        with pytest.raises(StoreUnavailable):
            await ask


async def test_a_payment_attempt_follows_its_order(postgres_bench: PostgresBench) -> None:
    event_id = await postgres_bench.add_event()
    owner = await owner_of(postgres_bench, event_id)
    pool = postgres_bench.pool
    attempt = "SELECT status, amount_cents, currency, method, payment_id FROM payment_attempt WHERE order_id = $1"
    paid = owner.order(ADA, 1, 4)
    await owner.write(owner.holds(0, ADA, 1, 4))
    await owner.write(owner.begins(1, paid))
    assert await row(postgres_bench, attempt, paid.order_id) == ("wanted", 4_000, "EUR", "card", None)
    await owner.write(owner.completes(2, paid))
    assert await row(postgres_bench, attempt, paid.order_id) == ("succeeded", 4_000, "EUR", "card", "paid")
    await owner.write(owner.cancels(3, paid))
    assert (await row(postgres_bench, attempt, paid.order_id))[0] == "succeeded"
    failed = owner.order(BOB, 2)
    await owner.write(owner.holds(4, BOB, 2))
    await owner.write(owner.begins(5, failed))
    outcome = as_it_is(failed, OrderStatus.PAYMENT_FAILED, failure="no")
    await owner.write(owner.batch(6, Entry("payment_failed", BOB, ()), orders=(outcome,)))
    assert (await row(postgres_bench, attempt, failed.order_id))[0] == "declined"
    items = "SELECT seat_index, price_cents FROM order_item WHERE order_id = $1 ORDER BY seat_index"
    assert [tuple(item) for item in await pool.fetch(items, paid.order_id)] == [(1, 3_000), (4, 1_000)]


async def test_an_idempotency_key_stays_with_its_first_order(postgres_bench: PostgresBench) -> None:
    first_id, second_id = await postgres_bench.add_event(), await postgres_bench.add_event()
    orders = []
    for event_id, request in ((first_id, b"one"), (second_id, b"two")):
        owner = await owner_of(postgres_bench, event_id)
        await owner.write(owner.holds(0, ADA, 1))
        order = replace(owner.order(ADA, 1), idempotency=IdempotencyKey("the key", request))
        await owner.write(owner.begins(1, order))
        orders.append(order)
    kept = await row(
        postgres_bench, "SELECT order_id::text, request_hash FROM idempotency WHERE key = $1", "the key"
    )
    assert kept == (orders[0].order_id, b"one")


async def test_an_order_is_loaded_with_its_content_hash(postgres_bench: PostgresBench) -> None:
    event_id = await postgres_bench.add_event()
    owner = await owner_of(postgres_bench, event_id)
    order = replace(owner.order(ADA, 1), content_hash=bytes(range(240, 256)), payment_method="”\\\"'\n")
    await owner.write(owner.holds(0, ADA, 1))
    await owner.write(owner.begins(1, order))
    (loaded,) = (await owner.store.load(owner.claim)).orders
    assert b64encode(loaded.content_hash) == b64encode(order.content_hash)
    assert loaded.payment_method == order.payment_method


async def test_a_changed_timeline_is_a_new_epoch(postgres_bench: PostgresBench) -> None:
    event_id = await postgres_bench.add_event()
    owner = await owner_of(postgres_bench, event_id)
    before = await owner.store.load(owner.claim)
    await postgres_bench.pool.execute("UPDATE event_head SET timeline = 'FFFFFFFF' WHERE event_id = $1", event_id)
    again = await owner_of(postgres_bench, event_id, owner.claim.owner)
    after = await owner.store.load(again.claim)
    assert after.epoch != before.epoch
    third = await owner_of(postgres_bench, event_id, owner.claim.owner)
    assert (await owner.store.load(third.claim)).epoch == after.epoch


async def test_a_batch_of_many_seats_and_odd_texts(postgres_bench: PostgresBench) -> None:
    event_id = await postgres_bench.add_event()
    owner = await owner_of(postgres_bench, event_id)
    ids = ["'", '"', "\\", "{", "}", ",", "NULL", "ß€🎫", " ", "x" * 64]
    entries = [accepted(ADA, id_, "hold") for id_ in ids]
    await owner.write(owner.batch(0, *entries))
    picture = await postgres_bench.picture(event_id)
    assert [row[5] for row in picture.journal] == ids
    assert [row[7] for row in picture.journal] == [entry.frame.decode() for entry in entries if entry.frame]


async def test_locked_rows_are_told_apart_in_any_language(
    postgres_bench: PostgresBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.store._LOCKED_TABLE", re.compile("Relation »never«"))
    event_id = await postgres_bench.add_event()
    owner = await owner_of(postgres_bench, event_id)
    batch = owner.holds(0, ADA, 1, 2)
    async with postgres_bench.seats_locked(event_id, [2]):
        assert await owner.store.commit(batch) == SeatsBusy(frozenset({2}))
    async with postgres_bench.head_locked(event_id):
        assert await owner.store.commit(batch) == HeadBusy()


async def test_an_answer_that_does_not_come_is_an_unknown_outcome(
    postgres_bench: PostgresBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "ANSWER_S", 0.05)
    owner, batch = await a_longer_hold(postgres_bench)
    event_id = owner.claim.event_id
    async with postgres_bench.hold_locked(event_id, ADA):
        with pytest.raises(StoreUnavailable):
            await owner.store.commit(batch)
    # What was left behind has been written meanwhile, or is not: the same batch again tells, and applies once.
    monkeypatch.setattr(store, "ANSWER_S", 5.0)
    while isinstance(outcome := await owner.store.commit(batch), HeadBusy):
        pass
    assert outcome == Committed(2)
    assert len((await postgres_bench.picture(event_id)).journal) == 2


async def test_statements_without_an_answer_do_not_pile_up(
    postgres_bench: PostgresBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, batch = await a_longer_hold(postgres_bench)
    monkeypatch.setattr(store, "ANSWER_S", 0.01)
    monkeypatch.setattr(store, "LEFT_BEHIND_MAX", 2)
    await postgres_bench.close()
    pool = postgres_bench.pool
    taken = [await pool.acquire() for _ in range(pool.get_max_size())]
    problems = []
    for _ in range(pool.get_max_size() + 5):
        with pytest.raises(StoreUnavailable) as problem:
            await owner.store.commit(batch)
        problems.append(str(problem.value))
    for connection in taken:
        await pool.release(connection)
    assert sum("too many" in text for text in problems) == 3

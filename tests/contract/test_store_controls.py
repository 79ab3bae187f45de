"""Negative controls: with one safeguard taken out, the suite goes red. On PostgreSQL in the test's own database."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from actors.ports import Batch, BrokenPromise, Committed, Outcome, Stored
from protocol.outbound import OrderStatus
from tests.contract import test_store_claims as claims
from tests.contract import test_store_contract as contract
from tests.contract import test_store_orders as orders
from tests.contract.benches import Bench, FakeBench, PostgresBench
from tests.fake_database import FakeDatabase, FakeEvent

RED = (AssertionError, pytest.fail.Exception, BrokenPromise)
"""How a test of the suite goes red."""

Check = Callable[[Bench], Awaitable[None]]

FENCE = "h.owner = p_owner AND h.term = p_term AND h.revision = p_revision"

FAULTS: dict[str, tuple[list[tuple[str, str, str]], list[Check]]] = {
    "no fence by owner": (
        [("commit_batch_v4", FENCE, "h.term = p_term AND h.revision = p_revision")],
        [claims.test_a_fence_by_owner_alone],
    ),
    "no fence by term": (
        [("commit_batch_v4", FENCE, "h.owner = p_owner AND h.revision = p_revision")],
        [claims.test_a_fence_by_term_alone, claims.test_claiming_anew_is_a_new_term],
    ),
    "no fence by owner and term": (
        [("commit_batch_v4", FENCE, "h.revision = p_revision")],
        [claims.test_a_released_event_is_anybodys],
    ),
    "no compare-and-set": (
        [
            ("commit_batch_v4", FENCE, "h.owner = p_owner AND h.term = p_term"),
            ("commit_batch_v4", "SET revision = p_revision + 1", "SET revision = h.revision + 1"),
            (
                "commit_batch_v4",
                "SELECT p_event, p_revision + 1,",
                "SELECT p_event, (SELECT h.revision + 1 FROM event_head h WHERE h.event_id = p_event),",
            ),
        ],
        [contract.test_a_batch_that_may_be_written_twice_is_written_once, contract.test_an_old_revision_is_fenced],
    ),
    "no look into the journal": (
        [("commit_batch_v4", "IF known IS NOT NULL", "IF false")],
        [contract.test_a_known_command_stops_the_batch_and_is_answered],
    ),
    "a look at anybody's commands": (
        [("commit_batch_v4", "AND customer_id = l.customer_id", "")],
        [contract.test_known_commands_are_those_of_the_customer_and_the_event],
    ),
    "no count of seats": (
        [("commit_batch_v4", "IF done <> cardinality(p_seat)", "IF false")],
        [orders.test_cancelling_never_frees_a_seat_that_is_somebody_elses_by_now],
    ),
    "no look at who holds": (
        [("commit_batch_v4", "AND s.holder IS NOT DISTINCT FROM m.from_holder", "")],
        [orders.test_cancelling_never_frees_a_seat_that_is_somebody_elses_by_now],
    ),
    "no count of tickets": (
        [("commit_orders_v1", "IF done <> cardinality(o.seats)", "IF false")],
        [orders.test_cancelling_without_a_valid_ticket_is_a_broken_promise],
    ),
    "no look at what the order was": (
        [("commit_orders_v1", "AND status = was", "")],
        [partial(orders.test_an_order_goes_no_way_but_its_own, status=OrderStatus.COMPLETED)],
    ),
    "counters left alone": (
        [("commit_batch_v4", "available = h.available + d.available", "available = h.available")],
        [contract.test_the_counters_follow_every_change],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_function_is_caught(postgres_bench: PostgresBench, fault: str) -> None:
    changes, checks = FAULTS[fault]
    for function, sound, faulty in changes:
        text = await postgres_bench.pool.fetchval("SELECT pg_get_functiondef($1::regproc)", function)
        assert text.count(sound) == 1, f"{function} no longer reads: {sound}"
        await postgres_bench.pool.execute(text.replace(sound, faulty))
    for check in checks:
        with pytest.raises(RED):
            await check(postgres_bench)


async def test_a_missing_index_is_caught(postgres_bench: PostgresBench) -> None:
    await postgres_bench.pool.execute("DROP INDEX ticket_seat_once")
    with pytest.raises(RED):
        await orders.test_a_seat_never_has_two_valid_tickets(postgres_bench)


async def test_a_death_that_nobody_sees_is_caught(postgres_bench: PostgresBench) -> None:
    await postgres_bench.pool.execute(
        "CREATE OR REPLACE FUNCTION node_is_dead(p_node uuid) RETURNS boolean LANGUAGE sql AS 'SELECT false'"
    )
    for death in ("crash", "hang"):
        with pytest.raises(RED):
            await claims.test_a_dead_owner_loses_the_event_and_is_fenced(postgres_bench, death)


class Unfenced(FakeDatabase):
    """Anybody may write, at any revision."""

    def is_fenced(self, event: FakeEvent, batch: Batch) -> bool:
        return False


class WithoutRevision(FakeDatabase):
    """No compare-and-set: the same batch is written as often as it comes."""

    def is_fenced(self, event: FakeEvent, batch: Batch) -> bool:
        return (event.owner, event.term) != (batch.claim.owner, batch.claim.term)


class Forgetful(FakeDatabase):
    """No look into the journal."""

    def look_up(self, event: FakeEvent, lookups: object) -> tuple[Stored, ...]:
        return ()


class Liar(FakeDatabase):
    """Says that it is written, and writes nothing."""

    def commit(self, batch: Batch) -> Outcome:
        return Committed(batch.revision + 1)


FAKE_FAULTS: dict[type[FakeDatabase], list[Check]] = {
    Unfenced: [claims.test_a_fence_by_owner_alone, claims.test_a_fence_by_term_alone],
    WithoutRevision: [contract.test_a_batch_that_may_be_written_twice_is_written_once],
    Forgetful: [contract.test_a_known_command_stops_the_batch_and_is_answered],
    Liar: [contract.test_a_hold_is_written_whole],
}


@pytest.mark.parametrize("faulty", FAKE_FAULTS, ids=lambda faulty: faulty.__name__)
async def test_a_faulty_fake_is_caught(faulty: type[FakeDatabase]) -> None:
    for check in FAKE_FAULTS[faulty]:
        with pytest.raises(RED):
            await check(FakeBench(faulty(lambda: 1_900_000_000_000)))

"""Two server processes on one database: who owns an event, and how it passes on."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from actors.core.model import Hold
from actors.core.verdict import Entry
from actors.ports import Batch, Claim, Committed, OwnershipLost, SeatWrite
from server import node
from server.database import connect
from server.ending import end
from server.engines import PostgresAddress, RedisAddress
from server.node import Node
from server.sockets import connection
from server.statements import sql
from server.store import PostgresStore
from tests.server.parts import Customer, Usher, running, until

FUNCTIONS = Path(__file__).parents[2] / "sql" / "functions"


class Pair:
    """Two servers, with ways for one of them to end."""

    def __init__(self, one: Usher, two: Usher, end_one: AsyncExitStack) -> None:
        self.one = one
        self.two = two
        self._end_one = end_one

    async def stop_one(self) -> None:
        """An orderly end, with everything given back."""
        await self._end_one.aclose()

    async def kill_one(self) -> None:
        """As SIGKILL: all connections break, nothing is given back."""
        parts = self.one.parts
        await end(parts.node._task)
        parts.database.terminate()
        assert parts.node._connection is not None
        parts.node._connection.terminate()

    async def freeze_one(self) -> None:
        """As SIGSTOP, as far as others see: the lease is not renewed, and the connections stay."""
        await end(self.one.parts.node._task)

    async def end_lease_of_one(self) -> None:
        """As when the time is over for which the lease was given."""
        ended = "UPDATE node SET lease_until = clock_timestamp() WHERE id = $1"
        await self.two.database.execute(ended, UUID(self.one.parts.node.node_id))


@pytest_asyncio.fixture
async def pair(database_address: PostgresAddress, redis_address: RedisAddress) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        end_one = await stack.enter_async_context(AsyncExitStack())
        one = await end_one.enter_async_context(running(database_address, redis_address, node_name="one"))
        two = await stack.enter_async_context(running(database_address, redis_address, node_name="two"))
        yield Pair(one, two, end_one)


@pytest.fixture
def long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases that do not run out: who takes over has not waited for that. To be asked for before `pair`."""
    monkeypatch.setattr(node, "LEASE_S", 3_600.0)


async def owned_by(server: Usher, event_id: str) -> bool:
    """Does this server's node own the event?"""
    query = "SELECT owner FROM event_head WHERE event_id = $1"
    owner = await server.database.fetchval(query, UUID(event_id))
    return str(owner) == server.parts.node.node_id


async def an_event(pair: Pair) -> tuple[str, Customer]:
    """An event of the first server in which seat 0 is held."""
    event_id, ada = await pair.one.event(), await pair.one.customer()
    assert (await pair.one.reserve(event_id, [0], ada)).status == 200
    assert await owned_by(pair.one, event_id)
    return event_id, ada


async def held_at_last(server: Usher, event_id: str, by: Customer, seat: int) -> None:
    """Try until this server holds the seat."""

    async def is_held() -> bool:
        return (await server.reserve(event_id, [seat], by)).status == 200

    await until(is_held)


async def test_the_second_server_is_refused_and_changes_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "OPEN_WAIT_S", 0.2)
    monkeypatch.setattr("server.rest.asking.READ_S", 0.2)
    event_id, ada = await an_event(pair)
    revision = await pair.one.revision_of(event_id)
    # Sessions are everybody's, events are one node's.
    reply = await pair.two.reserve(event_id, [1], ada)
    assert (reply.status, reply.body["code"]) == (503, "try_again")
    assert reply.headers["Retry-After"]
    reply = await pair.two.buy(ada, event_id=event_id)
    assert (reply.status, reply.body["code"]) == (503, "try_again")
    assert (await pair.two.rest("GET", f"/seats/{event_id}/availability")).status == 503
    async with pair.two.socket(event_id, ada) as socket:
        answer = await socket.ask("hold_seats", seats=[1])
        assert (answer["code"], answer["retry"]) == ("try_again", True)
        await socket.send(type="open")
        assert await socket.closed() == 1012
    assert await pair.one.revision_of(event_id) == revision
    assert (await pair.one.reserve(event_id, [1], ada)).status == 200
    # What needs no owner is answered by both.
    for server in (pair.one, pair.two):
        shown = (await server.rest("GET", f"/events/{event_id}")).data
        assert shown["available_seats"] == 196


async def test_one_of_two_gets_an_event_that_nobody_owns(pair: Pair) -> None:
    ada, ben = await pair.one.customer(), await pair.one.customer()
    for _ in range(8):
        event_id = await pair.one.event()
        replies = await asyncio.gather(pair.one.reserve(event_id, [0], ada), pair.two.reserve(event_id, [0], ben))
        assert sorted(reply.status for reply in replies) == [200, 503]
        assert (await pair.one.seat_states(event_id))[0] == 1
        term = await pair.one.database.fetchval("SELECT term FROM event_head WHERE event_id = $1", UUID(event_id))
        assert term == 1


async def test_after_an_orderly_end_the_other_takes_over(long_lease: None, pair: Pair) -> None:
    event_id, ada = await an_event(pair)
    ben = await pair.two.customer()
    async with pair.one.socket(event_id, ada) as socket:
        first = await socket.ask("hold_seats", "h", seats=[1])
        order = await pair.one.buy(ada, key="k")
        await socket.ask("hold_seats", "again", seats=[2])
        await pair.stop_one()
        assert await socket.closed() == 1012
    await held_at_last(pair.two, event_id, ben, 3)
    async with pair.two.socket(event_id, ada) as socket:
        await socket.open()
        assert (await socket.seen("hold"))["seats"] == [2]
        # What was accepted there is known here.
        assert await socket.ask("hold_seats", "h", seats=[0, 1]) | {} != first
        assert await socket.ask("hold_seats", "h", seats=[1]) == first
    assert (await pair.two.buy(ada, key="k")).raw == order.raw


async def test_after_a_crash_the_other_takes_over(long_lease: None, pair: Pair) -> None:
    event_id, ada = await an_event(pair)
    ben = await pair.two.customer()
    await pair.kill_one()
    await held_at_last(pair.two, event_id, ben, 1)
    assert (await pair.two.rest("GET", "/seats/reservation", by=ada)).data["seats"][0]["id"] == "0"
    # An event with a hold is found without anybody asking for it: see below.
    assert await owned_by(pair.two, event_id)


async def test_after_a_crash_holds_end_though_nobody_asks(long_lease: None, pair: Pair) -> None:
    event_id, _ = await an_event(pair)
    await pair.kill_one()
    await until(lambda: pair.two.parts.supervisor.loaded(event_id) is not None)
    await pair.two.age_holds(event_id, 600)

    async def is_free() -> bool:
        return (await pair.two.seat_states(event_id))[0] == 0

    await until(is_free)


async def test_after_a_hang_the_other_takes_over_and_the_first_says_nothing_more(pair: Pair) -> None:
    event_id, ada = await an_event(pair)
    ben = await pair.two.customer()
    async with pair.one.socket(event_id) as watcher:
        await watcher.open()
        await pair.freeze_one()
        await held_at_last(pair.two, event_id, ben, 1)
        # Past its lease the first one neither answers nor keeps watchers on a map that nobody patches.
        assert not pair.one.parts.node.is_held(pair.one.parts.node.node_id)
        reply = await pair.one.reserve(event_id, [2], ada)
        assert (reply.status, reply.body["code"]) == (503, "try_again")
        assert await watcher.closed() == 1012
    assert (await pair.two.reserve(event_id, [2], ada)).status == 200


async def test_an_owner_that_lost_its_lock_is_not_left_with_an_old_map(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id, _ = await an_event(pair)
    ben = await pair.two.customer()
    async with pair.one.socket(event_id) as watcher:
        await watcher.open()
        # The connection of its lock breaks, which looks like a crash; but the process lives on.
        first = pair.one.parts.node
        connect_again, is_taken = first._connect, asyncio.Event()

        async def late() -> asyncpg.Connection:
            await is_taken.wait()
            return await connect_again()

        monkeypatch.setattr(first, "_connect", late)
        assert first._connection is not None
        await pair.two.database.execute("SELECT pg_terminate_backend($1)", first._connection.get_server_pid())
        await until(partial(owned_by, pair.two, event_id))
        is_taken.set()
        await held_at_last(pair.two, event_id, ben, 1)
        assert await watcher.closed() == 1012
        async with pair.two.socket(event_id) as moved:
            await moved.open()
            assert moved.states[1] == 1


async def test_events_go_on_when_a_lone_owner_loses_its_lock(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    async with running(database_address, redis_address) as own:
        event_id, ada = await own.event(), await own.customer()
        async with own.socket(event_id, ada) as socket:
            await socket.open()
            first = await socket.ask("hold_seats", "h", seats=[0])
            before = own.parts.node.node_id
            lock = own.parts.node._connection
            assert lock is not None
            await own.database.execute("SELECT pg_terminate_backend($1)", lock.get_server_pid())
            await until(lambda: own.parts.node._connection is not lock)

            async def is_answered() -> bool:
                return bool((await socket.ask("hold_seats", "i", seats=[1]))["type"] == "accepted")

            await until(is_answered)
            assert await socket.ask("hold_seats", "h", seats=[0]) == first
            await socket.seen("patch", held=[1])
            await until(partial(owned_by, own, event_id))
            is_lock_held = await own.database.fetchval("SELECT node_is_dead($1)", UUID(own.parts.node.node_id))
            assert is_lock_held is False, (before, own.parts.node.node_id)


def late_batch(claim: Claim, revision: int, now_ms: int) -> Batch:
    """A batch that holds seat 5 for somebody."""
    holder = str(uuid4())
    return Batch(
        claim=claim,
        revision=revision,
        at_ms=now_ms,
        lookups=(),
        entries=(Entry("hold", holder, (5,)),),
        seats=(SeatWrite(5, 0, None, 1, holder),),
        holds=((holder, Hold((5,), now_ms, now_ms, now_ms + 600_000)),),
    )


async def a_zombie_writes(pair: Pair) -> None:
    """Let the second server take over, then send a batch with the first one's claim; it must not be applied."""
    event_id, _ = await an_event(pair)
    (manager,) = pair.one.parts.supervisor.managers
    claim, revision = manager.claim, manager.seating.revision
    await pair.freeze_one()
    await pair.end_lease_of_one()
    await until(partial(owned_by, pair.two, event_id))
    zombie = PostgresStore(pair.one.database, lambda: claim.owner)
    with pytest.raises(OwnershipLost):
        await zombie.commit(late_batch(claim, revision, manager.now_ms()))
    with pytest.raises(OwnershipLost):
        await zombie.load(claim)
    await zombie.release(claim)
    await zombie.close()
    assert (await pair.two.seat_states(event_id))[5] == 0
    assert await pair.two.revision_of(event_id) == revision
    assert await owned_by(pair.two, event_id), "a zombie cannot give away what is not its own"


async def test_a_late_batch_of_a_zombie_is_fenced(pair: Pair) -> None:
    await a_zombie_writes(pair)


async def test_without_the_fence_a_zombie_would_write(pair: Pair) -> None:
    """Negative control: with a batch function that does not look at owner and term, the test above fails."""
    text = (FUNCTIONS / "commit_batch_v4.sql").read_text()
    faulty, fences = re.subn(r"AND h\.owner = p_owner AND h\.term = p_term AND", "AND", text)
    assert fences == 1
    await pair.one.database.execute(faulty)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        await a_zombie_writes(pair)


async def test_the_same_batch_twice_is_applied_once(pair: Pair) -> None:
    event_id, _ = await an_event(pair)
    (manager,) = pair.one.parts.supervisor.managers
    store = PostgresStore(pair.one.database, lambda: manager.claim.owner)
    batch = late_batch(manager.claim, manager.seating.revision, manager.now_ms())
    # As after a lost answer: the outcome of the first was never heard.
    assert await store.commit(batch) == Committed(batch.revision + 1)
    assert await store.commit(batch) == Committed(batch.revision + 1)
    await store.close()
    entries = await pair.one.database.fetchval(
        "SELECT count(*) FROM journal WHERE event_id = $1 AND revision = $2", UUID(event_id), batch.revision + 1
    )
    assert entries == 1


async def test_a_server_stops_though_somebody_has_locked_its_event(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    outsider = await connect(database_address)
    try:
        async with running(database_address, redis_address) as own:
            event_id, ada = await own.event(), await own.customer()
            assert (await own.reserve(event_id, [0], ada)).status == 200
            transaction = outsider.transaction()
            await transaction.start()
            await outsider.execute("SELECT FROM event_head WHERE event_id = $1 FOR UPDATE", UUID(event_id))
            asking = asyncio.create_task(own.reserve(event_id, [1], ada))
            (manager,) = own.parts.supervisor.managers
            await until(lambda: manager._stalled_since is not None)
        assert outsider.is_in_transaction(), "it has not waited for the lock, which is still there"
        # Who asked is told nothing, or to try again: it is not known here what becomes of it.
        with contextlib.suppress(aiohttp.ServerDisconnectedError):
            assert (await asking).status == 503
        await transaction.rollback()
        async with running(database_address, redis_address) as own:
            assert (await own.reserve(event_id, [1], ada)).status == 200
            assert (await own.seat_states(event_id))[:2] == [1, 1]
    finally:
        await outsider.close()


# The lease itself


async def lease_of(database: asyncpg.Pool, node_id: str) -> float | None:
    """Seconds that this node lives on if nothing happens; None: there is no such node."""
    query = "SELECT extract(epoch FROM lease_until - clock_timestamp()) FROM node WHERE id = $1"
    found = await database.fetchval(query, UUID(node_id))
    return None if found is None else float(found)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewals in quick succession."""
    monkeypatch.setattr(node, "RENEW_S", 0.1)


async def test_a_node_lives_while_it_renews(
    eager: None, database_address: PostgresAddress, database: asyncpg.Pool
) -> None:
    one = Node("one", partial(connect, database_address))
    await one.start()
    try:
        left = await lease_of(database, one.node_id)
        assert left is not None
        assert 0 < left <= node.LEASE_S
        assert await database.fetchval("SELECT node_is_dead($1)", UUID(one.node_id)) is False
        assert one.is_held(one.node_id)
        assert not one.is_held(str(uuid4()))
        renewed_at = one._renewed_at
        await until(lambda: one._renewed_at > renewed_at)
        assert await database.fetchval("SELECT count(*) FROM node") == 1
    finally:
        await one.stop()
    assert await lease_of(database, one.node_id) is None
    assert await database.fetchval("SELECT node_is_dead($1)", UUID(one.node_id)) is True
    assert not one.is_held(one.node_id)


async def test_a_lease_that_ran_out_makes_a_new_incarnation(
    eager: None, database_address: PostgresAddress, database: asyncpg.Pool
) -> None:
    one = Node("one", partial(connect, database_address))
    await one.start()
    try:
        before = one.node_id
        await database.execute("UPDATE node SET lease_until = clock_timestamp()")
        await until(lambda: one.node_id != before and one.is_held(one.node_id))
        assert not one.is_held(before)
        left = await lease_of(database, one.node_id)
        assert left is not None
        assert left > 0
    finally:
        await one.stop()


async def test_a_node_stops_answering_before_others_think_it_dead(
    long_lease: None, database_address: PostgresAddress, database: asyncpg.Pool
) -> None:
    one, loop = Node("one", partial(connect, database_address)), asyncio.get_running_loop()
    await one.start()
    try:
        stops_at = one._renewed_at + node.LEASE_S - node.ANSWER_MARGIN_S
        left = await lease_of(database, one.node_id)
        answered_at = loop.time()  # PostgreSQL has looked at its clock before, so the lease ends no later
        assert left is not None
        assert answered_at + left - stops_at >= node.ANSWER_MARGIN_S, "by PostgreSQL's clock it still lives then"
        one._renewed_at -= stops_at - loop.time() - 60
        assert one.is_held(one.node_id)
        one._renewed_at -= 60
        assert not one.is_held(one.node_id)
    finally:
        await one.stop()


async def test_rows_of_long_dead_nodes_are_forgotten(
    database_address: PostgresAddress, database: asyncpg.Pool
) -> None:
    old, owner = uuid4(), uuid4()
    add = "INSERT INTO node VALUES ($1, 'old', now() - interval '3 days', now() - interval '2 days')"
    await database.execute(add, old)
    await database.execute(add, owner)
    await database.execute(
        "INSERT INTO event_head (event_id, owner, epoch, timeline) VALUES ($1, $2, 'e', '1')", uuid4(), owner
    )
    one = Node("one", partial(connect, database_address))
    await one.start()
    await one.stop()
    assert [row["id"] for row in await database.fetch("SELECT id FROM node")] == [owner]


async def test_without_a_database_a_node_does_not_start(database_address: PostgresAddress) -> None:
    async def away() -> asyncpg.Connection:
        raise ConnectionRefusedError("no database")

    with pytest.raises(OSError, match="no database"):
        await Node("one", away).start()


def test_the_statements_of_a_node_are_there() -> None:
    names = ("register_node", "renew_node", "end_node", "forget_dead_nodes", "take_node_lock")
    assert all(sql(name) for name in names)

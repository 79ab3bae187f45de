"""Faults 1 to 8 and 12 of an existing implementation of the REST contract: ours has none of them.

9 and 11 are in `test_faults_of_the_door`; 10 is the waiting room's.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from asyncpg.pool import PoolConnectionProxy

from actors.core.verdict import Settle
from actors.ports import Batch
from server.engines import PostgresAddress, RedisAddress
from server.payments.port import ProviderAway
from server.reads.places import PlacesCache
from server.redis_connection import open_redis
from server.store import PostgresStore
from tests.conftest import REDIS_TEST_DATABASE
from tests.server.parts import SEAT_COUNT, SHARED, Customer, Reply, Till, Usher, running, until

pytestmark = SHARED


async def order_of(server: Usher, by: Customer) -> str:
    """The id of an order just bought."""
    reply = await server.buy(by)
    assert reply.status == 200
    return str(reply.data["order"]["id"])


async def cancel(server: Usher, order_id: str, by: Customer) -> Reply:
    return await server.rest("POST", f"/checkout/orders/{order_id}/cancel", by=by)


async def holder_of(server: Usher, event_id: str, seat: int) -> tuple[int, str | None]:
    """State and holder of a seat, as PostgreSQL has them."""
    row = await server.database.fetchrow(
        "SELECT state, holder FROM seat WHERE event_id = $1 AND seat_index = $2", UUID(event_id), seat
    )
    assert row is not None
    return row["state"], None if row["holder"] is None else str(row["holder"])


async def audited(database: asyncpg.Pool | PoolConnectionProxy) -> None:
    """Nothing that must agree has parted: seats, tickets, orders, counts. Asked of PostgreSQL alone."""
    parted = await database.fetch(
        """
        SELECT 'sold, no ticket' AS what, s.seat_index FROM seat s
          LEFT JOIN ticket t ON t.event_id = s.event_id AND t.seat_index = s.seat_index AND t.status = 'valid'
                            AND t.customer_id = s.holder
         WHERE s.state = 2 AND t.id IS NULL
        UNION ALL
        SELECT 'ticket, not sold', t.seat_index FROM ticket t
          JOIN seat s ON s.event_id = t.event_id AND s.seat_index = t.seat_index
         WHERE t.status = 'valid' AND (s.state <> 2 OR s.holder <> t.customer_id)
        UNION ALL
        SELECT 'completed, without its tickets', i.seat_index FROM orders o
          JOIN order_item i ON i.event_id = o.event_id AND i.order_id = o.id
          LEFT JOIN ticket t ON t.event_id = o.event_id AND t.order_id = o.id AND t.seat_index = i.seat_index
                            AND t.status = 'valid'
         WHERE (o.status = 'completed') <> (t.id IS NOT NULL)
        UNION ALL
        SELECT 'held, no hold', s.seat_index FROM seat s
          LEFT JOIN hold h ON h.event_id = s.event_id AND h.customer_id = s.holder
         WHERE s.state = 1 AND h.customer_id IS NULL
        UNION ALL
        SELECT 'available has drifted', h.available FROM event_head h
         WHERE h.available <> (SELECT count(*) FROM seat s WHERE s.event_id = h.event_id AND s.state = 0)
            OR h.held <> (SELECT count(*) FROM seat s WHERE s.event_id = h.event_id AND s.state = 1)
        """
    )
    assert [tuple(row) for row in parted] == []


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def all_agrees(usher: Usher) -> AsyncIterator[None]:
    """After each test the books of the shared server must balance."""
    yield
    await audited(usher.database)


async def test_fault_1_a_repeated_cancel_frees_no_seat_of_somebody_else(usher: Usher) -> None:
    """A cancel sent twice freed the seat again, though it had been sold to somebody else in between."""
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    await usher.reserve(event_id, [0, 1], ada)
    order_id = await order_of(usher, ada)
    assert (await cancel(usher, order_id, ada)).status == 200
    assert (await usher.reserve(event_id, [0], ben)).status == 200
    await order_of(usher, ben)
    assert (await usher.reserve(event_id, [1], ben)).status == 200
    for _ in range(2):  # also by a manager that was loaded since
        assert (await cancel(usher, order_id, ada)).status == 400
        assert await holder_of(usher, event_id, 0) == (2, ben.id)
        assert await holder_of(usher, event_id, 1) == (1, ben.id)
        await usher.unload(event_id)


async def test_fault_2_a_retried_checkout_gets_its_order_and_nobody_elses(usher: Usher) -> None:
    """A checkout that had succeeded was answered "no reservation" when it was retried, and a key that another
    customer had used brought that customer's order."""
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    await usher.reserve(event_id, [0], ada)
    first = await usher.buy(ada, key="the key")
    again = await usher.buy(ada, key="the key")
    assert (again.status, again.raw) == (200, first.raw)
    assert (await usher.buy(ben, key="the key")).body["code"] == "hold_not_found"
    await usher.reserve(event_id, [1], ben)
    other = await usher.buy(ben, key="the key")
    assert other.data["order"]["id"] != first.data["order"]["id"]
    assert other.data["order"]["user_id"] == ben.id
    # Over the socket it is the command's id that makes a retry one.
    async with usher.socket(event_id, ada) as socket:
        await socket.ask("hold_seats", seats=[2])
        bought = await socket.ask("checkout", "pay", payment_method="card")
    async with usher.socket(event_id, ada) as socket:
        assert await socket.ask("checkout", "pay", payment_method="card") == bought


@pytest.fixture
def quick_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stops does not wait for requests under way."""
    monkeypatch.setattr("server.app.FINISH_S", 0.05)


async def test_fault_3_money_is_taken_only_for_seats_that_are_then_sold(
    quick_end: None, database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    """Money was taken before anybody had looked whether the seats could be sold, and when the sale then failed
    nothing recorded or refunded it. Here the order is durable and its seats are fast before the provider is asked;
    whatever breaks afterwards, the same charge leads to the same sale."""
    till = Till()
    async with running(database_address, redis_address, till) as server:
        event_id, ada, ben = await server.event(), await server.customer(), await server.customer()
        seen: list[tuple[str, str, list[int]]] = []
        collect = till.collect

        async def look_first(charge: Any) -> Any:
            row = await server.database.fetchrow(
                "SELECT o.status, a.status AS attempt FROM orders o"
                " JOIN payment_attempt a ON a.event_id = o.event_id AND a.order_id = o.id WHERE o.id = $1",
                UUID(charge.key),
            )
            assert row is not None
            states = await server.seat_states(event_id)
            seen.append((row["status"], row["attempt"], [seat for seat, state in enumerate(states) if state == 1]))
            return await collect(charge)

        till.collect = look_first  # type: ignore[method-assign]
        # Who holds nothing, or nothing any more, is not charged.
        assert (await server.buy(ben)).status == 400
        await server.reserve(event_id, [3], ben)
        await server.age_holds(event_id, 700)
        assert (await server.buy(ben)).status == 400
        assert not till.asked
        await server.reserve(event_id, [0, 1], ada)
        till.is_open.clear()
        buying = asyncio.create_task(server.buy(ada, key="k"))
        await until(lambda: bool(till.asked))
        # While the money is on its way nobody can have these seats, and the hold does not run out.
        assert (await server.reserve(event_id, [0], ben)).body["code"] == "seat_taken"
        # Now the server ends. The provider has the money, its answer is lost.
        till.ledger[till.asked[0].key] = till.asked[0].amount_cents
        buying.cancel()
        await asyncio.gather(buying, return_exceptions=True)
    assert seen == [("pending", "wanted", [0, 1])]
    till.is_open.set()
    async with running(database_address, redis_address, till) as server:

        async def is_sold() -> bool:
            return (await server.seat_states(event_id)).count(2) == 2

        await until(is_sold)
        answer = await server.buy(ada, key="k")
        assert answer.data["order"]["status"] == "completed"
        assert till.ledger == {answer.data["order"]["id"]: 700_00}, "charged once"
        assert {charge.key for charge in till.asked} == set(till.ledger)
        paid = await server.database.fetch("SELECT status, payment_id FROM payment_attempt")
        assert [tuple(row) for row in paid] == [("succeeded", answer.data["order"]["payment_id"])]
        await audited(server.database)


async def test_fault_3_a_crash_between_begin_and_settle(
    quick_end: None, database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    """The same with a server that dies: between the provider's answer and the batch that settles the order."""
    till = Till()
    async with running(database_address, redis_address, till) as server:
        event_id, ada = await server.event(), await server.customer()
        await server.reserve(event_id, [0], ada)
        is_dead = asyncio.Event()

        def dies(_event_id: str, _settled: Settle) -> None:
            is_dead.set()

        payments: Any = server.parts.supervisor._ports.payments
        payments.settle = dies
        buying = asyncio.create_task(server.buy(ada))
        await is_dead.wait()
        assert len(till.ledger) == 1
        assert (await server.seat_states(event_id))[0] == 1
        buying.cancel()
        await asyncio.gather(buying, return_exceptions=True)
    async with running(database_address, redis_address, till) as server:

        async def is_sold() -> bool:
            return (await server.seat_states(event_id))[0] == 2

        await until(is_sold)
        assert len(till.ledger) == 1
        assert [charge.key for charge in till.asked] == [till.asked[0].key] * 2
        await audited(server.database)


async def test_fault_3_a_provider_whose_answers_get_lost_charges_once(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    """The same with a provider that is away and whose answers get lost: it is asked again, with the same key."""
    till = Till()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("server.payments.worker.RETRY_FIRST_S", 0.01)
        async with running(database_address, redis_address, till) as server:
            event_id, ada = await server.event(), await server.customer()
            await server.reserve(event_id, [0], ada)
            till.moods = [ProviderAway("down")] * 2
            till.loses_answers = 2
            assert (await server.buy(ada)).status == 200
            assert len(till.asked) == 5
            assert list(till.ledger.values()) == [350_00]
            await audited(server.database)


async def test_fault_4_an_expiry_wipes_no_fresh_hold(usher: Usher) -> None:
    """The sweep read a list of holds that had run out and freed their seats later without looking again: a hold
    made in between was wiped."""
    event_id = await usher.event(max_tickets=1)
    customers = [await usher.customer() for _ in range(6)]
    async with usher.socket(event_id) as watcher:
        await watcher.open()
        for turn in range(3):
            mine, others = customers[turn], customers[:turn] + customers[turn + 1 :]
            assert (await usher.reserve(event_id, [0], mine)).status == 200
            await usher.age_holds(event_id, 599.7)

            # Everybody wants the seat at the very moment at which it becomes free.
            async def want(customer: Customer) -> Customer:
                while (await usher.reserve(event_id, [0], customer)).status != 200:
                    pass
                return customer

            tasks = [asyncio.create_task(want(customer)) for customer in others]
            done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            winners = [task.result() for task in done]
            assert len(winners) == 1
            # The fresh hold is there and stays; the old one is not there any more.
            state, holder = await holder_of(usher, event_id, 0)
            assert (state, holder) == (1, winners[0].id)
            assert (await usher.rest("GET", "/seats/reservation", by=mine)).data is None
            held = (await usher.rest("GET", "/seats/reservation", by=winners[0])).data
            assert [seat["id"] for seat in held["seats"]] == ["0"]
            body = {"seat_ids": ["0"]}
            assert (await usher.rest("POST", f"/seats/{event_id}/release", body, winners[0])).status == 200


async def test_fault_5_a_cancelled_seat_can_be_held_at_once(usher: Usher) -> None:
    """After buying and cancelling a seat it was shown as available and could not be held: an old lock in Redis
    was still there."""
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    for by, other in ((ada, ben), (ben, ada), (ada, ada)):
        assert (await usher.reserve(event_id, [0], by)).status == 200
        assert (await cancel(usher, await order_of(usher, by), by)).status == 200
        shown = (await usher.rest("GET", f"/seats/{event_id}/sections/Floor")).data[0]
        assert (shown["id"], shown["status"]) == ("0", "available")
        assert (await usher.reserve(event_id, [0], other)).status == 200
        assert (await usher.rest("POST", f"/seats/{event_id}/release", {"seat_ids": ["0"]}, other)).status == 200


async def test_fault_6_a_second_reserve_adds_and_a_release_takes_only_what_it_names(usher: Usher) -> None:
    """A second reserve hid the first: its seats stayed held and could be neither bought nor seen. Releasing one
    seat dropped the whole reservation."""
    event_id, other_event, ada = await usher.event(), await usher.event(), await usher.customer()
    await usher.reserve(event_id, [0], ada)
    second = await usher.reserve(event_id, [1, 2], ada)
    assert [seat["id"] for seat in second.data["seats"]] == ["0", "1", "2"]
    await usher.reserve(other_event, [7], ada)
    held = (await usher.rest("GET", "/seats/reservation", by=ada)).data
    assert [len(shown["seats"]) for shown in held["reservations"]] == [1, 3]
    body = {"seat_ids": ["1"]}
    assert (await usher.rest("POST", f"/seats/{event_id}/release", body, ada)).status == 200
    bought = await usher.buy(ada, event_id=event_id)
    assert [item["seat_id"] for item in bought.data["items"]] == ["0", "2"]
    assert [item["seat_id"] for item in (await usher.buy(ada)).data["items"]] == ["7"]
    assert (await usher.seat_states(event_id))[:3] == [2, 0, 2]


async def test_fault_7_limits_and_the_beginning_of_the_sale_are_enforced(usher: Usher) -> None:
    """`max_tickets_per_user` was stored and never looked at; an event that was not on sale sold all the same."""
    event_id, ada = await usher.event(max_tickets=3), await usher.customer()
    assert (await usher.reserve(event_id, [0, 1, 2, 3], ada)).body["code"] == "limit_reached"
    assert (await usher.reserve(event_id, [0, 1], ada)).status == 200
    # Not even many at once, over REST and sockets, get past it.
    async with usher.socket(event_id, ada) as socket:
        since = len(socket.frames)
        replies = asyncio.gather(*(usher.reserve(event_id, [seat], ada) for seat in range(10, 20)))
        for seat in range(20, 30):
            await socket.send(type="hold_seats", id=f"h{seat}", seats=[seat])
        statuses = [reply.status for reply in await replies]
        await until(lambda: len([frame for frame in socket.frames[since:] if "id" in frame]) == 10)
        accepted = statuses.count(200) + len(socket.of("accepted"))
    assert accepted == 1
    await order_of(usher, ada)
    assert (await usher.reserve(event_id, [5], ada)).body["code"] == "limit_reached", "bought counts, too"
    for how in ({"on_sale_in": timedelta(hours=1)}, {"stage": "cancelled"}, {"event_in": timedelta(hours=-1)}):
        closed = await usher.event(**how)
        assert (await usher.reserve(closed, [0], ada)).body["code"] == "not_on_sale"
        assert (await usher.buy(ada, event_id=closed)).body["code"] == "not_on_sale"


async def test_fault_8_a_crash_around_the_commit_leaves_no_seat_in_between(
    database_address: PostgresAddress, redis_address: RedisAddress, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 between the lock in Redis and the commit: the seat was shown as available and refused for ten
    minutes. Here there is nothing but the commit: before it nobody has the seat, after it somebody has, and both
    are what everybody is shown."""
    commit = PostgresStore._commit
    for dies_before in (True, False):
        is_dead = asyncio.Event()
        async with running(database_address, redis_address) as server:
            event_id, ada, ben = await server.event(), await server.customer(), await server.customer()

            async def dying(
                self: PostgresStore, batch: Batch, dies_before: bool = dies_before, dead: asyncio.Event = is_dead
            ) -> Any:
                if not dies_before:
                    await commit(self, batch)
                dead.set()
                return await asyncio.Event().wait()

            monkeypatch.setattr(PostgresStore, "_commit", dying)
            asking = asyncio.create_task(server.reserve(event_id, [0], ada))
            await is_dead.wait()
            # As kill -9: the connections break, and nothing is given back.
            parts = server.parts
            assert parts.node._task is not None
            assert parts.node._connection is not None
            parts.node._task.cancel()
            parts.node._connection.terminate()
            parts.database.terminate()
            for slot in list(parts.supervisor._slots.values()):
                assert slot.task is not None
                slot.task.cancel()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        monkeypatch.undo()
        async with running(database_address, redis_address) as server:
            shown = (await server.rest("GET", f"/seats/{event_id}/sections/Floor")).data[0]
            reply = await server.reserve(event_id, [0], ben)
            if dies_before:
                assert shown["status"] == "available"
                assert reply.status == 200
            else:
                assert shown["status"] == "held"
                assert (reply.status, reply.body["code"]) == (400, "seat_taken")
                assert (await server.buy(ada)).status == 200, "it is Ada's, though she was never told"
            await audited(server.database)


async def test_fault_12_available_seats_is_the_true_count_under_load(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    """`available_seats` drifted under load; every reserve ran KEYS over the whole of Redis."""
    async with (
        running(database_address, redis_address) as server,
        open_redis(redis_address, database=REDIS_TEST_DATABASE) as redis,
    ):
        event_id = await server.event(max_tickets=6)
        customers = [await server.customer() for _ in range(12)]
        await redis.config_resetstat()

        async def shop(customer: Customer, number: int) -> None:
            async with server.socket(event_id, customer) as socket:
                for turn in range(12):
                    seats = [(number * 7 + turn * 5 + k) % SEAT_COUNT for k in range(3)]
                    await socket.ask("hold_seats", seats=seats)
                    if turn % 4 == 1:
                        await socket.ask("release_seats", seats=seats[:1])
                    if turn % 4 == 3:
                        method = "decline" if turn == 7 else "card"
                        answer = await socket.ask("checkout", payment_method=method)
                        if "order" in answer and number % 3 == 0:
                            await cancel(server, answer["order"]["order_id"], customer)

        async def true_count() -> None:
            # Whenever one looks, in the middle of it all, the count of one moment is the count of its seats.
            query = """
                SELECT h.available, h.held, count(*) FILTER (WHERE s.state = 0) AS free,
                       count(*) FILTER (WHERE s.state = 1) AS taken
                  FROM event_head h JOIN seat s USING (event_id) WHERE event_id = $1
                 GROUP BY h.available, h.held"""
            while True:
                row = await server.database.fetchrow(query, UUID(event_id))
                assert row is not None
                assert (row["available"], row["held"]) == (row["free"], row["taken"])

        looking = asyncio.create_task(true_count())
        await asyncio.gather(*(shop(customer, number) for number, customer in enumerate(customers)))
        assert not looking.done(), looking.exception()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

        states = await server.seat_states(event_id)
        assert {0, 2} <= set(states)
        shown = (await server.rest("GET", f"/events/{event_id}")).data
        assert shown["available_seats"] == states.count(0)
        assert shown["total_capacity"] == SEAT_COUNT
        sections = (await server.rest("GET", f"/seats/{event_id}/availability?summary=true")).data
        assert sum(section["available"] for section in sections) == states.count(0)
        await audited(server.database)
        called = await redis.info("commandstats")
        assert "cmdstat_keys" not in called
        assert "cmdstat_scan" not in called


async def test_fault_12_nothing_that_a_stranger_sends_grows_without_bound(usher: Usher) -> None:
    """Unknown paths became labels of metrics without bound. Whatever strangers ask for leaves nothing behind."""
    parts = usher.parts
    supervisor: Any = parts.supervisor
    places: Any = parts.places
    sales: Any = parts.sales

    def sizes() -> tuple[int, ...]:
        hub: Any = parts.hub
        under_way: Any = parts.keys_under_way
        return (
            len(supervisor._slots),
            len(hub._channels),
            sum(len(one) for one in hub.customers.sockets.values()),
            len(places._kept._known),
            len(places._kept._coming),
            len(sales._known),
            len(under_way._running),
            len(parts.sockets),
            sum(len(metric.samples) for metric in parts.metrics.registry.collect()),
        )

    ada = await usher.customer()

    async def ask(number: int) -> None:
        stranger = f"550e8400-e29b-41d4-a716-4466554{number:05}"
        for path in (f"/nothing/{number}", f"/seats/{stranger}/availability", f"/seats/x{number}/sections/y"):
            assert (await usher.rest("GET", path)).status == 404
        await usher.rest("POST", f"/seats/{stranger}/reserve", {"seat_ids": ["1"]}, ada)
        await usher.buy(ada, key=f"key {number}")
        await usher.buy(ada, key=f"key {number}", event_id=stranger)
        async with usher.socket(stranger) as socket:
            await socket.closed()

    await ask(0)  # a label for each kind of refusal is made once
    before = sizes()
    for number in range(1, 50):
        await ask(number)
    assert sizes() == before


async def test_fault_12_the_places_that_are_remembered_are_bounded(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept per event is kept for the events asked for last."""
    places: Any = PlacesCache(usher.database)
    places._kept._size_max = 3 * SEAT_COUNT
    monkeypatch.setattr(usher.parts, "places", places)
    monkeypatch.setattr("server.sales.SALES_MAX", 3)
    events = [await usher.event() for _ in range(6)]
    sales: Any = usher.parts.sales
    sales._known.clear()
    for event_id in events:
        assert (await usher.rest("GET", f"/seats/{event_id}/availability?summary=true")).status == 200
    assert [str(event_id) for event_id in places._kept._known] == events[-3:]
    assert [str(event_id) for event_id in sales._known] == events[-3:]
    # One event is remembered however large it is.
    places._kept._size_max = 1
    assert (await usher.rest("GET", f"/seats/{events[0]}/availability?summary=true")).status == 200
    assert [str(event_id) for event_id in places._kept._known] == events[:1]


async def test_fault_12_orders_that_ended_are_not_kept_for_ever(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lets payments be declined again and again must not fill the server's memory."""
    monkeypatch.setattr("actors.core.seating.ENDED_ORDERS_MAX", 3)
    event_id, ada = await usher.event(), await usher.customer()
    await usher.reserve(event_id, [0], ada)
    for _ in range(8):
        assert (await usher.buy(ada, "decline")).status == 402
    seating = usher.parts.supervisor.loaded(event_id)
    assert seating is not None
    assert len(seating.orders) == 3
    orders = (await usher.rest("GET", "/checkout/orders", by=ada)).data
    assert len(orders) == 8
    for order in (orders[0], orders[-1]):
        refusal = (await cancel(usher, order["id"], ada)).refusal
        assert refusal == (400, "Only completed orders can be cancelled", "order_not_completed")
    assert (await usher.buy(ada)).status == 200


async def test_fault_12_ends_that_count_no_more_are_thrown_away(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds and releases again and again must not fill the server's memory either."""
    monkeypatch.setattr("actors.core.seating.ENDS_SLACK", 10)
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    await usher.reserve(event_id, [100], ben)
    async with usher.socket(event_id, ada) as socket:
        for _ in range(40):
            await socket.ask("hold_seats", seats=[0])
            await socket.ask("release_seats", seats=[0])
        await socket.ask("hold_seats", seats=[0])
    seating = usher.parts.supervisor.loaded(event_id)
    assert seating is not None
    assert len(seating._ends) <= 2 * 2 + 10 + 1
    assert seating.next_end_ms() == seating.holds[ben.id].expires_ms
    # The ends that count are still met.
    await usher.age_holds(event_id, 599.9)

    async def are_free() -> bool:
        return (await usher.seat_states(event_id)).count(1) == 0

    await until(are_free)


async def test_the_audit_of_these_tests_would_see_a_fault(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    """Negative control: each kind of parting, put in by hand, is found."""
    async with running(database_address, redis_address) as server:
        event_id, ada = await server.event(), await server.customer()
        await server.reserve(event_id, [0], ada)
        await order_of(server, ada)
        await server.reserve(event_id, [1], ada)
        await audited(server.database)
        for statement in (
            "UPDATE seat SET state = 0, holder = NULL WHERE state = 2",
            "UPDATE ticket SET status = 'void'",
            "UPDATE orders SET status = 'cancelled'",
            "DELETE FROM hold",
            "UPDATE event_head SET available = available + 1",
            "UPDATE seat SET holder = gen_random_uuid() WHERE state = 2",
        ):
            async with server.database.acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                await connection.execute(statement)
                with pytest.raises(AssertionError):
                    await audited(connection)
                await transaction.rollback()
        await audited(server.database)

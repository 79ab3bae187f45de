"""Checkout and orders over REST, and what the payments are asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import pytest_asyncio

from actors.seat_manager import ManagerSettings
from actors.supervisor import SupervisorSettings
from server.engines import PostgresAddress, RedisAddress
from server.payments.port import ProviderAway
from server.rest.keys_under_way import drop_old_keys
from tests.server.parts import SHARED, Customer, Json, Reply, Till, Usher, running, until
from tests.server.test_seats import DEAD_SESSION, NO_EVENT, NO_SESSION, UNKNOWN, at, labels

pytestmark = SHARED

NOTHING_HELD = (400, "No active reservation found", "hold_not_found")
RAN_OUT = (400, "Reservation has expired", "hold_expired")
NO_METHOD = "payment_method is required"
DECLINED = (402, "Payment failed: the card was declined", "payment_failed")
NO_ORDER = (404, "Order not found", "order_not_found")
NOT_COMPLETED = (400, "Only completed orders can be cancelled", "order_not_completed")
OTHER_REQUEST = (422, "This Idempotency-Key was used for another request", "key_reused")
STILL_RUNNING = (409, "The request with this Idempotency-Key is still running", "key_running")

ANSWER_S = 0.25
"""How long checkouts wait for the provider where they are impatient."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def the_till() -> Till:
    return Till()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(
    shared_database: PostgresAddress, redis_server: RedisAddress, the_till: Till
) -> AsyncIterator[Usher]:
    """A server with our own provider."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("server.payments.worker.RETRY_FIRST_S", 0.02)
        async with running(shared_database, redis_server, the_till) as server:
            yield server


@pytest.fixture
def impatient(shop: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events that are loaded from now on answer a slow checkout early."""
    settings = SupervisorSettings(manager=ManagerSettings(checkout_answer_s=ANSWER_S))
    monkeypatch.setattr(shop.parts.supervisor, "_settings", settings)


@pytest_asyncio.fixture(loop_scope="module")
async def till(the_till: Till) -> AsyncIterator[Till]:
    """The provider, with an empty ledger and in a good mood."""
    the_till.asked.clear()
    the_till.ledger.clear()
    yield the_till
    the_till.moods.clear()
    the_till.is_open.set()


async def holding(shop: Usher, *seats: int, **how: Any) -> tuple[str, Customer]:
    """A new event in which a new customer holds these seats."""
    event_id, ada = await shop.event(**how), await shop.customer()
    assert (await shop.reserve(event_id, list(seats or (0, 20)), ada)).status == 200
    return event_id, ada


async def bought(shop: Usher, *seats: int) -> tuple[str, Customer, Json]:
    """An order of a new customer in a new event."""
    event_id, ada = await holding(shop, *seats)
    reply = await shop.buy(ada)
    assert reply.status == 200
    order: Json = reply.data["order"]
    return event_id, ada, order


# Buying


async def test_buying_answers_order_and_items(shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 20, 0)
    before = shop.parts.now() - timedelta(seconds=0.1)
    reply = await shop.buy(ada)
    assert reply.status == 200
    assert set(reply.data) == {"order", "items", "message"}
    assert reply.data["message"]
    order = reply.data["order"]
    order_id = order["id"]
    assert before <= at(order["created_at"]) <= at(order["completed_at"]) <= at(order["updated_at"])
    assert {name: order[name] for name in order if not name.endswith("_at")} == {
        "id": order_id,
        "user_id": ada.id,
        "event_id": event_id,
        "status": "completed",
        "total_amount": 449.5,
        "currency": "USD",
        "payment_id": f"till-{order_id}",
        "idempotency_key": None,
    }
    items = reply.data["items"]
    assert [(item["seat_id"], item["price"], item["order_id"]) for item in items] == [
        ("0", 350, order_id),
        ("20", 99.5, order_id),
    ]
    assert all(set(item) == {"id", "order_id", "seat_id", "price", "created_at"} for item in items)
    assert len({item["id"] for item in items}) == 2
    assert till.ledger == {order_id: 449_50}
    states = await shop.seat_states(event_id)
    assert (states[0], states[20]) == (2, 2)
    assert (await shop.rest("GET", "/seats/reservation", by=ada)).data is None
    tickets = await shop.database.fetch(
        "SELECT seat_index, status FROM ticket WHERE order_id = $1 ORDER BY seat_index", UUID(order_id)
    )
    assert [tuple(row) for row in tickets] == [(0, "valid"), (20, "valid")]


async def test_without_an_event_the_hold_changed_last_is_bought(shop: Usher, till: Till) -> None:
    one, ada = await holding(shop, 0)
    two, three = await shop.event(), await shop.event()
    await shop.reserve(two, [1], ada)
    await shop.reserve(three, [2], ada)
    first = await shop.buy(ada, event_id=one)
    assert first.data["order"]["event_id"] == one
    assert (await shop.buy(ada)).data["order"]["event_id"] == three
    assert (await shop.buy(ada)).data["order"]["event_id"] == two
    assert (await shop.buy(ada)).refusal == NOTHING_HELD
    assert (await shop.buy(ada, event_id=two)).refusal == NOTHING_HELD


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "bad_request"),
        ({"payment_method": None}, "bad_request"),
        ({"payment_method": 1}, "bad_request"),
        ({"payment_method": ["card"]}, "bad_request"),
        ({"payment_method": ""}, "bad_command"),
        ({"payment_method": "x" * 65}, "bad_command"),
        ([], "bad_request"),
        (b"", "bad_request"),
    ],
)
async def test_a_payment_method_is_required(shop: Usher, till: Till, body: Any, code: str) -> None:
    _, ada = await holding(shop, 0)
    for headers in ({}, {"Idempotency-Key": "k"}):
        assert (await shop.rest("POST", "/checkout", body, ada, headers)).refusal == (400, NO_METHOD, code)
    assert (await shop.rest("POST", "/checkout", b"{", ada)).refusal[2] == "bad_json"
    nul = (await shop.rest("POST", "/checkout", {"payment_method": "a\0b"}, ada)).refusal
    assert (nul[0], nul[2]) == (400, "bad_request")
    assert not till.asked
    # A method of 64 characters is one.
    assert (await shop.buy(ada, "x" * 64)).status == 200


async def test_what_is_wrong_with_the_event_is_not_said_of_the_payment_method(shop: Usher, till: Till) -> None:
    _, ada = await holding(shop, 0)
    body = {"payment_method": "card", "event_id": 5}
    for headers in ({}, {"Idempotency-Key": "k"}):
        status, sentence, code = (await shop.rest("POST", "/checkout", body, ada, headers)).refusal
        assert (status, code) == (400, "bad_request")
        assert "event_id" in sentence
        assert NO_METHOD not in sentence
    assert not till.asked


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_a_key_does_not_make_a_slow_body_waited_for(
    shop: Usher, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("server.rest.envelope.BODY_READ_S", 0.05)
    ada, at = await shop.customer(), urlsplit(shop.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(
        f"POST /api/v1/checkout HTTP/1.1\r\nHost: {at.netloc}\r\nX-Session-Id: {ada.session_id}\r\n"
        f"Idempotency-Key: k\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n\r\n{{".encode()
    )
    async with asyncio.timeout(5):
        status = await reader.readline()
    assert (b" 408 " if kind == "application/json" else b" 400 ") in status
    writer.close()


async def test_nothing_held_and_unknown_events(shop: Usher, till: Till) -> None:
    ada = await shop.customer()
    assert (await shop.buy(ada)).refusal == NOTHING_HELD
    for event_id in (UNKNOWN, "x", ""):
        assert (await shop.buy(ada, event_id=event_id)).refusal == NO_EVENT
    assert not till.asked


async def test_a_reservation_that_ran_out_is_said_for_15_minutes(shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0)
    await shop.age_holds(event_id, 601)
    assert (await shop.buy(ada)).refusal == RAN_OUT
    await until(lambda: shop.parts.supervisor.loaded(event_id) is not None)
    assert (await shop.buy(ada)).refusal == RAN_OUT
    assert (await shop.buy(ada, event_id=event_id)).refusal == RAN_OUT
    # Not when another hold is there, and not for ever.
    other = await shop.event()
    await shop.reserve(other, [0], ada)
    assert (await shop.buy(ada)).data["order"]["event_id"] == other
    assert (await shop.buy(ada)).refusal == RAN_OUT
    await shop.database.execute("UPDATE journal SET at = at - interval '15 minutes' WHERE kind = 'expired'")
    await shop.unload(event_id)
    assert (await shop.buy(ada)).refusal == NOTHING_HELD
    assert (await shop.buy(ada, event_id=event_id)).refusal == NOTHING_HELD
    assert (await shop.seat_states(event_id))[0] == 0


async def test_a_sale_that_was_stopped_takes_no_money(shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0)
    await shop.database.execute("UPDATE event SET stage = 'cancelled' WHERE id = $1", UUID(event_id))
    await shop.unload(event_id)
    assert (await shop.buy(ada)).refusal == (400, "This event is not on sale", "not_on_sale")
    assert not till.asked


async def test_a_declined_payment_keeps_the_hold(shop: Usher, till: Till) -> None:
    _, ada = await holding(shop, 0, 20)
    before = (await shop.rest("GET", "/seats/reservation", by=ada)).data
    assert (await shop.buy(ada, "decline")).refusal == DECLINED
    assert (await shop.rest("GET", "/seats/reservation", by=ada)).data == before
    assert not till.ledger
    assert (await shop.buy(ada)).status == 200
    orders = (await shop.rest("GET", "/checkout/orders", by=ada)).data
    assert [order["status"] for order in orders] == ["completed", "payment_failed"]


async def test_a_provider_that_is_away_is_asked_again_with_the_same_key(shop: Usher, till: Till) -> None:
    _, ada = await holding(shop, 0)
    till.moods = [ProviderAway("down"), ProviderAway("still down")]
    till.loses_answers = 1
    reply = await shop.buy(ada)
    assert reply.status == 200
    assert len(till.asked) == 4
    assert {charge.key for charge in till.asked} == {reply.data["order"]["id"]}
    assert till.ledger == {reply.data["order"]["id"]: 350_00}


async def test_a_fault_of_a_provider_leaves_no_order_pending_for_ever(
    shop: Usher, till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    _, ada = await holding(shop, 0)
    till.moods = [ValueError("a fault of the provider's code")]
    assert (await shop.buy(ada)).status == 200
    assert "a fault of the provider's code" in caplog.text


async def test_a_slow_provider(impatient: None, shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0)
    till.is_open.clear()
    reply = await shop.buy(ada, key="slow")
    assert (reply.status, reply.body["code"]) == (503, "try_again")
    assert int(reply.headers["Retry-After"]) >= 1
    # It is not remembered as such: the order is pending, and the key still running.
    assert (await shop.buy(ada, key="slow")).refusal == STILL_RUNNING
    (order,) = (await shop.rest("GET", "/checkout/orders", by=ada)).data
    assert (order["status"], order["completed_at"], order["payment_id"]) == ("pending", None, None)
    # What is being paid for can be neither changed nor paid twice, and it is shown as held.
    assert (await shop.rest("GET", "/seats/reservation", by=ada)).data["seats"][0]["id"] == "0"
    for refused in (
        await shop.buy(ada),
        await shop.reserve(event_id, [1], ada),
        await shop.rest("POST", f"/seats/{event_id}/release", {"seat_ids": ["0"]}, ada),
    ):
        assert (refused.status, refused.body["code"]) == (503, "busy")
    cancel = await shop.rest("POST", f"/checkout/orders/{order['id']}/cancel", by=ada)
    assert cancel.refusal == NOT_COMPLETED
    till.is_open.set()

    async def is_done() -> bool:
        return (await shop.buy(ada, key="slow")).status == 200

    await until(is_done)
    (order,) = (await shop.rest("GET", "/checkout/orders", by=ada)).data
    assert order["status"] == "completed"
    assert till.ledger == {order["id"]: 350_00}


async def test_a_hold_in_payment_does_not_run_out(impatient: None, shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0)
    till.is_open.clear()
    assert (await shop.buy(ada)).status == 503
    await shop.age_holds(event_id, 700)
    await until(lambda: shop.parts.supervisor.loaded(event_id) is not None)
    assert (await shop.rest("GET", "/seats/reservation", by=ada)).data is not None
    ben = await shop.customer()
    assert (await shop.reserve(event_id, [0], ben)).body["code"] == "seat_taken"
    till.is_open.set()
    order_id = next(iter(till.asked)).key

    async def is_completed() -> bool:
        reply = await shop.rest("GET", f"/checkout/orders/{order_id}", by=ada)
        return bool(reply.data["order"]["status"] == "completed")

    await until(is_completed)
    assert (await shop.seat_states(event_id))[0] == 2


async def test_a_hold_that_outlived_its_time_in_payment_ends_with_the_decline(
    impatient: None, shop: Usher, till: Till
) -> None:
    event_id, ada = await holding(shop, 0)
    till.is_open.clear()
    assert (await shop.buy(ada, "decline")).status == 503
    await shop.age_holds(event_id, 700)
    till.is_open.set()

    async def is_free() -> bool:
        return (await shop.seat_states(event_id))[0] == 0

    await until(is_free)
    assert (await shop.buy(ada)).refusal == RAN_OUT


async def test_the_socket_answers_pending_and_tells_the_end(
    impatient: None, shop: Usher, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id, ada = await shop.event(), await shop.customer()
    loop = asyncio.get_running_loop()
    async with shop.socket(event_id, ada) as socket:
        await socket.ask("hold_seats", seats=[0])
        till.is_open.clear()
        began = loop.time()
        pending = await socket.ask("checkout", "pay", payment_method="card")
        assert loop.time() - began >= ANSWER_S
        assert pending["order"]["status"] == "pending"
        # The same command waits for the same order, and be it for an hour.
        (manager,) = [one for one in shop.parts.supervisor.managers if one.claim.event_id == event_id]
        monkeypatch.setattr(manager._checkouts, "_answer_s", 3_600.0)
        since = len(socket.frames)
        await socket.send(type="checkout", id="pay", payment_method="card")
        await socket.settled()
        assert len([frame for frame in socket.frames[since:] if frame.get("id") == "pay"]) == 0
        reused = await socket.ask("checkout", "pay", payment_method="other")
        assert reused["code"] == "id_reused"
        other = await socket.ask("checkout", payment_method="card")
        assert (other["code"], other["retry"]) == ("busy", True)
        till.is_open.set()
        completed = await socket.seen("accepted", since=since, id="pay")
        assert completed["order"] == pending["order"] | {"status": "completed"}
        again = await socket.ask("checkout", "pay", payment_method="card")
        assert again == completed
    assert till.ledger == {pending["order"]["order_id"]: 350_00}


async def test_the_end_of_a_pending_order_comes_as_order(impatient: None, shop: Usher, till: Till) -> None:
    for method, status in (("card", "completed"), ("decline", "payment_failed")):
        event_id, ada = await shop.event(), await shop.customer()
        async with shop.socket(event_id, ada) as socket:
            await socket.ask("hold_seats", seats=[0])
            till.is_open.clear()
            pending = await socket.ask("checkout", payment_method=method)
            till.is_open.set()
            order = await socket.seen("order")
            assert order == {"type": "order", **pending["order"]} | {"status": status}
            if status == "completed":
                assert (await socket.seen("hold"))["reason"] == "sold"


# Idempotency-Key


async def test_a_completed_purchase_is_answered_again_byte_for_byte(shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0)
    first = await shop.buy(ada, key="once")
    assert first.data["order"]["idempotency_key"] == "once"
    again = await shop.buy(ada, key="once")
    assert (again.status, again.raw) == (200, first.raw)
    # Whatever has happened since: other holds, a cancel, another owner, the end of the sale.
    await shop.reserve(event_id, [1], ada)
    path = f"/checkout/orders/{first.data['order']['id']}/cancel"
    assert (await shop.rest("POST", path, by=ada)).status == 200
    await shop.database.execute("UPDATE event SET stage = 'cancelled' WHERE id = $1", UUID(event_id))
    await shop.unload(event_id)
    phone = await shop.sign_in(ada.id)
    assert (await shop.buy(phone, key="once")).raw == first.raw
    assert len(till.ledger) == 1


async def test_a_declined_payment_is_answered_again_byte_for_byte(shop: Usher, till: Till) -> None:
    _, ada = await holding(shop, 0)
    first = await shop.buy(ada, "decline", key="once")
    again = await shop.buy(ada, "decline", key="once")
    assert first.refusal == again.refusal == DECLINED
    assert again.raw == first.raw
    assert len(till.asked) == 1
    # A new try wants a new key.
    assert (await shop.buy(ada, "card", key="once")).refusal == OTHER_REQUEST
    assert (await shop.buy(ada, "card", key="twice")).status == 200
    assert (await shop.buy(ada, "decline", key="once")).raw == first.raw


async def test_no_other_answer_is_remembered(shop: Usher, till: Till) -> None:
    event_id, ada = await shop.event(), await shop.customer()
    assert (await shop.buy(ada, key="k")).refusal == NOTHING_HELD
    assert (await shop.buy(ada, key="k", event_id=UNKNOWN)).refusal == NO_EVENT
    assert (await shop.rest("POST", "/checkout", {}, ada, {"Idempotency-Key": "k"})).status == 400
    await shop.reserve(event_id, [0], ada)
    assert (await shop.buy(ada, key="k", event_id=event_id)).status == 200


async def test_a_key_belongs_to_one_request(shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0)
    first = await shop.buy(ada, key="k", event_id=event_id)
    await shop.reserve(event_id, [1], ada)
    assert (await shop.buy(ada, key="k")).refusal == OTHER_REQUEST
    assert (await shop.buy(ada, "other", key="k", event_id=event_id)).refusal == OTHER_REQUEST
    assert (await shop.buy(ada, key="k", event_id=UNKNOWN)).refusal == OTHER_REQUEST
    # The key is looked up before all else, the body included.
    wrong: list[Any] = [{}, b"{", {"payment_method": ""}, {"payment_method": 7}]
    for body in wrong:
        assert (await shop.rest("POST", "/checkout", body, ada, {"Idempotency-Key": "k"})).refusal == OTHER_REQUEST
    # The body is compared as it is decoded.
    other_form = b'{ "event_id" : "%s",\n"payment_method":"\\u0063ard"}' % event_id.encode()
    assert (await shop.rest("POST", "/checkout", other_form, ada, {"Idempotency-Key": "k"})).raw == first.raw
    assert len(till.ledger) == 1


async def age_keys(shop: Usher, by: Customer, hours: float) -> None:
    """Let the customer's keys and orders be older."""
    for table in ("idempotency", "orders"):
        await shop.database.execute(
            f"UPDATE {table} SET created_at = created_at - $2::interval WHERE customer_id = $1",
            UUID(by.id),
            timedelta(hours=hours),
        )


@pytest.mark.parametrize("is_dropped", [True, False])
@pytest.mark.parametrize("is_loaded", [True, False])
async def test_a_key_is_new_again_after_48_hours(
    shop: Usher, till: Till, is_dropped: bool, is_loaded: bool
) -> None:
    event_id, ada = await holding(shop, 0)
    orders = []
    for seat in (1, 2, 3):
        reply = await shop.buy(ada, key="k")
        assert (await shop.buy(ada, key="k")).raw == reply.raw
        orders.append(reply.data["order"]["id"])
        # The journal has the command still, and so has the memory of a manager that stays.
        await shop.reserve(event_id, [seat], ada)
        assert (await shop.buy(ada, key="k")).raw == reply.raw
        await age_keys(shop, ada, 47.9)
        assert (await shop.buy(ada, key="k")).raw[:40] == reply.raw[:40]
        await age_keys(shop, ada, 0.2)
        if is_dropped:
            await drop_old_keys(shop.database, shop.parts.now())
        if not is_loaded:
            await shop.unload(event_id)
    assert len(set(orders)) == 3
    assert len(till.ledger) == 3
    assert (await shop.buy(ada, "other", key="k")).status == 200, "another request too"


async def test_old_keys_are_dropped_and_no_others(shop: Usher, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.rest.keys_under_way.DROP_MAX", 2)
    event_id, ada = await holding(shop, 0, max_tickets=10)
    for number in range(6):
        assert (await shop.buy(ada, key=f"k{number}")).status == 200
        await shop.reserve(event_id, [number + 1], ada)
        if number == 4:
            await age_keys(shop, ada, 48.1)
    await drop_old_keys(shop.database, shop.parts.now())
    left = await shop.database.fetch("SELECT key FROM idempotency WHERE customer_id = $1", UUID(ada.id))
    assert [row["key"] for row in left] == ["k5"]


async def test_the_hourly_sweep_drops_old_keys(
    database_address: PostgresAddress, redis_address: RedisAddress
) -> None:
    async with running(database_address, redis_address) as first:
        _, ada = await holding(first, 0)
        assert (await first.buy(ada, key="k")).status == 200
        await age_keys(first, ada, 48.1)
    # It sweeps at its start.
    async with running(database_address, redis_address) as second:

        async def is_gone() -> bool:
            return not await second.database.fetchval("SELECT count(*) FROM idempotency")

        await until(is_gone)


async def test_a_key_is_one_customers(shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0)
    ben = await shop.customer()
    first = await shop.buy(ada, key="k")
    assert (await shop.buy(ben, key="k")).refusal == NOTHING_HELD
    await shop.reserve(event_id, [1], ben)
    second = await shop.buy(ben, key="k")
    assert second.data["order"]["user_id"] == ben.id
    assert second.data["order"]["id"] != first.data["order"]["id"]
    assert (await shop.buy(ada, key="k")).raw == first.raw


async def test_of_two_with_a_key_at_once_one_is_told_to_wait(shop: Usher, till: Till) -> None:
    _, ada = await holding(shop, 0)
    till.is_open.clear()
    first = asyncio.create_task(shop.buy(ada, key="k"))
    await until(lambda: bool(till.asked))
    assert (await shop.buy(ada, key="k")).refusal == STILL_RUNNING
    assert (await shop.buy(ada, "other", key="k")).refusal == OTHER_REQUEST
    wrong = await shop.rest("POST", "/checkout", {}, ada, {"Idempotency-Key": "k"})
    assert wrong.refusal == OTHER_REQUEST
    till.is_open.set()
    answer = await first
    assert answer.status == 200
    assert (await shop.buy(ada, key="k")).raw == answer.raw
    assert len(till.ledger) == 1


async def test_many_with_a_key_at_once_buy_once(shop: Usher, till: Till) -> None:
    event_id, ada = await holding(shop, 0, 1)
    replies = await asyncio.gather(*(shop.buy(ada, key="k") for _ in range(20)))
    assert {reply.status for reply in replies} <= {200, 409}
    assert len({reply.raw for reply in replies if reply.status == 200}) == 1
    assert len(till.ledger) == 1
    assert (await shop.seat_states(event_id)).count(2) == 2


async def test_many_without_a_key_at_once_buy_once(shop: Usher, till: Till) -> None:
    _, ada = await holding(shop, 0, 1)
    replies = await asyncio.gather(*(shop.buy(ada) for _ in range(20)))
    codes = sorted({reply.body.get("code", "bought") for reply in replies})
    assert [reply.status for reply in replies].count(200) == 1
    assert set(codes) <= {"bought", "busy", "hold_not_found"}
    assert len(till.ledger) == 1


@pytest.mark.parametrize("key", ["x", "x" * 255, "'; --", "a b", "\x7e"])
async def test_keys_of_1_to_255_characters(shop: Usher, till: Till, key: str) -> None:
    _, ada = await holding(shop, 0)
    first = await shop.buy(ada, key=key)
    assert first.data["order"]["idempotency_key"] == key
    assert (await shop.buy(ada, key=key)).raw == first.raw


async def test_a_key_goes_with_all_that_the_body_says(shop: Usher) -> None:
    _, ada = await holding(shop, 0)
    bought = await shop.buy(ada, key="k")
    assert (await shop.buy(ada, key="k")).raw == bought.raw
    for fields in ({"event_id": None}, {"note": 1}):
        assert (await shop.buy(ada, key="k", **fields)).refusal[::2] == (422, "key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_keys_that_are_none(shop: Usher, till: Till, key: str) -> None:
    _, ada = await holding(shop, 0)
    sentence = "Idempotency-Key must have 1 to 255 printable characters"
    assert (await shop.buy(ada, key=key)).refusal == (400, sentence, "bad_request")
    assert not till.asked


# Orders


async def test_orders_are_listed_newest_first(shop: Usher, till: Till) -> None:
    event_id, ada, first = await bought(shop, 0)
    assert (await shop.rest("GET", "/checkout/orders", by=await shop.customer())).data == []
    await shop.reserve(event_id, [1], ada)
    second = (await shop.buy(ada)).data["order"]
    orders = (await shop.rest("GET", "/checkout/orders", by=ada)).data
    assert [order["id"] for order in orders] == [second["id"], first["id"]]
    beside = {"event_name", "event_date", "artist", "venue_name", "venue_city", "venue_timezone"}
    for order, known in zip(orders, (second, first), strict=True):
        assert set(order) == set(known) | beside
        assert {name: order[name] for name in known} == known
        at(order["event_date"])
        assert (order["event_name"], order["artist"]) == ("The Show", "The Band")
        assert (order["venue_name"], order["venue_city"]) == ("The Hall", "Springfield")


async def test_one_order_with_its_seats(shop: Usher, till: Till) -> None:
    _, ada, order = await bought(shop, 0, 25)
    reply = await shop.rest("GET", f"/checkout/orders/{order['id']}", by=ada)
    assert set(reply.data) == {"order", "items", "seats", "tickets", "calendar"}
    shown = reply.data["order"]
    assert {name: shown[name] for name in order} == order
    extra = {"event_name", "event_date", "artist", "venue_name", "venue_city", "venue_timezone", "venue_address"}
    assert set(shown) - set(order) == extra
    assert shown["venue_address"] == "1 Hall Street"
    seats: list[Json] = []
    for index, section, price in ((0, "Floor", 350), (25, "Stand", 99.5)):
        row, number = labels(index)
        seats.append({"section": section, "row": row, "seat_number": number, "price": price})
    assert reply.data["seats"] == seats
    for item, seat in zip(reply.data["items"], seats, strict=True):
        assert set(item) == {"id", "order_id", "seat_id", "price", "created_at", "section", "row", "seat_number"}
        assert {name: item[name] for name in seat} == seat


async def test_only_ones_own_orders_are_found(shop: Usher, till: Till) -> None:
    _, _, order = await bought(shop, 0)
    ben = await shop.customer()
    for order_id in (order["id"], UNKNOWN, "1", "x'y", "%00"):
        assert (await shop.rest("GET", f"/checkout/orders/{order_id}", by=ben)).refusal == NO_ORDER
        assert (await shop.rest("POST", f"/checkout/orders/{order_id}/cancel", by=ben)).refusal == NO_ORDER
    tickets = await shop.database.fetch("SELECT status FROM ticket WHERE order_id = $1", UUID(order["id"]))
    assert [row["status"] for row in tickets] == ["valid"]


async def test_a_cancelled_order_gives_its_seats_back_at_once(shop: Usher, till: Till) -> None:
    event_id, ada, order = await bought(shop, 0, 25)
    ben = await shop.customer()
    path = f"/checkout/orders/{order['id']}"
    reply = await shop.rest("POST", f"{path}/cancel", by=ada)
    assert (reply.status, reply.data) == (200, {"message": "Order cancelled"})
    assert (await shop.reserve(event_id, [0, 25], ben)).status == 200
    shown = (await shop.rest("GET", path, by=ada)).data
    assert shown["order"]["status"] == "cancelled"
    assert at(shown["order"]["updated_at"]) >= at(shown["order"]["completed_at"])
    assert len(shown["items"]) == 2, "what was bought remains known"
    tickets = await shop.database.fetch("SELECT status FROM ticket WHERE order_id = $1", UUID(order["id"]))
    assert [row["status"] for row in tickets] == ["void", "void"]
    # What was given back no longer counts: four more may be had.
    assert (await shop.reserve(event_id, [1, 2, 3, 4], ada)).status == 200


async def test_only_completed_orders_can_be_cancelled(shop: Usher, till: Till) -> None:
    event_id, ada, order = await bought(shop, 0)
    path = f"/checkout/orders/{order['id']}/cancel"
    assert (await shop.rest("POST", path, by=ada)).status == 200
    assert (await shop.rest("POST", path, by=ada)).refusal == NOT_COMPLETED
    await shop.unload(event_id)
    assert (await shop.rest("POST", path, by=ada)).refusal == NOT_COMPLETED
    await shop.reserve(event_id, [1], ada)
    await shop.buy(ada, "decline")
    failed = (await shop.rest("GET", "/checkout/orders", by=ada)).data[0]
    assert failed["status"] == "payment_failed"
    for _ in range(2):
        assert (await shop.rest("POST", f"/checkout/orders/{failed['id']}/cancel", by=ada)).refusal == NOT_COMPLETED
        await shop.unload(event_id)


async def test_of_many_cancels_at_once_one_counts(shop: Usher, till: Till) -> None:
    event_id, ada, order = await bought(shop, 0)
    path = f"/checkout/orders/{order['id']}/cancel"
    replies: list[Reply] = await asyncio.gather(*(shop.rest("POST", path, by=ada) for _ in range(10)))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 9
    assert (await shop.seat_states(event_id)).count(2) == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/checkout"),
        ("GET", "/checkout/orders"),
        ("GET", f"/checkout/orders/{UNKNOWN}"),
        ("POST", f"/checkout/orders/{UNKNOWN}/cancel"),
    ],
)
async def test_a_session_is_required_before_all_else(shop: Usher, method: str, path: str) -> None:
    body = b"{" if method == "POST" else None
    headers = {"Idempotency-Key": "x" * 300}
    assert (await shop.rest(method, path, body, headers=headers)).refusal == NO_SESSION
    assert (await shop.rest(method, path, body, Customer("", "A" * 43), headers)).refusal == DEAD_SESSION


async def test_a_cancel_needs_no_body_and_ignores_one(shop: Usher, till: Till) -> None:
    _, ada, order = await bought(shop, 0)
    path = f"/checkout/orders/{order['id']}/cancel"
    assert (await shop.rest("POST", path, json.dumps({"why": "ill"}).encode(), by=ada)).status == 200

"""Scenes of checkouts: who is told what when the provider answers soon, late, never, or into a lock."""

import asyncio

import pytest
from msgspec import UNSET

from actors.core.verdict import CancelOrder, Settle
from protocol.inbound import Checkout
from protocol.outbound import Accepted, EventNow, HoldNow, OrderNow
from tests.simulation.stage import EVENT, SEATS, SceneNode, new_database, settle_down
from tests.simulation.virtual_time import scene


@scene
async def test_a_checkout_is_answered_when_it_is_paid() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    heard = node.tell("ada", Checkout("pay", "card"), "this tab")
    repeated = node.tell("ada", Checkout("pay", "card"))
    await asyncio.sleep(9)
    assert (heard.frames, repeated.frames) == ([], [])
    (order,) = node.payments.wanted.values()
    node.supervisor.settle(EVENT, Settle(order.order_id, "p"))
    await settle_down()
    assert heard.frames == repeated.frames
    assert isinstance(heard.answer, Accepted)
    assert heard.answer.order is not UNSET
    assert heard.answer.order.status == "completed"
    personal = [(type(one.message), one.origin) for one in node.audience.news[-1].personal]
    assert personal == [(HoldNow, "this tab"), (OrderNow, "this tab")]
    assert database.events[EVENT].states[1] == 2


@scene
async def test_a_checkout_that_takes_long_is_answered_with_its_pending_order() -> None:
    node = SceneNode(new_database(), "n1")
    node.hold("ada", 1)
    heard = node.tell("ada", Checkout("pay", "card"))
    await asyncio.sleep(10.1)
    assert isinstance(heard.answer, Accepted)
    assert heard.answer.order is not UNSET
    assert heard.answer.order.status == "pending"
    assert heard.at[0] == pytest.approx(10, abs=0.1)
    again = node.tell("ada", Checkout("pay", "card"))
    await settle_down()
    (order,) = node.payments.wanted.values()
    node.supervisor.settle(EVENT, Settle(order.order_id, None, "card declined"))
    await settle_down()
    assert (again.code, len(heard.frames)) == ("payment_failed", 1)
    assert [one.message.status for one in node.audience.news[-1].personal if isinstance(one.message, OrderNow)] == [
        "payment_failed"
    ]


@scene
async def test_a_pending_order_is_collected_again_after_loading() -> None:
    database = new_database()
    old = SceneNode(database, "n1")
    old.hold("ada", 1)
    old.tell("ada", Checkout("pay", "card"))
    await settle_down()
    database.living.discard("n1")
    new = SceneNode(database, "n2")
    heard = new.tell("ada", Checkout("pay", "card"))
    await settle_down()
    (order,) = new.payments.wanted.values()
    assert order.order_id in old.payments.wanted
    new.supervisor.settle(EVENT, Settle(order.order_id, "p"))
    await settle_down()
    assert heard.code == "accepted"


@scene
async def test_a_payment_whose_seat_is_locked_is_settled_when_the_lock_is_gone() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    heard = node.tell("ada", Checkout("pay", "card"))
    await settle_down()
    database.events[EVENT].locked_seats.add(1)
    (order,) = node.payments.wanted.values()
    node.supervisor.settle(EVENT, Settle(order.order_id, "p"))
    other = node.hold("bob", 2)
    await asyncio.sleep(3)
    assert (heard.frames, other.code) == ([], "accepted")
    database.events[EVENT].locked_seats.clear()
    await asyncio.sleep(0.5)
    assert heard.code == "accepted"
    assert database.events[EVENT].states[1] == 2


@scene
async def test_a_failed_payment_gives_the_hold_its_end_back() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    await asyncio.sleep(100)
    node.tell("ada", Checkout("pay", "card"))
    await asyncio.sleep(100)
    (order,) = node.payments.wanted.values()
    node.supervisor.settle(EVENT, Settle(order.order_id, None, "card declined"))
    await asyncio.sleep(399)
    assert list(database.events[EVENT].hold_rows) == ["ada"]
    await asyncio.sleep(1.1)
    assert database.events[EVENT].hold_rows == {}


@scene
async def test_a_payment_under_way_keeps_its_hold_and_a_late_failure_ends_it() -> None:
    database = new_database()
    node = SceneNode(database, "n1")
    node.hold("ada", 1)
    node.tell("ada", Checkout("pay", "card"))
    await asyncio.sleep(5_000)
    assert list(database.events[EVENT].hold_rows) == ["ada"]
    (order,) = node.payments.wanted.values()
    node.supervisor.settle(EVENT, Settle(order.order_id, None, "card declined"))
    await asyncio.sleep(0.1)
    assert database.events[EVENT].hold_rows == {}


@scene
async def test_everybody_hears_when_the_last_seat_is_sold_and_when_it_comes_back() -> None:
    database = new_database()
    database.events[EVENT].states[:] = bytes([3] * (SEATS - 1) + [0])
    node = SceneNode(database, "n1")

    def announced() -> list[str]:
        return [one.status for one in node.audience.announced if isinstance(one, EventNow)]

    node.hold("ada", SEATS - 1)
    node.tell("ada", Checkout("pay", "card"))
    await settle_down()
    assert set(announced()) <= {"on_sale"}
    (order,) = node.payments.wanted.values()
    node.supervisor.settle(EVENT, Settle(order.order_id, "p"))
    await settle_down()
    assert announced()[-1] == "sold_out"
    node.tell("ada", CancelOrder("cancel", order.order_id))
    await settle_down()
    assert announced()[-2:] == ["sold_out", "on_sale"]

"""Orders: begun, settled, cancelled; each rule and each refusal."""

from uuid import UUID

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from actors.core.model import Stage
from actors.core.ordering import settle
from actors.core.seating import Draft, Seating
from actors.core.verdict import Accept, Settle
from protocol.codes import Code
from protocol.inbound import Checkout
from protocol.outbound import Accepted, OrderStatus, Rejected
from protocol.seat_state import SeatState
from tests.core.sale import OPENING_MS, Sale, code, holding, refusal


def checkout(sale: Sale, customer: str) -> object:
    return sale.tell(customer, Checkout(sale.next_id(), "card"))


def test_an_order_is_all_that_is_held_at_its_prices() -> None:
    sale = Sale()
    sale.hold("ada", 12, 1)
    sale.wait(s=5)
    order = sale.begin("ada", "visa")
    assert order.status is OrderStatus.PENDING
    assert (order.seats, order.prices_cents, order.total_cents) == ((1, 12), (2_000, 1_000), 3_000)
    assert (order.currency, order.payment_method, order.created_ms) == ("USD", "visa", OPENING_MS + 5_000)
    assert sale.seating.counts.held == 2, "seats in payment are shown as held"
    assert sale.seating.pending_orders == [order]


def test_an_order_has_an_id_of_its_own() -> None:
    sale = Sale()
    ids = set()
    for customer in ("ada", "bob"):
        for _ in range(2):
            sale.hold(customer, 1)
            order = sale.begin(customer)
            assert str(UUID(order.order_id)) == order.order_id
            ids.add(order.order_id)
            sale.settle(order, "no money")
            sale.release(customer)
    assert len(ids) == 4


def test_the_same_command_on_the_same_state_is_the_same_order() -> None:
    orders = []
    for _ in range(2):
        sale = Sale()
        sale.hold("ada", 1)
        orders.append(sale.begin("ada"))
    assert orders[0] == orders[1]


def test_a_paid_order_is_complete() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    order = sale.begin("ada")
    answer = sale.settle(order)
    assert isinstance(answer, Accepted)
    assert answer.order is not UNSET
    assert (answer.id, answer.order.order_id, answer.order.status) == (
        order.command_id,
        order.order_id,
        "completed",
    )
    assert (answer.order.seats, answer.order.total_cents, answer.order.currency) == ((1, 2), 4_000, "USD")
    assert sale.seating.seat(1) == (SeatState.SOLD, "ada")
    assert sale.seating.holds == {}
    assert sale.seating.bought("ada") == 2
    assert sale.seating.orders[order.order_id].payment_id == f"paid-{order.order_id}"
    assert sale.seating.pending_orders == []


def test_a_failed_payment_leaves_the_hold_as_it_was() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    hold = sale.held_by("ada")
    order = sale.begin("ada")
    answer = sale.settle(order, "card declined")
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.message, answer.retry) == (
        Code.PAYMENT_FAILED,
        "Payment failed: card declined",
        True,
    )
    assert answer.id == order.command_id
    assert sale.held_by("ada") == hold
    assert sale.seating.bought("ada") == 0
    assert sale.seating.orders[order.order_id].status is OrderStatus.PAYMENT_FAILED
    assert isinstance(sale.settle(sale.begin("ada")), Accepted), "and may be paid anew"


def test_an_order_is_settled_once() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    sale.settle(order)
    assert sale.settle(order) is None
    assert sale.settle(order, "too late") is None
    sale.cancel("ada", order.order_id)
    assert sale.settle(order) is None
    assert sale.seating.seat(1) == (SeatState.AVAILABLE, None)


def test_an_order_that_nobody_knows_is_not_settled() -> None:
    assert settle(Draft(Sale().seating), Settle("somebody's", "p")) is None


def test_a_hold_in_payment_does_not_end() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    sale.wait(s=5_000)
    assert sale.seating.next_end_ms() is None
    assert sale.end_due() == []
    assert isinstance(sale.settle(order), Accepted), "late money still buys"


def test_a_hold_ends_at_once_when_its_payment_fails_after_its_end() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    sale.wait(s=601)
    assert sale.end_due() == []
    sale.settle(order, "card declined")
    assert sale.seating.next_end_ms() == OPENING_MS + 600_000
    assert sale.end_due() == ["ada"]


def test_a_hold_may_be_extended_while_it_is_being_paid() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    sale.wait(s=599)
    assert holding(sale.extend("ada"))[1] == OPENING_MS + 1_199_000
    sale.settle(order, "card declined")
    sale.wait(s=600)
    assert sale.end_due() == ["ada"]


def test_checkout_refusals_come_in_order() -> None:
    sale = Sale()
    assert refusal(checkout(sale, "ada")) == (Code.HOLD_NOT_FOUND, ())
    sale.hold("ada", 1)
    order = sale.begin("ada")
    assert refusal(checkout(sale, "ada")) == (Code.BUSY, ()), "one payment at a time"
    sale.settle(order, "card declined")
    sale.wait(s=600)
    assert refusal(checkout(sale, "ada")) == (Code.HOLD_EXPIRED, ())
    sale.end_due()
    assert refusal(checkout(sale, "ada")) == (Code.HOLD_EXPIRED, ())
    sale.wait(s=900)
    assert refusal(checkout(sale, "ada")) == (Code.HOLD_NOT_FOUND, ())
    sale.seating.terms = Sale(stage=Stage.CANCELLED).seating.terms
    assert refusal(checkout(sale, "ada")) == (Code.NOT_ON_SALE, ())


def test_nothing_new_is_held_while_paying() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    assert code(sale.hold("ada", 2)) is Code.BUSY
    assert code(sale.hold_best("ada", 1)) is Code.BUSY
    sale.settle(order)
    assert isinstance(sale.hold("ada", 2), Accepted)


def test_an_order_begun_in_time_is_completed_after_the_sale() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    sale.seating.terms = Sale(stage=Stage.COMPLETED).seating.terms
    assert isinstance(sale.settle(order), Accepted)


def test_cancelling_gives_the_seats_back_at_once() -> None:
    sale = Sale()
    order = sale.buy("ada", 1, 2)
    answer = sale.cancel("ada", order.order_id)
    assert isinstance(answer, Accepted)
    assert answer.order is not UNSET
    assert (answer.order.order_id, answer.order.status) == (order.order_id, "cancelled")
    assert sale.seating.counts.available == 20
    assert sale.seating.bought("ada") == 0
    assert isinstance(sale.hold("bob", 1, 2), Accepted)


def test_a_repeated_cancel_frees_nothing() -> None:
    sale = Sale()
    order = sale.buy("ada", 1)
    sale.cancel("ada", order.order_id)
    again = sale.buy("bob", 1)
    assert code(sale.cancel("ada", order.order_id)) is Code.ORDER_NOT_COMPLETED
    assert sale.seating.seat(1) == (SeatState.SOLD, "bob")
    sale.cancel("bob", again.order_id)
    anew = sale.buy("ada", 1)
    assert code(sale.cancel("ada", order.order_id)) is Code.ORDER_NOT_COMPLETED
    assert sale.seating.seat(1) == (SeatState.SOLD, "ada"), "the same customer, another order"
    assert isinstance(sale.cancel("ada", anew.order_id), Accepted)


def test_only_ones_own_completed_order_is_cancelled() -> None:
    sale = Sale()
    assert code(sale.cancel("ada", "nobody's")) is Code.ORDER_NOT_FOUND
    order = sale.buy("bob", 1)
    assert code(sale.cancel("ada", order.order_id)) is Code.ORDER_NOT_FOUND
    sale.hold("bob", 2)
    pending = sale.begin("bob")
    assert code(sale.cancel("bob", pending.order_id)) is Code.ORDER_NOT_COMPLETED
    sale.settle(pending, "card declined")
    assert code(sale.cancel("bob", pending.order_id)) is Code.ORDER_NOT_COMPLETED


def test_cancelling_leaves_a_seat_that_is_somebody_elses_by_now() -> None:
    """An operator's SQL has moved seat 2 to Bob; the event was loaded after that."""
    before = Sale()
    order = before.buy("ada", 1, 2)
    after = Sale()
    states = bytearray(before.seating.states)
    after.seating = Seating(
        before.seating.terms, before.seating.layout, states, {1: "ada", 2: "bob"}, before.seating.revision, "epoch"
    )
    after.seating.restore({}, [order], {})
    assert isinstance(after.cancel("ada", order.order_id), Accepted)
    assert after.seating.seat(1) == (SeatState.AVAILABLE, None)
    assert after.seating.seat(2) == (SeatState.SOLD, "bob")
    assert after.seating.orders[order.order_id].status is OrderStatus.CANCELLED
    assert (after.seating.bought("ada"), after.seating.bought("bob")) == (0, 1)


def test_cancelling_leaves_a_hold_and_other_orders_alone() -> None:
    sale = Sale()
    first, second = sale.buy("ada", 1), sale.buy("ada", 2)
    sale.hold("ada", 3)
    sale.cancel("ada", first.order_id)
    assert sale.held_by("ada").seats == (3,)
    assert sale.seating.seat(2) == (SeatState.SOLD, "ada")
    assert sale.seating.orders[second.order_id].status is OrderStatus.COMPLETED


@pytest.mark.parametrize("seats", [None, (1,), (1, 2, 3)])
def test_a_hold_that_parted_from_its_order_is_a_broken_promise(seats: tuple[int, ...] | None) -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    order = sale.begin("ada")
    if seats is None:
        del sale.seating.holds["ada"]
    else:
        sale.seating.holds["ada"] = replace(sale.held_by("ada"), seats=seats)
    with pytest.raises(AssertionError, match="while its order was pending"):
        sale.settle(order)


def test_what_is_written_about_an_order() -> None:
    """The journal has the answer of a checkout with its end, and never an answer for a failure."""
    sale = Sale()
    sale.hold("ada", 1)
    begun = sale.judge("ada", Checkout("c", "card"))
    assert isinstance(begun, Accept)
    assert (begun.entry.kind, begun.entry.command_id, begun.frame) == ("checkout_begun", None, None)
    order = sale.begin("ada")
    failed = settle(Draft(sale.seating), Settle(order.order_id, None, "card declined"))
    assert failed is not None
    assert (failed.entry.kind, failed.entry.command_id, failed.entry.seats) == ("payment_failed", None, ())
    paid = settle(Draft(sale.seating), Settle(order.order_id, "p"))
    assert paid is not None
    assert (paid.entry.kind, paid.entry.command_id, paid.entry.seats) == ("completed", order.command_id, (1,))
    assert paid.entry.frame == paid.frame

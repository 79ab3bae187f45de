"""The rules of orders: begun, settled when the provider has answered, cancelled.

A hold cannot end or change while its order is pending, so an order's seats are its hold's until it is settled.
"""

import hashlib
from uuid import UUID

from msgspec.structs import replace

from actors.core.holding import why_no_hold
from actors.core.memory import content_hash
from actors.core.model import Cause, Change, HoldMoved, Order, OrderMoved, SeatsMoved
from actors.core.verdict import Accept, Asked, CancelOrder, Entry, Settle, Verdict, entry_of, refuse
from actors.core.view import View
from actors.core.waiting_room import is_admitted, left
from protocol.codes import Code
from protocol.inbound import Checkout
from protocol.outbound import Accepted, OrderStatus, OrderSummary, Rejected, encode, rejected
from protocol.seat_state import SeatState


def checkout(view: View, asked: Asked, command: Checkout, now_ms: int) -> Verdict:
    """Begin to buy all that the customer holds. The answer comes when the order is settled."""
    customer = asked.customer
    if not view.terms.is_on_sale(now_ms):
        return refuse(command.id, Code.NOT_ON_SALE)
    # What is held can be paid, also where a waiting room was opened since.
    if view.hold(customer) is None and not is_admitted(view, customer, now_ms):
        return refuse(command.id, Code.NOT_ADMITTED)
    if view.pending(customer) is not None:
        return refuse(command.id, Code.BUSY)
    hold = view.hold(customer)
    if hold is None or hold.expires_ms <= now_ms:
        return refuse(command.id, why_no_hold(view, customer, now_ms))
    order = Order(
        order_id=_order_id(view, customer, command.id),
        customer=customer,
        status=OrderStatus.PENDING,
        seats=hold.seats,
        prices_cents=tuple(view.prices_cents[seat] for seat in hold.seats),
        currency=view.terms.currency,
        payment_method=command.payment_method,
        command_id=command.id,
        content_hash=content_hash(command),
        created_ms=now_ms,
        idempotency=asked.idempotency,
    )
    return Accept((OrderMoved(order),), Entry("checkout_begun", customer, ()))


def settle(view: View, settled: Settle) -> Accept | None:
    """What becomes of a pending order now that the provider has answered; None if it is no longer pending."""
    order = view.order(settled.order_id)
    if order is None or order.status is not OrderStatus.PENDING:
        return None
    hold = view.hold(order.customer)
    assert hold is not None, "a hold ended while its order was pending"
    assert hold.seats == order.seats, "a hold changed while its order was pending"
    if settled.failure is not None:
        failed = replace(order, status=OrderStatus.PAYMENT_FAILED, failure=settled.failure)
        frame = encode(payment_failed(failed))
        changes: tuple[Change, ...] = (OrderMoved(failed), HoldMoved(order.customer, hold))
        return Accept(changes, Entry("payment_failed", order.customer, ()), frame)
    completed = replace(order, status=OrderStatus.COMPLETED, payment_id=settled.payment_id)
    frame = encode(Accepted(order.command_id, view.next_revision, order=summary(completed)))
    entry = Entry("completed", order.customer, order.seats, order.command_id, order.content_hash, frame)
    return Accept(
        (
            OrderMoved(completed),
            SeatsMoved(Cause.SELL, order.customer, order.seats),
            HoldMoved(order.customer, None),
            *left(view, order.customer),
        ),
        entry,
        frame,
    )


def cancel_order(view: View, asked: Asked, command: CancelOrder, _now_ms: int) -> Verdict:
    """Give a completed order back. Its seats are available at once."""
    order = view.order(command.order_id)
    if order is None or order.customer != asked.customer:
        return refuse(command.id, Code.ORDER_NOT_FOUND)
    if order.status is not OrderStatus.COMPLETED:
        return refuse(command.id, Code.ORDER_NOT_COMPLETED)
    cancelled = replace(order, status=OrderStatus.CANCELLED)
    # Somebody's SQL may have given a seat to another customer: it stays with that one.
    still_mine = tuple(seat for seat in order.seats if view.seat(seat) == (SeatState.SOLD, order.customer))
    changes = (OrderMoved(cancelled), SeatsMoved(Cause.CANCEL, order.customer, still_mine))
    frame = encode(Accepted(command.id, view.next_revision, order=summary(cancelled)))
    return Accept(changes, entry_of(asked, "cancelled", still_mine, frame), frame)


def payment_failed(order: Order) -> Rejected:
    """The refusal of the checkout that began an order for which no money was taken."""
    return rejected(order.command_id, Code.PAYMENT_FAILED, message=f"Payment failed: {order.failure}")


def summary(order: Order) -> OrderSummary:
    """The order as a customer's frame carries it."""
    return OrderSummary(order.order_id, order.status, order.total_cents, order.currency, order.seats)


def _order_id(view: View, customer: str, command_id: str) -> str:
    # A name made of what makes the order one of its kind: no randomness in the core, and a batch whose outcome is
    # unknown names the same order when it is sent again. The form is that of a UUID version 8.
    name = f"{view.terms.event_id}/{customer}/{view.next_revision}/{command_id}"
    digest = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest())
    return str(UUID(int=digest & ~(0xF << 76 | 3 << 62) | 8 << 76 | 2 << 62))

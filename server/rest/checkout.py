"""Checkout and orders. A repeated `Idempotency-Key` gets the stored outcome, whatever happened in between."""

import asyncio
import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec
from aiohttp import web
from msgspec import Meta

from actors.core.model import IdempotencyKey
from actors.core.verdict import Asked, CancelOrder
from protocol import limits
from protocol.codes import SENTENCES, Code
from protocol.inbound import Checkout
from protocol.outbound import OrderStatus
from server.calendar_entry import calendar_entry
from server.door.paced import Pace, keep_pace
from server.door.who_asks import customer
from server.ids import uuid_or_none
from server.rest.asking import COMMAND_REFUSALS, ask, new_command_id, sale
from server.rest.envelope import Refused, cents_to_major, decode_body, iso, iso_or_none, ok, read_raw
from server.rest.keys_under_way import keys_live_since, same_request, still_running
from server.rest.operations import Operations, Who
from server.rest.shapes import ListedOrder, NamedOrderItem, Order, OrderItem, OrderSeat, Said, ShownOrder, Ticket
from server.services import Services, services
from server.signing import SigningKeys
from server.statements import sql
from server.tickets import Document, code_of, qr_svg

operations = Operations("orders")

KEY_CHARS_MAX = 255


class Purchase(msgspec.Struct):
    """How to pay, and for which event's hold; none named: the hold changed last."""

    payment_method: Annotated[
        str, Meta(extra_json_schema={"minLength": 1, "maxLength": limits.PAYMENT_METHOD_CHARS_MAX})
    ]
    event_id: str | None = None


class Receipt(msgspec.Struct):
    """A completed purchase."""

    order: Order
    items: list[OrderItem]
    message: str


class OrderDetails(msgspec.Struct):
    """An order with what its seats are called. Only a completed one has tickets, in the order of its seats."""

    order: ShownOrder
    items: list[NamedOrderItem]
    seats: list[OrderSeat]
    tickets: list[Ticket]
    calendar: str


@operations.post(
    "/api/v1/checkout",
    who=Who.SIGNED_IN,
    pace=None,  # counted below: a repeat is no purchase
    body=Purchase,
    data=Receipt,
    refusals={
        **COMMAND_REFUSALS,
        402: (Code.PAYMENT_FAILED,),
        404: ("event_not_found",),
        409: ("key_running",),
        422: ("key_reused",),
    },
    headers={"Idempotency-Key": "1 to 255 characters; the same key gets the same answer for 48 hours."},
)
async def checkout(request: web.Request) -> web.Response:
    """Buy all that the customer holds in one event."""
    session = await customer(request)
    parts = services(request)
    raw = await read_raw(request)
    purchase = _purchase(raw)
    key = _key(request, raw)
    if key is None:
        await keep_pace(request, Pace.CHECKOUT)
        return await _buy(parts, session.customer_id, purchase, new_command_id(), None)
    with parts.keys_under_way.take(session.customer_id, key):
        live_since = keys_live_since(parts.now())
        if (stored := await _stored(parts, session.customer_id, key, live_since)) is not None:
            await keep_pace(request, Pace.OTHER)
            return stored
        await keep_pace(request, Pace.CHECKOUT)
        command_id = await _command_id(parts, session.customer_id, key, live_since)
        return await _buy(parts, session.customer_id, purchase, command_id, key)


@operations.get("/api/v1/checkout/orders", who=Who.SIGNED_IN, data=list[ListedOrder])
async def list_orders(request: web.Request) -> web.Response:
    """The customer's orders, the newest first."""
    session = await customer(request)
    rows = await services(request).database.fetch(sql("orders"), session.customer_id)
    return ok([ListedOrder(**_order(row), **_show(row)) for row in rows])


@operations.get(
    "/api/v1/checkout/orders/{order_id}",
    who=Who.SIGNED_IN,
    data=OrderDetails,
    refusals={404: (Code.ORDER_NOT_FOUND,)},
)
async def show_order(request: web.Request) -> web.Response:
    """One order of the customer, with its items and seats."""
    row = await _own_order(request)
    items = await services(request).database.fetch(sql("order_items"), row["event_id"], row["id"])
    named = [NamedOrderItem(**_item(row, item), **_seat_names(item)) for item in items]
    seats = [OrderSeat(**_seat_names(item), price=cents_to_major(item["price_cents"])) for item in items]
    order = ShownOrder(**_order(row), **_show(row), venue_address=row["venue_address"])
    valid = await services(request).database.fetch(sql("valid_tickets"), row["event_id"], row["id"])
    tickets = await _tickets(services(request).signing_keys, row["event_id"], valid)
    return ok(OrderDetails(order, named, seats, tickets, _calendar(row, items)))


@operations.post(
    "/api/v1/checkout/orders/{order_id}/cancel",
    who=Who.SIGNED_IN,
    data=Said,
    refusals={**COMMAND_REFUSALS, 404: (Code.ORDER_NOT_FOUND,)},
)
async def cancel_order(request: web.Request) -> web.Response:
    """Give a completed order back; its seats are available at once."""
    row = await _own_order(request)
    command = CancelOrder(new_command_id(), str(row["id"]))
    try:
        await ask(services(request), str(row["event_id"]), Asked(str(row["customer_id"]), command))
    except Refused as refusal:
        if refusal.code != Code.ORDER_NOT_FOUND:
            raise
        # It is there: a seat manager that was loaded since it ended knows only orders that can still change.
        raise Refused(400, SENTENCES[Code.ORDER_NOT_COMPLETED], Code.ORDER_NOT_COMPLETED) from None
    return ok(Said("Order cancelled"))


async def _tickets(keys: SigningKeys, event_id: UUID, rows: list[asyncpg.Record]) -> list[Ticket]:
    documents = [Document(event_id, row["seat_index"], row["id"]) for row in rows]
    codes = [await code_of(keys, document) for document in documents]
    # Beside the loop: a picture takes milliseconds, in which nobody else would be answered.
    pictures = await asyncio.to_thread(lambda: [qr_svg(code) for code in codes])
    return [
        Ticket(document.ticket, str(document.seat), code, picture)
        for document, code, picture in zip(documents, codes, pictures, strict=True)
    ]


def _calendar(row: asyncpg.Record, items: list[asyncpg.Record]) -> str:
    place = ", ".join(filter(None, (row["venue_name"], row["venue_address"], row["venue_city"])))
    seats = [f"{item['section']}, {item['row_label']}, {item['seat_number']}" for item in items]
    return calendar_entry(row["id"], row["event_name"], place, row["event_at"], seats, row["created_at"])


def _canonical(raw: bytes) -> bytes:
    """What a body says, however it is written; the body itself, where that is nothing."""
    try:
        return msgspec.json.encode(msgspec.json.decode(raw), order="deterministic")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw


def _purchase(raw: bytes) -> Purchase | Refused:
    """What the body asks for, or its refusal, which is to be raised after the key was looked up."""
    try:
        purchase = decode_body(raw, Purchase, "payment_method is required")
    except Refused as refusal:
        return refusal
    if not 1 <= len(purchase.payment_method) <= limits.PAYMENT_METHOD_CHARS_MAX:
        return Refused(400, "payment_method is required", "bad_command")
    return purchase


async def _buy(
    parts: Services, customer_id: UUID, purchase: Purchase | Refused, command_id: str, key: IdempotencyKey | None
) -> web.Response:
    if isinstance(purchase, Refused):
        raise purchase
    event_id = await _held_event(parts, customer_id, purchase)
    command = Checkout(command_id, purchase.payment_method)
    accepted = await ask(parts, event_id, Asked(str(customer_id), command, key))
    if not isinstance(accepted.order, msgspec.UnsetType) and accepted.order.status is OrderStatus.COMPLETED:
        return await _receipt(parts, UUID(accepted.order.order_id), customer_id)
    raise Refused(503, "The payment is still under way, try again", Code.TRY_AGAIN)


async def _held_event(parts: Services, customer_id: UUID, purchase: Purchase) -> str:
    if purchase.event_id is not None:
        return (await sale(parts, purchase.event_id)).event_id
    holds = await parts.database.fetch(sql("customer_holds"), customer_id)
    if holds:
        return str(holds[0]["event_id"])
    since = parts.now() - timedelta(seconds=limits.HOLD_EXPIRED_MEMORY_S)
    if await parts.database.fetchval(sql("ran_out_lately"), customer_id, since):
        raise Refused(400, "Reservation has expired", Code.HOLD_EXPIRED)
    raise Refused(400, "No active reservation found", Code.HOLD_NOT_FOUND)


def _key(request: web.Request, raw: bytes) -> IdempotencyKey | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= KEY_CHARS_MAX or "\0" in key or not key.isprintable():
        raise Refused(400, f"Idempotency-Key must have 1 to {KEY_CHARS_MAX} printable characters", "bad_request")
    said = msgspec.json.encode([request.method, request.path, _canonical(raw)])
    return IdempotencyKey(key, hashlib.sha256(said).digest())


async def _command_id(parts: Services, customer_id: UUID, key: IdempotencyKey, live_since: datetime) -> str:
    """The id of the command that this key means now: the same one as long as the key lives, on whichever node.

    A key that is used again after it has run out is a new one, while the journal may still hold the command of its
    first use, and the orders hold it for ever. So the id counts the orders that the key began in earlier lives:
    that number changes only when a key runs out, never by what is under way.
    """
    first = f"key-{hashlib.sha256(key.key.encode()).hexdigest()[:48]}"
    earlier = await parts.database.fetchval(sql("earlier_uses_of_key"), customer_id, first, live_since)
    return f"{first}-{earlier}" if earlier else first


async def _stored(
    parts: Services, customer_id: UUID, key: IdempotencyKey, live_since: datetime
) -> web.Response | None:
    """The remembered outcome of this key; None: it is new."""
    row = await parts.database.fetchrow(sql("idempotent_order"), customer_id, key.key, live_since)
    if row is None:
        return None
    same_request(key, row["request_hash"])
    if row["status"] == OrderStatus.PENDING:
        raise still_running()
    if row["status"] == OrderStatus.PAYMENT_FAILED:
        raise Refused(402, f"Payment failed: {row['failure']}", Code.PAYMENT_FAILED)
    return await _receipt(parts, row["order_id"], customer_id)


async def _receipt(parts: Services, order_id: UUID, customer_id: UUID) -> web.Response:
    """A completed purchase, as it was when it was completed: the same answer however often it is asked for."""
    row = await parts.database.fetchrow(sql("order"), order_id, customer_id)
    assert row is not None, "a settled order is gone"
    items = await parts.database.fetch(sql("order_items"), row["event_id"], row["id"])
    as_it_was = {"status": OrderStatus.COMPLETED, "updated_at": iso_or_none(row["completed_at"])}
    order = Order(**_order(row) | as_it_was)
    return ok(Receipt(order, [OrderItem(**_item(row, item)) for item in items], "Purchase completed"))


async def _own_order(request: web.Request) -> asyncpg.Record:
    session = await customer(request)
    order_id = uuid_or_none(request.match_info["order_id"])
    row = None
    if order_id is not None:
        row = await services(request).database.fetchrow(sql("order"), order_id, session.customer_id)
    if row is None:
        raise Refused(404, "Order not found", Code.ORDER_NOT_FOUND)
    return row


def _order(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "user_id": row["customer_id"],
        "event_id": row["event_id"],
        "status": row["status"],
        "total_amount": cents_to_major(row["total_cents"]),
        "currency": row["currency"],
        "payment_id": row["payment_id"],
        "idempotency_key": row["idempotency_key"],
        "created_at": iso(row["created_at"]),
        "completed_at": iso_or_none(row["completed_at"]),
        "updated_at": iso(row["updated_at"]),
    }


def _show(row: asyncpg.Record) -> dict[str, Any]:
    """The event of an order, for people."""
    return {
        "event_name": row["event_name"],
        "event_date": iso(row["event_at"]),
        "artist": row["artist"],
        "venue_name": row["venue_name"],
        "venue_city": row["venue_city"],
        "venue_timezone": row["venue_timezone"],
    }


def _item(order: asyncpg.Record, item: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": item["id"],
        "order_id": order["id"],
        "seat_id": str(item["seat_index"]),
        "price": cents_to_major(item["price_cents"]),
        "created_at": iso(order["created_at"]),
    }


def _seat_names(item: asyncpg.Record) -> dict[str, Any]:
    return {"section": item["section"], "row": item["row_label"], "seat_number": item["seat_number"]}

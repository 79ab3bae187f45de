"""Between the rows of PostgreSQL and the words of the actors."""

import logging
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from actors.core.layout import Run
from actors.core.model import BlockMoved, Hold, Order, OrphanRule, QueueMode, Stage, Terms
from actors.ports import Batch, Stored
from protocol.outbound import OrderStatus
from protocol.seat_state import SeatState
from server.arrays import array
from server.store_queue import queue_arguments

Row = Mapping[str, Any]

_LONG_AGO_MS = 1

log = logging.getLogger(__name__)


def terms(event_id: str, row: Row) -> Terms:
    """The terms in a row of `load_event`."""
    return Terms(
        event_id,
        Stage(row["stage"]),
        row["on_sale_at_ms"],
        row["event_at_ms"],
        row["max_tickets_per_user"],
        row["currency"],
        OrphanRule(row["orphan_rule"]),
        QueueMode(row["queue_mode"]),
        row["max_concurrent_shoppers"],
        row["admit_per_minute"],
    )


def run(row: Row) -> Run:
    """The run in a row of `load_runs`."""
    return Run(
        row["section"],
        row["price_tier"],
        row["price_cents"],
        row["first"],
        row["seat_count"],
        row["distance"],
        tuple(row["distances"]),
    )


def holders(rows: Iterable[Row]) -> dict[int, str]:
    """The customer of each held or sold seat."""
    return {row["seat_index"]: str(row["holder"]) for row in rows}


def holds(rows: Iterable[Row], holders: Mapping[int, str], states: bytes) -> dict[str, Hold]:
    """The holds with their seats, which follow from who holds which seat.

    Where somebody's SQL has parted the two, the event still loads: a hold without seats counts as not there, and
    held seats without a hold as held by one that ran out long ago, so that they are free again with the first turn.
    """
    seats: dict[str, list[int]] = {}
    for index, customer in holders.items():
        if states[index] == SeatState.HELD:
            seats.setdefault(customer, []).append(index)
    found = {}
    for row in rows:
        customer = str(row["customer_id"])
        if (held := seats.pop(customer, None)) is None:
            log.warning("customer %s has a hold without seats; it is ignored", customer)
            continue
        found[customer] = Hold(
            tuple(sorted(held)),
            row["started_ms"],
            row["changed_ms"],
            row["expires_ms"],
            row["extended"],
        )
    for customer, stray in seats.items():
        log.warning("customer %s has held seats without a hold; they are set free: %s", customer, stray)
        found[customer] = Hold(tuple(sorted(stray)), _LONG_AGO_MS, _LONG_AGO_MS, _LONG_AGO_MS)
    return found


def order(row: Row) -> Order:
    """The order in a row of `load_orders`."""
    return Order(
        order_id=str(row["id"]),
        customer=str(row["customer_id"]),
        status=OrderStatus(row["status"]),
        seats=tuple(row["seats"]),
        prices_cents=tuple(row["prices_cents"]),
        currency=row["currency"],
        payment_method=row["payment_method"],
        command_id=row["command_id"],
        content_hash=row["content_hash"],
        created_ms=row["created_ms"],
        payment_id=row["payment_id"],
    )


def stored(row: Row) -> Stored:
    """The accepted command in a row of `look_up_commands`."""
    return Stored(str(row["customer_id"]), row["command_id"], row["content_hash"], row["answer"].encode())


class _Known(msgspec.Struct):
    customer: str
    command_id: str
    content_hash: bytes
    frame: str


_known_decoder = msgspec.json.Decoder(list[_Known])


def known(found: str) -> tuple[Stored, ...]:
    """The accepted commands that a batch has met in the journal."""
    return tuple(
        Stored(one.customer, one.command_id, one.content_hash, one.frame.encode())
        for one in _known_decoder.decode(found)
    )


def lookup_arguments(batch: Batch) -> tuple[list[str], list[str]]:
    """Customers and command ids, as two arrays."""
    return [customer for customer, _ in batch.lookups], [command for _, command in batch.lookups]


def batch_arguments(batch: Batch) -> Sequence[Any]:
    """The parameters of `commit_batch_v4`, in its order."""
    claim, entries, seats = batch.claim, batch.entries, batch.seats
    holds = batch.holds
    return (
        claim.event_id,
        claim.owner,
        claim.term,
        batch.revision,
        batch.at_ms,
        *lookup_arguments(batch),
        [entry.kind for entry in entries],
        [entry.customer for entry in entries],
        [entry.command_id for entry in entries],
        [entry.content_hash for entry in entries],
        [array(entry.seats) for entry in entries],
        [_answer(entry.command_id, entry.frame) for entry in entries],
        array([write.index for write in seats]),
        array([write.from_state for write in seats]),
        [write.from_holder for write in seats],
        array([write.to_state for write in seats]),
        [write.to_holder for write in seats],
        [customer for customer, _ in holds],
        array([None if hold is None else hold.started_ms for _, hold in holds]),
        array([None if hold is None else hold.changed_ms for _, hold in holds]),
        array([None if hold is None else hold.expires_ms for _, hold in holds]),
        array([None if hold is None else hold.extended for _, hold in holds]),
        _orders(batch.orders) if batch.orders else None,
        None if batch.terms is None else msgspec.json.encode(batch.terms).decode(),
        _blocks(batch.blocks) if batch.blocks else None,
        *queue_arguments(batch),
    )


def _answer(command_id: str | None, frame: bytes | None) -> str | None:
    return None if command_id is None or frame is None else frame.decode()


def _blocks(blocks: Sequence[BlockMoved]) -> str:
    rows = [{"organiser": block.by, "seats": array(block.seats), "reason": block.reason} for block in blocks]
    return msgspec.json.encode(rows).decode()


def _orders(orders: Sequence[Order]) -> str:
    return msgspec.json.encode([_order_fields(order) for order in orders]).decode()


def _order_fields(order: Order) -> dict[str, Any]:
    key = order.idempotency
    return {
        "order_id": order.order_id,
        "customer": order.customer,
        "status": order.status,
        "seats": array(order.seats),
        "prices_cents": array(order.prices_cents),
        "total_cents": order.total_cents,
        "currency": order.currency,
        "payment_method": order.payment_method,
        "command_id": order.command_id,
        "content_hash": b64encode(order.content_hash).decode(),
        "payment_id": order.payment_id,
        "failure": order.failure,
        "idempotency_key": None if key is None else key.key,
        "request_hash": None if key is None else b64encode(key.request_hash).decode(),
    }

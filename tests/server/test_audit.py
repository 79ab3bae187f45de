"""The auditor: a sound database gives no finding, and each kind of divergence, planted by hand, is found.

All plants go into one database, in which a server has sold, each in a transaction that is rolled back.
"""

import argparse
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import msgspec
import pytest
import pytest_asyncio
from rich.console import Console

from server.audit import Report, audit, checks, findings, run_audit
from server.database import connect
from server.engines import EngineError, PostgresAddress, RedisAddress
from server.settings import Settings
from tests.rows import add_customer
from tests.server.parts import SHARED, Till, Usher, running, until

pytestmark = SHARED

ONE_SOLD = "(SELECT min(seat_index) FROM seat WHERE state = 2)"
ONE_HELD = "(SELECT min(seat_index) FROM seat WHERE state = 1)"
ONE_ORDER = "(SELECT id FROM orders WHERE status = 'completed' ORDER BY id LIMIT 1)"
PENDING = "(SELECT id FROM orders WHERE status = 'pending')"
LAST = "(SELECT revision FROM event_head)"
SOMEBODY = "'00000000-0000-4000-8000-000000000001'"
ITEM = "VALUES ((SELECT event_id FROM event_head), gen_random_uuid(), 5, gen_random_uuid(), 100)"
A_TICKET = """
INSERT INTO ticket SELECT event_id, gen_random_uuid(), order_id, seat_index, customer_id, status, created_at
  FROM ticket WHERE status = 'valid' ORDER BY id LIMIT 1"""
AN_ATTEMPT = """
INSERT INTO payment_attempt SELECT event_id, order_id, gen_random_uuid(), status, amount_cents, currency, method,
       payment_id, created_at, settled_at FROM payment_attempt"""

AN_ENTRY = """
INSERT INTO queue_entry (event_id, customer_id, state, joined_at, place, position, nonce, admitted_at, has_missed)
SELECT event_id, {}, 'out', now(), {}, {}, '', now() + {} * interval '1 s', false FROM event_head"""

ADMITTED_SECOND = AN_ENTRY.format("gen_random_uuid()", 1, "NULL", 9)

PLANTS = [
    ("sold_seat", f"UPDATE ticket SET status = 'void' WHERE seat_index = {ONE_SOLD}"),
    ("sold_seat", f"DELETE FROM ticket WHERE seat_index = {ONE_SOLD}"),
    ("sold_seat", f"UPDATE seat SET state = 2 WHERE seat_index = {ONE_HELD}"),
    ("sold_seat", f"DROP INDEX ticket_seat_once; {A_TICKET}"),
    ("ticket_twice", f"DROP INDEX ticket_seat_once; {A_TICKET}"),
    ("ticket_seat", f"UPDATE seat SET state = 0, holder = NULL WHERE seat_index = {ONE_SOLD}"),
    ("ticket_seat", f"UPDATE seat SET state = 1 WHERE seat_index = {ONE_SOLD}"),
    ("ticket_seat", f"UPDATE seat SET holder = {SOMEBODY} WHERE seat_index = {ONE_SOLD}"),
    ("ticket_seat", f"DELETE FROM seat WHERE seat_index = {ONE_SOLD}"),
    ("held_seat", f"DELETE FROM hold WHERE customer_id = (SELECT holder FROM seat WHERE seat_index = {ONE_HELD})"),
    ("held_seat", f"UPDATE seat SET state = 1, holder = {SOMEBODY} WHERE seat_index = 150"),
    ("hold", "UPDATE seat SET state = 0, holder = NULL WHERE state = 1"),
    ("hold", f"INSERT INTO hold SELECT event_id, {SOMEBODY}, now(), now(), now() + '1 s', false FROM event_head"),
    ("block", "UPDATE seat_block SET seat_index = 150"),
    ("block", "UPDATE seat SET state = 0 WHERE seat_index = 90"),
    ("block", "UPDATE seat_block SET seat_index = 5000"),
    ("queue_place", f"{ADMITTED_SECOND}; {AN_ENTRY.format(SOMEBODY, 1, 'NULL', 0)}"),
    ("queue_chain", AN_ENTRY.format(SOMEBODY, "NULL", 2, 0)),
    ("queue_chain", f"{AN_ENTRY.format(SOMEBODY, 'NULL', 1, 0)}; UPDATE queue_draw SET entry_count = 2"),
    ("queue_chain", f"{AN_ENTRY.format(SOMEBODY, 'NULL', 1, 0)}; DELETE FROM queue_draw"),
    ("queue_order", f"{ADMITTED_SECOND}; {AN_ENTRY.format(SOMEBODY, 2, 'NULL', 0)}"),
    ("hold_times", "UPDATE hold SET expires_at = started_at + interval '1201 s'"),
    ("hold_times", "UPDATE hold SET expires_at = started_at"),
    ("item_ticket", f"UPDATE ticket SET status = 'void' WHERE seat_index = {ONE_SOLD}"),
    ("item_ticket", f"INSERT INTO order_item SELECT event_id, {ONE_ORDER}, 5, id, 1 FROM event_head, event"),
    ("ticket_order", f"UPDATE orders SET status = 'cancelled' WHERE id = {ONE_ORDER}"),
    ("ticket_order", f"DELETE FROM order_item WHERE order_id = {ONE_ORDER}"),
    ("ticket_order", f"UPDATE ticket SET customer_id = {SOMEBODY} WHERE order_id = {ONE_ORDER}"),
    ("ticket_order", "UPDATE ticket SET status = 'valid' WHERE status = 'void'"),
    ("order_part", f"DELETE FROM orders WHERE id = {ONE_ORDER}"),
    ("order_part", f"DELETE FROM order_item WHERE order_id = {ONE_ORDER}"),
    ("order_part", f"INSERT INTO order_item {ITEM}"),
    ("order_total", f"UPDATE orders SET total_cents = total_cents - 1 WHERE id = {ONE_ORDER}"),
    ("order_total", f"UPDATE order_item SET price_cents = price_cents + 1 WHERE order_id = {ONE_ORDER}"),
    ("pending_order", f"DELETE FROM payment_attempt WHERE order_id = {PENDING}"),
    ("pending_order", f"UPDATE payment_attempt SET status = 'succeeded' WHERE order_id = {PENDING}"),
    ("pending_order", f"{AN_ATTEMPT} WHERE order_id = {PENDING}"),
    ("pending_order", f"DELETE FROM order_item WHERE order_id = {PENDING} AND seat_index % 2 = 0"),
    ("pending_order", "UPDATE seat SET state = 0, holder = NULL WHERE state = 1"),
    ("open_attempt", f"UPDATE orders SET status = 'payment_failed' WHERE id = {PENDING}"),
    ("open_attempt", f"UPDATE payment_attempt SET status = 'wanted' WHERE order_id = {ONE_ORDER}"),
    ("paid_order", f"UPDATE payment_attempt SET status = 'declined' WHERE order_id = {ONE_ORDER}"),
    ("paid_order", f"DELETE FROM payment_attempt WHERE order_id = {ONE_ORDER}"),
    ("paid_order", f"{AN_ATTEMPT} WHERE order_id = {ONE_ORDER}"),
    ("paid_order", "UPDATE payment_attempt SET status = 'succeeded' WHERE status = 'declined'"),
    ("charge", f"UPDATE payment_attempt SET amount_cents = amount_cents + 1 WHERE order_id = {ONE_ORDER}"),
    ("charge", f"UPDATE payment_attempt SET currency = 'EUR' WHERE order_id = {ONE_ORDER}"),
    ("charge", f"UPDATE payment_attempt SET payment_id = 'another' WHERE order_id = {ONE_ORDER}"),
    ("charge", f"UPDATE orders SET payment_id = NULL WHERE id = {ONE_ORDER}"),
    ("idempotency", "UPDATE idempotency SET order_id = gen_random_uuid()"),
    ("idempotency", f"UPDATE idempotency SET customer_id = {SOMEBODY}"),
    ("counters", "UPDATE event_head SET available = available + 1"),
    ("counters", "UPDATE event_head SET held = held - 1"),
    ("counters", "UPDATE seat SET state = 3 WHERE seat_index = 150"),
    ("seats", "DELETE FROM seat WHERE seat_index = 150"),
    ("seats", "DELETE FROM place WHERE seat_index = 199"),
    ("seats", "UPDATE event SET seat_count = seat_count + 1"),
    ("seats", "DELETE FROM event_head"),
    ("customers", f"UPDATE seat SET holder = {SOMEBODY} WHERE seat_index = {ONE_SOLD}"),
    ("customers", f"UPDATE orders SET customer_id = {SOMEBODY} WHERE id = {ONE_ORDER}"),
    ("journal_gap", "DELETE FROM journal WHERE revision = 3"),
    ("journal_head", f"DELETE FROM journal WHERE revision = {LAST}"),
    ("journal_head", "UPDATE event_head SET revision = revision + 1"),
    ("journal_head", "UPDATE event_head SET revision = revision - 1"),
    ("journal_batch", "UPDATE journal SET position = 2 WHERE revision = 1"),
    ("journal_batch", "UPDATE journal SET revision = 2 WHERE revision = 1"),
    ("journal_command", "UPDATE journal j SET (customer_id, command_id) = (SELECT customer_id, command_id "
     "FROM journal WHERE revision = 1) WHERE revision = 2"),
    ("journal_seat", f"UPDATE seat SET state = 0, holder = NULL WHERE seat_index = {ONE_SOLD}"),
    ("journal_seat", f"UPDATE seat SET state = 1, holder = {SOMEBODY} WHERE seat_index = 150"),
    ("journal_seat", f"UPDATE seat SET holder = {SOMEBODY} WHERE seat_index = {ONE_HELD}"),
    ("journal_seat", "UPDATE journal SET kind = 'release' WHERE kind = 'completed'"),
    ("journal_seat", "UPDATE seat SET state = 0 WHERE seat_index = 90"),
    ("journal_seat", "UPDATE journal SET kind = 'unblocked' WHERE kind = 'blocked'"),
    ("journal_order", "DELETE FROM journal WHERE kind = 'completed'"),
    ("journal_order", "UPDATE journal SET command_id = 'another' WHERE kind = 'completed'"),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database_with_sales(
    shared_database: PostgresAddress, redis_server: RedisAddress
) -> AsyncIterator[asyncpg.Connection]:
    """A database in which a server has done everything that it can do, and was stopped."""
    async with running(shared_database, redis_server, Till()) as usher:
        await sell(usher)
    connection = await connect(shared_database)
    yield connection
    await connection.close()


async def sell(usher: Usher) -> None:
    """Bought, with a key and without; bought and cancelled; held, extended, released; declined; not yet paid.

    And blocked: seat 90 is, seat 91 was.
    """
    event_id = await usher.event(max_tickets=6)
    olga = await usher.sign_in(await add_customer(usher.database, name="Olga", role="admin"))
    blocked = {"seat_ids": ["90", "91"], "reason": "Camera"}
    assert (await usher.rest("POST", f"/events/{event_id}/block-seats", blocked, olga)).status == 200
    assert (await usher.rest("POST", f"/events/{event_id}/unblock-seats", {"seat_ids": ["91"]}, olga)).status == 200
    buyers = [await usher.customer() for _ in range(7)]
    bought, keyed, cancelled, held, released, declined, pending = buyers
    for number, buyer in enumerate(buyers):
        (await usher.reserve(event_id, [4 * number + 20, 4 * number + 21, 4 * number + 22], buyer)).data  # noqa: B018
    assert (await usher.buy(bought)).status == 200
    assert (await usher.buy(keyed, key="k")).status == 200
    order = (await usher.buy(cancelled)).data["order"]
    assert (await usher.rest("POST", f"/checkout/orders/{order['id']}/cancel", by=cancelled)).status == 200
    assert (await usher.reserve(event_id, [order_seat := 100], held)).status == 200
    assert (await usher.rest("POST", f"/seats/{event_id}/release", {"seat_ids": ["36"]}, released)).status == 200
    async with usher.socket(event_id, held) as socket:
        assert (await socket.ask("extend_hold"))["type"] == "accepted"
        assert (await socket.ask("release_seats", seats=[order_seat]))["type"] == "accepted"
    assert (await usher.buy(declined, "decline")).status == 402
    till = usher.parts.supervisor._ports.payments._provider  # type: ignore[attr-defined]
    till.is_open.clear()
    asked = len(till.asked)
    async with usher.socket(event_id, pending) as socket:
        await socket.send(type="checkout", id="later", payment_method="card")
        await until(lambda: len(till.asked) > asked)


async def test_a_sound_database_gives_no_finding(database_with_sales: asyncpg.Connection) -> None:
    report = await audit(database_with_sales)
    assert report.findings == []
    assert report.checks == len(checks()) > 20
    assert report.looked_at["seats"] == 200
    assert report.looked_at["orders"] == 5
    statuses = await database_with_sales.fetch("SELECT DISTINCT status FROM orders")
    assert {row["status"] for row in statuses} == {"completed", "cancelled", "payment_failed", "pending"}


@pytest.mark.parametrize(("check", "plant"), PLANTS)
async def test_each_divergence_is_found(database_with_sales: asyncpg.Connection, check: str, plant: str) -> None:
    transaction = database_with_sales.transaction()
    await transaction.start()
    try:
        await database_with_sales.execute(plant)
        found = await findings(database_with_sales, checks())
    finally:
        await transaction.rollback()
    by_check = {finding.check: finding for finding in found}
    assert check in by_check, f"found by {sorted(by_check)} only"
    assert by_check[check].found >= 1
    assert by_check[check].examples


async def test_every_check_has_found_something() -> None:
    assert {check for check, _ in PLANTS} == checks().keys()


async def test_a_server_may_go_on_selling(database_address: PostgresAddress, redis_address: RedisAddress) -> None:
    """An audit sees one moment: batches that commit between its statements are no divergence, and do not wait."""
    async with running(database_address, redis_address) as usher:
        event_id, buyer = await usher.event(), await usher.customer()
        connection = await connect(database_address)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                before = await findings(connection, checks())
                assert (await usher.reserve(event_id, [1, 2], buyer)).status == 200
                assert (await usher.buy(buyer)).status == 200
                assert await findings(connection, checks()) == before
            assert (await audit(connection)).findings == []
        finally:
            await connection.close()


async def test_the_command_says_what_it_found(
    database_with_sales: asyncpg.Connection, shared_database: PostgresAddress, tmp_path: Path
) -> None:
    settings, said = Settings(database=shared_database), io.StringIO()
    options = argparse.Namespace(json=tmp_path / "report.json", answers=[])
    console = Console(file=said, width=200)

    assert await run_audit(settings, options, console) == 0
    assert "found nothing" in said.getvalue()
    assert msgspec.json.decode(options.json.read_bytes(), type=Report).findings == []

    await database_with_sales.execute("UPDATE event_head SET available = available + 1")
    try:
        assert await run_audit(settings, options, console) == 1
    finally:
        await database_with_sales.execute("UPDATE event_head SET available = available - 1")
    assert "The counters of an event are those of its seats" in said.getvalue()
    (finding,) = msgspec.json.decode(options.json.read_bytes(), type=Report).findings
    assert finding.check == "counters"


async def test_where_there_is_no_database_it_says_so(
    engines: tuple[PostgresAddress, RedisAddress], tmp_path: Path
) -> None:
    options, without_schema = argparse.Namespace(json=None, answers=[]), replace(engines[0], database="postgres")
    with pytest.raises(EngineError, match="no database in"):
        await run_audit(Settings(data_dir=tmp_path / "nothing"), options, Console(file=io.StringIO()))
    assert not (tmp_path / "nothing").exists(), "an audit makes nothing"
    with pytest.raises(EngineError, match="not of this version"):
        await run_audit(Settings(database=without_schema), options, Console(file=io.StringIO()))

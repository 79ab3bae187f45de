"""Compares what bots were told with what is stored: nothing acknowledged is lost, and nothing is there besides."""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

import asyncpg

from bots.account import Account, accounts
from bots.answer_log import AnswerLog
from bots.promises import broken_promises
from protocol.outbound import Accepted, decode
from protocol.seat_state import SeatState
from server.audit import audit
from server.database import connect
from server.engines import PostgresAddress

JOURNAL = """
SELECT customer_id, command_id, answer FROM journal WHERE event_id = $1 AND command_id IS NOT NULL"""
SEATS = "SELECT seat_index, state, holder FROM seat WHERE event_id = $1 AND state IN (1, 2)"
TICKETS = """
SELECT customer_id, order_id, array_agg(seat_index) AS seats FROM ticket
 WHERE event_id = $1 AND status = 'valid' GROUP BY 1, 2"""


async def differences(at: PostgresAddress, event_id: str, log: AnswerLog, limit: int) -> list[str]:
    """All that is wrong, each in a sentence; every command of the log has been answered."""
    connection = await connect(at)
    try:
        found = broken_promises(log, limit)
        found += await _lost_answers(connection, event_id, log)
        found += await _wrong_belongings(connection, event_id, log)
        report = await audit(connection)
        found += [f"{one.promise}: not so, {one.found} times: {one.examples}" for one in report.findings]
        return found
    finally:
        await connection.close()


async def _lost_answers(connection: asyncpg.Connection, event_id: str, log: AnswerLog) -> list[str]:
    stored: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in await connection.fetch(JOURNAL, UUID(event_id)):
        stored[str(row["customer_id"]), row["command_id"]].append(row["answer"])
    found = []
    acknowledged = set()
    for entry in log.answered:
        key = (entry.customer, entry.command.id)
        if not isinstance(entry.answer, Accepted):
            continue
        acknowledged.add(key)
        answers = stored.get(key, [])
        if len(answers) != 1:
            found.append(f"{entry.command} of {entry.customer} was accepted, it is stored {len(answers)} times")
        elif decode(answers[0]) != entry.answer:
            found.append(f"{entry.command} of {entry.customer} got {entry.answer}, {answers[0]} is stored")
    ours = {entry.customer for entry in log.entries}
    found += [
        f"command {command} of {customer} is stored, and was never answered"
        for customer, command in stored.keys() - acknowledged
        if customer in ours and not command.startswith("rest-")
    ]
    return found


async def _wrong_belongings(connection: asyncpg.Connection, event_id: str, log: AnswerLog) -> list[str]:
    seats: dict[tuple[str, int], set[int]] = defaultdict(set)
    for row in await connection.fetch(SEATS, UUID(event_id)):
        seats[str(row["holder"]), row["state"]].add(row["seat_index"])
    orders: dict[str, dict[str, set[int]]] = defaultdict(dict)
    for row in await connection.fetch(TICKETS, UUID(event_id)):
        orders[str(row["customer_id"])][str(row["order_id"])] = set(row["seats"])
    found = []
    for customer, account in accounts(log).items():
        found += _compare(customer, "held", account.held, seats[customer, SeatState.HELD])
        found += _compare(customer, "bought", account.bought, seats[customer, SeatState.SOLD])
        found += _compare_orders(customer, account, orders[customer])
    return found


def _compare(customer: str, word: str, told: Iterable[int], stored: set[int]) -> list[str]:
    if set(told) == stored:
        return []
    return [f"{customer} was told to have {word} {sorted(told)}, {sorted(stored)} are stored"]


def _compare_orders(customer: str, account: Account, stored: dict[str, set[int]]) -> list[str]:
    told = {order_id: set(seats) for order_id, seats in account.orders.items()}
    return [] if told == stored else [f"{customer} was told of orders {told}, there are tickets for {stored}"]

"""The two stores on one bench: a database to make, to look at and to meddle with, fake or real."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from msgspec import Struct

from actors.core.layout import Run
from actors.core.model import Stage, Terms
from actors.ports import Store
from protocol.seat_map import Category, Row, SeatMap, Section
from protocol.seat_state import SeatState
from server.database import connect
from server.engines import PostgresAddress
from server.plans.publish import make_seats
from server.statements import sql
from server.store import PostgresStore
from tests.fake_database import FakeDatabase, FakeEvent
from tests.fakes import FakeStore
from tests.rows import UNHURRIED, add_venue

SEATS_PER_ROW = 4
BLOCKED, ACCESSIBLE, COMPANION = 7, 2, 1
RUNS = [Run("Floor", "vip", 3_000, 0, SEATS_PER_ROW, 5.0), Run("Floor", "economy", 1_000, 4, SEATS_PER_ROW, 10.0)]
"""Eight seats: 0…3 are dear, 4…7 are cheap; the last one is blocked."""


class Picture(Struct):
    """All rows of an event, in one form for both benches."""

    head: tuple[str | None, int, int, int, int]
    """Owner, term, revision, available, held."""
    seats: list[tuple[int, str | None]]
    holds: dict[str, tuple[int, int, int, bool]]
    orders: dict[str, tuple[str, str, int, str | None, str | None]]
    """Customer, status, total, payment id, failure."""
    tickets: list[tuple[str, int, str, bool]]
    blocks: list[tuple[int, str, str, int]]
    """Seat, reason, by whom, when."""
    journal: list[tuple[int, int, int, str, str, str | None, tuple[int, ...], str | None]]
    """Revision, position, time, kind, customer, command id, seats, answer."""


class Bench(ABC):
    """A database with nodes and events."""

    @abstractmethod
    def store(self, node_id: str) -> Store:
        """The store as this node sees it."""

    @abstractmethod
    async def now_ms(self) -> int:
        """The database's clock."""

    @abstractmethod
    async def add_node(self) -> str:
        """A node that lives."""

    @abstractmethod
    async def crash(self, node_id: str) -> None:
        """The node's process is gone; its lease goes on."""

    @abstractmethod
    async def hang(self, node_id: str) -> None:
        """The node's process is there; its lease has run out."""

    @abstractmethod
    async def add_event(self) -> str:
        """An event on sale with the seats of `RUNS`."""

    @abstractmethod
    async def picture(self, event_id: str) -> Picture:
        """All rows of the event."""

    @abstractmethod
    async def put_seat(self, event_id: str, seat: int, state: SeatState, holder: str | None) -> None:
        """Change a seat behind everybody's back, as an operator's SQL would."""

    @abstractmethod
    async def void_ticket(self, event_id: str, seat: int) -> None:
        """Void the seat's ticket behind everybody's back."""

    @abstractmethod
    def seats_locked(self, event_id: str, seats: Iterable[int]) -> Any:
        """While in this context, somebody outside holds these rows."""

    @abstractmethod
    def head_locked(self, event_id: str) -> Any:
        """While in this context, somebody outside holds the event's head."""


class FakeBench(Bench):
    """In memory."""

    def __init__(self, database: FakeDatabase | None = None) -> None:
        self.database = database or FakeDatabase(lambda: 1_900_000_000_000)

    def store(self, node_id: str) -> Store:
        return FakeStore(self.database, lambda: node_id)

    async def now_ms(self) -> int:
        return self.database.clock_ms()

    async def add_node(self) -> str:
        node_id = str(uuid4())
        self.database.living.add(node_id)
        return node_id

    async def crash(self, node_id: str) -> None:
        self.database.living.discard(node_id)

    async def hang(self, node_id: str) -> None:
        self.database.living.discard(node_id)

    async def add_event(self) -> str:
        event_id, now_ms = str(uuid4()), await self.now_ms()
        states = bytearray(2 * SEATS_PER_ROW)
        states[BLOCKED] = SeatState.BLOCKED
        terms = Terms(event_id, Stage.SCHEDULED, now_ms - 60_000, now_ms + 86_400_000, 4, "EUR")
        access, companion = frozenset({ACCESSIBLE}), frozenset({COMPANION})
        self.database.events[event_id] = FakeEvent(terms, list(RUNS), states, access, companion)
        return event_id

    async def picture(self, event_id: str) -> Picture:
        event = self.database.events[event_id]
        return Picture(
            head=(event.owner, event.term, event.revision, event.available, event.held),
            seats=[event.row(seat) for seat in range(len(event.states))],
            holds={
                customer: (hold.started_ms, hold.changed_ms, hold.expires_ms, hold.extended)
                for customer, hold in event.hold_rows.items()
            },
            orders={
                order.order_id: (order.customer, order.status, order.total_cents, order.payment_id, order.failure)
                for order in event.orders.values()
            },
            tickets=sorted((one.order_id, one.seat, one.customer, one.is_valid) for one in event.tickets),
            blocks=[(seat, *block) for seat, block in sorted(event.blocks.items())],
            journal=[
                (
                    row.revision,
                    row.position,
                    row.at_ms,
                    row.entry.kind,
                    row.entry.customer,
                    row.entry.command_id,
                    row.entry.seats,
                    row.entry.frame.decode() if row.entry.frame and row.entry.command_id else None,
                )
                for row in event.journal
            ],
        )

    async def put_seat(self, event_id: str, seat: int, state: SeatState, holder: str | None) -> None:
        event = self.database.events[event_id]
        event.states[seat] = state
        event.holders.pop(seat, None)
        if holder is not None:
            event.holders[seat] = holder

    async def void_ticket(self, event_id: str, seat: int) -> None:
        event = self.database.events[event_id]
        event.tickets = [ticket for ticket in event.tickets if ticket.seat != seat]

    @asynccontextmanager
    async def seats_locked(self, event_id: str, seats: Iterable[int]) -> AsyncIterator[None]:
        event = self.database.events[event_id]
        event.locked_seats.update(seats)
        yield
        event.locked_seats.clear()

    @asynccontextmanager
    async def head_locked(self, event_id: str) -> AsyncIterator[None]:
        self.database.events[event_id].head_is_locked = True
        yield
        self.database.events[event_id].head_is_locked = False


class PostgresBench(Bench):
    """On PostgreSQL. Whoever makes it calls `close`."""

    def __init__(self, pool: asyncpg.Pool, address: PostgresAddress) -> None:
        self.pool = pool
        self._address = address
        self._locks: dict[str, asyncpg.Connection] = {}
        self._stores: list[PostgresStore] = []

    async def close(self) -> None:
        """End the nodes that still live."""
        for store in self._stores:
            await store.close()
        for connection in self._locks.values():
            connection.terminate()

    def store(self, node_id: str) -> Store:
        self._stores.append(PostgresStore(self.pool, lambda: node_id))
        return self._stores[-1]

    async def now_ms(self) -> int:
        now_ms = await self.pool.fetchval("SELECT to_ms(clock_timestamp())")
        assert isinstance(now_ms, int)
        return now_ms

    async def add_node(self) -> str:
        node_id = str(uuid4())
        self._locks[node_id] = connection = await connect(self._address)
        await connection.execute(sql("take_node_lock"), node_id)
        await connection.execute(sql("register_node"), node_id, "a node", 3_600)
        return node_id

    async def crash(self, node_id: str) -> None:
        connection = self._locks.pop(node_id)
        process = connection.get_server_pid()
        connection.terminate()
        await self.pool.execute("SELECT pg_terminate_backend($1)", process)
        is_there = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)"
        while await self.pool.fetchval(is_there, process):
            pass

    async def hang(self, node_id: str) -> None:
        await self.pool.execute(
            "UPDATE node SET lease_until = clock_timestamp() - interval '1 ms' WHERE id = $1", node_id
        )

    async def add_event(self) -> str:
        event_id, now = uuid4(), datetime.now(UTC)
        venue_id = await add_venue(self.pool)
        await self.pool.execute(
            "INSERT INTO event (id, name, venue_id, artist, category, event_at, on_sale_at, currency, created_at,"
            " updated_at) VALUES ($1, 'The Show', $2, 'The Band', 'concert', $3, $4, 'EUR', $5, $5)",
            event_id,
            venue_id,
            now + timedelta(days=1),
            now - timedelta(minutes=1),
            now,
        )
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(UNHURRIED)
            await make_seats(connection, event_id, _seat_map(), now)
        return str(event_id)

    async def picture(self, event_id: str) -> Picture:
        async def rows(query: str) -> list[tuple[Any, ...]]:
            return [_plain(row) for row in await self.pool.fetch(query, event_id)]

        (head,) = await rows("SELECT owner, term, revision, available, held FROM event_head WHERE event_id = $1")
        holds = await rows(
            "SELECT customer_id, to_ms(started_at), to_ms(changed_at), to_ms(expires_at), extended FROM hold"
            " WHERE event_id = $1 ORDER BY customer_id"
        )
        orders = await rows(
            "SELECT id, customer_id, status, total_cents, payment_id, failure FROM orders WHERE event_id = $1"
        )
        return Picture(
            head=head,
            seats=await rows("SELECT state, holder FROM seat WHERE event_id = $1 ORDER BY seat_index"),
            holds={row[0]: row[1:] for row in holds},
            orders={row[0]: row[1:] for row in orders},
            tickets=sorted(
                await rows(
                    "SELECT order_id, seat_index, customer_id, status = 'valid' FROM ticket WHERE event_id = $1"
                )
            ),
            blocks=await rows(
                "SELECT seat_index, reason, blocked_by, to_ms(blocked_at) FROM seat_block WHERE event_id = $1"
                " ORDER BY seat_index"
            ),
            journal=await rows(
                "SELECT revision, position, to_ms(at), kind, customer_id, command_id, seats, answer FROM journal"
                " WHERE event_id = $1 ORDER BY revision, position"
            ),
        )

    async def put_seat(self, event_id: str, seat: int, state: SeatState, holder: str | None) -> None:
        await self.pool.execute(
            "UPDATE seat SET state = $3, holder = $4 WHERE event_id = $1 AND seat_index = $2",
            event_id,
            seat,
            int(state),
            holder,
        )

    async def void_ticket(self, event_id: str, seat: int) -> None:
        await self.pool.execute(
            "UPDATE ticket SET status = 'void' WHERE event_id = $1 AND seat_index = $2", event_id, seat
        )

    @asynccontextmanager
    async def seats_locked(self, event_id: str, seats: Iterable[int]) -> AsyncIterator[None]:
        query = "SELECT FROM seat WHERE event_id = $1 AND seat_index = ANY ($2) FOR UPDATE"
        async with self._transaction(query, event_id, list(seats)):
            yield

    @asynccontextmanager
    async def head_locked(self, event_id: str) -> AsyncIterator[None]:
        async with self._transaction("SELECT FROM event_head WHERE event_id = $1 FOR UPDATE", event_id):
            yield

    @asynccontextmanager
    async def hold_locked(self, event_id: str, customer: str) -> AsyncIterator[None]:
        """While in this context, somebody outside holds the row of a hold."""
        query = "SELECT FROM hold WHERE event_id = $1 AND customer_id = $2 FOR UPDATE"
        async with self._transaction(query, event_id, customer):
            yield

    @asynccontextmanager
    async def _transaction(self, query: str, *arguments: Any) -> AsyncIterator[None]:
        connection = await connect(self._address)
        try:
            async with connection.transaction():
                await connection.execute(query, *arguments)
                yield
        finally:
            await connection.close()


def _plain(row: asyncpg.Record) -> tuple[Any, ...]:
    def plain(value: Any) -> Any:
        if isinstance(value, UUID):
            return str(value)
        return tuple(value) if isinstance(value, list) else value

    return tuple(plain(value) for value in row)


def _seat_map() -> SeatMap:
    vip, economy = Category("Dear", "vip", 3_000), Category("Cheap", "economy", 1_000)
    rows = (
        Row("A", SEATS_PER_ROW, 0, line=(0, 5, 10, 0), accessible=(ACCESSIBLE,), companion=(COMPANION,)),
        Row("B", SEATS_PER_ROW, 1, line=(0, 10, 10, 0), blocked=(BLOCKED - SEATS_PER_ROW,)),
    )
    return SeatMap("Hall", (0, 0, 50, 50), (0, 0), (vip, economy), (Section("Floor", rows, (0, 0)),), "EUR")

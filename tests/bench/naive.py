"""The yardstick: the same commands over the same HTTP and WebSocket stack, as one would write it at first.

Each request locks its seats in Redis (SET NX EX, one by one), then has a transaction of its own (BEGIN; SELECT …
FOR UPDATE NOWAIT; UPDATE; COMMIT, on a pool of 10), then sends to one watcher after the other. It knows no
sessions: the session id is the customer. A process of its own, `python -m tests.bench.naive`; its first line of
input is where the engines are, and it ends with its input.
"""

import asyncio
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import uvloop
from aiohttp import WSMsgType, web
from redis.asyncio import BlockingConnectionPool, Redis, UnixDomainSocketConnection

from protocol import limits
from protocol.codes import Code
from protocol.inbound import Checkout, Command, HoldSeats, Open, ReleaseSeats, read_command
from protocol.outbound import (
    Accepted,
    Counts,
    Hold,
    OrderStatus,
    OrderSummary,
    Patch,
    Rejected,
    Snapshot,
    Welcome,
    encode,
    rejected,
)
from protocol.seat_state import SeatState, pack_states
from server.door.open_files import raise_open_files_limit

POOL_CONNECTIONS = 10
REDIS_CONNECTIONS = 32
LISTEN_BACKLOG = 1024
PRICE_CENTS = 5_000
EXPIRES_AT_MS = 4_102_444_800_000

SCHEMA = """
CREATE SCHEMA IF NOT EXISTS naive;
CREATE TABLE IF NOT EXISTS naive.seat (
    event_id uuid, seat_index integer, state smallint NOT NULL DEFAULT 0, holder text,
    PRIMARY KEY (event_id, seat_index)
);
CREATE TABLE IF NOT EXISTS naive.orders (id uuid PRIMARY KEY, event_id uuid, holder text, total_cents integer);
CREATE TABLE IF NOT EXISTS naive.ticket (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_id uuid, event_id uuid, seat_index integer
);
"""
SEATS = "FROM naive.seat WHERE event_id = $1 AND seat_index = ANY($2)"
LOCK = f"SELECT seat_index, state {SEATS} FOR UPDATE NOWAIT"
LOCK_HELD = f"SELECT seat_index {SEATS} AND holder = $3 FOR UPDATE NOWAIT"
MOVE = "UPDATE naive.seat SET state = $3, holder = $4 WHERE event_id = $1 AND seat_index = ANY($2)"


class Addresses(msgspec.Struct):
    """Where PostgreSQL and Redis are: what asyncpg and redis-py are to be called with."""

    postgres: dict[str, Any]
    redis_socket: str
    redis_password: str | None


class Refused(Exception):
    """These seats cannot be had."""

    def __init__(self, code: Code, seats: Sequence[int]) -> None:
        super().__init__(code)
        self.code = code
        self.seats = tuple(seats)


@dataclass
class Show:
    """What this process knows of an event."""

    watchers: set[web.WebSocketResponse]
    held: defaultdict[str, set[int]]
    revision: int = 0
    seat_count: int = 0
    snapshot: tuple[int, str] = (-1, "")


class Naive:
    """All requests; an event is known from its first one on."""

    def __init__(self, database: asyncpg.Pool, redis: Redis) -> None:
        self._database = database
        self._redis = redis
        self._shows: defaultdict[str, Show] = defaultdict(lambda: Show(set(), defaultdict(set)))

    def app(self) -> web.Application:
        """The routes that the bench asks for."""
        app = web.Application()
        app.router.add_get("/ws/events/{event_id}", self.watch)
        app.router.add_post("/api/v1/seats/{event_id}/reserve", self.reserve)
        app.router.add_post("/api/v1/seats/{event_id}/release", self.release)
        return app

    async def watch(self, request: web.Request) -> web.WebSocketResponse:
        """The socket of an event."""
        event_id, customer = request.match_info["event_id"], request.headers.get("X-Session-Id", "")
        show = self._shows[event_id]
        ws = web.WebSocketResponse(protocols=(limits.SUBPROTOCOL,), compress=False, decode_text=False)
        await ws.prepare(request)
        await self._snapshot(event_id)
        await ws.send_str(encode(Welcome(1, "naive", event_id, show.seat_count, "", 0, None)).decode())
        try:
            async for frame in ws:
                if frame.type is not WSMsgType.TEXT or request.transport is None:
                    break  # what was sent before a connection broke off is not worked off
                command = read_command(frame.data)
                if isinstance(command, Open):
                    await ws.send_str(await self._snapshot(event_id))
                    show.watchers.add(ws)
                elif isinstance(command, HoldSeats | ReleaseSeats | Checkout):
                    answer, patch = await self._carry_out(event_id, customer, command)
                    await ws.send_str(encode(answer).decode())
                    if patch is not None:
                        await self._tell_all(show, patch)
        except ConnectionError:
            pass
        finally:
            show.watchers.discard(ws)
        return ws

    async def reserve(self, request: web.Request) -> web.Response:
        """Hold seats over REST."""
        return await self._over_rest(request, HoldSeats)

    async def release(self, request: web.Request) -> web.Response:
        """Release seats over REST."""
        return await self._over_rest(request, ReleaseSeats)

    async def _over_rest(self, request: web.Request, kind: type[HoldSeats] | type[ReleaseSeats]) -> web.Response:
        event_id, seats = request.match_info["event_id"], (await request.json())["seat_ids"]
        command = kind("rest", tuple(int(seat) for seat in seats))
        answer, patch = await self._carry_out(event_id, request.headers["X-Session-Id"], command)
        if patch is not None:
            await self._tell_all(self._shows[event_id], patch)
        is_done = isinstance(answer, Accepted)
        return web.json_response(
            {"success": is_done, "data": msgspec.to_builtins(answer)}, status=200 if is_done else 400
        )

    async def _carry_out(
        self, event_id: str, customer: str, command: Command
    ) -> tuple[Accepted | Rejected, Patch | None]:
        show, mine = self._shows[event_id], self._shows[event_id].held[customer]
        order: OrderSummary | msgspec.UnsetType = msgspec.UNSET
        try:
            if isinstance(command, HoldSeats):
                seats, state = command.seats, SeatState.HELD
                await self._hold(event_id, customer, seats)
                mine |= set(seats)
            elif isinstance(command, ReleaseSeats):
                wanted = set(command.seats) & mine if command.seats else mine
                seats, state = tuple(sorted(wanted)), SeatState.AVAILABLE
                await self._release(event_id, customer, seats)
                mine -= set(seats)
            else:
                seats, state = tuple(sorted(mine)), SeatState.SOLD
                order = await self._sell(event_id, customer, seats)
                mine.clear()
        except Refused as refusal:
            return rejected(command.id, refusal.code, seats=refusal.seats), None
        show.revision += bool(seats)
        hold: Hold | msgspec.UnsetType = msgspec.UNSET
        if order is msgspec.UNSET:
            hold = Hold(tuple(sorted(mine)), EXPIRES_AT_MS, PRICE_CENTS * len(mine))
        patch = Patch("naive", show.revision - 1, show.revision, **{state.name.lower(): seats})
        return Accepted(command.id, show.revision, hold, order), patch if seats else None

    async def _hold(self, event_id: str, customer: str, seats: Sequence[int]) -> None:
        got: list[str] = []
        try:
            for seat in seats:
                key = f"naive:{event_id}:{seat}"
                if not await self._redis.set(key, customer, nx=True, ex=limits.HOLD_DURATION_S):
                    raise Refused(Code.SEAT_TAKEN, [seat])
                got.append(key)
            async with self._database.acquire() as connection, connection.transaction():
                rows = await connection.fetch(LOCK, event_id, seats)
                if unknown := set(seats) - {row["seat_index"] for row in rows}:
                    raise Refused(Code.SEAT_NOT_FOUND, sorted(unknown))
                if taken := [row["seat_index"] for row in rows if row["state"] != SeatState.AVAILABLE]:
                    raise Refused(Code.SEAT_TAKEN, taken)
                await connection.execute(MOVE, event_id, seats, SeatState.HELD, customer)
        except (Refused, asyncpg.LockNotAvailableError) as problem:
            if got:
                await self._redis.delete(*got)
            raise problem if isinstance(problem, Refused) else Refused(Code.BUSY, seats) from problem

    async def _release(self, event_id: str, customer: str, seats: Sequence[int]) -> None:
        if not seats:
            return
        async with self._database.acquire() as connection, connection.transaction():
            await connection.fetch(LOCK_HELD, event_id, seats, customer)
            await connection.execute(MOVE, event_id, seats, SeatState.AVAILABLE, None)
        await self._redis.delete(*(f"naive:{event_id}:{seat}" for seat in seats))

    async def _sell(self, event_id: str, customer: str, seats: Sequence[int]) -> OrderSummary:
        if not seats:
            raise Refused(Code.HOLD_NOT_FOUND, ())
        order_id, total_cents = uuid4(), PRICE_CENTS * len(seats)
        async with self._database.acquire() as connection, connection.transaction():
            await connection.fetch(LOCK_HELD, event_id, seats, customer)
            await connection.execute(MOVE, event_id, seats, SeatState.SOLD, customer)
            await connection.execute(
                "INSERT INTO naive.orders VALUES ($1, $2, $3, $4)", order_id, event_id, customer, total_cents
            )
            await connection.executemany(
                "INSERT INTO naive.ticket (order_id, event_id, seat_index) VALUES ($1, $2, $3)",
                [(order_id, event_id, seat) for seat in seats],
            )
        return OrderSummary(str(order_id), OrderStatus.COMPLETED, total_cents, "USD", tuple(seats))

    async def _snapshot(self, event_id: str) -> str:
        """Kept until something changes: it is not what is to be compared."""
        show = self._shows[event_id]
        revision, text = show.snapshot
        if revision != show.revision:
            revision = show.revision
            rows = await self._database.fetch(
                "SELECT state FROM naive.seat WHERE event_id = $1 ORDER BY seat_index", event_id
            )
            states = bytes(row["state"] for row in rows)
            counts = Counts(*(states.count(state) for state in SeatState))
            text = encode(Snapshot("naive", revision, pack_states(states), counts)).decode()
            show.seat_count, show.snapshot = len(states), (revision, text)
        return text

    async def _tell_all(self, show: Show, patch: Patch) -> None:
        text = encode(patch).decode()
        for watcher in list(show.watchers):
            try:
                await watcher.send_str(text)
            except ConnectionError:
                show.watchers.discard(watcher)


async def run(addresses: Addresses) -> None:
    """Serve on a free port of this machine until standard input ends."""
    raise_open_files_limit()
    loop, orders = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    connections = BlockingConnectionPool(
        max_connections=REDIS_CONNECTIONS,
        timeout=None,
        connection_class=UnixDomainSocketConnection,
        path=addresses.redis_socket,
        password=addresses.redis_password,
    )
    async with (
        asyncpg.create_pool(**addresses.postgres, min_size=POOL_CONNECTIONS, max_size=POOL_CONNECTIONS) as database,
        Redis.from_pool(connections) as redis,
    ):
        await database.execute(SCHEMA)
        runner = web.AppRunner(Naive(database, redis).app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, backlog=LISTEN_BACKLOG)
        await site.start()
        print(f"ready http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await orders.read()
        os._exit(0)  # nothing is worth an orderly end: those who still wait have gone


def main() -> None:
    """Read the addresses, serve."""
    uvloop.run(run(msgspec.json.decode(sys.stdin.buffer.readline(), type=Addresses)))


if __name__ == "__main__":
    main()

"""The store in PostgreSQL: claims, loads, and one call for each batch."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg

from actors.ports import (
    Batch,
    BrokenPromise,
    Claim,
    Committed,
    HeadBusy,
    Known,
    Loaded,
    Outcome,
    OwnershipLost,
    SeatsBusy,
    Store,
    StoreUnavailable,
)
from protocol import limits
from server import store_rows
from server.draws.beacon_address import BeaconAddress
from server.statements import sql
from server.store_queue import load_line, open_lobby

T = TypeVar("T")

_BROKEN_PROMISE = "UB001"
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # see server.database.TROUBLE
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.TransactionRollbackError,
)
ANSWER_S = 2.0
"""How long an answer is waited for before its outcome counts as unknown. Shorter than the lease."""
LOAD_S = 15.0
KEPT_CONNECTIONS = 2
"""So many stay with the store: to give one back and take it anew is a third of the work of a small batch."""
LEFT_BEHIND_MAX = 32
"""So many statements without an answer may be under way; beyond, the store is unavailable at once."""

_LOCKED_TABLE = re.compile(r'relation "(\w+)"')


class PostgresStore(Store):
    """`actors.ports.Store` on a pool of connections. `node_id` answers the owner that claims are made for.
    `beacon` is named by the lobbies that are opened.

    Nobody waits for ever, and nothing is cut off: each request runs in a task of its own. One that takes too long
    is left behind, its outcome unknown; whatever it still does is fenced by owner, term and revision.
    """

    def __init__(self, pool: asyncpg.Pool, node_id: Callable[[], str], beacon: BeaconAddress | None = None) -> None:
        self._pool = pool
        self._beacon = beacon
        self._node_id = node_id
        self._under_way: set[asyncio.Task[Any]] = set()
        self._kept: list[Any] = []
        self._keeps = KEPT_CONNECTIONS

    async def close(self) -> None:
        """Give the connections back to the pool."""
        self._keeps = 0
        while self._kept:
            await self._pool.release(self._kept.pop())

    async def claim(self, event_id: str) -> Claim | None:
        return await self._patiently(self._claim(event_id), ANSWER_S)

    async def release(self, claim: Claim) -> None:
        await self._patiently(self._release(claim), ANSWER_S)

    async def neglected(self, limit: int) -> list[str]:
        return await self._patiently(self._neglected(limit), ANSWER_S)

    async def load(self, claim: Claim) -> Loaded:
        return await self._patiently(self._load(claim), LOAD_S)

    async def commit(self, batch: Batch) -> Outcome:
        return await self._patiently(self._commit(batch), ANSWER_S)

    async def _patiently(self, work: Coroutine[Any, Any, T], patience_s: float) -> T:
        if len(self._under_way) >= LEFT_BEHIND_MAX + self._pool.get_max_size():
            work.close()
            raise StoreUnavailable("too many statements have no answer")
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        # `wait` leaves the task alone when it is over, and when its caller is cancelled.
        await asyncio.wait({task}, timeout=patience_s)
        if not task.done():
            raise StoreUnavailable(f"no answer within {patience_s} s")
        return task.result()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # of one that was left behind; nobody else asks for it

    async def _claim(self, event_id: str) -> Claim | None:
        owner = self._node_id()
        async with self._connection() as connection:
            try:
                term = await connection.fetchval(sql("claim_event"), event_id, owner)
            except asyncpg.LockNotAvailableError as locked:
                raise StoreUnavailable("a batch of the event is under way") from locked
        return None if term is None else Claim(event_id, owner, term)

    async def _release(self, claim: Claim) -> None:
        async with self._connection() as connection:
            await connection.execute(sql("release_event"), claim.event_id, claim.owner, claim.term)

    async def _neglected(self, limit: int) -> list[str]:
        async with self._connection() as connection:
            return [str(row["event_id"]) for row in await connection.fetch(sql("neglected_events"), limit)]

    async def _load(self, claim: Claim) -> Loaded:
        event_id = claim.event_id
        async with self._connection() as connection:
            head = await connection.fetchrow(sql("load_event"), event_id, claim.owner, claim.term)
            read_at_s = asyncio.get_running_loop().time()
            if head is None:
                raise OwnershipLost(f"event {event_id} was claimed by another node")
            runs = await connection.fetch(sql("load_runs"), event_id)
            states = bytes(await connection.fetchval(sql("load_states"), event_id) or ())
            holders = store_rows.holders(await connection.fetch(sql("load_holders"), event_id))
            holds = await connection.fetch(sql("load_holds"), event_id)
            orders = await connection.fetch(sql("load_orders"), event_id)
            ran_out = await connection.fetch(sql("load_ran_out"), event_id, limits.HOLD_EXPIRED_MEMORY_S)
            await open_lobby(connection, event_id, self._beacon)
            line = await load_line(connection, event_id)
        return Loaded(
            now_ms=head["now_ms"],
            read_at_s=read_at_s,
            terms=store_rows.terms(event_id, head),
            revision=head["revision"],
            epoch=head["epoch"],
            runs=[store_rows.run(row) for row in runs],
            accessible=frozenset(seat for row in runs for seat in row["accessible"] or ()),
            companion=frozenset(seat for row in runs for seat in row["companion"] or ()),
            states=states,
            holders=holders,
            holds=store_rows.holds(holds, holders, states),
            orders=[store_rows.order(row) for row in orders],
            ran_out_ms={str(row["customer_id"]): row["at_ms"] for row in ran_out},
            line=line,
        )

    async def _commit(self, batch: Batch) -> Outcome:
        try:
            async with self._connection() as connection:
                if not batch.writes:
                    customers, commands = store_rows.lookup_arguments(batch)
                    found = await connection.fetch(
                        sql("look_up_commands"), batch.claim.event_id, customers, commands
                    )
                    known = tuple(store_rows.stored(row) for row in found)
                    return Known(known) if known else Committed(batch.revision)
                row = await connection.fetchrow(sql("commit_batch"), *store_rows.batch_arguments(batch))
        except asyncpg.LockNotAvailableError as locked:
            return await self._who_is_busy(batch, locked)
        except asyncpg.IntegrityConstraintViolationError as problem:
            raise BrokenPromise(str(problem)) from problem
        except asyncpg.PostgresError as problem:
            if problem.sqlstate == _BROKEN_PROMISE:
                raise BrokenPromise(str(problem)) from problem
            raise
        if row["outcome"] == "committed":
            return Committed(row["head_revision"])
        if row["outcome"] == "known":
            return Known(store_rows.known(row["known"]))
        return _after_the_fence(batch, row)

    async def _who_is_busy(self, batch: Batch, locked: asyncpg.LockNotAvailableError) -> Outcome:
        table = _LOCKED_TABLE.search(str(locked))
        # A server that speaks another language leaves it to the look at the seats.
        if table is not None and table[1] != "seat":
            return HeadBusy()
        wanted = [write.index for write in batch.seats]
        async with self._connection() as connection:
            free = await connection.fetch(sql("unlocked_seats"), batch.claim.event_id, wanted)
        busy = frozenset(wanted) - {row["seat_index"] for row in free}
        return SeatsBusy(busy) if busy else HeadBusy()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            connection = await self._take()
            try:
                yield connection
            except BaseException:
                await self._pool.release(connection)
                raise
            if len(self._kept) < self._keeps:
                self._kept.append(connection)
            else:
                await self._pool.release(connection)
        except _AWAY as problem:
            if isinstance(problem, ValueError):
                raise BrokenPromise(f"a value that PostgreSQL cannot have: {problem}") from problem
            raise StoreUnavailable(f"{type(problem).__name__}: {problem}") from problem

    async def _take(self) -> Any:
        while self._kept:
            connection = self._kept.pop()
            # One that was lost meanwhile is back in the pool, and says so to each question.
            with suppress(asyncpg.InterfaceError):
                if not connection.is_closed():
                    return connection
        return await self._pool.acquire()


def _after_the_fence(batch: Batch, head: Any) -> Committed:
    """An earlier try of this very batch has committed, or the event is no longer ours."""
    claim = batch.claim
    ours = str(head["head_owner"]) == claim.owner and head["head_term"] == claim.term
    if ours and head["head_revision"] == batch.revision + 1:
        return Committed(batch.revision + 1)
    raise OwnershipLost(
        f"event {claim.event_id} is at {head['head_owner']}/{head['head_term']}/{head['head_revision']}, "
        f"not at {claim.owner}/{claim.term}/{batch.revision}"
    )

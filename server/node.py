"""This server process as an owner of events: its lease, renewed each second, and its advisory lock.

Ownership lives in PostgreSQL alone. A node lives for three seconds after its last renewal by PostgreSQL's clock,
and stops answering before that by its own. A crash is seen at once: the lock goes with the connection.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg

from actors.ports import Lease
from server.database import TROUBLE
from server.ending import end
from server.statements import sql

log = logging.getLogger(__name__)

LEASE_S = 3.0
RENEW_S = 1.0
ANSWER_MARGIN_S = 0.25
"""A node stops answering this much before the database could think it dead."""

Connect = Callable[[], Awaitable[asyncpg.Connection]]


class Node(Lease):
    """One incarnation after the other of this process as an owner. `start`, then `stop`."""

    def __init__(self, name: str, connect: Connect) -> None:
        self.name = name
        self._connect = connect
        self._id = ""
        self._connection: asyncpg.Connection | None = None
        self._renewed_at = float("-inf")
        self.renewal_s = 0.0
        """How long the last renewal took."""
        self._task: asyncio.Task[None] | None = None

    @property
    def node_id(self) -> str:
        return self._id

    def is_held(self, owner: str) -> bool:
        since = asyncio.get_running_loop().time() - self._renewed_at
        return owner == self._id and since < LEASE_S - ANSWER_MARGIN_S

    async def start(self) -> None:
        """Register and begin to renew.

        Raises:
            OSError, asyncpg.PostgresError: no database.
        """
        await self._register()
        self._task = asyncio.create_task(self._keep(), name="node lease")

    async def stop(self) -> None:
        """Give the lease back: whatever is still owned is free at once."""
        await end(self._task)
        if self._connection is not None:
            with contextlib.suppress(*TROUBLE):
                await self._connection.execute(sql("end_node"), self._id, timeout=1)
                await self._connection.close(timeout=1)
        self._renewed_at = float("-inf")

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                await self._renew()
            except TROUBLE as problem:
                log.warning("the lease was not renewed: %s", problem)
            except Exception:  # whatever it is, this has to go on
                log.exception("the lease was not renewed")

    async def _renew(self) -> None:
        began = asyncio.get_running_loop().time()
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = await self._reconnect(self._id)
        renewed = await connection.fetchval(sql("renew_node"), self._id, LEASE_S, timeout=LEASE_S)
        if renewed is None:
            log.warning("the lease of node %s has run out; a new incarnation begins", self._id)
            await self._register()
        else:
            self._renewed_at = began
            self.renewal_s = asyncio.get_running_loop().time() - began

    async def _reconnect(self, node_id: str) -> asyncpg.Connection:
        connection = await self._connect()
        try:
            await connection.execute(sql("take_node_lock"), node_id, timeout=RENEW_S)
        except BaseException:
            connection.terminate()  # without the lock, others would think that we are dead
            raise
        self._connection = connection
        return connection

    async def _register(self) -> None:
        began, node_id = asyncio.get_running_loop().time(), str(uuid4())
        self._renewed_at = float("-inf")
        if self._connection is not None:
            self._connection.terminate()
        connection = await self._reconnect(node_id)
        await connection.execute(sql("register_node"), node_id, self.name, LEASE_S)
        await connection.execute(sql("forget_dead_nodes"))
        self._id, self._renewed_at = node_id, began

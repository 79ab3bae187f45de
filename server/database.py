"""The pool of PostgreSQL connections, and single ones beside it."""

import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

from server.engines import EngineError, PostgresAddress
from server.statements import sql

TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""All that a database may raise that is away, on its way out, or not content with what it is asked.

The last one: a statement came to a connection that has been told its end and is not closed yet.
"""
CONNECT_TIMEOUT_S = 5.0
DROP_MAX = 1_000
"""So many rows are dropped by one statement: each has its end long before the time limit of a transaction."""
KEEPALIVE_IDLE_S = 10
KEEPALIVE_INTERVAL_S = 5
KEEPALIVE_TRIES = 3
UNACKNOWLEDGED_MS = 5_000

_SERVER_SETTINGS = {
    "application_name": "usher",
    "idle_in_transaction_session_timeout": "1s",
    "transaction_timeout": "5s",
    "lock_timeout": "250ms",
    "tcp_keepalives_idle": str(KEEPALIVE_IDLE_S),
    "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL_S),
    "tcp_keepalives_count": str(KEEPALIVE_TRIES),
    "TimeZone": "UTC",
}


class PlainConnection(asyncpg.Connection):
    """A connection without session state: nobody may SET, LISTEN or take a session lock on it.

    So there is nothing to reset, and giving it back to the pool costs no round trip.
    """

    def get_reset_query(self) -> str:
        return ""


async def open_pool(address: PostgresAddress, *, min_size: int = 1, max_size: int = 10) -> asyncpg.Pool:
    """A pool whose connections end long transactions and lock waits by themselves, and notice a dead peer.

    A connection of one's own (advisory locks, migrations) is not to be taken from it.

    Raises:
        OSError, asyncpg.PostgresError: the database cannot be reached, or refuses us.
    """
    return await asyncpg.create_pool(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        min_size=min_size,
        max_size=max_size,
        timeout=CONNECT_TIMEOUT_S,
        connection_class=PlainConnection,
        server_settings=_SERVER_SETTINGS,
        init=_keep_alive,
    )


async def connect(address: PostgresAddress) -> asyncpg.Connection:
    """One plain connection beside the pool, for what keeps session state: migrations, advisory locks.

    It has none of the pool's time limits, but notices a dead peer too.

    Raises:
        OSError, asyncpg.PostgresError: the database cannot be reached, or refuses us.
    """
    connection = await asyncpg.connect(
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=address.database,
        timeout=CONNECT_TIMEOUT_S,
        server_settings={name: _SERVER_SETTINGS[name] for name in _SERVER_SETTINGS if not name.endswith("timeout")},
    )
    await _keep_alive(connection)
    return connection


@asynccontextmanager
async def connected(address: PostgresAddress) -> AsyncIterator[asyncpg.Connection]:
    """Such a connection for as long as the block lasts.

    Raises:
        EngineError: PostgreSQL cannot be reached, or refuses us; the text tells the operator.
    """
    try:
        connection = await connect(address)
    except (OSError, TimeoutError, asyncpg.PostgresError) as problem:
        raise EngineError(f"PostgreSQL at {address.host} does not answer: {problem}") from problem
    try:
        yield connection
    finally:
        await connection.close()


async def drop_old(database: asyncpg.Pool, statement: str, before: datetime) -> None:
    """Delete what is older, `DROP_MAX` rows at a time, by a named statement that takes both."""
    while await database.execute(sql(statement), before, DROP_MAX) == f"DELETE {DROP_MAX}":
        pass


async def _keep_alive(connection: Any) -> None:
    """Have our side probe an idle TCP connection too; asyncpg has no parameter for it."""
    inner = getattr(connection, "_con", connection)
    sock: socket.socket | None = inner._transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_TRIES)
        # Keepalive says nothing while data is unacknowledged; without this a lost path is noticed after minutes.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)

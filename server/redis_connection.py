"""Redis clients that give up early: Redis is a cache, a mirror and a bus, and nobody waits for it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from redis.asyncio import BlockingConnectionPool, Redis, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from server.engines import RedisAddress

OnConnect = Callable[[AbstractConnection], Awaitable[None]]

CONNECT_TIMEOUT_S = 0.5
ANSWER_TIMEOUT_S = 0.5
CONNECTIONS_MAX = 16


def open_redis(address: "RedisAddress", *, database: int = 0, on_connect: OnConnect | None = None) -> "Redis":
    """A client that connects when it is first used, never retries by itself and answers in bytes.

    At most `CONNECTIONS_MAX` connections; a caller waits its turn for `ANSWER_TIMEOUT_S`. `on_connect` is
    awaited for every new connection before its first command. Nothing is sent here, so this raises nothing.
    Every command may raise `redis.RedisError` (its ConnectionError and TimeoutError among them) and OSError.
    """
    settings: dict[str, Any] = {
        "db": database,
        "password": address.password,
        "socket_connect_timeout": CONNECT_TIMEOUT_S,
        "socket_timeout": ANSWER_TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
    }
    if address.unix_socket is not None:
        settings |= {"connection_class": UnixDomainSocketConnection, "path": address.unix_socket}
    else:
        settings |= {"host": address.host, "port": address.port, "socket_keepalive": True}
    if on_connect is not None:
        settings["redis_connect_func"] = _then(on_connect)
    pool = BlockingConnectionPool(max_connections=CONNECTIONS_MAX, timeout=ANSWER_TIMEOUT_S, **settings)
    return Redis.from_pool(pool)


def _then(on_connect: OnConnect) -> OnConnect:
    async def connected(connection: AbstractConnection) -> None:
        await connection.on_connect()
        await on_connect(connection)

    return connected

"""Idempotency-Keys: those whose first request is still running in this process, how a key is refused, its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from actors.core.model import IdempotencyKey
from protocol import limits
from server.rest.envelope import Refused
from server.statements import sql

DROP_MAX = 1_000
"""So many keys are dropped by one statement."""


class KeysUnderWay:
    """Keys per customer, with the hash of the request that has them."""

    def __init__(self) -> None:
        self._running: dict[tuple[UUID, str], bytes] = {}

    @contextmanager
    def take(self, customer_id: UUID, key: IdempotencyKey) -> Iterator[None]:
        """Have the key to oneself.

        Raises:
            Refused: 409 while the same request is running, 422 while another one with this key is.
        """
        mine = (customer_id, key.key)
        running = self._running.get(mine)
        if running is not None:
            same_request(key, running)
            raise still_running()
        self._running[mine] = key.request_hash
        try:
            yield
        finally:
            del self._running[mine]


def same_request(key: IdempotencyKey, first_hash: bytes) -> None:
    """Is this the request that first had the key?

    Raises:
        Refused: 422, it is another one.
    """
    if key.request_hash != first_hash:
        raise Refused(422, "This Idempotency-Key was used for another request", "key_reused")


def still_running() -> Refused:
    """The refusal while the first request with this key has no outcome."""
    return Refused(409, "The request with this Idempotency-Key is still running", "key_running")


def keys_live_since(now: datetime) -> datetime:
    """Keys that were first used before this have run out: the same request with one is a new request."""
    return now - timedelta(seconds=limits.COMMAND_MEMORY_S)


async def drop_old_keys(database: asyncpg.Pool, now: datetime) -> None:
    """Drop the keys that have run out, a bounded number at a time."""
    while await database.fetchval(sql("drop_old_keys"), keys_live_since(now), DROP_MAX) == DROP_MAX:
        pass

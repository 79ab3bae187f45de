"""What is to be done each hour: room is made in the journal, and what has run out is dropped."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from server.rest.keys_under_way import drop_old_keys
from server.services import Services
from server.statements import sql

SWEEP_S = 3600.0

log = logging.getLogger(__name__)


async def sweep_for_ever(parts: Services) -> None:
    """Sweep each hour, from now on. Ends when cancelled."""
    while True:
        await sweep(parts)
        await asyncio.sleep(SWEEP_S)


async def sweep(parts: Services) -> None:
    """Do each part of it, whatever becomes of the others. The journal comes first: without room nothing is sold."""
    steps: tuple[tuple[str, Callable[[], Awaitable[object]]], ...] = (
        ("the journal", lambda: parts.database.execute(sql("journal_partitions"))),
        ("sessions", parts.sessions.sweep),
        ("accounts", parts.accounts.sweep),
        ("keys", lambda: drop_old_keys(parts.database, parts.now())),
    )
    for name, step in steps:
        try:
            await step()
        except Exception:
            log.exception("the hourly sweep of %s failed", name)

"""Lobbies opened and their chains' heads published, each second: what was published cannot be changed unseen.

Every node publishes, and the first time counts: the entries say what the head is.
"""

import asyncio
import logging
from uuid import UUID

import asyncpg

from actors.core import draw
from server.database import TROUBLE
from server.draws.beacon_address import BeaconAddress
from server.statements import sql
from server.store_queue import open_lobby

PUBLISH_S = 1.0
PIECE = 5_000
"""So many entries are hashed before others have the loop: 6 ms."""

log = logging.getLogger(__name__)


async def publish_for_ever(database: asyncpg.Pool, beacon: BeaconAddress | None) -> None:
    """Publish each second. Ends when cancelled."""
    while True:
        try:
            await open_lobbies(database, beacon)
            await publish_heads(database)
        except TROUBLE as error:
            log.warning("lobbies could not be opened, or their heads not be published: %r", error)
        await asyncio.sleep(PUBLISH_S)


async def open_lobbies(database: asyncpg.Pool, beacon: BeaconAddress | None) -> None:
    """Open the lobby of every event that has a draw: its commitment is there before anybody joins."""
    for row in await database.fetch(sql("lobbies_to_open")):
        await open_lobby(database, str(row["id"]), beacon)


async def publish_heads(database: asyncpg.Pool) -> None:
    """Publish a head for every lobby that somebody has joined since the last one."""
    for row in await database.fetch(sql("lobbies_that_grew")):
        head, count = row["head"], row["count"] or 0
        if head is None:
            head = draw.genesis(row["event_id"], row["commitment"], row["beacon_chain"])
        count, head = await chained_up(database, row["event_id"], count, head, None)
        await database.execute(sql("publish_head"), row["event_id"], count, head)


async def head_at(database: asyncpg.Pool, event_id: UUID, position: int, genesis: bytes) -> bytes:
    """The head with the entry at this position as its last; the entry is there."""
    before = await database.fetchrow(sql("head_before"), event_id, position)
    count, head = (0, genesis) if before is None else (before["count"], before["head"])
    found, head = await chained_up(database, event_id, count, head, position)
    assert found == position, f"the chain ends at {found} and not at {position}"
    return head


async def chained_up(
    database: asyncpg.Pool, event_id: UUID, count: int, head: bytes, last: int | None
) -> tuple[int, bytes]:
    """Go on from the head at `count` to the entry at `last`, or the end of the chain; where that is, its head."""
    while last is None or count < last:
        wanted = PIECE if last is None else min(PIECE, last - count)
        rows = await database.fetch(sql("chain_after"), event_id, count, wanted)
        for row in rows:
            assert row["position"] == count + 1, f"entry {count + 1} of the chain of {event_id} is missing"
            count, head = row["position"], draw.next_head(head, draw.entry_id(event_id, row["nonce"]))
        if len(rows) < wanted:
            break
    return count, head

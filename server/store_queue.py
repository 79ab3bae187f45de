"""The waiting room in PostgreSQL: what a batch writes of it, and how it is loaded."""

import secrets
from typing import Any
from uuid import UUID

import msgspec

from actors.core.draw import HASH_BYTES, commitment
from actors.core.model import Drawn, DrawTerms, QueueEntry, QueueState
from actors.ports import Batch, LoadedLine
from server.arrays import array
from server.draws.beacon_address import BeaconAddress
from server.statements import sql

_NOTHING = (None,) * 10


def queue_arguments(batch: Batch) -> tuple[Any, ...]:
    """The last parameters of `commit_batch_v4`, in its order."""
    entries = batch.queue
    ended = batch.drawn or batch.closed
    if not entries and ended is None:
        return _NOTHING
    return (
        [entry.customer for entry in entries],
        [str(entry.state) for entry in entries],
        array([entry.joined_ms for entry in entries]),
        array([entry.place for entry in entries]),
        array([entry.position for entry in entries]),
        [entry.nonce for entry in entries],
        array([entry.until_ms for entry in entries]),
        array([entry.admitted_ms for entry in entries]),
        array([entry.has_missed for entry in entries]),
        None if ended is None else msgspec.json.encode(ended).decode(),
    )


async def open_lobby(connection: Any, event_id: str, beacon: BeaconAddress | None) -> None:
    """Choose the operator's seed and commit to it, and to a beacon, unless that was done before."""
    seed = secrets.token_bytes(HASH_BYTES)
    chain, url = (None, None) if beacon is None else (beacon.chain, beacon.url)
    await connection.execute(sql("open_draw"), event_id, seed, commitment(UUID(event_id), seed), chain, url)


async def load_line(connection: Any, event_id: str) -> LoadedLine:
    """The waiting room of an event that is ours, whose lobby is open."""
    draws = await connection.fetchrow(sql("load_draw"), event_id)
    rows = await connection.fetch(sql("load_queue"), event_id)
    line = await connection.fetchrow(sql("load_line"), event_id)
    drawn = None
    if draws["at_ms"] is not None:
        drawn = Drawn(draws["at_ms"], draws["entry_count"], draws["final_head"], draws["seed"])
    return LoadedLine(
        DrawTerms(draws["operator_seed"], draws["beacon_chain"], draws["closed_ms"], drawn),
        [_entry(row) for row in rows],
        line["tail"],
        line["admitted_upto"],
        line["admitted_ms"],
    )


def _entry(row: Any) -> QueueEntry:
    return QueueEntry(
        str(row["customer_id"]),
        QueueState(row["state"]),
        row["joined_ms"],
        row["place"],
        row["position"],
        row["nonce"],
        row["until_ms"],
        row["admitted_ms"],
        row["has_missed"],
    )

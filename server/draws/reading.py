"""The published document of a draw, from what is stored."""

import asyncio
from collections import OrderedDict
from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec

from actors.core import draw
from protocol.draw_document import (
    VERSION,
    Beacon,
    DrawDocument,
    DrawStatus,
    EarlierDraw,
    HeadAt,
    PublishedKey,
    SignedHead,
    signed_head,
)
from server.rest.envelope import iso, iso_or_none
from server.signing import SigningKeys, canonical
from server.statements import sql

WITHHELD_AFTER = timedelta(minutes=10)
"""So long after the sale began without a draw, the seed counts as withheld."""
KEPT_MAX = 4
"""So many drawn documents are kept as they are sent, each with up to 7.3 MB for 100,000 entries."""


class PublishedDraws:
    """Answers what is published about each event's draw."""

    def __init__(self, database: asyncpg.Pool, keys: SigningKeys) -> None:
        self._database = database
        self._keys = keys
        self._kept: OrderedDict[tuple[UUID, int], bytes] = OrderedDict()
        self._making = asyncio.Lock()

    async def body(self, event_id: UUID) -> bytes | None:
        """The document as JSON; None: the event has no draw, or it was published this second."""
        row = await self._database.fetchrow(sql("draw_to_publish"), event_id)
        if row is None:
            return None
        earlier = await self._database.fetch(sql("earlier_draws"), event_id)
        if row["drawn_at"] is None:
            return await asyncio.to_thread(msgspec.json.encode, await self._document(event_id, row, earlier))
        key = event_id, len(earlier)
        async with self._making:
            if key not in self._kept:
                document = await self._document(event_id, row, earlier)
                self._kept[key] = await asyncio.to_thread(msgspec.json.encode, document)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
            return self._kept[key]

    async def _document(self, event_id: UUID, row: asyncpg.Record, earlier: list[asyncpg.Record]) -> DrawDocument:
        status = _status(row)
        genesis = draw.genesis(event_id, row["commitment"], row["beacon_chain"])
        heads = [HeadAt(0, genesis.hex(), iso(row["opened_at"]))]
        for count, head, at in await self._database.fetch(sql("published_heads"), event_id):
            heads += [HeadAt(count, head.hex(), iso(at))]
        entries: list[bytes] = []
        places: list[int] = []
        closed_at = None
        if status != "lobby":
            closed_at = iso(row["closed_at"] or row["drawn_at"] or row["on_sale_at"])
            chain = await self._database.fetch(sql("chain_after"), event_id, 0, row["chained"])
            entries, places, final = await asyncio.to_thread(
                _computed, event_id, genesis, [one["nonce"] for one in chain], row["seed"]
            )
            # A head of the last second may be published after the end: it is the final one, which stands apart.
            heads = [head for head in heads if head.at <= closed_at or head.count == 0]
            newest = HeadAt(len(entries), (row["final_head"] or final).hex(), closed_at)
        else:
            newest = heads[-1]
        return DrawDocument(
            version=VERSION,
            event_id=event_id,
            status=status,
            commitment=row["commitment"].hex(),
            opened_at=iso(row["opened_at"]),
            closed_at=closed_at,
            beacon=_beacon(row),
            last_head=await self._signed(event_id, newest),
            heads=heads,
            count=newest.count,
            operator_seed=row["operator_seed"].hex() if status == "drawn" else None,
            entries=[entry.hex() for entry in entries],
            places=places,
            earlier_draws=[_earlier(one) for one in earlier],
            keys=[PublishedKey(key.key_id, key.public_key.hex()) for key in await self._keys.public_keys()],
        )

    async def _signed(self, event_id: UUID, head: HeadAt) -> SignedHead:
        key_id, signature = await self._keys.sign("draw-head", canonical(signed_head(event_id, head)))
        return SignedHead(head.count, head.head, head.at, key_id, signature.hex())


def _beacon(row: asyncpg.Record) -> Beacon | None:
    """The beacon that the draw was committed to, with its round once that has come."""
    if row["beacon_chain"] is None:
        return None
    return Beacon(
        chain=row["beacon_chain"].hex(),
        url=row["beacon_url"] or "",
        round=row["beacon_round"],
        round_at=iso_or_none(row["beacon_round_at"]),
        value=None if row["beacon"] is None else row["beacon"].hex(),
        signature=None if row["beacon_signature"] is None else row["beacon_signature"].hex(),
    )


def _status(row: asyncpg.Record) -> DrawStatus:
    if row["drawn_at"] is not None:
        return "drawn"
    now, closed_at = row["now"], row["closed_at"]
    if not row["chained"]:
        return "nobody_joined" if now >= row["on_sale_at"] else "lobby"
    if closed_at is not None and now <= (row["beacon_round_at"] or closed_at) + WITHHELD_AFTER:
        return "awaiting_beacon"
    return "seed_withheld" if now > (closed_at or row["on_sale_at"]) + WITHHELD_AFTER else "lobby"


def _computed(
    event_id: UUID, genesis: bytes, nonces: list[bytes], seed: bytes | None
) -> tuple[list[bytes], list[int], bytes]:
    """The entries, their places where there is a seed, and the final head; takes half a second for 100,000."""
    entries = [draw.entry_id(event_id, nonce) for nonce in nonces]
    final = genesis
    for final in draw.heads(genesis, entries):  # noqa: B007 (the last one is wanted)
        pass
    if seed is None:
        return entries, [], final
    place_of = {entry: place for place, entry in enumerate(draw.drawn_order(seed, entries), 1)}
    return entries, [place_of[entry] for entry in entries], final


def _earlier(row: asyncpg.Record) -> EarlierDraw:
    final_head = None if row["final_head"] is None else row["final_head"].hex()
    return EarlierDraw(row["commitment"].hex(), final_head, row["entry_count"], iso(row["replaced_at"]))

"""The signed receipt of somebody's entry: what they keep, to show that it was there."""

from uuid import UUID

import asyncpg
from msgspec.structs import replace

from actors.core import draw
from protocol.draw_document import VERSION, SignedReceipt, signed_receipt
from server.draws.heads import head_at
from server.rest.envelope import iso
from server.signing import SigningKeys, canonical
from server.statements import sql


async def receipt_of(
    database: asyncpg.Pool, keys: SigningKeys, event_id: UUID, customer_id: UUID
) -> SignedReceipt | None:
    """The receipt of a customer's entry in the draw; None: there is no such entry."""
    row = await database.fetchrow(sql("own_entry"), event_id, customer_id)
    if row is None:
        return None
    genesis = draw.genesis(event_id, row["commitment"], row["beacon_chain"])
    head = await head_at(database, event_id, row["position"], genesis)
    is_ours = row["nonce"] == draw.server_nonce(row["operator_seed"], event_id, str(customer_id))
    receipt = SignedReceipt(
        version=VERSION,
        event_id=event_id,
        entry_id=draw.entry_id(event_id, row["nonce"]).hex(),
        nonce=row["nonce"].hex(),
        nonce_by="server" if is_ours else "client",
        position=row["position"],
        head=head.hex(),
        commitment=row["commitment"].hex(),
        beacon_chain=None if row["beacon_chain"] is None else row["beacon_chain"].hex(),
        joined_at=iso(row["joined_at"]),
        key_id="",
        signature="",
    )
    key_id, signature = await keys.sign("draw-receipt", canonical(signed_receipt(receipt)))
    return replace(receipt, key_id=key_id, signature=signature.hex())

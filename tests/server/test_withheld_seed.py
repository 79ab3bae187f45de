"""A draw that is due and is not made, or not told: the publication says so by itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from actors.core import draw
from protocol.draw_document import DrawDocument
from server.draws.reading import WITHHELD_AFTER, PublishedDraws
from server.signing import SigningKeys
from tests.server.parts import add_show


async def test_a_seed_that_is_withheld_is_told(database: asyncpg.Pool) -> None:
    """No server is there, and nobody has made the draw."""
    event_id = UUID(await add_show(database, on_sale_in=-WITHHELD_AFTER - timedelta(seconds=1)))
    committed = draw.commitment(event_id, bytes(32))
    await database.execute("UPDATE event SET waiting_room_enabled = true WHERE id = $1", event_id)
    await database.execute(
        "INSERT INTO queue_draw (event_id, operator_seed, commitment, opened_at) VALUES ($1, $2, $3, now())",
        *(event_id, bytes(32), committed),
    )
    draws = PublishedDraws(database, SigningKeys(database, lambda: datetime.now(UTC)))
    assert await status_in(draws, event_id) == ("nobody_joined", 0), "the control: nothing to draw"
    await database.execute(
        "INSERT INTO queue_entry (event_id, customer_id, state, joined_at, position, nonce, has_missed)"
        " SELECT $1, gen_random_uuid(), 'lobby', now(), n, sha256(n::text::bytea), false"
        " FROM generate_series(1, 3) n",
        event_id,
    )
    assert await status_in(draws, event_id) == ("seed_withheld", 3)
    await database.execute("UPDATE event SET on_sale_at = now() - interval '9 minutes' WHERE id = $1", event_id)
    assert await status_in(draws, event_id) == ("lobby", 0)
    await database.execute("UPDATE queue_draw SET closed_at = now() - interval '9 minutes'")
    assert await status_in(draws, event_id) == ("awaiting_beacon", 3)
    await database.execute("UPDATE queue_draw SET closed_at = now() - interval '11 minutes'")
    assert await status_in(draws, event_id) == ("seed_withheld", 3), "a beacon that nobody can reach looks the same"


async def status_in(draws: PublishedDraws, event_id: UUID) -> tuple[str, int]:
    """The status that is published, and how many entries."""
    body = await draws.body(event_id)
    assert body is not None
    document = msgspec.json.decode(body, type=DrawDocument)
    assert document.operator_seed is None
    return document.status, len(document.entries)

"""Rows that somebody's SQL has parted: the event loads all the same, and sells."""

from uuid import UUID

import pytest

from tests.server.parts import SHARED, Usher, until

pytestmark = SHARED


async def test_a_hold_without_seats_is_as_if_not_there(usher: Usher, caplog: pytest.LogCaptureFixture) -> None:
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    await usher.reserve(event_id, [5], ben)
    await usher.database.execute(
        "INSERT INTO hold (event_id, customer_id, started_at, changed_at, expires_at, extended)"
        " VALUES ($1, $2, now(), now(), now() + interval '10 minutes', false)",
        UUID(event_id),
        UUID(ada.id),
    )
    await usher.unload(event_id)
    assert (await usher.buy(ben)).status == 200
    assert f"customer {ada.id} has a hold without seats" in caplog.text
    assert (await usher.rest("GET", "/seats/reservation", by=ada)).data is None
    # The next hold takes the row over.
    assert len((await usher.reserve(event_id, [0, 1], ada)).data["seats"]) == 2
    await usher.unload(event_id)
    assert (await usher.buy(ada)).status == 200
    assert await usher.database.fetchval("SELECT count(*) FROM hold WHERE event_id = $1", UUID(event_id)) == 0


async def test_held_seats_without_a_hold_come_free(usher: Usher, caplog: pytest.LogCaptureFixture) -> None:
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    await usher.reserve(event_id, [0, 1], ada)
    await usher.reserve(event_id, [2], ben)
    await usher.database.execute(
        "DELETE FROM hold WHERE event_id = $1 AND customer_id = $2", UUID(event_id), UUID(ada.id)
    )
    await usher.unload(event_id)
    assert (await usher.rest("GET", f"/seats/{event_id}/sections/Floor")).status == 200

    async def are_free() -> bool:
        return (await usher.seat_states(event_id))[:3] == [0, 0, 1]

    await until(are_free)
    assert f"customer {ada.id} has held seats without a hold" in caplog.text
    assert (await usher.reserve(event_id, [0, 1], ben)).status == 200
    assert (await usher.reserve(event_id, [3], ada)).status == 200
    assert (await usher.buy(ben)).status == 200
    assert (await usher.buy(ada)).status == 200

"""Tickets that prove themselves: who buys gets signed codes, and an entry for the calendar."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from icalendar import Calendar

from server.calendar_entry import calendar_entry
from server.signing import canonical
from server.tickets import PREFIX, parts_of, verified
from tests.server.parts import SHARED, Json, Usher

pytestmark = SHARED


async def bought(usher: Usher) -> tuple[str, list[Json], Json]:
    """An event, the tickets that are left of a cancelled order in it, and that order as it was before."""
    event_id, ada = await usher.event(), await usher.customer()
    await usher.reserve(event_id, [0, 25], ada)
    path = f"/checkout/orders/{(await usher.buy(ada)).data['order']['id']}"
    shown = (await usher.rest("GET", path, by=ada)).data
    assert (await usher.rest("POST", f"{path}/cancel", by=ada)).status == 200
    return event_id, (await usher.rest("GET", path, by=ada)).data["tickets"], shown


async def test_a_code_is_verified_by_hand_with_the_public_key(usher: Usher) -> None:
    event_id, _, shown = await bought(usher)
    keys = {key["key_id"]: key for key in (await usher.rest("GET", "/signing-keys")).data}
    for ticket, item in zip(shown["tickets"], shown["items"], strict=True):
        parts = parts_of(ticket["code"])
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(keys[parts.signature.key_id]["public_key"]))
        public.verify(parts.signature.value, b"usher.signed.v1.ticket\0" + parts.document)
        said = json.loads(parts.document)
        assert said == {"event": event_id, "seat": int(item["seat_id"]), "ticket": ticket["id"]}
        assert ticket["seat_id"] == item["seat_id"]
        assert await verified(usher.parts.signing_keys, ticket["code"]) is not None


async def test_a_cancelled_order_has_no_codes(usher: Usher) -> None:
    _, after, before = await bought(usher)
    assert before["tickets"]
    assert after == []


async def test_an_altered_code_is_not_ours(usher: Usher) -> None:
    keys = usher.parts.signing_keys
    _, _, shown = await bought(usher)
    first, second = (ticket["code"] for ticket in shown["tickets"])
    _, key_id, document, signature = first.split(".")
    forged = [
        ".".join((PREFIX, key_id, second.split(".")[2], signature)),
        ".".join((PREFIX, "0" * 16, document, signature)),
        ".".join((PREFIX, key_id, document, signature[:-4])),
        ".".join(("USHER2", key_id, document, signature)),
        first.replace(".", ":"), first + "=", "", "....", "é", "https://example.org",
    ]  # fmt: skip
    assert await verified(keys, first) is not None
    for code in forged:
        assert await verified(keys, code) is None, code


async def test_what_was_signed_as_something_else_is_no_ticket(usher: Usher) -> None:
    _, _, shown = await bought(usher)
    code = shown["tickets"][0]["code"]
    parts = parts_of(code)
    assert not await usher.parts.signing_keys.verify("draw-receipt", parts.document, parts.signature)
    assert canonical(json.loads(parts.document)) == parts.document


async def test_an_order_has_an_entry_for_the_calendar(usher: Usher) -> None:
    _, _, shown = await bought(usher)
    order = shown["order"]
    (entry,) = Calendar.from_ical(str(shown["calendar"])).walk("VEVENT")
    assert entry["SUMMARY"] == order["event_name"]
    assert entry["UID"] == f"{order['id']}@usher"
    begins = datetime.fromisoformat(order["event_date"])
    assert entry.decoded("DTSTART") == begins.replace(microsecond=0)


@pytest.mark.parametrize("name", ["Commas, semicolons; \\ and\nlines", "Ärger mit Ümläuten " * 8])
async def test_any_name_survives_the_calendar(name: str) -> None:
    begins = datetime(2031, 5, 1, 20, tzinfo=UTC)
    text = calendar_entry(
        UUID(int=1), name, "The Hall, 1 Hall Street", begins, ["Floor, A, 1"], begins - timedelta(9)
    )
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "DTSTART:20310501T200000Z" in text
    (entry,) = Calendar.from_ical(text).walk("VEVENT")
    assert str(entry["SUMMARY"]) == name

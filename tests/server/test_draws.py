"""The draw on a real server: people join over REST, keep their receipts, and check what is published with them."""

import asyncio
from typing import Any
from uuid import UUID

import msgspec
import pytest

from actors.core import draw
from actors.core.draw_checks import Finding
from protocol.draw_document import DrawDocument, SignedReceipt
from server.draws.heads import publish_heads
from server.draws.verifying import find_faults
from tests.server.draws import add_lobby
from tests.server.parts import DEADLINE_S, SHARED, Customer, Usher

pytestmark = SHARED


async def join(usher: Usher, event_id: str, count: int) -> list[Customer]:
    people = [await usher.customer(f"Entrant {number}") for number in range(count)]
    for one in people:
        assert (await usher.rest("POST", f"/queue/{event_id}/join", by=one)).status == 200
    return people


async def published(usher: Usher, event_id: str) -> DrawDocument:
    await publish_heads(usher.database)
    return msgspec.convert((await usher.rest("GET", f"/queue/{event_id}/draw")).data, DrawDocument)


async def receipt(usher: Usher, event_id: str, by: Customer) -> SignedReceipt:
    return msgspec.convert((await usher.rest("GET", f"/queue/{event_id}/receipt", by=by)).data, SignedReceipt)


async def drawn(usher: Usher, event_id: str) -> DrawDocument:
    """Open the sale, wait for the draw."""
    olga = await usher.sign_in(await add_admin(usher))
    opened = await usher.rest("PATCH", f"/events/{event_id}/status", {"status": "on_sale"}, olga)
    assert opened.status == 200, opened.body
    async with asyncio.timeout(DEADLINE_S):
        while (found := await published(usher, event_id)).status != "drawn":  # noqa: ASYNC110 (nothing tells of the draw)
            await asyncio.sleep(0.02)
    return found


async def add_admin(usher: Usher) -> UUID:
    olga = await usher.customer("Olga")
    await usher.database.execute("UPDATE customer SET role = 'admin' WHERE id = $1", UUID(olga.id))
    return UUID(olga.id)


def codes(found: list[Finding]) -> set[str]:
    return {one.code for one in found}


async def test_a_draw_from_the_lobby_to_the_check(usher: Usher) -> None:
    event_id = await add_lobby(usher)
    people = await join(usher, event_id, 3)
    lobby = await published(usher, event_id)
    assert (lobby.status, lobby.count, lobby.entries, lobby.operator_seed) == ("lobby", 3, [], None)
    people += await join(usher, event_id, 5)
    receipts = [await receipt(usher, event_id, one) for one in people]
    assert [one.position for one in receipts] == list(range(1, 9))

    document = await drawn(usher, event_id)
    assert (document.count, sorted(document.places)) == (8, list(range(1, 9)))
    for own in receipts:
        assert find_faults(document, own, lobby) == []
    # The places that were published are those in which people stand.
    for one, own in zip(people, receipts, strict=True):
        status = (await usher.rest("GET", f"/queue/{event_id}/status", by=one)).data
        if status["status"] == "waiting":
            assert status["place"] == document.places[own.position - 1]
    assert (await receipt(usher, event_id, people[4])).signature == receipts[4].signature, "it stays the same"
    for own in receipts:
        owner = people[own.position - 1].id
        nonce = draw.server_nonce(bytes.fromhex(document.operator_seed or ""), UUID(event_id), owner)
        assert (own.nonce, own.nonce_by) == (nonce.hex(), "server")


async def test_the_nonce_of_an_entrant(usher: Usher) -> None:
    event_id, ada = await add_lobby(usher), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        accepted = await socket.ask("join_queue", nonce="ab" * 32)
    own = await receipt(usher, event_id, ada)
    assert (own.nonce, own.nonce_by) == ("ab" * 32, "client")
    shown = accepted["queue"]["receipt"]
    assert {name: getattr(own, name) for name in shown} == shown, "the socket says the same, unsigned"


async def test_joining_over_rest_takes_a_nonce_and_gives_the_signed_receipt(usher: Usher) -> None:
    event_id, ada, bob = await add_lobby(usher), await usher.customer(), await usher.customer()
    for bad in ("ab" * 31, "AB" * 32, "not hexadecimal"):
        refused = await usher.rest("POST", f"/queue/{event_id}/join", by=ada, headers={"X-Lobby-Nonce": bad})
        assert (refused.status, refused.body["code"]) == (400, "bad_command")
    mine = {"X-Lobby-Nonce": "cd" * 32}
    joined = await usher.rest("POST", f"/queue/{event_id}/join", by=ada, headers=mine)
    signed = msgspec.convert(joined.data["signed_receipt"], SignedReceipt)
    assert (signed.nonce, signed.nonce_by, signed.position) == ("cd" * 32, "client", 1)
    assert signed == await receipt(usher, event_id, ada)
    assert find_faults(await published(usher, event_id), signed, None) == []
    taken = await usher.rest("POST", f"/queue/{event_id}/join", by=bob, headers=mine)
    assert (taken.status, taken.body["code"]) == (400, "bad_command"), "two accounts would be one entry"
    assert (await usher.rest("POST", f"/queue/{event_id}/join", by=bob)).data["signed_receipt"]["position"] == 2
    again = await usher.rest("POST", f"/queue/{event_id}/join", by=ada)
    assert again.data["signed_receipt"] == joined.data["signed_receipt"], "the receipt of an entry stays the same"


async def test_what_the_operator_changes_in_the_database_is_found(usher: Usher) -> None:
    """The control of all of it: the server itself publishes what was tampered with."""
    event_id = await add_lobby(usher)
    people = await join(usher, event_id, 4)
    lobby, own = await published(usher, event_id), await receipt(usher, event_id, people[2])
    await usher.database.execute(
        "UPDATE queue_entry SET nonce = sha256(nonce) WHERE event_id = $1 AND position = 3", UUID(event_id)
    )
    document = await drawn(usher, event_id)
    assert "chain_broken" in codes(find_faults(document, None, None))
    assert "history_changed" in codes(find_faults(document, None, lobby))
    assert "entry_dropped" in codes(find_faults(document, own, None))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE queue_draw SET seed = sha256(seed) WHERE event_id = $1",
        "UPDATE queue_draw SET drawn_at = drawn_at + interval '1 minute' WHERE event_id = $1",
    ],
)
async def test_a_second_draw_is_told(usher: Usher, change: str) -> None:
    event_id = await add_lobby(usher)
    await join(usher, event_id, 2)
    first = await drawn(usher, event_id)
    assert first.earlier_draws == []
    await usher.database.execute(change, UUID(event_id))
    second = await published(usher, event_id)
    assert [one.commitment for one in second.earlier_draws] == [first.commitment]
    assert "drawn_again" in codes(find_faults(second, None, None))


async def test_heads_go_on_from_one_another_whoever_publishes(usher: Usher) -> None:
    event_id = await add_lobby(usher)
    for count in (1, 2, 3):
        await join(usher, event_id, count)
        await asyncio.gather(*(publish_heads(usher.database) for _ in range(3)))
    document = await published(usher, event_id)
    assert [head.count for head in document.heads][-1] == 6
    assert len({head.count for head in document.heads}) == len(document.heads)


async def test_who_has_no_entry_and_what_has_no_draw(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    assert (await usher.rest("GET", f"/queue/{event_id}/draw")).refusal[0::2] == (404, "no_draw")
    assert (await usher.rest("GET", f"/queue/{event_id}/receipt", by=ada)).refusal[0::2] == (404, "no_entry")
    lobby, bob = await add_lobby(usher), await usher.customer("Bob")
    await join(usher, lobby, 1)
    assert (await usher.rest("GET", f"/queue/{lobby}/receipt", by=bob)).refusal[0::2] == (404, "no_entry")
    assert (await usher.rest("GET", f"/queue/{lobby}/receipt")).refusal[0] == 401
    answers: list[Any] = [await usher.rest("GET", f"/queue/{what}/draw") for what in ("x", UUID(int=1))]
    assert [one.refusal[0::2] for one in answers] == [(404, "event_not_found")] * 2

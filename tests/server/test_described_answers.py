"""A walk through all operations on a real server, with the document's own examples as bodies.

Each answer must fit its description exactly: a field that is not described is a fault.
"""

import re
from typing import Any
from uuid import UUID

from server.describing import routes as describing
from server.describing.openapi import document
from server.door.lobby_gate import ProofOfWork
from server.draws.heads import publish_heads
from server.people.accounts import Purpose
from tests.rows import add_customer
from tests.server.described import Json, codes_of, described_operations, faults
from tests.server.draws import add_lobby
from tests.server.parts import SHARED, Customer, Usher

pytestmark = SHARED

DOCUMENT = document(describing.described())
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for method, path, operation in described_operations(DOCUMENT)
}
LATER = {"event_date": "2099-06-01T19:30:00.000Z"}
BEGUN = {"on_sale_date": "2025-06-01T19:30:00.000Z"}


class Walk:
    """Somebody who tries everything. `done` are the operations that have succeeded."""

    def __init__(self, usher: Usher) -> None:
        self.usher = usher
        self.done: set[str] = set()

    async def go(
        self, name: str, by: Customer | None = None, query: str = "", body: Json | None = None, **ids: str
    ) -> Any:
        """Ask for one operation: the example of its body with these changes. Answers `data`."""
        method, path, operation = OPERATIONS[name]
        sent: Json = {"headers": by.headers if by is not None else {}}
        if "requestBody" in operation:
            sent["json"] = operation["requestBody"]["content"]["application/json"]["example"] | (body or {})
        async with self.usher.http.request(
            method, f"{self.usher.url}{_filled(path, ids)}{query}", **sent
        ) as answer:
            text = await answer.text()
            described = operation["responses"].get(str(answer.status))
            assert answer.status < 300, f"{name}: {text}"
            assert described is not None, f"{name}: {answer.status} is not described"
            self.done.add(name)
            if "content" not in described:
                return text
            found = await answer.json()
        schema = described["content"]["application/json"]["schema"]
        assert faults(DOCUMENT, schema, found, is_closed=True) == [], f"{name}: {text[:2000]}"
        return found.get("data")


async def test_every_success_is_as_it_is_described(usher: Usher) -> None:
    walk = Walk(usher)
    olga = await usher.sign_in(await add_customer(usher.database, name="Olga", role="admin"))
    event_id = await _organise(walk, olga)
    ada = await _sign_up(walk)
    await _look_around(walk, event_id)
    await _enter_draw(walk, ada)
    await _buy(walk, event_id, ada)
    ada = await _keep_account(walk, ada)
    await _leave(walk, ada)
    for name in ("health", "ready", "live", "metrics", "openapi_json", "docs", "signing_keys"):
        await walk.go(name)
    assert walk.done == set(OPERATIONS), "each operation needs a step in this walk"


async def _organise(walk: Walk, olga: Customer) -> str:
    venue_id = (await walk.go("create_venue", olga, body={"sections": []}))["id"]
    event = await walk.go("create_event", olga, body={"venue_id": venue_id} | LATER | BEGUN)
    sections = OPERATIONS["create_venue"][2]["requestBody"]["content"]["application/json"]["example"]["sections"]
    await walk.go("update_venue", olga, venue_id=venue_id, body={"sections": sections})
    await walk.go("generate_seats", olga, event_id=event["id"])
    await walk.go("update_event", olga, event_id=event["id"], body=LATER)
    await walk.go("set_status", olga, event_id=event["id"], body={"status": "on_sale"})
    await walk.go("block_seats", olga, event_id=event["id"])
    assert [group["reason"] for group in await walk.go("blocked_seats", olga, event_id=event["id"])] == [
        "Camera platform"
    ]
    await walk.go("unblock_seats", olga, event_id=event["id"])
    other_id = (await walk.go("create_venue", olga))["id"]
    await walk.go("import_venue_plan", olga, venue_id=other_id)
    await walk.go("export_venue_plan", olga, venue_id=other_id)
    return str(event["id"])


async def _sign_up(walk: Walk) -> Customer:
    ada = await walk.go("register")
    session = await walk.go("login")
    assert session["user"]["id"] == ada["id"]
    return Customer(ada["id"], session["sessionId"])


async def _look_around(walk: Walk, event_id: str) -> None:
    await walk.go("list_events")
    assert await walk.go("list_events", query="?search=nothing+of+the+kind") == []
    event = await walk.go("show_event", event_id=event_id)
    await walk.go("list_venues")
    await walk.go("show_venue", venue_id=event["venue"]["id"])
    (section,) = await walk.go("list_sections", venue_id=event["venue"]["id"])
    (shown,) = await walk.go("availability", event_id=event_id)
    assert shown["seats"]
    (counts,) = await walk.go("availability", event_id=event_id, query="?summary=true")
    assert "seats" not in counts
    await walk.go("section_seats", event_id=event_id, section=section["name"])


async def _enter_draw(walk: Walk, ada: Customer) -> None:
    event_id = await add_lobby(walk.usher)
    walk.usher.parts.lobby_challenges = ProofOfWork(bytes(32), walk.usher.parts.now)
    await walk.go("lobby_challenge", ada, event_id=event_id)
    await walk.go("join_queue", ada, event_id=event_id)
    receipt = await walk.go("draw_receipt", ada, event_id=event_id)
    await publish_heads(walk.usher.database)
    document = await walk.go("show_draw", event_id=event_id)
    assert document["last_head"]["head"] == receipt["head"]


async def _buy(walk: Walk, event_id: str, ada: Customer) -> None:
    assert await walk.go("reservation", ada) is None
    for name in ("join_queue", "queue_status", "queue_stats", "leave_queue"):
        await walk.go(name, ada, event_id=event_id)
    await walk.go("reserve", ada, event_id=event_id)
    await walk.go("reserve", ada, event_id=event_id, body={"seat_ids": ["20"]})
    await walk.go("release", ada, event_id=event_id, body={"seat_ids": ["20"]})
    held = await walk.go("reservation", ada)
    assert [seat["id"] for seat in held["seats"]] == ["17", "18"]
    bought = await walk.go("checkout", ada, body={"event_id": event_id})
    await walk.go("list_orders", ada)
    await walk.go("show_order", ada, order_id=bought["order"]["id"])
    await walk.go("cancel_order", ada, order_id=bought["order"]["id"])


async def _keep_account(walk: Walk, ada: Customer) -> Customer:
    """Another password, and another by mail; ends signed in anew."""
    accounts = walk.usher.parts.accounts
    await walk.go("resend_verification", ada)
    await walk.go("verify_email", body={"token": await accounts.make_token(Purpose.VERIFY_EMAIL, UUID(ada.id))})
    await walk.usher.sign_in(ada.id)
    other = (await walk.go("my_sessions", ada))[0]
    assert not other["is_current"]
    await walk.go("end_my_session", ada, session_id=other["id"])
    assert await walk.go("end_other_sessions", ada) == {"ended": 0}
    changed = await walk.go("change_password", ada)
    ada = Customer(ada.id, changed["sessionId"])
    await walk.go("ask_for_reset")
    token = await accounts.make_token(Purpose.RESET_PASSWORD, UUID(ada.id))
    await walk.go("reset_password", body={"token": token})
    password = OPERATIONS["reset_password"][2]["requestBody"]["content"]["application/json"]["example"]
    session = await walk.go("login", body={"password": password["new_password"]})
    assert session["user"]["email_verified"]
    return Customer(ada.id, session["sessionId"])


async def _leave(walk: Walk, ada: Customer) -> None:
    await walk.go("me", ada)
    await walk.go("ws_ticket", ada)
    await walk.go("logout", ada)


REFUSED: list[tuple[str, Json, dict[str, str], int]] = [
    ("register", {"json": {}}, {}, 400),
    ("register", {"data": b"{", "headers": {"Content-Type": "application/json"}}, {}, 400),
    ("register", {"data": "x", "headers": {"Content-Type": "text/plain"}}, {}, 400),
    ("register", {"json": {"padding": "x" * 70_000}}, {}, 413),
    ("login", {"json": {"email": "nobody@example.org", "password": "not theirs"}}, {}, 401),
    ("login", {"json": {}, "headers": {"Origin": "https://elsewhere.example"}}, {}, 403),
    ("me", {}, {}, 401),
    ("me", {"headers": {"X-Session-Id": "dead"}}, {}, 401),
    ("list_events", {"params": {"page": "0"}}, {}, 400),
    ("show_event", {}, {"event_id": "unknown"}, 404),
    ("list_sections", {}, {"venue_id": "unknown"}, 404),
    ("section_seats", {}, {"event_id": "unknown", "section": "Floor"}, 404),
    ("create_event", {"json": {}}, {}, 401),
    ("show_order", {}, {"order_id": "unknown"}, 404),
    ("cancel_order", {}, {"order_id": "unknown"}, 404),
    ("reserve", {"json": {"seat_ids": ["1"]}}, {"event_id": "unknown"}, 404),
    ("checkout", {"json": {"payment_method": "card"}}, {}, 400),
    ("checkout", {"json": {"payment_method": "card"}, "headers": {"Idempotency-Key": ""}}, {}, 400),
    ("create_venue", {"json": {}}, {}, 403),
]


async def test_refusals_are_as_they_are_described(usher: Usher) -> None:
    ada = await usher.customer()
    for name, asked, ids, status in REFUSED:
        method, path, operation = OPERATIONS[name]
        headers = (ada.headers if status != 401 else {}) | asked.get("headers", {})
        async with usher.http.request(
            method, usher.url + _filled(path, ids), **asked | {"headers": headers}
        ) as answer:
            assert answer.status == status, (name, await answer.text())
            found = await answer.json()
        schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
        assert faults(DOCUMENT, schema, found) == [], name
        assert found["code"] in codes_of(operation, str(status))


def _filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: ids[found[1]], path)

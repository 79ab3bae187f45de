"""The organiser over REST: venues, events, their seats, and the sale opened and closed."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest

from server.plans.of_venue import seats_of_venue
from server.rest import organising_events
from server.rest.envelope import Refused
from tests.rows import add_customer
from tests.server.parts import SHARED, Customer, Json, Reply, Usher

pytestmark = SHARED

UNKNOWN = str(uuid4())
STAND = {"name": "Stand", "row_count": 4, "seats_per_row": 5, "base_price": 99.5, "section_type": "premium"}
FLOOR = {"name": "Floor", "row_count": 2, "seats_per_row": 3, "base_price": 350, "position_y": -1}
HALL = {"name": "New Hall", "address": "1 Hall Street", "city": "Springfield", "country": "UK"}
PLAN: Json = {
    "name": "Round House",
    "categories": [{"name": "Best", "color": "#ff0000"}],
    "zones": [
        {
            "name": "Ground",
            "uuid": "z",
            "position": {"x": 0, "y": 0},
            "rows": [
                {
                    "uuid": "r",
                    "row_number": "1",
                    "position": {"x": 0, "y": 0},
                    "seats": [
                        {
                            "seat_number": str(k),
                            "uuid": f"s{k}",
                            "position": {"x": 20 * k, "y": 0},
                            "category": "Best",
                        }
                        for k in range(1, 8)
                    ],
                }
            ],
            "areas": [],
        }
    ],
    "size": {"width": 400, "height": 300},
}


async def admin(usher: Usher) -> Customer:
    return await usher.sign_in(await add_customer(usher.database, name="Olga", role="admin"))


def a_show(venue_id: str, **changes: Any) -> Json:
    """The body of a new event, on sale since yesterday."""
    now = datetime.now(UTC)
    return {
        "name": "The Show",
        "venue_id": venue_id,
        "category": "theater",
        "event_date": (now + timedelta(days=30)).isoformat(),
        "on_sale_date": (now - timedelta(days=1)).isoformat(),
    } | changes


async def a_venue(usher: Usher, by: Customer, **changes: Any) -> str:
    made = await usher.rest("POST", "/venues", HALL | {"sections": [STAND, FLOOR]} | changes, by)
    assert made.status == 201, made.body
    return str(made.data["id"])


async def an_event(usher: Usher, by: Customer, **changes: Any) -> Json:
    made = await usher.rest("POST", "/events", a_show(await a_venue(usher, by), **changes), by)
    assert made.status == 201, made.body
    data: Json = made.data
    return data


async def put(usher: Usher, event: Json, by: Customer, **changes: Any) -> Reply:
    return await usher.rest("PUT", f"/events/{event['id']}", changes, by)


async def set_status(usher: Usher, event: Json, by: Customer, status: Any) -> Reply:
    return await usher.rest("PATCH", f"/events/{event['id']}/status", {"status": status}, by)


async def status_of(usher: Usher, event: Json) -> str:
    return str((await usher.rest("GET", f"/events/{event['id']}")).data["status"])


async def test_a_venue_an_event_its_seats_and_a_sale(usher: Usher) -> None:
    olga, ada = await admin(usher), await usher.customer()
    event = await an_event(usher, olga, artist="The Band", max_tickets_per_user=2, description="Loud.")
    assert (event["status"], event["total_capacity"], event["available_seats"]) == ("on_sale", 26, 26)
    assert (event["artist"], event["description"], event["max_tickets_per_user"]) == ("The Band", "Loud.", 2)
    assert (event["venue"]["name"], event["venue"]["capacity"]) == ("New Hall", 26)
    sections = (await usher.rest("GET", f"/venues/{event['venue_id']}/sections")).data
    assert [(one["name"], one["base_price"], one["section_type"]) for one in sections] == [
        ("Floor", 350, "standard"),
        ("Stand", 99.5, "premium"),
    ]
    held = await usher.reserve(event["id"], [0, 25], ada)
    assert held.data["totalPrice"] == 449.5
    assert (await usher.buy(ada)).status == 200


async def test_what_is_left_out_has_a_default(usher: Usher) -> None:
    event = await an_event(usher, await admin(usher))
    assert (event["artist"], event["description"], event["image_url"]) == ("The Show", "", None)
    assert (event["max_tickets_per_user"], event["waiting_room_enabled"], event["currency"]) == (4, False, "USD")


async def test_an_event_gets_its_seats_later_once(usher: Usher) -> None:
    olga = await admin(usher)
    venue_id = await a_venue(usher, olga, sections=[])
    event = (await usher.rest("POST", "/events", a_show(venue_id), olga)).data
    assert (event["total_capacity"], event["venue"]["capacity"]) == (0, 0)
    path = f"/events/{event['id']}/generate-seats"
    assert (await usher.rest("POST", path, by=olga)).refusal[::2] == (400, "no_sections")
    assert (await usher.rest("PUT", f"/venues/{venue_id}", {"sections": [STAND]}, olga)).status == 200
    made = await usher.rest("POST", path, by=olga)
    assert made.data == {"message": "Generated 20 seats for event"}
    assert (await usher.rest("POST", path, by=olga)).refusal[::2] == (409, "seats_exist")
    assert (await usher.rest("GET", f"/events/{event['id']}")).data["available_seats"] == 20


async def test_seats_are_not_made_for_an_event_that_has_become_another(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = await admin(usher)
    venue_id = await a_venue(usher, olga, sections=[])
    event = (await usher.rest("POST", "/events", a_show(venue_id), olga)).data
    assert (await usher.rest("PUT", f"/venues/{venue_id}", {"sections": [STAND]}, olga)).status == 200

    async def meanwhile(*given: Any) -> Any:
        seats = await seats_of_venue(*given)
        assert (await put(usher, event, olga, currency="EUR")).status == 200
        return seats

    monkeypatch.setattr(organising_events, "seats_of_venue", meanwhile)
    made = await usher.rest("POST", f"/events/{event['id']}/generate-seats", by=olga)
    assert made.refusal[::2] == (409, "event_changed")
    assert (await usher.rest("GET", f"/events/{event['id']}")).data["total_capacity"] == 0


async def test_terms_that_cannot_be_changed_leave_the_rest_as_it_was(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)

    async def refused(*_: Any) -> None:
        raise Refused(503, "This could not be decided just now, try again", "try_again")

    monkeypatch.setattr(organising_events, "ask", refused)
    assert (await put(usher, event, olga, name="Other", max_tickets_per_user=9)).status == 503
    assert (await usher.rest("GET", f"/events/{event['id']}")).data == event


async def test_what_changes_is_what_was_said(usher: Usher) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)
    changed = await put(usher, event, olga, name="Other", image_url="https://example.org/a.png", category="comedy")
    assert changed.status == 200
    same = event.keys() - {"name", "image_url", "category", "updated_at"}
    assert {name: changed.data[name] for name in same} == {name: event[name] for name in same}
    assert (changed.data["name"], changed.data["category"]) == ("Other", "comedy")
    assert (await put(usher, event, olga, image_url=None)).data["image_url"] is None
    assert (await put(usher, event, olga)).status == 200
    for path in (f"/events/{event['id']}", f"/venues/{event['venue_id']}"):
        assert (await usher.rest("PUT", path, b"", olga)).refusal == (400, "Send a body", "bad_request")


async def test_new_terms_hold_from_their_answer_on(usher: Usher) -> None:
    olga, ada = await admin(usher), await usher.customer()
    event = await an_event(usher, olga)
    assert (await usher.reserve(event["id"], [0, 1], ada)).status == 200
    changed = await put(usher, event, olga, max_tickets_per_user=2)
    assert changed.data["max_tickets_per_user"] == 2
    assert (await usher.reserve(event["id"], [2], ada)).refusal[::2] == (400, "limit_reached")
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    assert (await put(usher, event, olga, on_sale_date=later)).data["status"] == "upcoming"
    assert (await usher.reserve(event["id"], [0], ada)).refusal[::2] == (400, "not_on_sale")
    # And after the event was loaded anew.
    await usher.unload(event["id"])
    assert (await usher.reserve(event["id"], [0], ada)).refusal[::2] == (400, "not_on_sale")


async def test_the_organiser_opens_and_closes_and_everybody_hears(usher: Usher) -> None:
    olga, ada = await admin(usher), await usher.customer()
    later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    event = await an_event(usher, olga, on_sale_date=later)
    async with usher.socket(event["id"], ada) as socket:
        await socket.open()
        for status in ("on_sale", "cancelled", "upcoming", "completed"):
            since = len(socket.frames)
            assert (await set_status(usher, event, olga, status)).data == {"message": "Status updated"}
            await socket.seen("event", status=status, since=since)
            assert await status_of(usher, event) == status
    assert (await usher.reserve(event["id"], [0], ada)).refusal[::2] == (400, "not_on_sale")


async def test_sold_out_follows_the_seats_both_ways(usher: Usher) -> None:
    olga, ada = await admin(usher), await usher.customer()
    small = STAND | {"row_count": 1, "seats_per_row": 2}
    venue_id = await a_venue(usher, olga, sections=[small])
    event = (await usher.rest("POST", "/events", a_show(venue_id), olga)).data
    await usher.reserve(event["id"], [0, 1], ada)
    order = (await usher.buy(ada)).data["order"]
    assert await status_of(usher, event) == "sold_out"
    assert (await set_status(usher, event, olga, "on_sale")).status == 200
    assert await status_of(usher, event) == "sold_out"
    assert (await usher.rest("POST", f"/checkout/orders/{order['id']}/cancel", by=ada)).status == 200
    assert await status_of(usher, event) == "on_sale"


async def test_an_event_without_seats_is_one_all_the_same(usher: Usher) -> None:
    olga, ada = await admin(usher), await usher.customer()
    event = (await usher.rest("POST", "/events", a_show(await a_venue(usher, olga, sections=[])), olga)).data
    path = f"/seats/{event['id']}"
    assert (await usher.rest("GET", f"{path}/availability")).data == []
    assert (await usher.rest("GET", f"{path}/availability?section=A")).refusal[::2] == (404, "section_not_found")
    assert (await usher.rest("GET", f"{path}/sections/A")).refusal[::2] == (404, "section_not_found")
    assert (await usher.reserve(event["id"], [0], ada)).refusal[::2] == (400, "seat_not_found")


async def test_an_event_without_seats_changes_too(usher: Usher) -> None:
    olga = await admin(usher)
    venue_id = await a_venue(usher, olga, sections=[])
    event = (await usher.rest("POST", "/events", a_show(venue_id), olga)).data
    assert (await set_status(usher, event, olga, "cancelled")).status == 200
    assert await status_of(usher, event) == "cancelled"
    other = await a_venue(usher, olga)
    changed = (await put(usher, event, olga, venue_id=other, currency="EUR", max_tickets_per_user=9)).data
    assert (changed["venue_id"], changed["currency"], changed["max_tickets_per_user"]) == (other, "EUR", 9)


async def test_a_status_that_no_decision_gives(usher: Usher) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)
    for status in ("sold_out", "upcoming"):
        assert (await set_status(usher, event, olga, status)).refusal[::2] == (409, "status_follows")
    for nonsense in ("open", "", None, 5, ["on_sale"], "ON_SALE"):
        assert (await set_status(usher, event, olga, nonsense)).refusal[:2] == (400, "Invalid status")
    yesterday = {"event_date": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    assert (await put(usher, event, olga, **yesterday)).data["status"] == "completed"
    assert (await set_status(usher, event, olga, "on_sale")).refusal[::2] == (409, "status_follows")


async def test_seats_bind_an_event_to_its_venue(usher: Usher) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)
    for changes in ({"venue_id": await a_venue(usher, olga)}, {"currency": "EUR"}):
        assert (await put(usher, event, olga, **changes)).refusal[::2] == (409, "seats_exist")
    assert (await put(usher, event, olga, venue_id=event["venue_id"], currency="USD")).status == 200


BAD_EVENTS: list[Json] = [
    {"name": ""},
    {"name": " "},
    {"name": "x" * 201},
    {"name": "a\0b"},
    {"name": None},
    {"category": "opera"},
    {"event_date": "soon"},
    {"event_date": 5},
    {"on_sale_date": "2031-02-30"},
    {"on_sale_date": "9999-12-31T23:59:59.999-23:00"},
    {"on_sale_date": "2999-01-01"},
    {"on_sale_date": "0001-01-01T00:00:00Z"},
    {"on_sale_date": "1969-12-31"},
    {"max_tickets_per_user": 0},
    {"max_tickets_per_user": 1001},
    {"max_tickets_per_user": "4"},
    {"max_tickets_per_user": 1.5},
    {"max_concurrent_shoppers": 10**400},
    {"currency": "dollars"},
    {"currency": "usd"},
    {"image_url": "javascript:alert(1)"},
    {"waiting_room_enabled": "yes"},
    {"description": "x" * 10_001},
]


@pytest.mark.parametrize("bad", BAD_EVENTS)
async def test_bad_fields_of_an_event_change_nothing(usher: Usher, bad: Json) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)
    made = await usher.rest("POST", "/events", a_show(event["venue_id"]) | bad, olga)
    changed = await put(usher, event, olga, **bad)
    assert (made.status, changed.status) == (400, 400), (made.body, changed.body)
    assert (await usher.rest("GET", f"/events/{event['id']}")).data == event


async def test_a_new_event_needs_five_fields(usher: Usher) -> None:
    olga = await admin(usher)
    body = a_show(await a_venue(usher, olga))
    for name in body:
        made = await usher.rest("POST", "/events", {key: body[key] for key in body if key != name}, olga)
        assert made.status == 400
        assert name in made.body["error"]


async def test_what_is_unknown_is_not_found(usher: Usher) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)
    for venue_id in (UNKNOWN, "x", ""):
        for method, path in (("POST", "/events"), ("PUT", f"/events/{event['id']}")):
            reply = await usher.rest(method, path, a_show(venue_id), olga)
            assert reply.refusal[::2] == (404, "venue_not_found")
    for event_id in (UNKNOWN, "x"):
        for method, verb in (("PUT", ""), ("PATCH", "/status"), ("POST", "/generate-seats")):
            reply = await usher.rest(method, f"/events/{event_id}{verb}", {"status": "cancelled"}, olga)
            assert reply.refusal[::2] == (404, "event_not_found")
    for verb in ("", "/plan"):
        for venue_id in (UNKNOWN, "x"):
            reply = await usher.rest("PUT", f"/venues/{venue_id}{verb}", {"plan": PLAN}, olga)
            assert reply.refusal[::2] == (404, "venue_not_found")


ROUTES = [
    ("POST", "/events"),
    ("PUT", f"/events/{UNKNOWN}"),
    ("PATCH", f"/events/{UNKNOWN}/status"),
    ("POST", f"/events/{UNKNOWN}/generate-seats"),
    ("POST", "/venues"),
    ("PUT", f"/venues/{UNKNOWN}"),
    ("PUT", f"/venues/{UNKNOWN}/plan"),
    ("GET", f"/venues/{UNKNOWN}/plan"),
]


BODIES: tuple[Any, ...] = ({}, b"no JSON")


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_only_admins_organise(usher: Usher, method: str, path: str) -> None:
    """Whatever the body, and before anybody learns what there is."""
    staff = await usher.sign_in(await add_customer(usher.database, role="staff"))
    for somebody in (await usher.customer(), staff):
        for body in BODIES:
            reply = await usher.rest(method, path, body, somebody)
            assert reply.refusal[:2] == (403, "Admin access required")
    assert (await usher.rest(method, path, {})).refusal[:2] == (401, "Authentication required")


BAD_SECTIONS: list[Json] = [
    {"row_count": 0},
    {"row_count": 501},
    {"seats_per_row": -1},
    {"base_price": -1},
    {"base_price": 9.999},
    {"base_price": "9"},
    {"base_price": 10**9},
    {"section_type": "gold"},
    {"position_x": 10**6},
    {"name": ""},
]


@pytest.mark.parametrize("bad", BAD_SECTIONS)
async def test_bad_sections_change_nothing(usher: Usher, bad: Json) -> None:
    olga = await admin(usher)
    venue_id = await a_venue(usher, olga)
    before = (await usher.rest("GET", f"/venues/{venue_id}/sections")).data
    for sections in ([STAND | bad], [STAND, STAND]):
        made = await usher.rest("POST", "/venues", HALL | {"sections": sections}, olga)
        changed = await usher.rest("PUT", f"/venues/{venue_id}", {"name": "X", "sections": sections}, olga)
        assert (made.status, changed.status) == (400, 400), made.body
    assert (await usher.rest("GET", f"/venues/{venue_id}/sections")).data == before
    assert (await usher.rest("GET", f"/venues/{venue_id}")).data["name"] == "New Hall"


async def test_a_venue_has_a_time_zone_that_there_is(usher: Usher) -> None:
    olga = await admin(usher)
    made = await usher.rest("POST", "/venues", HALL | {"timezone": "Europe/London"}, olga)
    assert made.data["timezone"] == "Europe/London"
    path = f"/venues/{made.data['id']}"
    for method, where in (("POST", "/venues"), ("PUT", path)):
        refused = await usher.rest(method, where, HALL | {"timezone": "Europe/Atlantis"}, olga)
        assert refused.refusal[::2] == (400, "bad_timezone")
    assert (await usher.rest("PUT", path, {"city": "Leeds"}, olga)).data["timezone"] == "Europe/London"
    assert (await usher.rest("PUT", path, {"timezone": None}, olga)).data["timezone"] is None


async def test_too_many_seats_are_refused(usher: Usher) -> None:
    big = {"row_count": 500, "seats_per_row": 400}
    sections = [STAND | big, FLOOR | {"row_count": 1, "seats_per_row": 1}]
    made = await usher.rest("POST", "/venues", HALL | {"sections": sections}, await admin(usher))
    assert made.refusal[::2] == (400, "bad_sections")


async def test_a_change_of_sections_leaves_events_with_seats_alone(usher: Usher) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)
    small = STAND | {"row_count": 1}
    changed = await usher.rest("PUT", f"/venues/{event['venue_id']}", {"sections": [small], "state": "KS"}, olga)
    assert (changed.data["state"], changed.data["name"]) == ("KS", "New Hall")
    assert (await usher.rest("GET", f"/events/{event['id']}")).data["total_capacity"] == 26
    new = (await usher.rest("POST", "/events", a_show(event["venue_id"]), olga)).data
    assert new["total_capacity"] == 5


async def test_an_imported_plan_is_what_events_are_sold_on(usher: Usher) -> None:
    olga, ada = await admin(usher), await usher.customer()
    venue_id = await a_venue(usher, olga)
    taken = await usher.rest("PUT", f"/venues/{venue_id}/plan", {"plan": PLAN, "prices": {"Best": 12.5}}, olga)
    assert (taken.data["seats"], taken.data["sections"]) == (7, ["Ground"])
    sections = (await usher.rest("GET", f"/venues/{venue_id}/sections")).data
    assert [(one["name"], one["row_count"], one["seats_per_row"]) for one in sections] == [("Ground", 1, 7)]
    event = (await usher.rest("POST", "/events", a_show(venue_id, currency="EUR"), olga)).data
    assert event["total_capacity"] == 7
    assert (await usher.reserve(event["id"], [6], ada)).data["totalPrice"] == 12.5
    # Sections in numbers take its place again.
    assert (await usher.rest("PUT", f"/venues/{venue_id}", {"sections": [STAND]}, olga)).status == 200
    again = (await usher.rest("POST", "/events", a_show(venue_id), olga)).data
    assert again["total_capacity"] == 20


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"plan": None},
        {"plan": []},
        {"plan": {}},
        {"plan": PLAN},
        {"plan": PLAN, "prices": {"Best": -1}},
        {"plan": PLAN, "prices": {"Best": 1.001}},
        {"plan": PLAN | {"name": "a\0b"}, "default_price": 5},
        {"plan": PLAN | {"zones": []}, "default_price": 5},
        {"plan": PLAN | {"surprise": 1}, "default_price": 5, "is_strict": True},
    ],
)
async def test_a_plan_that_cannot_be_sold_changes_nothing(usher: Usher, body: Json) -> None:
    olga = await admin(usher)
    venue_id = await a_venue(usher, olga)
    reply = await usher.rest("PUT", f"/venues/{venue_id}/plan", body, olga)
    assert reply.status == 400, reply.body
    assert len((await usher.rest("GET", f"/venues/{venue_id}/sections")).data) == 2


async def test_a_plan_may_be_larger_than_other_bodies_up_to_a_limit(usher: Usher) -> None:
    olga = await admin(usher)
    venue_id = await a_venue(usher, olga)
    path = f"/venues/{venue_id}/plan"
    padded = {"plan": PLAN, "default_price": 5, "padding": "x" * 900_000}
    assert (await usher.rest("PUT", path, padded, olga)).status == 200
    giant = BytesIO(b'{"plan":{},"padding":"' + b"x" * 33_600_000 + b'"}')
    headers = olga.headers | {"Content-Type": "application/json"}
    async with usher.http.put(f"{usher.url}/api/v1{path}", data=giant, headers=headers) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, "body_too_large")
    small = HALL | {"padding": "x" * 100_000}
    assert (await usher.rest("POST", "/venues", small, olga)).refusal[::2] == (413, "body_too_large")


async def test_the_change_of_terms_is_in_the_history(usher: Usher) -> None:
    olga = await admin(usher)
    event = await an_event(usher, olga)
    await set_status(usher, event, olga, "cancelled")
    query = "SELECT kind, customer_id FROM journal WHERE event_id = $1"
    rows = await usher.database.fetch(query, UUID(event["id"]))
    assert [(row["kind"], str(row["customer_id"])) for row in rows] == [("terms", olga.id)]

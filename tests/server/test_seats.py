"""The seats over REST: what is available, reserving, releasing, what one holds."""

import asyncio
import math
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from actors.core.seating import Seating
from actors.supervisor import NotOwned
from server.reads.places import PlacesCache
from server.sales import Sale, find_sale
from tests.server.parts import BALCONY, BLOCKED, FLOOR, SEAT_COUNT, SHARED, STAND, Customer, Json, Usher, until

pytestmark = SHARED

UNKNOWN = "550e8400-e29b-41d4-a716-446655440999"
NO_SESSION = (401, "Authentication required", "not_signed_in")
DEAD_SESSION = (401, "Invalid or expired session", "session_ended")
NO_EVENT = (404, "Event not found", "event_not_found")
SECTIONS: list[tuple[str, range, str, float]] = [
    ("Floor", FLOOR, "vip", 350),
    ("Stand", STAND, "premium", 99.5),
    ("Balcony", BALCONY, "economy", 40),
]


def at(iso: str) -> datetime:
    """A time of the contract: ISO 8601, milliseconds, Z."""
    assert len(iso) == len("2031-05-01T12:00:00.000Z")
    assert iso.endswith("Z")
    return datetime.fromisoformat(iso)


def labels(seat: int) -> tuple[str, str]:
    """Row and number of a seat in the hall."""
    first, size = (0, 10) if seat < 20 else (20, 20) if seat < 100 else (100, 20)
    return "ABCDE"[(seat - first) // size], str((seat - first) % size + 1)


# Availability


async def test_availability_names_every_seat_by_section(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    await usher.reserve(event_id, [0, 25], ada)
    reply = await usher.rest("GET", f"/seats/{event_id}/availability")
    assert reply.status == 200
    assert [section["section"] for section in reply.data] == ["Floor", "Stand", "Balcony"]
    for section, (_, seats, tier, price) in zip(reply.data, SECTIONS, strict=True):
        assert set(section) == {"section", "available", "total", "min_price", "max_price", "seats"}
        assert section["total"] == len(seats)
        assert (section["min_price"], section["max_price"]) == (price, price)
        assert [seat["id"] for seat in section["seats"]] == [str(seat) for seat in seats]
        for seat in section["seats"]:
            row, number = labels(int(seat["id"]))
            status = seat.pop("status")
            index = int(seat["id"])
            assert status == ("held" if index in (0, 25) else "blocked" if index in BLOCKED else "available")
            assert seat == {
                "id": seat["id"],
                "row": row,
                "seat_number": number,
                "price": price,
                "price_tier": tier,
            }
    assert [section["available"] for section in reply.data] == [19, 77, 100]


async def test_availability_of_one_section_and_as_a_summary(usher: Usher) -> None:
    event_id = await usher.event()
    path = f"/seats/{event_id}/availability"
    whole = (await usher.rest("GET", path)).data
    assert (await usher.rest("GET", f"{path}?section=Stand")).data == [whole[1]]
    summary = (await usher.rest("GET", f"{path}?summary=true")).data
    assert summary == [{name: section[name] for name in section if name != "seats"} for section in whole]
    assert (await usher.rest("GET", f"{path}?summary=true&section=Floor")).data == [summary[0]]
    assert (await usher.rest("GET", f"{path}?summary=false")).data == whole
    assert (await usher.rest("GET", f"{path}?section=")).data == whole
    refusal = (await usher.rest("GET", f"{path}?section=Pit")).refusal
    assert refusal == (404, "Section not found", "section_not_found")


async def test_the_seats_of_a_section(usher: Usher) -> None:
    event_id = await usher.event()
    whole = (await usher.rest("GET", f"/seats/{event_id}/availability")).data
    assert (await usher.rest("GET", f"/seats/{event_id}/sections/Balcony")).data == whole[2]["seats"]
    refusal = (await usher.rest("GET", f"/seats/{event_id}/sections/Pit")).refusal
    assert refusal == (404, "Section not found", "section_not_found")


@pytest.mark.parametrize("path", ["availability", "sections/Floor", "availability?summary=true"])
async def test_whoever_asks_sees_what_is_committed(usher: Usher, path: str) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    anonymous = await usher.rest("GET", f"/seats/{event_id}/{path}")
    assert anonymous.headers["Cache-Control"] == "no-cache"
    assert (await usher.rest("GET", f"/seats/{event_id}/{path}", by=ada)).raw == anonymous.raw
    await usher.reserve(event_id, [0], ada)
    assert (await usher.rest("GET", f"/seats/{event_id}/{path}")).raw != anonymous.raw
    # Also once it is loaded anew.
    changed = (await usher.rest("GET", f"/seats/{event_id}/{path}")).raw
    await usher.unload(event_id)
    assert (await usher.rest("GET", f"/seats/{event_id}/{path}")).raw == changed


@pytest.mark.parametrize("is_large", [False, True])
async def test_the_names_of_the_seats_are_read_once_for_all_who_ask(
    usher: Usher, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    if is_large:
        monkeypatch.setattr("server.reads.places.ROWS_IN_PLACE_MAX", 0)
    event_id, queries = await usher.event(), list[str]()
    sale = await usher.parts.sales.find(event_id)
    assert sale is not None
    fetch = usher.database.fetch

    async def counted(query: str, *arguments: Any) -> Any:
        queries.append(query)
        return await fetch(query, *arguments)

    cache: Any = PlacesCache(usher.database)
    cache._database = SimpleNamespace(fetch=counted)
    first = asyncio.create_task(cache.get(sale.uuid))
    others = [asyncio.create_task(cache.get(sale.uuid)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    found = await asyncio.gather(*others)
    assert all(places is found[0] for places in found)
    assert await cache.get(sale.uuid) is found[0]
    assert len(found[0].seats) == SEAT_COUNT
    assert len(queries) == 1
    assert not cache._kept._coming


async def test_places_that_could_not_be_read_are_read_by_the_next(usher: Usher) -> None:
    event_id = await usher.event()

    async def away(*_: Any) -> Any:
        raise ConnectionError

    cache: Any = PlacesCache(usher.database)
    cache._database = SimpleNamespace(fetch=away)
    failed = await asyncio.gather(*(cache.get(UUID(event_id)) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, ConnectionError) for one in failed)
    cache._database = usher.database
    assert len((await cache.get(UUID(event_id))).seats) == SEAT_COUNT


async def test_an_event_is_looked_up_once_and_what_is_none_each_time(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id, looked_up = await usher.event(), list[str]()

    async def counted(database: asyncpg.Pool, event_id: str) -> Sale | None:
        looked_up.append(event_id)
        return await find_sale(database, event_id)

    monkeypatch.setattr("server.sales.find_sale", counted)
    for _ in range(3):
        assert (await usher.rest("GET", f"/seats/{event_id}/availability?summary=true")).status == 200
        assert (await usher.rest("GET", f"/seats/{event_id.upper()}/sections/Floor")).status == 200
        assert (await usher.rest("GET", f"/seats/{UNKNOWN}/availability")).refusal == NO_EVENT
    assert looked_up == [event_id, UNKNOWN, UNKNOWN, UNKNOWN]


@pytest.mark.parametrize("event_id", [UNKNOWN, "1", "x'y", "%00", "550e8400e29b41d4a716446655440999"])
async def test_an_unknown_event_is_not_found(usher: Usher, event_id: str) -> None:
    ada = await usher.customer()
    assert (await usher.rest("GET", f"/seats/{event_id}/availability")).refusal == NO_EVENT
    assert (await usher.rest("GET", f"/seats/{event_id}/sections/Floor")).refusal == NO_EVENT
    for path in ("reserve", "release"):
        reply = await usher.rest("POST", f"/seats/{event_id}/{path}", {"seat_ids": []}, ada)
        assert reply.refusal == NO_EVENT


async def test_an_event_that_cannot_be_read_just_now_is_503(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = await usher.event()

    async def elsewhere(event_id: str) -> Seating:
        raise NotOwned(event_id)

    monkeypatch.setattr(usher.parts.supervisor, "seating", elsewhere)
    monkeypatch.setattr("server.rest.asking.READ_S", 0.05)
    for path in ("availability", "sections/Floor"):
        reply = await usher.rest("GET", f"/seats/{event_id}/{path}")
        assert (reply.status, reply.body["code"]) == (503, "try_again")
        assert int(reply.headers["Retry-After"]) >= 1


# Reserving


async def test_reserving_answers_all_that_the_customer_holds(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    before = usher.parts.now()
    first = await usher.reserve(event_id, [3, 20], ada)
    after = usher.parts.now()
    assert first.status == 200
    assert set(first.data) == {"seats", "expiresAt", "totalPrice"}
    assert first.data["totalPrice"] == 449.5
    slack = timedelta(seconds=0.1)
    assert before - slack <= at(first.data["expiresAt"]) - timedelta(seconds=600) <= after + slack
    second = await usher.reserve(event_id, [150], ada)
    assert [seat["id"] for seat in second.data["seats"]] == ["3", "20", "150"]
    assert second.data["totalPrice"] == 489.5
    for seat, tier, price, section in zip(
        second.data["seats"],
        ("vip", "premium", "economy"),
        (350, 99.5, 40),
        ("Floor", "Stand", "Balcony"),
        strict=True,
    ):
        row, number = labels(int(seat["id"]))
        at(seat.pop("created_at"))
        assert at(seat.pop("updated_at")) >= before - slack
        assert seat == {
            "id": seat["id"],
            "event_id": event_id,
            "section": section,
            "row": row,
            "seat_number": number,
            "price_tier": tier,
            "price": price,
            "status": "held",
            "held_until": second.data["expiresAt"],
            "held_by_session": "self",
            "order_id": None,
        }
    # Amounts are numbers: 350, not 350.0 or "350".
    assert b'"price":350,' in second.raw
    assert b'"price":99.5,' in second.raw


async def test_reserving_answers_what_the_reservation_is(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    await usher.reserve(event_id, [0, 25], ada)
    for more in ([30], [0]):
        reserved = (await usher.reserve(event_id, more, ada)).data
        shown = (await usher.rest("GET", "/seats/reservation", by=ada)).data
        assert reserved["seats"] == shown["seats"]
        assert (reserved["expiresAt"], reserved["totalPrice"]) == (shown["expires_at"], shown["total_price"])


async def test_reserving_what_one_holds_is_fine(usher: Usher) -> None:
    event_id, ada = await usher.event(max_tickets=2), await usher.customer()
    first = await usher.reserve(event_id, [0, 1], ada)
    again = await usher.reserve(event_id, [1], ada)
    assert again.data["expiresAt"] == first.data["expiresAt"]
    assert [seat["id"] for seat in again.data["seats"]] == ["0", "1"]


MALFORMED: list[tuple[Any, tuple[int, str, str]]] = [
    ({}, (400, "seat_ids array is required", "bad_request")),
    ({"seat_ids": None}, (400, "seat_ids array is required", "bad_request")),
    ({"seat_ids": "1"}, (400, "seat_ids array is required", "bad_request")),
    ({"seat_ids": [1]}, (400, "seat_ids array is required", "bad_request")),
    ({"seat_ids": [None]}, (400, "seat_ids array is required", "bad_request")),
    ({"seat_ids": []}, (400, "seat_ids array is required", "bad_command")),
    ([], (400, "seat_ids array is required", "bad_request")),
    (b"", (400, "seat_ids array is required", "bad_request")),
    (b"{", (400, "The body is not valid JSON", "bad_json")),
    (b"\xff", (400, "The body is not valid JSON", "bad_json")),
    (b"[" * 60_000, (400, "The body is not valid JSON", "bad_json")),
]
NOT_IDS = [
    "",
    " 1",
    "1 ",
    "01",
    "-1",
    "+1",
    "1.0",
    "1e1",
    "0x1",
    "x",
    "1\0",
    "١",
    "1" * 19,
    "550e8400",
    "null",
    "\n1",
]


@pytest.mark.parametrize("path", ["reserve", "release"])
@pytest.mark.parametrize(("body", "refusal"), MALFORMED)
async def test_bodies_that_are_wrong(usher: Usher, path: str, body: Any, refusal: tuple[int, str, str]) -> None:
    reply = await usher.rest("POST", f"/seats/{await usher.event()}/{path}", body, await usher.customer())
    assert reply.refusal == refusal


@pytest.mark.parametrize("path", ["reserve", "release"])
async def test_a_seat_id_is_a_canonical_decimal_string(usher: Usher, path: str) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    for seat_id in NOT_IDS:
        reply = await usher.rest("POST", f"/seats/{event_id}/{path}", {"seat_ids": ["0", seat_id]}, ada)
        assert reply.status == 400, seat_id
        assert reply.body["code"] in ("bad_command", "bad_request"), seat_id
    reply = await usher.rest("POST", f"/seats/{event_id}/{path}", {"seat_ids": ["0", "1", "0"]}, ada)
    assert reply.refusal == (400, "seat_ids names a seat twice", "bad_command")
    assert await usher.revision_of(event_id) == 0


async def test_at_most_ten_seats_at_once(usher: Usher) -> None:
    event_id, ada = await usher.event(max_tickets=20), await usher.customer()
    refusal = (await usher.reserve(event_id, list(range(11)), ada)).refusal
    assert refusal == (400, "Cannot reserve more than 10 seats at once", "bad_command")
    assert (await usher.reserve(event_id, list(range(10)), ada)).status == 200
    body = {"seat_ids": [str(seat) for seat in range(101)]}
    reply = await usher.rest("POST", f"/seats/{event_id}/release", body, ada)
    assert reply.refusal == (400, "Cannot release more than 100 seats at once", "bad_command")


async def test_what_is_refused_names_its_code_and_seats(usher: Usher) -> None:
    event_id = await usher.event(max_tickets=2)
    ada, ben = await usher.customer(), await usher.customer()
    await usher.reserve(event_id, [5], ben)
    cases: list[tuple[list[int], str, str, list[str]]] = [
        ([0, 200], "There is no such seat", "seat_not_found", ["200"]),
        ([0, 999_999_999], "There is no such seat", "seat_not_found", ["999999999"]),
        ([98, 0], "This seat is not for sale", "seat_blocked", ["98"]),
        ([5, 0], "This seat is taken", "seat_taken", ["5"]),
        (
            [0, 1, 2],
            "This is more than one customer may have for this event",
            "limit_reached",
            ["0", "1", "2"],
        ),
    ]
    for seats, sentence, code, named in cases:
        reply = await usher.reserve(event_id, seats, ada)
        assert reply.refusal == (400, sentence, code)
        assert reply.body["seats"] == named
    assert (await usher.rest("GET", "/seats/reservation", by=ada)).data is None, "none of them had an effect"
    closed = await usher.event(on_sale_in=timedelta(days=1))
    reply = await usher.reserve(closed, [0], ada)
    assert reply.refusal == (400, "This event is not on sale", "not_on_sale")
    assert "seats" not in reply.body


async def test_passing_trouble_is_503_with_retry_after(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    await usher.reserve(event_id, [0], ada)
    async with usher.database.acquire() as outsider, outsider.transaction():
        lock = "SELECT FROM seat WHERE event_id = $1 AND seat_index = 3 FOR UPDATE"
        await outsider.execute(lock, UUID(event_id))
        busy = await usher.reserve(event_id, [3], ada)
    assert (busy.status, busy.body["code"], busy.body["seats"]) == (503, "busy", ["3"])
    (manager,) = [m for m in usher.parts.supervisor.managers if m.claim.event_id == event_id]
    with monkeypatch.context() as patched:
        patched.setattr(manager, "_settings", manager._settings.__class__(inbox_commands_max=0))
        overloaded = await usher.reserve(event_id, [3], ada)
    assert (overloaded.status, overloaded.body["code"]) == (503, "overloaded")
    with monkeypatch.context() as patched:
        patched.setattr(usher.parts.supervisor, "_is_stopping", True)
        again = await usher.reserve(event_id, [3], ada)
    assert (again.status, again.body["code"]) == (503, "try_again")
    for reply in (busy, overloaded, again):
        assert int(reply.headers["Retry-After"]) >= 1
        assert reply.body["error"]
    assert (await usher.reserve(event_id, [3], ada)).status == 200


async def test_an_answer_that_does_not_come_is_503(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    monkeypatch.setattr("server.rest.asking.ANSWER_S", 0.05)
    monkeypatch.setattr(usher.parts.supervisor, "tell", lambda *_: None)
    reply = await usher.reserve(event_id, [0], ada)
    assert (reply.status, reply.body["code"]) == (503, "try_again")


async def test_of_many_who_want_a_seat_one_gets_it(usher: Usher) -> None:
    event_id = await usher.event()
    customers = [await usher.customer() for _ in range(12)]
    replies = await asyncio.gather(*(usher.reserve(event_id, [50, 51], customer) for customer in customers))
    assert sorted(reply.status for reply in replies) == [200] + [400] * 11
    for reply in replies:
        if reply.status == 400:
            assert (reply.body["code"], reply.body["seats"]) == ("seat_taken", ["50", "51"])


# Releasing


async def test_releasing_one_seat_keeps_the_others(usher: Usher) -> None:
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    await usher.reserve(event_id, [0, 1, 2], ada)
    await usher.reserve(event_id, [7], ben)
    body = {"seat_ids": ["1", "7", "100", "199", "5000"]}
    reply = await usher.rest("POST", f"/seats/{event_id}/release", body, ada)
    assert (reply.status, set(reply.data)) == (200, {"message"})
    held = await usher.rest("GET", "/seats/reservation", by=ada)
    assert [seat["id"] for seat in held.data["seats"]] == ["0", "2"]
    assert held.data["total_price"] == 700
    assert (await usher.rest("GET", "/seats/reservation", by=ben)).data["seats"][0]["id"] == "7"
    assert (await usher.reserve(event_id, [1], ben)).status == 200, "it is free at once"
    for _ in range(2):  # harmless however often
        everything = {"seat_ids": ["0", "1", "2"]}
        assert (await usher.rest("POST", f"/seats/{event_id}/release", everything, ada)).status == 200
    assert (await usher.rest("GET", "/seats/reservation", by=ada)).data is None


# What one holds


async def test_the_reservation_shows_all_that_is_held(usher: Usher) -> None:
    one, two, ada = await usher.event(), await usher.event(), await usher.customer()
    assert (await usher.rest("GET", "/seats/reservation", by=ada)).data is None
    first = await usher.reserve(one, [0], ada)
    second = await usher.reserve(two, [30, 20], ada)
    held = (await usher.rest("GET", "/seats/reservation", by=ada)).data
    assert set(held) == {"event_id", "seats", "total_price", "expires_at", "reservations"}
    assert held["event_id"] == two, "the hold changed last"
    assert held["seats"] == second.data["seats"]
    assert (held["total_price"], held["expires_at"]) == (199, second.data["expiresAt"])
    assert [shown["event_id"] for shown in held["reservations"]] == [two, one]
    assert held["reservations"][1]["seats"] == first.data["seats"]
    assert all("reservations" not in shown for shown in held["reservations"])
    # A release is a change as well.
    await usher.reserve(one, [1], ada)
    await usher.rest("POST", f"/seats/{two}/release", {"seat_ids": ["20"]}, ada)
    held = (await usher.rest("GET", "/seats/reservation", by=ada)).data
    assert (held["event_id"], held["total_price"]) == (two, 99.5)
    # Any session of the account sees it, nobody else does.
    phone, ben = await usher.sign_in(ada.id), await usher.customer()
    assert (await usher.rest("GET", "/seats/reservation", by=phone)).data == held
    assert (await usher.rest("GET", "/seats/reservation", by=ben)).data is None


async def test_a_reservation_that_ran_out_is_gone(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    await usher.reserve(event_id, [0], ada)
    await usher.age_holds(event_id, 601)

    async def is_gone() -> bool:
        return (await usher.rest("GET", "/seats/reservation", by=ada)).data is None

    await until(is_gone)
    assert (await usher.seat_states(event_id))[0] == 0


# Who may


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/seats/{event_id}/reserve"),
        ("POST", "/seats/{event_id}/release"),
        ("GET", "/seats/reservation"),
    ],
)
async def test_a_session_is_required_before_all_else(usher: Usher, method: str, path: str) -> None:
    for event_id in (UNKNOWN, await usher.event()):
        at_path = path.format(event_id=event_id)
        body = b"{" if method == "POST" else None
        assert (await usher.rest(method, at_path, body)).refusal == NO_SESSION
        for session_id in ("x", "A" * 43):
            dead = Customer("", session_id)
            assert (await usher.rest(method, at_path, body, dead)).refusal == DEAD_SESSION


async def test_the_event_comes_before_the_body(usher: Usher) -> None:
    ada = await usher.customer()
    for path in ("reserve", "release"):
        assert (await usher.rest("POST", f"/seats/{UNKNOWN}/{path}", b"{", ada)).refusal == NO_EVENT


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/seats/x/reserve", "POST"),
        ("GET", "/seats/x/release", "POST"),
        ("POST", "/seats/reservation", "GET,HEAD"),
        ("POST", "/seats/x/availability", "GET,HEAD"),
        ("DELETE", "/seats/x/sections/y", "GET,HEAD"),
    ],
)
async def test_other_methods_are_405(usher: Usher, method: str, path: str, allowed: str) -> None:
    reply = await usher.rest(method, path)
    assert (reply.status, reply.body["code"]) == (405, "method_not_allowed")
    assert set(reply.headers["Allow"].replace(" ", "").split(",")) == set(allowed.split(","))


async def test_unknown_paths_are_404_in_the_envelope(usher: Usher) -> None:
    for path in ("/seats", "/seats/", "/seats/x", "/seats/x/y/z", "/seats/x/sections/", "/seats/x/sections/a/b"):
        assert (await usher.rest("GET", path)).refusal == (404, "Not found", "not_found")


async def test_amounts_have_at_most_two_decimals(usher: Usher) -> None:
    event_id, ada = await usher.event(max_tickets=10), await usher.customer()
    reply: Json = (await usher.reserve(event_id, list(range(20, 30)), ada)).data
    assert reply["totalPrice"] == 995
    assert isinstance(reply["totalPrice"], int)
    assert all(math.isclose(seat["price"] * 100, round(seat["price"] * 100)) for seat in reply["seats"])

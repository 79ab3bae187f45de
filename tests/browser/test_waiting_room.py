"""The waiting room as visitors see it: join, draw, wait, the turn, and the draw checked in the browser."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import Arrive
from tests.browser.organiser import Organiser
from tests.browser.visitor import PASSWORD, Visitor, Wire

LOBBY_S = 20
"""Time enough for three visitors to come; the draw is waited for."""


def line(visitor: Visitor, stage: str) -> Locator:
    """The waiting room, at this stage."""
    return visitor.page.locator(f'[data-line="{stage}"]')


def press(visitor: Visitor, key: str) -> None:
    visitor.page.locator(f'[data-key="{key}"]').click()


def queue_event(organiser: Organiser, mode: str = "fifo", shoppers: int = 1, **fields: Any) -> str:
    room = {"waiting_room_enabled": True, "waiting_room_mode": mode, "max_concurrent_shoppers": shoppers}
    return organiser.event((3, 8), **room, **fields)


def join(visitor: Visitor, event_id: str) -> None:
    """Sign up, open the event and join."""
    visitor.sign_up()
    visitor.open_event(event_id)
    press(visitor, "join")


def buy(visitor: Visitor, seat: int) -> None:
    visitor.hold(seat)
    press(visitor, "pay")
    expect(visitor.page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}$"))


def test_one_comes_in_when_one_has_bought(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    first, second, third = (arrive() for _ in range(3))
    join(first, event_id)
    expect(line(first, "in").get_by_role("timer")).to_have_text(re.compile(r"^1[45]:\d\d$"))
    join(second, event_id)
    expect(second.page.locator("[data-ahead]")).to_have_attribute("data-ahead", "0")
    join(third, event_id)
    expect(third.page.locator("[data-ahead]")).to_have_attribute("data-ahead", "1")
    expect(third.page).to_have_title(re.compile(r"^\(2\) "))

    # Who waits sees what happens on the map.
    buy(first, 3)
    expect(third.seat(3)).to_have_attribute("data-look", "sold")
    expect(line(second, "in")).to_be_visible()
    expect(second.note.filter(has_text="It is your turn")).to_be_visible()
    expect(second.page).to_have_title(re.compile("^Your turn!"))
    expect(third.page.locator("[data-ahead]")).to_have_attribute("data-ahead", "0")
    expect(third.page).to_have_title(re.compile(r"^\(1\) "))

    press(second, "leave")
    second.page.locator('dialog [value="no"]').click()
    expect(line(second, "in")).to_be_visible()
    press(second, "leave")
    second.page.locator('dialog [value="yes"]').click()
    expect(line(second, "enter_line")).to_be_visible()
    expect(line(third, "in")).to_be_visible()
    buy(third, 4)


def test_nobody_who_is_not_admitted_gets_a_seat(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    inside, outside = arrive(), arrive()
    join(inside, event_id)
    outside.sign_up()
    wire = Wire(outside.page)
    outside.open_event(event_id)
    outside.seat(5).click()
    expect(outside.page.locator('[data-key="hold"]')).to_have_count(0)
    press(outside, "join")
    expect(line(outside, "waiting")).to_be_visible()
    expect(outside.seat(5)).to_have_attribute("data-look", "selected")
    assert wire.commands("hold_seats") == wire.commands("hold_best") == []
    # A page that believes it is in is told by the server that it is not.
    wire.say(type="queue", status="active", place=2, ahead=0, eta_s=None, eta_high_s=None, admitted_until_ms=None)
    press(outside, "hold")
    expect(outside.note.filter(has_text="Your turn in the waiting room has not come yet")).to_be_visible()
    expect(inside.seat(5)).to_have_attribute("data-look", "available")
    assert [len(wire.commands(kind)) for kind in ("hold_seats", "join_queue")] == [1, 1]


def test_a_closed_tab_keeps_its_place_and_two_tabs_have_one(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    first, second, third = (arrive() for _ in range(3))
    join(first, event_id)
    join(second, event_id)
    expect(line(second, "waiting")).to_be_visible()
    second.page.close()
    join(third, event_id)
    expect(third.page.locator("[data-ahead]")).to_have_attribute("data-ahead", "1")

    second.page = second.new_page()
    second.open_event(event_id)
    expect(line(second, "waiting")).to_contain_text("Place 2")
    other_tab = second.new_page()
    other_tab.goto(f"/events/{event_id}")
    expect(other_tab.locator('[data-line="waiting"]')).to_contain_text("Place 2")
    expect(third.page.locator("[data-ahead]")).to_have_attribute("data-ahead", "1")
    buy(first, 0)
    for page in (second.page, other_tab):
        expect(page.locator('[data-line="in"]')).to_be_visible()
    expect(line(third, "waiting")).to_be_visible()


def test_signing_in_from_the_waiting_room_joins_it(visitor: Visitor, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    account = {"email": "waits@example.org", "password": PASSWORD}
    visitor.page.request.post("/api/v1/auth/register", data=account | {"name": "Waits"})
    visitor.page.request.post("/api/v1/auth/logout")
    visitor.open_event(event_id)
    visitor.page.get_by_role("button", name="Sign in to join").click()
    visitor.page.get_by_label("Email").fill(account["email"])
    visitor.page.get_by_label("Password").fill(PASSWORD)
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(line(visitor, "in")).to_be_visible()
    assert visitor.page.url.endswith(event_id)


def test_what_can_go_wrong_is_said(visitor: Visitor, arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser)
    inside = arrive()
    join(inside, event_id)
    visitor.sign_up()
    wire = Wire(visitor.page)
    visitor.open_event(event_id)
    press(visitor, "join")
    expect(line(visitor, "waiting")).to_be_visible()
    nothing = {"eta_s": None, "eta_high_s": None, "admitted_until_ms": None}
    wire.say(type="queue", status="waiting", place=9, ahead=7, **nothing | {"eta_s": 130, "eta_high_s": 400})
    expect(visitor.page.locator('[data-mishap="moved_back"]')).to_be_visible()
    expect(visitor.page.locator("[data-wait]")).to_have_text("2 to 7 min")
    wire.say(type="queue", status="not_in_queue", place=None, ahead=0, **nothing)
    expect(line(visitor, "enter_line").locator('[data-mishap="out"]')).to_be_visible()
    wire.say(type="event", status="sold_out", on_sale_at_ms=0, orphan_rule="off")
    expect(visitor.page.locator("[data-closed]")).to_contain_text("Sold out")


def test_a_paused_line_says_so_and_goes_on(arrive: Arrive, organiser: Organiser) -> None:
    event_id = queue_event(organiser, "closed")
    visitor = arrive()
    visitor.sign_up()
    visitor.open_event(event_id)
    expect(line(visitor, "enter_line")).to_contain_text("Nobody is being let in right now")
    press(visitor, "join")
    expect(line(visitor, "waiting").get_by_role("heading")).to_have_text("The line is paused")
    expect(visitor.page.locator("[data-wait]")).to_have_text("–")
    organiser.change(event_id, waiting_room_mode="fifo")
    expect(line(visitor, "in")).to_be_visible()


def test_the_lobby_is_drawn_and_the_draw_is_checked(arrive: Arrive, organiser: Organiser) -> None:
    on_sale = datetime.now(UTC) + timedelta(seconds=LOBBY_S)
    event_id = queue_event(organiser, "draw", on_sale_date=on_sale.isoformat())
    visitors = [arrive() for _ in range(3)]
    for one in visitors:
        join(one, event_id)
        expect(line(one, "lobby")).to_be_visible()
    press(visitors[1], "draw")
    open_draw = visitors[1].page.locator('dialog[data-draw="lobby"]')
    for check, state in (("chain", "skipped"), ("places", "skipped"), ("signatures", "good"), ("receipt", "good")):
        expect(open_draw.locator(f'[data-check="{check}"]')).to_have_attribute("data-state", state)
    open_draw.get_by_role("button", name="Close").click()
    with visitors[0].page.expect_download() as download:
        press(visitors[0], "receipt")
    receipt = json.loads(download.value.path().read_text())
    assert receipt["nonce_by"] == "client"
    for one in visitors:
        expect(line(one, "waiting").or_(line(one, "in"))).to_be_visible(timeout=4_000 * LOBBY_S)
    places = []
    for one in visitors:
        press(one, "draw")
        dialog = one.page.locator('dialog[data-draw="drawn"]')
        expect(dialog.locator('[data-verdict="sound"]')).to_be_visible()
        expect(dialog.locator('[data-beacon="none"]')).to_contain_text("not from the operator")
        for check in ("seed", "chain", "closing", "places", "once", "signatures", "receipt", "earlier"):
            expect(dialog.locator(f'[data-check="{check}"]')).to_have_attribute("data-state", "good")
        places.append(int(dialog.locator("[data-own-place]").get_attribute("data-own-place") or 0))
        dialog.get_by_role("button", name="Close").click()
    assert sorted(places) == [1, 2, 3]
    by_place = [one for _, one in sorted(zip(places, visitors, strict=True), key=lambda pair: pair[0])]
    expect(line(by_place[0], "in")).to_be_visible()
    for ahead, one in enumerate(by_place[1:]):
        expect(one.page.locator("[data-ahead]")).to_have_attribute("data-ahead", str(ahead))

    # What was published is tampered with on its way: each kind of fraud is named by its check.
    page = by_place[2].page
    for check, fault, change in FRAUDS:
        tamper(page, change)
        press(by_place[2], "draw")
        broken = page.locator('dialog[data-draw="broken"]')
        expect(broken.locator('[data-verdict="broken"]')).to_be_visible()
        faults = broken.locator(f'[data-check="{check}"]').get_attribute("data-faults") or ""
        assert fault in faults.split(), f"{fault}: {faults}"
        broken.get_by_role("button", name="Close").click()
        page.unroute_all()
    press(by_place[2], "draw")
    expect(page.locator('dialog [data-verdict="sound"]')).to_be_visible()


def tamper(page: Page, change: Callable[[dict[str, Any]], None]) -> None:
    """Change what is published on its way to the page."""

    def answer(route: Route) -> None:
        body = route.fetch().json()
        change(body["data"])
        route.fulfill(json=body)

    page.route(re.compile(r"/queue/[^/]+/draw$"), answer)


def drop(document: dict[str, Any]) -> None:
    document["entries"].pop()
    document["places"].pop()


def swap(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document[name].reverse()


def late(document: dict[str, Any]) -> None:
    document["last_head"]["at"] = "2099-01-01T00:00:00.000Z"


def add(document: dict[str, Any]) -> None:
    document["entries"].append("7" * 64)
    document["places"].append(4)


FRAUDS: list[tuple[str, str, Callable[[dict[str, Any]], None]]] = [
    ("chain", "wrong_count", drop),
    ("chain", "chain_broken", swap("entries")),
    ("chain", "wrong_count", add),
    ("receipt", "entry_moved", lambda document: document["entries"].insert(0, "7" * 64)),
    ("places", "wrong_order", swap("places")),
    ("closing", "not_closed", lambda document: document.update(closed_at=None)),
    ("signatures", "wrong_signature", late),
    ("seed", "wrong_seed", lambda document: document.update(operator_seed="0" * 64)),
    ("seed", "seed_withheld", lambda document: document.update(status="seed_withheld", operator_seed=None)),
    ("receipt", "commitment_changed", lambda document: document.update(commitment="0" * 64)),
    ("once", "drawn_again", lambda document: document["earlier_draws"].append({})),
]

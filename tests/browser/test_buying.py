"""The whole way of a customer: find, sign in, pick on the map, hold, pay, see the tickets, cancel."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import CHAPPELLE, COLDPLAY, PASSWORD, SWIFT, Visitor, Wire


def test_from_the_list_of_events_to_a_cancelled_order(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/")
    expect(page.locator(".card")).to_have_count(8)
    page.get_by_role("searchbox").fill("coldplay")
    expect(page.locator(".card")).to_have_count(1)
    page.locator(".card").click()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    visitor.wait_for_map()

    seats = [visitor.index_of("Block A2", "C", number) for number in (10, 11)]
    for seat in seats:
        visitor.click_on_map(seat)
    expect(visitor.basket).to_contain_text("C10")
    expect(visitor.basket).to_contain_text("$500")

    page.get_by_role("button", name="Sign in to hold seats").click()
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Grace Hopper")
    page.get_by_label("Email").fill("grace@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()

    page.get_by_role("button", name="Hold 2 seats").click()
    expect(page.get_by_role("timer")).to_have_text(re.compile(r"^(10:00|9:5\d)$"))
    page.get_by_role("button", name="More time").click()
    expect(visitor.basket).to_contain_text("Extended")

    page.get_by_label("Declining card").check()
    page.get_by_role("button", name="Pay $500").click()
    expect(page.locator("[data-problem]")).to_contain_text("declined")
    expect(visitor.voice).to_contain_text("declined")
    page.get_by_label("Test card").check()
    page.get_by_role("button", name="Pay $500").click()

    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
    tickets = page.locator("[data-ticket]")
    expect(tickets).to_have_count(2)
    expect(tickets.first).to_have_attribute("data-ticket", "Block A2/C/10")
    expect(tickets.first).to_contain_text("$250")

    page.get_by_role("link", name="All my orders").click()
    expect(page.locator("[data-order]").first).to_contain_text("Paid")
    page.locator("[data-order]").first.click()
    page.get_by_role("button", name="Cancel order").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator(".tickets")).to_have_attribute("data-status", "completed")
    page.get_by_role("button", name="Cancel order").click()
    page.get_by_role("button", name="Cancel the order").click()
    expect(page.locator(".tickets")).to_have_attribute("data-status", "cancelled")

    page.get_by_role("link", name="Go to the event").click()
    visitor.wait_for_map()
    expect(visitor.seat(seats[0])).to_have_attribute("data-look", "available")


def test_a_hold_in_one_window_is_seen_in_another(arrive: Arrive) -> None:
    buyer, watcher = arrive(), arrive()
    buyer.sign_up()
    buyer.open_event(COLDPLAY)
    watcher.open_event(COLDPLAY)
    seat = buyer.index_of("Floor", "D", 7)
    seen = watcher.seat(watcher.index_of("Floor", "D", 7))
    expect(seen).to_have_attribute("data-look", "available")
    before = watcher.pixel_on_map(seat)
    available = int(watcher.page.locator("[data-available]").get_attribute("data-available") or 0)

    buyer.hold(seat)
    expect(seen).to_have_attribute("data-look", "held")
    expect(seen).to_have_attribute("aria-label", "Floor, row D, seat 7, held by somebody, $400")
    expect(watcher.page.locator("[data-available]")).to_have_attribute("data-available", str(available - 1))
    # The filled disc has become a ring: its middle lets the ground through.
    assert before[3] == 255
    assert watcher.pixel_on_map(seat)[3] == 0

    buyer.page.get_by_role("button", name="Give back D7").click()
    expect(seen).to_have_attribute("data-look", "available")
    assert watcher.pixel_on_map(seat) == before


def test_a_chosen_seat_that_somebody_else_holds_is_chosen_no_longer(arrive: Arrive) -> None:
    slow, quick = arrive(), arrive()
    quick.sign_up()
    quick.open_event(COLDPLAY)
    slow.open_event(COLDPLAY)
    lost, kept = slow.index_of("Floor", "F", 3), slow.index_of("Floor", "F", 4)
    slow.seat(lost).click()
    slow.seat(kept).click()
    quick.hold(quick.index_of("Floor", "F", 3))
    expect(slow.note).to_contain_text("Seat F3 was just taken.")
    expect(slow.seat(lost)).to_have_attribute("data-look", "held")
    expect(slow.seat(kept)).to_have_attribute("data-look", "selected")


def test_a_refusal_takes_back_only_the_seat_at_fault(arrive: Arrive) -> None:
    late, early = arrive(), arrive()
    late.sign_up("Late")
    early.sign_up("Early")
    wire = Wire(late.page)
    late.open_event(COLDPLAY)
    early.open_event(COLDPLAY)
    lost, kept = late.index_of("Floor", "H", 3), late.index_of("Floor", "H", 4)
    wire.drop.add("patch")  # what the other one does stays unknown here until the answer comes
    early.hold(early.index_of("Floor", "H", 3))

    late.seat(lost).click()
    late.seat(kept).click()
    late.page.get_by_role("button", name="Hold 2 seats").click()
    expect(late.note).to_contain_text("Seat H3 was just taken. The others are still chosen.")
    expect(late.seat(kept)).to_have_attribute("data-look", "selected")
    expect(late.seat(lost)).not_to_have_attribute("data-look", "selected")
    late.page.get_by_role("button", name="Hold 1 seat").click()
    expect(late.seat(kept)).to_have_attribute("data-look", "mine")


def test_the_hold_outlives_a_reload_and_is_in_every_tab(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.open_event(CHAPPELLE)
    first, second = visitor.index_of("GA Pit", "B", 5), visitor.index_of("GA Pit", "B", 6)
    visitor.hold(first, second)

    visitor.page.reload()
    visitor.wait_for_map()
    expect(visitor.seat(first)).to_have_attribute("data-look", "mine")
    expect(visitor.page.get_by_role("timer")).to_have_text(re.compile(r"^(10:00|9:[345]\d)$"))

    tab = visitor.new_page()
    tab.goto(f"/events/{CHAPPELLE}")
    expect(tab.locator(".basket")).to_contain_text("B6")
    tab.get_by_role("button", name="Give back B6").click()
    expect(visitor.seat(second)).to_have_attribute("data-look", "available")
    expect(visitor.seat(first)).to_have_attribute("data-look", "mine")
    visitor.page.get_by_role("button", name="Give all back").click()
    expect(visitor.basket).to_have_attribute("data-stage", "empty")


def test_a_choice_ends_at_the_customers_limit(visitor: Visitor) -> None:
    visitor.open_event(CHAPPELLE)
    for number in range(20, 25):
        visitor.seat(visitor.index_of("GA Pit", "C", number)).click()
    expect(visitor.note).to_contain_text("up to 4 seats")
    expect(visitor.basket).to_contain_text("4 seats")


def test_an_event_that_is_not_on_sale_counts_down(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.open_event(SWIFT)
    expect(visitor.basket).to_contain_text("Enter the draw")
    expect(visitor.basket.get_by_role("timer")).to_contain_text("hours")


def test_the_end_of_a_hold_is_announced_and_offers_to_try_again(visitor: Visitor) -> None:
    visitor.sign_up()
    wire = Wire(visitor.page)
    visitor.open_event(CHAPPELLE)
    seat = visitor.index_of("GA Pit", "D", 5)
    visitor.hold(seat)
    soon = int(visitor.page.evaluate("Date.now()")) + 31_000
    wire.say(type="hold", seats=[seat], expires_at_ms=soon, total_cents=20000, reason="command")
    expect(visitor.voice).to_contain_text("30 seconds left to pay.")

    wire.say(type="hold", seats=[], expires_at_ms=None, total_cents=0, reason="expired")
    dialog = visitor.page.get_by_role("dialog", name="Your time ran out")
    expect(dialog).to_contain_text("D5")
    dialog.get_by_role("button", name="Try to hold the same seats again").click()
    expect(visitor.seat(seat)).to_have_attribute("data-look", "mine")
    assert [command["seats"] for command in wire.commands("hold_seats")] == [[seat], [seat]]

"""The list and the map without a mouse: both do the same, and say what they do."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.visitor import COLDPLAY, Visitor

TABS_MAX = 80
CHOSEN = re.compile(r"row (\w+), seat (\d+), chosen")


def test_the_list_does_by_key_what_the_map_does(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.open_event(COLDPLAY)
    page, press = visitor.page, visitor.page.keyboard.press
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.locator("h1").evaluate("heading => { heading.tabIndex = -1; heading.focus(); }")
    press("Tab")
    while page.locator(".connection:focus").count():
        press("Tab")
    section = page.locator("[data-section]").first
    expect(section).to_be_focused()  # the list is the first stop
    press("Enter")
    expect(section).to_have_attribute("aria-expanded", "true")
    for _ in range(10):
        press("Tab")
    row = page.locator("[data-row]").nth(9)
    expect(row).to_be_focused()
    press("Enter")
    press("Tab")
    first = visitor.focused_seat()
    press("ArrowRight")
    press("ArrowRight")
    seat = visitor.focused_seat()
    assert seat == first + 2
    press("Space")
    expect(page.locator(f'.seat[data-seat="{seat}"]')).to_have_attribute("aria-pressed", "true")
    expect(visitor.voice).to_contain_text(CHOSEN)

    hold = page.get_by_role("button", name="Hold 1 seat")
    hold.focus()
    press("Enter")
    expect(page.locator(f'.seat[data-seat="{seat}"]')).to_have_attribute("data-look", "mine")
    expect(page.get_by_role("button", name=re.compile("^Pay"))).to_be_focused()
    page.get_by_role("button", name="Give all back").focus()
    press("Enter")
    expect(page.locator(f'.seat[data-seat="{seat}"]')).to_have_attribute("data-look", "available")


def test_the_map_is_one_stop_and_goes_by_arrows(visitor: Visitor) -> None:
    visitor.open_event(COLDPLAY)
    page, press = visitor.page, visitor.page.keyboard.press
    page.locator(".legend button").last.focus()
    press("Tab")
    frame = page.locator(".map")
    expect(frame).to_be_focused()
    expect(visitor.echo).to_contain_text("seat")
    before = frame.get_attribute("data-camera")
    press("ArrowDown")
    expect(frame).not_to_have_attribute("data-camera", before or "")  # it comes near enough to be seen
    press("ArrowRight")
    press("Enter")
    expect(visitor.voice).to_contain_text(CHOSEN)
    expect(visitor.basket.locator("[data-picked]")).to_have_count(1)
    picked = int(visitor.basket.locator("[data-picked]").get_attribute("data-picked") or -1)
    expect(visitor.seat(picked)).to_have_attribute("data-look", "selected")
    frame.focus()
    press("0")
    expect(page.locator(".map.is-whole[data-camera]")).to_be_visible()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until this has the focus."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{wanted} cannot be reached by Tab")


def test_a_purchase_by_keyboard_alone(visitor: Visitor) -> None:
    visitor.sign_up()
    page, press = visitor.page, visitor.page.keyboard.press
    page.goto("/")
    card = page.locator(f'[data-event="{COLDPLAY}"]')
    card.wait_for()
    tab_to(page, card)
    press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    visitor.wait_for_map()
    tab_to(page, page.locator('[data-section][data-name="Block A1"]'))
    press("Enter")
    tab_to(page, page.locator('[data-row][data-name="S"]:visible'))
    press("Enter")
    press("Tab")
    for key in ("ArrowRight", "ArrowRight", "Space", "ArrowRight", "Space"):
        press(key)
    hold = page.get_by_role("button", name="Hold 2 seats")
    expect(hold).to_be_visible()
    tab_to(page, hold)
    press("Enter")
    expect(page.get_by_role("button", name="Pay $500")).to_be_focused()
    press("Enter")
    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    seats = [ticket.get_attribute("data-ticket") for ticket in page.locator("[data-ticket]").all()]
    assert seats == ["Block A1/S/3", "Block A1/S/4"]


def test_a_purchase_by_the_list_alone(visitor: Visitor) -> None:
    visitor.sign_up()
    page = visitor.page
    page.goto(f"/events/{COLDPLAY}")
    page.locator(".map").evaluate("map => map.remove()")
    page.locator('[data-section][data-name="Block A1"]').click()
    page.locator('[data-row][data-name="R"]:visible').click()
    for number in ("3", "4"):
        page.get_by_role("button", name=re.compile(f"^Block A1, row R, seat {number}, available")).click()
    page.get_by_role("button", name="Hold 2 seats").click()
    page.get_by_role("button", name="Pay $500").click()
    expect(page.locator("[data-ticket]")).to_have_count(2)
    expect(page.locator("[data-ticket]").first).to_have_attribute("data-ticket", "Block A1/R/3")

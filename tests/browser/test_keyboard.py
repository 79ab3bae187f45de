"""The list and the map without a mouse: both do the same, and say what they do."""

import re

from playwright.sync_api import expect

from tests.browser.visitor import COLDPLAY, Visitor

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

"""The pages around the sale: filters, accounts, what is missing, narrow screens."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import COLDPLAY, Visitor


def test_filters_are_in_the_address(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/")
    page.get_by_role("button", name="Comedy").click()
    expect(page.locator(".card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?category=comedy$"))
    page.locator(".card").click()
    expect(page).to_have_url(re.compile("/events/"))
    page.go_back()
    expect(page.get_by_role("button", name="Comedy")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_role("searchbox").fill("no such thing")
    expect(page.get_by_role("heading", name="No event matches.")).to_be_visible()
    page.get_by_role("button", name="Clear search and filters").click()
    expect(page.locator(".card")).to_have_count(8)


def test_errors_of_a_form_stand_at_the_field(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/register?to=%2Forders")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Email").fill("ada")
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("This does not look like an email address.")).to_be_visible()
    expect(page.get_by_text("A password has at least 8 characters.")).to_be_visible()

    visitor.expect_error("40[01]")
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("Password").fill("password1")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill("violet kettle harbour")
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile("/orders$"))
    expect(page.get_by_role("heading", name="No orders yet.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()

    page.goto("/login")
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("Password").fill("violet kettle harbor")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Email or password is wrong.")


def test_orders_ask_to_sign_in_and_come_back(visitor: Visitor) -> None:
    visitor.expect_error("401")
    visitor.page.goto("/orders")
    expect(visitor.page).to_have_url(re.compile(r"/login\?to=%2Forders$"))


@pytest.mark.parametrize("path", ["/events/550e8400-e29b-41d4-a716-446655449999", "/events/nonsense"])
def test_what_is_not_there_says_so(visitor: Visitor, path: str) -> None:
    visitor.expect_error("404")
    visitor.page.goto(path)
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Nothing here")
    expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()


def test_trouble_offers_to_try_again(visitor: Visitor) -> None:
    visitor.expect_error("ERR_FAILED|ERR_CONNECTION")
    visitor.page.route("**/api/v1/events?*", lambda route: route.abort())
    visitor.page.goto("/")
    expect(visitor.page.get_by_role("alert")).to_contain_text("cannot be reached")
    visitor.page.unroute("**/api/v1/events?*")
    visitor.page.get_by_role("button", name="Try again").click()
    expect(visitor.page.locator(".card")).to_have_count(8)


def test_the_skip_link_leads_to_the_heading(visitor: Visitor) -> None:
    visitor.page.goto("/")
    expect(visitor.page.locator(".card").first).to_be_visible()
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("link", name="Skip to the content")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_has_no_sideways_scroll(arrive: Arrive, scheme: str) -> None:
    visitor = arrive(width=320, height=640, color_scheme=scheme, has_touch=True, is_mobile=True)
    visitor.sign_up("A Person With Rather A Long Name")
    page = visitor.page
    for path in ("/", "/login", "/register", "/orders"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".waiting, .skeletons")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path
    visitor.open_event(COLDPLAY)
    row, seat = ("P", 3) if scheme == "light" else ("P", 5)
    visitor.hold(visitor.index_of("Block B1", row, seat))
    expect(page.get_by_role("button", name="Pay $150")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    page.get_by_role("button", name="Give all back").click()
    expect(visitor.basket).to_have_attribute("data-stage", "empty")


def test_a_breach_of_the_policy_would_be_seen(visitor: Visitor) -> None:
    visitor.page.goto("/")
    with visitor.page.expect_console_message(lambda message: message.type == "error"):
        visitor.page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert any("Content Security Policy" in error for error in visitor.errors)
    visitor.errors.clear()

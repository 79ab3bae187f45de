"""A walk through all pages as one buyer takes it."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.visitor import COLDPLAY, NIGHT_FERRIES, SWIFT, Visitor


def walk(visitor: Visitor, row: str, seen: Callable[[str], None]) -> None:
    """Come to every page, and buy two seats in this row of Block B2; `seen` is told each page's name."""
    page = visitor.page
    for name in ("login", "register", "forgot-password", "reset-password", "verify-email", "nowhere"):
        page.goto(f"/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        seen(name)
    visitor.sign_up()
    page.goto("/orders")
    expect(page.get_by_role("heading", name="No orders yet.")).to_be_visible()
    seen("no-orders")
    page.goto("/")
    expect(page.locator(".card").first).to_be_visible()
    seen("events")
    page.goto("/?search=no+such+thing")
    expect(page.get_by_role("heading", name="No event matches.")).to_be_visible()
    seen("no-events")
    visitor.open_event(SWIFT)
    seen("upcoming")
    visitor.open_event(COLDPLAY)
    seen("event")
    page.get_by_role("button", name="Wishes").click()
    expect(page.get_by_role("combobox", name="Where")).to_be_visible()
    seen("wishes")
    visitor.open_event(NIGHT_FERRIES)
    expect(page.locator("[data-line]")).to_be_visible()
    seen("enter-line")
    page.locator('[data-key="join"]').click()
    expect(page.locator('[data-line="in"], [data-line="waiting"]')).to_be_visible()
    seen("line")
    visitor.open_event(COLDPLAY)
    visitor.hold(*(visitor.index_of("Block B2", row, number) for number in (11, 12)))
    seen("checkout")
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(page.locator(".ticket-code")).to_have_count(2)
    seen("order")
    page.goto("/orders")
    expect(page.locator("[data-order]")).to_have_count(1)
    seen("orders")

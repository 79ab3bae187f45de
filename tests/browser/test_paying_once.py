"""Whatever one does with the button and the browser's own ones, a hold is paid once."""

import re

from playwright.sync_api import expect

from tests.browser.visitor import COLDPLAY, Visitor


def test_a_double_click_pays_once(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_up()
    visitor.open_event(COLDPLAY)
    visitor.hold(visitor.index_of("Block B3", "F", 5))
    page.get_by_role("button", name="Pay $150").dblclick()
    expect(page).to_have_url(re.compile(r"/orders/[0-9a-f-]{36}$"))
    page.goto("/orders")
    expect(page.locator("[data-order]")).to_have_count(1)


def test_back_after_paying_shows_an_empty_basket(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_up()
    visitor.open_event(COLDPLAY)
    visitor.hold(visitor.index_of("Block B3", "G", 5))
    page.get_by_role("button", name="Pay $150").click()
    expect(page.locator(".ticket-code")).to_have_count(1)
    page.reload()
    expect(page.locator(".ticket-code")).to_have_count(1)
    page.go_back()
    visitor.wait_for_map()
    expect(visitor.basket).to_have_attribute("data-stage", "empty")
    page.goto("/orders")
    expect(page.locator("[data-order]")).to_have_count(1)

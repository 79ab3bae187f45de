"""The page of an order: codes that scanners read, also in the dark, offline and on paper; calendar; cancelling."""

import re
import urllib.parse
from typing import Any

import pytest
import zxingcpp
from icalendar import Calendar
from playwright.sync_api import Page, expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import COLDPLAY, Visitor

GREY = """async (image, [scale]) => {
  await image.decode();
  const side = image.width * scale;
  const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, side, side);
  const { data } = context.getImageData(0, 0, side, side);
  return { side, grey: Array.from({ length: side * side }, (_, k) => data[4 * k]), corner: [...data.slice(0, 4)] };
}"""


def buy(visitor: Visitor, row: str, *numbers: int) -> dict[str, Any]:
    """Sign up and buy seats of Block B2; the answer that the order page is made from."""
    visitor.sign_up()
    visitor.open_event(COLDPLAY)
    visitor.hold(*(visitor.index_of("Block B2", row, number) for number in numbers))
    with visitor.page.expect_response(re.compile(r"/checkout/orders/[0-9a-f-]{36}$")) as answered:
        visitor.page.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(visitor.page.locator(".ticket-code")).to_have_count(len(numbers))
    shown: dict[str, Any] = answered.value.json()["data"]
    return shown


def scanned(page: Page, place: int) -> str:
    """What a scanner reads from the picture of a ticket as the browser draws it."""
    drawn = page.locator(".ticket-code").nth(place).evaluate(GREY, [3])
    assert drawn["corner"] == [255, 255, 255, 255], "a code stands on white, in the dark, too"
    pixels = memoryview(bytes(drawn["grey"])).cast("B", shape=[drawn["side"], drawn["side"]])
    found = zxingcpp.read_barcode(pixels)
    assert found is not None, "no code is found in the picture"
    return found.text


@pytest.mark.parametrize(("scheme", "row"), [("light", "F"), ("dark", "G")])
def test_a_scanner_reads_the_ticket(arrive: Arrive, scheme: str, row: str) -> None:
    visitor = arrive(color_scheme=scheme)
    shown = buy(visitor, row, 5, 6)
    assert [scanned(visitor.page, place) for place in (0, 1)] == [ticket["code"] for ticket in shown["tickets"]]


def test_an_order_that_is_open_needs_no_connection(visitor: Visitor) -> None:
    buy(visitor, "H", 5)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    visitor.context.set_offline(True)
    assert scanned(visitor.page, 0).startswith("USHER1.")
    assert [url for url in asked if not url.startswith("data:")] == []


def test_the_calendar_file_is_the_event(visitor: Visitor) -> None:
    shown = buy(visitor, "J", 5)
    link = visitor.page.get_by_role("link", name="Add to calendar")
    with visitor.page.expect_download() as saved:
        link.click()
    assert saved.value.suggested_filename.endswith(".ics")
    text = urllib.parse.unquote((link.get_attribute("href") or "").partition(",")[2])
    (entry,) = Calendar.from_ical(text).walk("VEVENT")
    assert entry["SUMMARY"] == shown["order"]["event_name"]


def test_one_ticket_a_page_is_printed(visitor: Visitor) -> None:
    buy(visitor, "K", 5, 6, 7)
    expect(visitor.page.get_by_role("heading", level=1)).to_be_focused()
    pages = re.findall(rb"/Type\s*/Page\b", visitor.page.pdf(format="A4"))
    assert len(pages) == 3


def test_a_cancelled_order_shows_no_code(visitor: Visitor) -> None:
    buy(visitor, "L", 5)
    visitor.page.get_by_role("button", name="Cancel order").click()
    visitor.page.get_by_role("button", name="Cancel the order").click()
    expect(visitor.page.locator(".tickets")).to_have_attribute("data-status", "cancelled")
    expect(visitor.page.locator(".ticket-code")).to_have_count(0)
    expect(visitor.page.get_by_role("link", name="Add to calendar")).to_have_count(0)


def test_an_order_fits_a_narrow_screen(arrive: Arrive) -> None:
    visitor = arrive(width=320, height=640, has_touch=True, is_mobile=True)
    buy(visitor, "M", 5)
    assert visitor.page.evaluate("document.documentElement.scrollWidth") == 320
    assert scanned(visitor.page, 0).startswith("USHER1.")

"""The map under fingers: a pinch zooms, a tap on a small seat comes nearer, the page still scrolls."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import COLDPLAY, Visitor

Point = tuple[float, float]


def camera(visitor: Visitor) -> list[float]:
    frame = visitor.page.locator(".map[data-camera]")
    frame.wait_for()
    return [float(part) for part in (frame.get_attribute("data-camera") or "").split()]


def touch(page: Page, *steps: list[Point]) -> None:
    """Fingers that go down at the first step, move through the others, and go up."""
    session = page.context.new_cdp_session(page)
    for number, points in enumerate(steps):
        kind = "touchStart" if number == 0 else "touchMove"
        fingers = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_pinch_drag_and_tap(arrive: Arrive) -> None:
    visitor = arrive(width=390, height=760, has_touch=True, is_mobile=True, device_scale_factor=3)
    visitor.open_event(COLDPLAY)
    page = visitor.page
    box = page.locator(".map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    seat = visitor.index_of("Block A2", "J", 13)

    whole = camera(visitor)[0]
    before = page.locator(".map").get_attribute("data-camera") or ""
    touch(page, *([(x - apart, y), (x + apart, y)] for apart in range(20, 110, 10)))
    expect(page.locator(f'.map[data-camera="{before}"]')).to_have_count(0)
    scale, left, top = camera(visitor)
    assert scale > 3 * whole

    before = page.locator(".map").get_attribute("data-camera") or ""
    touch(page, *([(x + far, y + far)] for far in range(0, 60, 10)))
    expect(page.locator(f'.map[data-camera="{before}"]')).to_have_count(0)
    assert camera(visitor) == [scale, left + 50, top + 50]

    # Not a tap: right after a drag Chromium takes it for the end of a flick, and no click comes of it.
    page.get_by_role("button", name="Whole venue").click()
    expect(page.locator(".map.is-whole[data-camera]")).to_be_visible()
    visitor.tap_on_map(seat)
    expect(page.locator(".map:not(.is-whole)[data-camera]")).to_be_visible()
    expect(visitor.basket.locator("[data-picked]")).to_have_count(0)
    visitor.tap_on_map(seat)
    expect(visitor.basket.locator(f'[data-picked="{seat}"]')).to_be_visible()

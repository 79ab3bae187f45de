"""A page that keeps still: it does not talk without end, jump, or keep the wheel; what is dimmed comes back."""

import re
from itertools import pairwise

from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.organiser import Organiser
from tests.browser.visitor import COLDPLAY, Visitor

SHIFTS = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            const what = entry.sources.map((one) => String(one.node?.className ?? one.node?.nodeName));
            if (!entry.hadRecentInput) window.shifts.push([entry.value, what]);
        }
    }).observe({ type: 'layout-shift', buffered: true });
}"""
GOOD_SHIFT = 0.1
"""Of layout shifts in all. Source: Core Web Vitals, cumulative layout shift."""


def shifted(visitor: Visitor) -> float:
    found: list[tuple[float, list[str]]] = visitor.page.evaluate("window.shifts")
    return sum(value for value, _ in found)


def test_the_voice_speaks_once_in_two_seconds_and_drops_nothing_urgent(visitor: Visitor) -> None:
    visitor.open_event(COLDPLAY)
    said = visitor.page.evaluate(
        """async () => {
            const { say } = await import('/static/announcer.js');
            await new Promise((done) => setTimeout(done, 2100));
            const said = [];
            const began = performance.now();
            const voice = document.querySelector('#voice');
            const heard = () => said.push([voice.textContent, performance.now() - began]);
            const all = { childList: true, characterData: true, subtree: true };
            new MutationObserver(heard).observe(voice, all);
            for (const text of ['one', 'two', 'three']) say(text);
            say('urgent', { isUrgent: true });
            say('four');
            say('five');
            await new Promise((done) => setTimeout(done, 300));
            say('six');
            say('seven');
            await new Promise((done) => setTimeout(done, 3000));
            return said.filter(([text]) => text);
        }"""
    )
    assert [text for text, _ in said] == ["urgent five", "seven"]
    times = [at for _, at in said]
    assert all(later - earlier >= 1_900 for earlier, later in pairwise(times)), times


def test_a_price_alone_dims_the_others_and_lets_them_come_back(visitor: Visitor) -> None:
    visitor.open_event(COLDPLAY)
    chips = visitor.page.locator(".chip.tier")
    before = visitor.pixel_on_map(0)
    chips.last.click()
    expect(chips.last).to_have_attribute("aria-pressed", "true")
    dimmed = visitor.pixel_on_map(0)
    assert dimmed != before
    chips.last.click()
    expect(chips.last).to_have_attribute("aria-pressed", "false")
    assert visitor.pixel_on_map(0) == before


def test_the_wheel_scrolls_the_page_where_the_map_has_nothing_to_zoom(arrive: Arrive) -> None:
    """At the whole venue, the wheel turned back is the page's: nobody is caught in the map."""
    visitor = arrive(width=390, height=500)
    visitor.open_event(COLDPLAY)
    canvas = visitor.page.locator(".map")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    visitor.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = visitor.page.evaluate("scrollY")
    for _ in range(6):
        visitor.page.mouse.wheel(0, 300)
    visitor.page.wait_for_function("before => scrollY > before", arg=before)


def test_a_hold_can_be_extended_once(visitor: Visitor, organiser: Organiser) -> None:
    event_id = organiser.event((2, 6))
    visitor.sign_up()
    visitor.open_event(event_id)
    visitor.hold(0)
    button = visitor.page.locator('[data-key="extend"]')
    button.click()
    expect(button).to_have_count(0)
    expect(visitor.basket).to_contain_text("extended", ignore_case=True)
    visitor.page.reload()
    visitor.wait_for_map()
    expect(visitor.page.get_by_role("timer")).to_have_text(re.compile(r"^1?\d:\d\d$"))


def test_nothing_jumps_while_the_page_comes_and_when_seats_are_held(arrive: Arrive, organiser: Organiser) -> None:
    event_id = organiser.event((2, 6))
    visitor, other = arrive(), arrive()
    visitor.page.add_init_script(f"({SHIFTS})()")
    visitor.open_event(event_id)
    first = shifted(visitor)
    assert first < GOOD_SHIFT, visitor.page.evaluate("window.shifts")
    other.sign_up()
    other.open_event(event_id)
    other.hold(0, 1)
    expect(visitor.seat(1)).to_have_attribute("data-look", "held")
    before = shifted(visitor)
    other.page.get_by_role("button", name=re.compile("^Pay")).click()
    expect(visitor.seat(1)).to_have_attribute("data-look", "sold")
    assert shifted(visitor) == before

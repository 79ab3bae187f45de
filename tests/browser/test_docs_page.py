"""The page about the interface, as people meet it: without JavaScript, on a phone, in the dark, by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.visitor import Visitor

CONTRAST = """() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const known = new Map();
    const channels = (color) => {
        if (!known.has(color)) {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = color;
            canvas.fillRect(0, 0, 1, 1);
            known.set(color, canvas.getImageData(0, 0, 1, 1).data);
        }
        return known.get(color);
    };
    const light = (color) => {
        const [r, g, b] = Array.from(channels(color)).slice(0, 3).map((part) => {
            const x = part / 255;
            return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        const color = getComputedStyle(element).backgroundColor;
        return channels(color)[3] === 255 || !element.parentElement ? color : behind(element.parentElement);
    };
    const found = new Map();
    for (const element of document.body.querySelectorAll('*')) {
        const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!says || !element.checkVisibility()) continue;
        const pair = [getComputedStyle(element).color, behind(element)];
        const [high, low] = pair.map(light).sort((one, other) => other - one);
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < 4.5) found.set(pair.join(' on '), `${element.className} ${ratio.toFixed(2)}`);
    }
    return [...found.entries()].map((entry) => entry.join(': '));
}"""


def test_it_is_found_and_read_without_javascript(arrive: Arrive, visitor: Visitor) -> None:
    visitor.page.goto("/")
    visitor.page.get_by_role("link", name="For programs").click()
    expect(visitor.page).to_have_url(f"{visitor.page.url.split('/api')[0]}/api/docs")
    page = arrive(java_script_enabled=False).page
    page.goto("/api/docs")
    contents = page.get_by_role("navigation", name="Contents")
    contents.get_by_role("link", name="Hold these seats").click()
    operation = page.locator("#reserve")
    expect(operation).to_be_in_viewport()
    expect(operation.get_by_role("heading", level=3)).to_contain_text("Hold these seats")
    refused = operation.get_by_text("This seat is taken")
    expect(refused).not_to_be_visible()
    operation.get_by_text("Refusals:").click()
    expect(refused).to_be_visible()
    operation.get_by_role("link", name="Reserved").click()
    expect(page.locator("#shape-Reserved")).to_be_in_viewport()


@pytest.mark.parametrize("width", [320, 700, 1000, 1440])
def test_it_fits_every_screen(arrive: Arrive, width: int) -> None:
    page = arrive(width=width).page
    page.goto("/api/docs")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_words_stand_out(arrive: Arrive, scheme: str) -> None:
    page = arrive(color_scheme=scheme).page
    page.goto("/api/docs")
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    assert page.evaluate(CONTRAST) == []
    page.locator("h1").evaluate("heading => { heading.style.color = 'rgb(120, 120, 120)'; }")
    # With reduced motion a colour still takes a frame. (Waiting for a function takes `eval`, forbidden here.)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate(CONTRAST) != []


def test_it_is_used_by_keyboard(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/api/docs")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = "document.querySelector('main').contains(document.activeElement)"
    assert page.evaluate(inside)

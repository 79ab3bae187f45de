"""Pictures of every page, on a phone and at a desk, light and dark: `python -m tests.browser.pictures URL FOLDER`.

The server needs fresh demo data, and USHER_RATE_LIMIT=off. Look at them after every change of looks.
"""

import argparse
import re
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, SEEN_MAX_MS
from tests.browser.visitor import COLDPLAY, SWIFT, Visitor

WIDTHS = {390: 844, 1280: 800}
FREE_ROWS = iter("DEFGHJKLMNP")


def main() -> None:
    """Take all pictures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("url")
    asked.add_argument("folder", type=Path)
    given = asked.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=SEEN_MAX_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--no-sandbox"])
        for width, height in WIDTHS.items():
            for scheme in ("light", "dark"):
                context = chromium.new_context(
                    base_url=given.url,
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,
                    reduced_motion="reduce",
                    locale="en-US",
                )
                take(Visitor(context), given.folder, f"{width}-{scheme}")
                context.close()
        chromium.close()


def take(visitor: Visitor, folder: Path, suffix: str) -> None:
    """Walk through all pages as one buyer."""
    page = visitor.page

    def shoot(name: str) -> None:
        page.screenshot(
            path=folder / f"{name}-{suffix}.jpg", quality=82, type="jpeg", full_page=name not in ("event", "events")
        )

    for name, path in {"login": "/login", "register": "/register", "missing": "/nowhere"}.items():
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        shoot(name)
    visitor.sign_up()
    page.goto("/orders")
    expect(page.get_by_role("heading", name="No orders yet.")).to_be_visible()
    shoot("no-orders")
    page.goto("/")
    expect(page.locator(".card").first).to_be_visible()
    shoot("events")
    page.goto("/?search=no+such+thing")
    expect(page.get_by_role("heading", name="No event matches.")).to_be_visible()
    shoot("no-events")
    visitor.open_event(SWIFT)
    shoot("upcoming")
    visitor.open_event(COLDPLAY)
    shoot("event")
    row = next(FREE_ROWS)
    visitor.hold(*(visitor.index_of("Block B2", row, number) for number in (11, 12)))
    shoot("checkout")
    page.get_by_role("button", name=re.compile("^Pay ")).click()
    expect(page.locator(".ticket-code")).to_have_count(2)
    shoot("order")
    page.goto("/orders")
    expect(page.locator("[data-order]")).to_have_count(1)
    shoot("orders")


if __name__ == "__main__":
    main()

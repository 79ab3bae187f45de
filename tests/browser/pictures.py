"""Pictures of every page, on a phone and at a desk, light and dark: `python -m tests.browser.pictures URL FOLDER`.

The server needs fresh demo data, and USHER_RATE_LIMIT=off. Look at them after every change of looks.
"""

import argparse
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, SEEN_MAX_MS
from tests.browser.visitor import Visitor
from tests.browser.walk import walk

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
    """Walk through all pages and take a picture of each."""

    def shoot(name: str) -> None:
        whole = name not in ("event", "events")
        visitor.page.screenshot(path=folder / f"{name}-{suffix}.jpg", quality=82, type="jpeg", full_page=whole)

    walk(visitor, next(FREE_ROWS), shoot)


if __name__ == "__main__":
    main()

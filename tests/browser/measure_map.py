"""How long the seat map takes to draw: `python -m tests.browser.measure_map` (makes the table in docs/browser.md).

The time is what the page's own code takes (draw work), not the distance of two frames: a machine without a screen
paints as it likes. Each figure is of 21 runs after three that do not count.
"""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.browser.conftest import CHROMIUM, FLAGS

STATIC = Path(__file__).parents[2] / "static"
HALL = Path(__file__).with_name("big_hall.js")
ORIGIN = "http://usher.test"
TYPES = {".js": "text/javascript", ".css": "text/css"}
HALLS = (20_000, 80_000)
PHONE_SLOWER = 4
PHONE_MAP = {"width": 390, "height": 359}
"""So large is the map on a phone: 92 % of the width."""

Row = tuple[str, str, float, float | None]
"""Where, what, milliseconds, the budget in milliseconds."""

MEASURE = """async (seats) => {
    const [{ bigHall }, { Plan }, { Neighbours }, { Picture }, { fit }] = await Promise.all([
        import('/big_hall.js'), import('/static/state/plan.js'), import('/static/state/neighbours.js'),
        import('/static/map/picture.js'), import('/static/state/camera.js'),
    ]);
    const text = JSON.stringify(bigHall(seats));
    const frame = document.querySelector('#frame');
    const view = { width: frame.clientWidth, height: frame.clientHeight };
    const times = async (work, count = 21) => {
        const took = [];
        for (let run = -3; run < count; run++) {
            const began = performance.now();
            work(Math.abs(run));
            if (run >= 0) took.push(performance.now() - began);
            await new Promise((done) => requestAnimationFrame(done));
        }
        return took.sort((a, b) => a - b);
    };
    const middle = (took) => took[Math.floor(took.length / 2)];
    const late = (took) => took[Math.floor(took.length * 0.95)];
    let picture;
    const begin = () => {
        picture?.remove();
        const plan = new Plan(JSON.parse(text));
        picture = new Picture(frame, plan, new Neighbours(plan));
        picture.resize(view);
        picture.looks.forEach((_, seat, looks) => (looks[seat] = seat % 3));
        picture.draw(fit(plan.bounds, view), false, 0);
        return plan;
    };
    const first = middle(await times(begin));
    const plan = begin();
    const whole = fit(plan.bounds, view);
    const near = { scale: 1.5, x: -3000, y: -600 };
    const moved = (run) => ({ ...whole, x: whole.x + run });
    const atRest = late(await times((run) => picture.draw(moved(run), false, 0)));
    picture._drawMs = 1_000;  // as on a machine that cannot draw it all within a frame
    const moving = late(await times((run) => picture.draw(moved(run), true, 0)));
    picture.draw(whole, false, 0);
    const patch = async (count) => middle(await times((run) => {
        const changed = new Set(Array.from({ length: count }, (_, k) => (k * 997 + run * 131) % seats));
        for (const seat of changed) picture.looks[seat] = (picture.looks[seat] + 1) % 3;
        picture.drawSeats(changed);
    }));
    const [hundred, thousand] = [await patch(100), await patch(1_000)];
    const close = middle(await times((run) => picture.draw({ ...near, x: near.x - run }, false, 0)));
    return { first, atRest, moving, hundred, thousand, close };
}"""


def measured(page: Page, seats: int) -> dict[str, float]:
    """Milliseconds of draw work with a hall of so many seats."""
    result: dict[str, float] = page.evaluate(MEASURE, seats)
    return result


def page_of(browser: Browser, **context: Any) -> Page:
    """A page that has the modules, and a frame for a map as large as its window."""
    page = browser.new_context(**context).new_page()
    page.route(f"{ORIGIN}/**", lambda route: route.fulfill(**_answer(route.request.url.removeprefix(ORIGIN))))
    page.goto(f"{ORIGIN}/")
    return page


def rows() -> list[Row]:
    """All figures, at a desk and on a phone."""
    assert CHROMIUM is not None, "Chromium is needed"
    found: list[Row] = []
    with sync_playwright() as playwright:
        flags = [*FLAGS, "--no-sandbox"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        desk = page_of(browser, viewport={"width": 1280, "height": 800})
        for seats in track(HALLS, "At a desk"):
            got = measured(desk, seats)
            where = f"{seats:,} seats"
            found += [
                (
                    where,
                    "from the plan's JSON to the first picture",
                    got["first"],
                    100 if seats == HALLS[0] else 150,
                ),
                (where, "whole venue, at rest (p95)", got["atRest"], 8 if seats == HALLS[1] else None),
                (where, "whole venue, moving (p95)", got["moving"], 3),
                (where, "near, at rest", got["close"], None),
                (where, "a patch of 100 seats", got["hundred"], 2),
                (where, "a patch of 1,000 seats", got["thousand"], 8),
            ]
        phone = page_of(browser, viewport=PHONE_MAP, device_scale_factor=3, is_mobile=True, has_touch=True)
        phone.context.new_cdp_session(phone).send("Emulation.setCPUThrottlingRate", {"rate": PHONE_SLOWER})
        got = measured(phone, HALLS[0])
        where = f"{HALLS[0]:,} seats, phone"
        found.append((where, "from the plan's JSON to the first picture", got["first"], 500))
        found.append((where, "a patch of 100 seats", got["hundred"], None))
        browser.close()
    return found


def _answer(path: str) -> dict[str, Any]:
    if path == "/":
        page = '<!doctype html><link rel="stylesheet" href="/static/style/base.css">'
        page += '<link rel="stylesheet" href="/static/style/event.css">'
        page += '<body style="margin:0"><div id="frame" class="map" style="width:100vw;height:100vh"></div>'
        return {"body": page, "content_type": "text/html"}
    file = HALL if path == f"/{HALL.name}" else STATIC / path.removeprefix("/static/")
    return {"path": file, "content_type": TYPES[file.suffix]}


def main() -> None:
    """Print the table, for people and as Markdown."""
    table = Table("hall", "what", "ms", "budget")
    found = rows()
    for where, what, took, budget in found:
        verdict = "" if budget is None else f"≤ {budget:g} {'met' if took <= budget else 'missed'}"
        table.add_row(where, what, f"{took:.1f}", verdict)
    Console().print(table)
    for where, what, took, budget in found:
        print(f"| {where} | {what} | {took:.1f} | {'' if budget is None else f'{budget:g}'} |")


if __name__ == "__main__":
    main()

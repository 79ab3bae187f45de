"""How much the map draws: what changed and no more, whatever the hall's size."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.measure_map import page_of

COUNT = """async ([seats, changes]) => {
    const [{ bigHall }, { Plan }, { SeatMap }, { SeatLayer }] = await Promise.all([
        import('/big_hall.js'), import('/static/state/plan.js'), import('/static/map/seat_map.js'),
        import('/static/map/seat_layer.js'),
    ]);
    const frames = (count) => new Promise((done) => {
        const next = () => (count-- > 0 ? requestAnimationFrame(next) : done());
        next();
    });
    const plan = new Plan(bigHall(seats));
    const view = () => undefined;
    const frame = document.querySelector('#frame');
    const map = new SeatMap(frame, plan, { onToggle: view, onFocus: view, onHover: view, onView: view });
    const states = new Uint8Array(plan.count);
    map.setStates(states);
    await frames(3);

    const work = { stamped: 0, put: 0, pixels: 0, cleared: 0 };
    const count = (owner, name, tally) => {
        const original = owner[name];
        owner[name] = function (...args) {
            tally.call(this, ...args);
            return original.apply(this, args);
        };
    };
    count(SeatLayer.prototype, '_stampSeat', () => (work.stamped += 1));
    const canvas = CanvasRenderingContext2D.prototype;
    count(canvas, 'putImageData', function (image, x, y, left, top, width, height) {
        work.put += 1;
        work.pixels += width === undefined ? image.width * image.height : width * height;
    });
    count(canvas, 'clearRect', function () {
        if (this.canvas.isConnected) work.cleared += 1;
    });
    const spent = () => {
        const before = { ...work };
        Object.keys(work).forEach((key) => (work[key] = 0));
        return before;
    };
    map.setStates(states);
    await frames(3);
    const whole = spent();
    for (const seatsOfPatch of changes) {
        for (const seat of seatsOfPatch) states[seat] = 1;
        map.update(seatsOfPatch);
    }
    await frames(3);
    const patch = spent();
    map.destroy();
    return { whole, patch, size: frame.clientWidth * frame.clientHeight };
}"""


@pytest.fixture(scope="module")
def count(browser: Browser) -> Any:
    page = page_of(browser, viewport={"width": 1000, "height": 600}, reduced_motion="reduce")
    yield lambda *given: page.evaluate(COUNT, list(given))
    page.context.close()


@pytest.mark.parametrize("seats", [20_000, 80_000])
def test_a_patch_draws_its_seats_alone(count: Any, seats: int) -> None:
    patch = [4_000 + 40 * k for k in range(20)]  # the first seat of some rows that stand together
    work = count(seats, [patch])
    assert work["whole"]["stamped"] >= seats, "otherwise nothing is counted"
    assert work["whole"]["pixels"] >= work["size"]
    assert len(patch) <= work["patch"]["stamped"] <= 30 * len(patch), "each with what it may overlap"
    assert work["patch"]["pixels"] < work["size"] / 20
    assert work["patch"]["cleared"] == 0, "shapes, words and marks stay"


def test_many_patches_between_two_frames_are_drawn_once(count: Any) -> None:
    work = count(20_000, [[4_000 + k, 4_040 + k] for k in range(10)])
    assert work["patch"]["put"] == 1


def test_a_patch_of_very_many_seats_costs_no_more_than_a_whole_picture(count: Any) -> None:
    work = count(20_000, [list(range(0, 20_000, 2))])
    assert 10_000 <= work["patch"]["stamped"] <= work["whole"]["stamped"]

"""The browser's pure modules against the golden samples that the Python side writes and reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visitor import SWIFT, Visitor

SAMPLES = Path(__file__).resolve().parents[2] / "protocol" / "samples.json"


@pytest.fixture(scope="module")
def samples() -> dict[str, list[Any]]:
    read: dict[str, list[Any]] = json.loads(SAMPLES.read_text())
    return read


def test_the_rule_for_patches(visitor: Visitor, samples: dict[str, list[Any]]) -> None:
    script = """async (cases) => {
        const { judgePatch, SeatTable } = await import('/static/state/seats.js');
        return cases.map(({ state, patch }) => {
            const table = new SeatTable(8);
            table.position = { ...state };
            const { outcome } = table.apply({ type: 'patch', ...patch, held: [3] });
            return { judged: judgePatch(state, patch), outcome, position: table.position, seat: table.states[3] };
        });
    }"""
    cases = samples["positions"]
    assert cases
    visitor.page.goto("/")
    for case, result in zip(cases, visitor.page.evaluate(script, cases), strict=True):
        assert result["judged"] == case["outcome"], case["name"]
        assert result["outcome"] == case["outcome"], case["name"]
        is_applied = case["outcome"] == "apply"
        moved = {"epoch": case["patch"]["epoch"], "revision": case["patch"]["revision"]}
        assert result["position"] == (moved if is_applied else case["state"]), case["name"]
        assert result["seat"] == (1 if is_applied else 0), case["name"]


def test_snapshots(visitor: Visitor, samples: dict[str, list[Any]]) -> None:
    script = """async (cases) => {
        const { unpackStates } = await import('/static/state/protocol.js');
        return cases.map(({ seats, states }) => Array.from(unpackStates(seats, states.length)));
    }"""
    cases = samples["snapshots"]
    assert cases
    visitor.page.goto("/")
    for case, states in zip(cases, visitor.page.evaluate(script, cases), strict=True):
        assert states == case["states"], case["name"]


def test_messages_are_read(visitor: Visitor, samples: dict[str, list[Any]]) -> None:
    script = """async (frames) => {
        const { readMessage } = await import('/static/state/protocol.js');
        return frames.map((frame) => readMessage(frame));
    }"""
    cases = samples["messages"]
    visitor.page.goto("/")
    frames = [json.dumps(case["message"]) for case in cases]
    for case, message in zip(cases, visitor.page.evaluate(script, frames), strict=True):
        expected = None if case.get("reads_as") == "ignored" else case["message"]
        assert message == expected, case["name"]
    for frame in ("", "[]", "null", "{}", '{"type": 3}', "{", '"patch"'):
        assert visitor.page.evaluate(script, [frame]) == [None]


def test_what_a_client_does_after_a_close(visitor: Visitor) -> None:
    script = """async ([codes, attempts]) => {
        const { afterClose, waitBeforeAttempt } = await import('/static/state/protocol.js');
        const waits = (rule, random) => attempts.map((attempt) => waitBeforeAttempt(rule, attempt, random));
        return {
            rules: codes.map(afterClose),
            least: waits('later', 0), most: waits('later', 1), slower: waits('slower', 0),
        };
    }"""
    codes = [1000, 1001, 1005, 1006, 1012, 4408, 4429, 4400, 4401, 4403, 4404, 1002, 1003, 1007, 1008, 1009]
    visitor.page.goto("/")
    result = visitor.page.evaluate(script, [codes, [0, 1, 2, 3, 4, 5, 50]])
    assert result["rules"] == [
        *["later"] * 6,
        "slower",
        "not_understood",
        "signed_out",
        "not_allowed",
        "no_such_event",
        *["not_understood"] * 5,
    ]
    assert result["least"] == [500] * 7
    assert result["most"] == [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]
    assert result["slower"] == [5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000]


def test_the_plan_is_unfolded_as_python_does(visitor: Visitor) -> None:
    script = """async (url) => {
        const { Plan } = await import('/static/state/plan.js');
        const plan = new Plan(await (await fetch(url)).json());
        return Array.from({ length: plan.count }, (_, seat) => {
            const { x, y } = plan.pointOf(seat);
            const names = [plan.sectionOf(seat).name, plan.rowOf(seat).label, plan.numberOf(seat)];
            return [...names, plan.priceOf(seat), Math.round(x * 10), Math.round(y * 10), plan.isAccessible(seat)];
        });
    }"""
    visitor.open_event(SWIFT)
    expected = visitor.places
    unfolded = visitor.page.evaluate(script, visitor.map_url())
    assert len(unfolded) == len(expected)
    for place, (section, row, number, price, x, y, accessible) in zip(expected, unfolded, strict=True):
        assert (section, row, number, price) == (place.section, place.row, place.number, place.category.price_cents)
        assert accessible == place.accessible
        assert abs(x - place.x * 10) <= 1
        assert abs(y - place.y * 10) <= 1


def test_what_is_particular_about_a_seat_is_said(visitor: Visitor) -> None:
    script = """async () => {
        const { Plan } = await import('/static/state/plan.js');
        const { spokenSeat } = await import('/static/views/words.js');
        const marks = { accessible: [0], companion: [1], restricted: [1, 2] };
        const rows = [{ label: 'A', seats: 4, line: [0, 0, 10, 0], ...marks }];
        const plan = new Plan({
            name: 'x', bounds: [-10, -10, 60, 20], focal: [0, 0],
            categories: [{ name: 'a', price_tier: 'vip', price_cents: 100 }],
            sections: [{ name: 'S', rows, label_at: [0, 0] }],
        });
        return [0, 1, 2, 3].map((seat) => spokenSeat(plan, seat, 'available').split(', ').slice(3, -2));
    }"""
    visitor.page.goto("/")
    assert visitor.page.evaluate(script) == [
        ["wheelchair access"],
        ["companion seat", "restricted view"],
        ["restricted view"],
        [],
    ]


def test_labels_make_room_for_the_weightier(visitor: Visitor) -> None:
    script = """async () => {
        const { apart } = await import('/static/state/labels.js');
        const label = (x, y) => ({ x, box: { x, y, width: 50, height: 10 } });
        return apart([label(0, 0), label(40, 5), label(50, 0), label(80, 9), label(45, 10)]).map(({ x }) => x);
    }"""
    visitor.page.goto("/")
    assert visitor.page.evaluate(script) == [0, 50, 45]


def test_money_and_time(visitor: Visitor) -> None:
    script = """async () => {
        const { formatCents, centsOf } = await import('/static/state/money.js');
        const { formatCountdown, formatMoment, ServerClock } = await import('/static/state/times.js');
        let local = 1000;
        const clock = new ServerClock(() => local);
        clock.learn(500_000);
        local = 2000;
        clock.learn(500_700);
        return {
            money: [formatCents(8500), formatCents(9950), formatCents(123456789, 'EUR'), formatCents(0)],
            cents: [centsOf(99.5), centsOf(19.99), centsOf(350)],
            times: [599_001, 60_000, 59_001, 1, 0, -5, 3_600_000].map(formatCountdown),
            server: clock.now(),
            zones: ['Europe/London', 'America/Denver', null].map((zone) =>
                formatMoment('2031-07-01T19:30:00Z', zone)),
        };
    }"""
    visitor.page.goto("/")
    result = visitor.page.evaluate(script)
    assert result["money"] == ["$85", "$99.50", "€1,234,567.89", "$0"]
    assert result["cents"] == [9950, 1999, 35000]
    assert result["times"] == ["10:00", "1:00", "1:00", "0:01", "0:00", "0:00", "1:00:00"]
    london, denver, berlin = result["zones"]
    assert "8:30" in london
    assert "1:30" in denver
    assert "MDT" in denver
    assert "9:30" in berlin, "without a zone it is the visitor's"
    # The second message came 300 ms late: the first one's difference is the truer.
    assert result["server"] == 501_000


def test_the_nearest_seat_in_a_direction(visitor: Visitor) -> None:
    script = """async () => {
        const { Plan } = await import('/static/state/plan.js');
        const { Neighbours } = await import('/static/state/neighbours.js');
        const rows = ['A', 'B', 'C'].map((label, k) => ({ label, seats: 5, line: [0, 10 * k, 10, 0] }));
        const far = [{ label: 'A', seats: 2, line: [300, 10, 10, 0] }];
        const plan = new Plan({
            name: 'x', bounds: [-10, -10, 340, 60], focal: [0, 0],
            categories: [{ name: 'a', price_tier: 'vip', price_cents: 1 }],
            sections: [{ name: 'S', rows, label_at: [0, 0] }, { name: 'F', rows: far, label_at: [0, 0] }],
        });
        const near = new Neighbours(plan);
        const steps = [[7, 1, 0], [7, -1, 0], [7, 0, -1], [7, 0, 1], [9, 1, 0], [16, 1, 0], [0, 0, -1]];
        return { steps: steps.map((step) => near.towards(...step)), at: [near.at(21, 11, 6), near.at(25, 40, 6)] };
    }"""
    visitor.page.goto("/")
    result = visitor.page.evaluate(script)
    assert result == {"steps": [8, 6, 2, 12, 15, 16, 0], "at": [7, -1]}


def test_a_sale_step_by_step(visitor: Visitor) -> None:
    script = """async () => {
        const { Sale } = await import('/static/state/sale.js');
        const sale = new Sale(8, 4);
        const told = (message) => sale.receive(message).notices.map(({ kind }) => kind);
        const refuse = (code, more = {}) =>
            told({ type: 'rejected', id: 'c', code, message: '', retry: true, ...more });
        const ask = (seats) => sale.begin({ type: 'hold_seats', id: 'c', seats });
        const held = (seats) => ({ seats, expires_at_ms: 1, total_cents: 5 });
        const patch = (revision, more) => ({ type: 'patch', epoch: 'e', base: revision - 1, revision, ...more });
        const steps = [];
        const step = (name, result) =>
            steps.push([name, result, sale.selected, sale.hold.seats, sale.pending.size]);

        told({ type: 'snapshot', epoch: 'e', revision: 1, seats: 'AAA=' });
        step('choose', [1, 2, 3, 4, 5].map((seat) => sale.toggle(seat)));
        step('choose no longer', sale.toggle(4));
        step('taken meanwhile', told(patch(2, { held: [3] })));
        step('not free', sale.toggle(3));
        ask([1, 2]);
        step('asked', sale.toggle(2));
        step('my own patch', told(patch(3, { held: [1, 2] })));
        for (let k = 0; k < 5; k++) step('not now', refuse('busy', { retry_after_ms: 7 }));
        step('given up', refuse('busy'));
        ask([1, 2]);
        step('refused', refuse('seat_taken', { seats: [1] }));
        ask([2]);
        step('held', told({ type: 'accepted', id: 'c', revision: 4, hold: held([2]) }));
        step('mine', sale.toggle(2));
        step('in another tab', told({ type: 'hold', reason: 'command', ...held([2, 6]) }));
        step('expired', told({ type: 'hold', reason: 'expired', ...held([]) }));
        return steps;
    }"""
    visitor.page.goto("/")
    assert visitor.page.evaluate(script) == [
        ["choose", ["selected"] * 4 + ["full"], [1, 2, 3, 4], [], 0],
        ["choose no longer", "unselected", [1, 2, 3], [], 0],
        ["taken meanwhile", ["taken"], [1, 2], [], 0],
        ["not free", "unavailable", [1, 2], [], 0],
        ["asked", "busy", [1, 2], [], 1],
        ["my own patch", [], [1, 2], [], 1],
        *[["not now", ["retry"], [1, 2], [], 1]] * 5,
        ["given up", ["refused"], [1, 2], [], 0],
        ["refused", ["refused"], [2], [], 0],
        ["held", ["held"], [], [2], 0],
        ["mine", "mine", [], [2], 0],
        ["in another tab", [], [], [2, 6], 0],
        ["expired", ["expired"], [], [], 0],
    ]

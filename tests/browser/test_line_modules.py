"""The waiting room's pure modules: the line against the golden samples, the draw against the shared vectors."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from protocol.draw_document import DrawDocument, SignedReceipt
from server.draws.verifying import find_faults
from tests.browser.visitor import Visitor
from tests.server.draws import BEACON, entries, in_the_lobby, published, receipt_of
from tests.server.test_verify_draw import WITHIN

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = json.loads((ROOT / "protocol" / "samples.json").read_text())
VECTORS = json.loads((ROOT / "tests" / "core" / "draw_vectors.json").read_text())["draws"]


def test_the_line_against_the_golden_samples(visitor: Visitor) -> None:
    script = """async (samples) => {
        const { Line } = await import('/static/state/line.js');
        const { readMessage } = await import('/static/state/protocol.js');
        const sale = { status: 'upcoming', onSaleAtMs: 1000 };
        const open = { status: 'on_sale', onSaleAtMs: 0 };
        const seen = [];
        for (const [name, frame] of samples) {
            const message = readMessage(frame);
            const line = new Line({ hasRoom: true, mode: 'draw' });
            const before = line.stage(sale, 0);
            const news = line.receive(message);
            seen.push([name, before, news, line.stage(sale, 0), line.stage(open, 0), line.ahead, line.wait]);
        }
        return seen;
    }"""
    kinds = ("queue", "line")
    samples = [
        (one["name"], json.dumps(one["message"]))
        for one in SAMPLES["messages"]
        if one["message"].get("type") in kinds or "queue" in one["message"]
    ]
    visitor.page.goto("/")
    assert visitor.page.evaluate(script, samples) == [
        ["accepted queue, in", "enter_lobby", [], "in", "in", 0, None],
        ["accepted queue, waiting", "enter_lobby", [], "waiting", "waiting", 12, [60, 180]],
        ["accepted queue, in the lobby", "enter_lobby", [], "lobby", "drawing", 0, None],
        ["how far the line is", "enter_lobby", [], "enter_lobby", "enter_line", 0, None],
        ["how far the line is, pace not known", "enter_lobby", [], "enter_lobby", "enter_line", 0, None],
        ["my place in line", "enter_lobby", [], "waiting", "waiting", 12, [60, 180]],
        ["my place, not drawn yet", "enter_lobby", [], "lobby", "drawing", 0, None],
        ["in no line", "enter_lobby", [], "enter_lobby", "enter_line", 0, None],
    ]


def test_a_way_through_the_line(visitor: Visitor) -> None:
    script = """async () => {
        const { Line, isMilestone } = await import('/static/state/line.js');
        const sale = { status: 'on_sale', onSaleAtMs: 0 };
        const line = new Line({ hasRoom: true, mode: 'draw' });
        const queue = (status, place = null, ahead = 0, eta_s = null, eta_high_s = null) => {
            const news = line.receive({ type: 'queue', status, place, ahead, eta_s, eta_high_s });
            return [news.join(), line.stage(sale, 0), line.mishap, line.ahead, line.wait];
        };
        const told = (admitted_upto, per_minute = null) => {
            line.receive({ type: 'line', admitted_upto, waiting: 9, per_minute });
            return [line.ahead, line.wait];
        };
        return [
            queue('not_in_queue'), queue('lobby'), queue('waiting', 20, 9), told(15), told(15, 60),
            queue('waiting', 20, 4, 100, 200), told(18), told(25),
            queue('active', 20), queue('not_in_queue'), queue('waiting', 40, 3), queue('waiting', 50, 5),
            queue('not_in_queue'), queue('waiting', 60, 1), (line.leaves(), queue('not_in_queue')),
            [isMilestone(11, 10), isMilestone(10, 9), isMilestone(60, 3), isMilestone(1, 0), isMilestone(3, 4)],
            ['none', 'off', 'draw'].map((mode) => new Line({ hasRoom: mode !== 'none', mode }).stage(sale, 0)),
            new Line({ hasRoom: true, mode: 'fifo' }, 7).receive({ type: 'queue', status: 'waiting', place: 9 }),
            new Line({ hasRoom: true, mode: 'fifo' }, 7).receive({ type: 'queue', status: 'waiting', place: 7 }),
            line.stage({ status: 'sold_out', onSaleAtMs: 0 }, 0),
            line.stage({ status: 'cancelled', onSaleAtMs: 0 }, 0),
        ];
    }"""
    visitor.page.goto("/")
    found = visitor.page.evaluate(script)
    assert found[4][0] == 4
    assert 0 <= found[4][1][0] <= 5 <= found[4][1][1]  # five turns at sixty a minute
    found[4] = None
    assert found == [
        ["", "enter_line", None, 0, None],
        ["joined", "drawing", None, 0, None],
        ["drawn", "waiting", None, 9, None],
        [4, None],
        None,
        ["", "waiting", None, 4, [100, 200]],
        [1, [40, 80]],
        [0, [20, 40]],
        ["turn", "in", None, 0, None],
        ["ended", "enter_line", "ended", 0, None],
        ["joined", "waiting", None, 3, None],
        ["moved_back", "waiting", "moved_back", 5, None],
        ["out", "enter_line", "out", 0, None],
        ["joined", "waiting", None, 1, None],
        ["left", "enter_line", None, 0, None],
        [True, False, True, True, False],
        ["none", "none", "enter_line"],
        ["moved_back"],
        [],
        "sold_out",
        "none",
    ]


def test_the_draw_has_the_same_bytes(visitor: Visitor) -> None:
    script = """async (vectors) => {
        const draw = await import('/static/state/draw.js');
        const { bytesOf, hexOf } = draw;
        return Promise.all(vectors.map(async (one) => {
            const committed = await draw.commitment(one.event_id, bytesOf(one.operator_seed));
            const chain = one.beacon_chain && bytesOf(one.beacon_chain);
            let head = await draw.genesis(one.event_id, committed, chain);
            const genesis = hexOf(head);
            const nonces = one.nonces.map(bytesOf);
            const entries = await Promise.all(nonces.map((nonce) => draw.entryId(one.event_id, nonce)));
            const heads = [];
            for (const entry of entries) heads.push(hexOf(head = await draw.nextHead(head, entry)));
            const seed = await draw.seedOf(bytesOf(one.operator_seed), head, one.beacon && bytesOf(one.beacon));
            const lot = await draw.lots(seed);
            const lots = await Promise.all(entries.map(lot));
            return {
                commitment: hexOf(committed), genesis, entries: entries.map(hexOf), heads, seed: hexOf(seed), lots,
            };
        }));
    }"""
    visitor.page.goto("/")
    for vector, made in zip(VECTORS, visitor.page.evaluate(script, VECTORS), strict=True):
        assert made == {name: vector[name] for name in made}, vector["name"]


CHECK = """async ([document, receipt, earlier]) => {
    const { checkDraw } = await import('/static/state/draw_checks.js');
    const shares = [];
    const signal = new AbortController().signal;
    const found = await checkDraw(document, { receipt, earlier }, (share) => shares.push(share), signal);
    return { faults: found.flatMap(({ faults }) => faults), shares };
}"""


JOINED = entries(100)
HONEST = published(JOINED)


def kept_of(earlier: DrawDocument | None) -> dict[str, Any] | None:
    """What the browser keeps of a publication."""
    if earlier is None:
        return None
    chain = None if earlier.beacon is None else earlier.beacon.chain
    head = {"count": earlier.last_head.count, "head": earlier.last_head.head}
    return {**head, "event_id": str(earlier.event_id), "commitment": earlier.commitment, "beacon_chain": chain}


def check(
    visitor: Visitor, document: DrawDocument, receipt: SignedReceipt | None, earlier: DrawDocument | None
) -> set[str]:
    """What the browser finds, which must be what the command finds."""
    parts = [msgspec.to_builtins(document), msgspec.to_builtins(receipt), kept_of(earlier)]
    found = set(visitor.page.evaluate(CHECK, parts)["faults"])
    assert found == {one.code for one in find_faults(document, receipt, earlier)}
    return found


@pytest.mark.parametrize("beacon", [None, BEACON], ids=["no beacon", "beacon"])
def test_nothing_is_found_in_an_honest_draw(visitor: Visitor, beacon: None) -> None:
    visitor.page.goto("/")
    for count in (0, 1, 100):
        joined = entries(count)
        receipt = receipt_of(joined, count // 2, beacon) if count else None
        drawn, earlier = published(joined, beacon=beacon), in_the_lobby(joined[: count // 2], beacon)
        assert check(visitor, drawn, receipt, earlier) == set()
        assert check(visitor, earlier, None, None) == set()
        awaiting = replace(drawn, status="awaiting_beacon", operator_seed=None, places=[])
        assert check(visitor, awaiting, receipt, earlier) == set()
        assert check(visitor, replace(awaiting, operator_seed="0" * 64), None, None) == {"status_wrong"}


def test_every_fraud_is_found(visitor: Visitor) -> None:
    visitor.page.goto("/")
    for document, _ in WITHIN.values():
        assert check(visitor, document, None, None)


def test_the_own_entry_and_an_earlier_publication_are_held_against_it(visitor: Visitor) -> None:
    visitor.page.goto("/")
    receipt, earlier = receipt_of(JOINED, 40), in_the_lobby(JOINED[:60])
    without = [*JOINED[:40], *JOINED[41:]]
    moved = [JOINED[41], *JOINED[1:41], JOINED[0], *JOINED[42:]]
    assert check(visitor, HONEST, receipt, earlier) == set()
    assert "entry_dropped" in check(visitor, published(without), receipt, None)
    assert "entry_moved" in check(visitor, published([JOINED[40], *without]), receipt, None)
    assert "history_changed" in check(visitor, published(moved), receipt, earlier)
    assert "entries_dropped" in check(visitor, published(JOINED[:50]), None, earlier)
    assert "wrong_nonce" in check(visitor, HONEST, replace(receipt, nonce="0" * 64), None)
    assert "commitment_changed" in check(visitor, HONEST, replace(receipt, commitment="0" * 64), None)
    assert "beacon_changed" in check(visitor, HONEST, replace(receipt, beacon_chain=None), None)


def test_many_entries_leave_the_page_alive(visitor: Visitor) -> None:
    visitor.page.goto("/")
    found = visitor.page.evaluate(CHECK, [msgspec.to_builtins(published(entries(20_000))), None, None])
    assert found["faults"] == []
    assert found["shares"] == sorted(found["shares"])
    assert len(found["shares"]) > 50

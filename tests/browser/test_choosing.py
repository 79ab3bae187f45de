"""The ways to seats: the best for a party, single ones that leave nobody alone, others in place of lost ones."""

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import UNSET
from playwright.sync_api import expect

from actors.core.layout import Run
from actors.core.model import OrphanRule
from protocol.outbound import Rejected
from tests.browser.conftest import Arrive, a_server
from tests.browser.organiser import Organiser
from tests.browser.visitor import CHAPPELLE, COLDPLAY, Visitor
from tests.core.sale import Sale

FIND = "Find best seats"


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    """Its own, as other modules count the events that there are."""
    yield from a_server()


def find(visitor: Visitor, count: int) -> None:
    page = visitor.page
    page.get_by_role("radio", name=re.compile(f"^{count} seats?$")).check(force=True)
    page.get_by_role("button", name=FIND).click()


def mine(visitor: Visitor, count: int) -> list[int]:
    """The indexes of the held seats, from the basket, as soon as there are so many."""
    picked = visitor.basket.locator(".held [data-picked]")
    expect(picked).to_have_count(count)
    return sorted(int(one.get_attribute("data-picked") or -1) for one in picked.all())


# The best seats


def test_a_party_finds_the_best_seats_and_gives_them_back(visitor: Visitor, organiser: Organiser) -> None:
    event = organiser.event((3, 12), max_tickets_per_user=6)
    visitor.sign_up()
    visitor.open_event(event)
    find(visitor, 3)
    expect(visitor.note).to_contain_text(re.compile(r"Together: A\d+, A\d+,? and A\d+ are held for you\."))
    assert mine(visitor, 3) in ([4, 5, 6], [5, 6, 7])
    expect(visitor.page.get_by_role("radio", name="4 seats")).to_be_disabled()  # three more are allowed
    visitor.note.get_by_role("button", name="Give them back").click()
    expect(visitor.basket).to_have_attribute("data-stage", "empty")


def test_wishes_are_kept_to_and_remembered(visitor: Visitor) -> None:
    visitor.sign_up()
    visitor.open_event(COLDPLAY)
    page = visitor.page
    page.get_by_role("button", name="Wishes").click()
    page.get_by_role("combobox", name="Where").select_option("Block B3")
    page.get_by_role("combobox", name="Price").select_option(label="Up to $150 a seat")
    find(visitor, 2)
    held = mine(visitor, 2)
    assert {visitor.places[seat].section for seat in held} == {"Block B3"}
    assert held[1] == held[0] + 1
    expect(page.locator(".map:not(.is-whole)[data-camera]")).to_be_visible()  # it went there
    page.get_by_role("button", name="Give all back").click()
    expect(visitor.basket).to_have_attribute("data-stage", "empty")

    page.reload()
    visitor.wait_for_map()
    expect(page.get_by_role("combobox", name="Where")).to_have_value("Block B3")
    page.get_by_role("combobox", name="Price").select_option("")
    page.get_by_label("With wheelchair access").check()
    find(visitor, 2)
    assert [visitor.places[seat].accessible for seat in mine(visitor, 2)].count(True) == 1
    page.get_by_role("button", name="Give all back").click()
    expect(visitor.basket).to_have_attribute("data-stage", "empty")


def test_a_party_that_fits_nowhere_together_is_told_who_sits_where(visitor: Visitor, organiser: Organiser) -> None:
    event = organiser.event((4, 2), max_tickets_per_user=6)
    visitor.sign_up()
    visitor.open_event(event)
    find(visitor, 4)
    expect(visitor.note).to_contain_text("Not all together. Held for you:")
    expect(visitor.note).to_contain_text("A1 and A2 (Block 1)")
    assert mine(visitor, 4) == [0, 1, 2, 3]


def test_what_cannot_be_found_is_said_where_it_was_asked_for(visitor: Visitor, organiser: Organiser) -> None:
    event = organiser.event((1, 3))
    organiser.block(event, 0, 1)
    visitor.sign_up()
    visitor.open_event(event)
    find(visitor, 2)
    expect(visitor.page.locator("[data-finder-problem]")).to_contain_text("Not so many seats are left that fit.")
    find(visitor, 1)
    expect(visitor.page.locator("[data-finder-problem]")).to_be_hidden()
    assert mine(visitor, 1) == [2]


def test_who_signs_in_first_gets_what_they_asked_for(visitor: Visitor, organiser: Organiser) -> None:
    event = organiser.event((2, 8))
    visitor.open_event(event)
    find(visitor, 2)
    page = visitor.page
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Hedy Lamarr")
    page.get_by_label("Email").fill(f"hedy-{event}@example.org")
    page.get_by_label("Password").fill("violet kettle harbour")
    page.get_by_role("button", name="Create account").click()
    expect(visitor.basket.locator(".held [data-picked]")).to_have_count(2)


def test_the_chosen_size_shows_where_the_system_chooses_the_colours(arrive: Arrive) -> None:
    visitor = arrive(forced_colors="active")
    visitor.open_event(CHAPPELLE)
    size = visitor.page.locator(".party-sizes label span").nth(1)
    script = """chosen => {
        const probe = document.body.appendChild(document.createElement('div'));
        Object.assign(probe.style, { forcedColorAdjust: 'none', background: 'Highlight' });
        return [chosen, probe].map((element) => {
            const { forcedColorAdjust, backgroundColor } = getComputedStyle(element);
            return [forcedColorAdjust, backgroundColor];
        });
    }"""
    shown, expected = size.evaluate(script)
    assert shown == expected


# Nobody is left alone


def test_a_warning_names_the_ways_out(visitor: Visitor, organiser: Organiser) -> None:
    event = organiser.event((2, 10))
    visitor.sign_up()
    visitor.open_event(event)
    visitor.seat(1).click()
    visitor.seat(2).click()
    visitor.page.get_by_role("button", name="Hold 2 seats").click()
    advice = visitor.basket.locator("[data-advice]")
    expect(advice).to_contain_text("A1 would be left alone.")
    expect(visitor.voice).to_contain_text("A1 would be left alone.")
    ways = advice.get_by_role("button")
    expect(ways).to_have_text(["Add A1", "Take A1 and A2 instead", "Hold as chosen"])
    expect(ways.first).to_be_focused()

    ways.nth(1).click()
    expect(visitor.seat(0)).to_have_attribute("data-look", "mine")
    assert mine(visitor, 2) == [0, 1]


@pytest.mark.parametrize(("way", "held"), [("Add B1", [10, 11]), ("Hold as chosen", [11])])
def test_a_warning_can_be_taken_or_left(visitor: Visitor, organiser: Organiser, way: str, held: list[int]) -> None:
    visitor.sign_up()
    visitor.open_event(organiser.event((2, 10)))
    visitor.seat(11).click()
    visitor.page.get_by_role("button", name="Hold 1 seat").click()
    visitor.basket.get_by_role("button", name=way).click()
    expect(visitor.seat(11)).to_have_attribute("data-look", "mine")
    assert mine(visitor, len(held)) == held


def test_where_the_event_wants_nobody_alone_the_server_refuses(visitor: Visitor, organiser: Organiser) -> None:
    visitor.sign_up()
    visitor.open_event(organiser.event((2, 10), orphan_rule="enforce"))
    for seat in (1, 2):
        visitor.seat(seat).click()
    visitor.page.get_by_role("button", name="Hold 2 seats").click()
    ways = visitor.basket.locator("[data-advice]").get_by_role("button")
    expect(ways).to_have_text(["Add A1", "Take A1 and A2 instead"])
    ways.first.click()
    expect(visitor.seat(0)).to_have_attribute("data-look", "mine")
    assert mine(visitor, 3) == [0, 1, 2]

    visitor.basket.get_by_role("button", name="Give back A2").click()
    advice = visitor.basket.locator("[data-advice]")
    expect(advice).to_contain_text("would be left alone")
    advice.get_by_role("button").first.click()
    assert mine(visitor, 2) in ([0, 1], [1, 2])


def test_where_the_rule_is_off_nothing_is_said(visitor: Visitor, organiser: Organiser) -> None:
    visitor.sign_up()
    visitor.open_event(organiser.event((2, 10), orphan_rule="off"))
    visitor.hold(1)
    expect(visitor.basket.locator("[data-advice]")).to_have_count(0)


def test_the_page_warns_of_what_the_server_would_refuse(visitor: Visitor) -> None:
    """The two judge alike: who would be alone, whether there is another way, and that the way is one."""
    dice = random.Random(20261123)
    cases = [_case(dice) for _ in range(400)]
    script = """async (cases) => {
        const { Plan } = await import('/static/state/plan.js');
        const { Runs } = await import('/static/state/runs.js');
        const { warningOf } = await import('/static/state/orphans.js');
        return cases.map(({ counts, states, seats, accessible, companion }) => {
            const first = counts.map((_, k) => counts.slice(0, k).reduce((sum, count) => sum + count, 0));
            const within = (marked, k) =>
                marked.map((seat) => seat - first[k]).filter((at) => at >= 0 && at < counts[k]);
            const rows = counts.map((count, k) => ({
                label: `R${k}`, seats: count, line: [0, 12 * k, 10, 0],
                accessible: within(accessible, k), companion: within(companion, k),
            }));
            const plan = new Plan({
                name: 'x', bounds: [-10, -10, 400, 400], focal: [0, 0],
                categories: [{ name: 'a', price_tier: 'standard', price_cents: 1000 }],
                sections: [{ name: 'Floor', rows, label_at: [0, 0] }],
            });
            return warningOf(plan, new Runs(plan), Uint8Array.from(states), seats, 8);
        });
    }"""
    visitor.page.goto("/")
    warnings = visitor.page.evaluate(script, cases)
    refused = 0
    for case, warning in zip(cases, warnings, strict=True):
        answer = _server_says(case, case["seats"])
        assert (warning is not None) == isinstance(answer, Rejected), case
        if warning is None or not isinstance(answer, Rejected):
            continue
        refused += 1
        assert tuple(warning["alone"]) == answer.seats, case
        if len(_rows_of(case)) == 1:
            assert bool(warning["instead"]) == (answer.instead is not UNSET), case
        if warning["instead"]:
            assert not isinstance(_server_says(case, warning["instead"]), Rejected), case
    assert 40 < refused < 360, "both are seen"


def _case(dice: random.Random) -> dict[str, Any]:
    counts = [dice.randint(1, 9) for _ in range(dice.randint(1, 3))]
    states = [2 if dice.random() < 0.3 else 0 for _ in range(sum(counts))]
    free = [seat for seat, state in enumerate(states) if state == 0] or [0]
    states[free[0]] = 0
    seats = sorted(dice.sample(free, min(len(free), dice.randint(1, 4))))
    places = sorted(dice.sample(range(sum(counts)), min(sum(counts), dice.choice((0, 0, 1, 2)))))
    companion = sorted({seat + 1 for seat in places if seat + 1 < sum(counts)} - {*places})
    return {
        **{"counts": counts, "states": states, "seats": seats},
        **{"accessible": places, "companion": companion},
    }


def _rows_of(case: dict[str, Any]) -> set[int]:
    """The rows that the choice is in. In several the two may look for other ways, which do not fit together."""
    row_of = [row for row, count in enumerate(case["counts"]) for _ in range(count)]
    return {row_of[seat] for seat in case["seats"]}


def _server_says(case: dict[str, Any], seats: list[int]) -> object:
    runs, first = [], 0
    for row, count in enumerate(case["counts"]):
        runs.append(Run("Floor", "standard", 1_000, first, count, 10.0 * row))
        first += count
    sold = tuple(seat for seat, state in enumerate(case["states"]) if state)
    access = {"accessible": frozenset(case["accessible"]), "companion": frozenset(case["companion"])}
    sale = Sale(runs, max_tickets_per_user=8, orphan_rule=OrphanRule.ENFORCE, blocked=sold, **access)
    return sale.hold("ada", *seats)


# Others in place of lost ones


def test_the_nearest_seat_is_offered_in_place_of_a_lost_one(arrive: Arrive, organiser: Organiser) -> None:
    slow, quick = arrive(), arrive()
    event = organiser.event((3, 12))
    quick.sign_up()
    quick.open_event(event)
    slow.open_event(event)
    for seat in (4, 5):
        slow.seat(seat).click()
    quick.hold(4)
    expect(slow.note).to_contain_text("Seat A5 was just taken.")
    slow.note.get_by_role("button", name="Choose A7 instead").click()
    expect(slow.seat(6)).to_have_attribute("data-look", "selected")
    expect(slow.seat(5)).to_have_attribute("data-look", "selected")
    expect(slow.note).to_have_count(0)


# The venue in the corner


def test_the_small_map_shows_where_one_is_and_goes_elsewhere(visitor: Visitor) -> None:
    visitor.open_event(CHAPPELLE)
    small = visitor.page.locator(".mini-map")
    expect(small).to_be_hidden()
    for _ in range(4):
        visitor.page.get_by_role("button", name="Zoom in").click()
    expect(visitor.page.locator(".map:not(.is-whole)[data-camera]")).to_be_visible()
    expect(small).to_be_visible()
    before = visitor.page.locator(".map[data-camera]").get_attribute("data-camera") or ""
    small.click(position={"x": 12, "y": 60})
    expect(visitor.page.locator(f'.map[data-camera="{before}"]')).to_have_count(0)
    scale, left, _ = before.split()
    visitor.page.locator(".map[data-camera]").wait_for()
    now = (visitor.page.locator(".map").get_attribute("data-camera") or "").split()
    assert now[0] == scale
    assert float(now[1]) > float(left), "what is on the left has come into view"
    visitor.page.get_by_role("button", name="Whole venue").click()
    expect(small).to_be_hidden()

"""The best seats next to each other."""

import math
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.core import ranking
from actors.core.best_available import best_seats
from actors.core.layout import Run
from actors.core.model import Cause, SeatsMoved, Stage
from actors.core.ranking import Ranked
from actors.core.rules import decide
from actors.core.seating import Draft, Seating
from actors.core.verdict import Accept, Asked
from protocol.codes import Code
from protocol.inbound import HoldBest, HoldSeats, ReleaseSeats
from protocol.outbound import Accepted, Rejected
from protocol.seat_state import SeatState
from tests.core.sale import OPENING_MS, Sale, code, holding, refusal, rows_of


def best(sale: Sale, count: int, **wishes: Any) -> tuple[int, ...] | None:
    found = best_seats(Draft(sale.seating), HoldBest("c", count, **wishes))
    assert found is None or found.together
    return None if found is None else found.seats


def test_the_middle_of_the_nearest_row_is_the_best() -> None:
    sale = Sale(rows_of(10, 10))
    assert best(sale, 2) == (4, 5)
    assert best(sale, 1) in {(4,), (5,)}
    assert best(sale, 10) == tuple(range(10))


def test_nearest_is_by_distance_and_not_by_index() -> None:
    runs = [Run("Back", "standard", 100, 0, 4, 50.0), Run("Front", "vip", 900, 4, 4, 5.0)]
    assert best(Sale(runs), 2) == (4, 5)


def test_what_is_not_available_is_gone_around() -> None:
    sale = Sale(rows_of(10, 10), blocked=(4,), max_tickets_per_user=10)
    assert best(sale, 2) == (5, 6)
    sale.hold("bob", 5, 6)
    assert best(sale, 2) == (2, 3)
    assert best(sale, 4) == (0, 1, 2, 3)
    sale.hold("bob", 0, 9)
    assert best(sale, 4) == (13, 14, 15, 16), "the next row"


def test_neighbours_never_span_rows_or_aisles() -> None:
    """A party that is too large for every run sits in groups, and is told so."""
    sale = Sale(rows_of(3, 3))
    found = best_seats(Draft(sale.seating), HoldBest("c", 4))
    assert found is not None
    assert (found.together, found.seats) == (False, (0, 1, 3, 4))
    answer = sale.hold_best("ada", 4)
    assert isinstance(answer, Accepted)
    assert answer.together is False
    other = Sale().hold_best("ada", 4)
    assert isinstance(other, Accepted)
    assert other.together is True


def test_nobody_is_left_alone_beside_a_party_if_it_can_be_helped() -> None:
    sale = Sale(rows_of(5, 5))
    assert best(sale, 2) == (0, 1), "not (1, 2), which leaves seat 0"
    assert best(sale, 4) == (0, 1, 2, 3), "there is no other way in either row"
    assert best(sale, 3) == (0, 1, 2)
    sale = Sale(rows_of(3, 4))
    assert best(sale, 2) == (3, 4), "the row behind, which keeps two together"
    assert best(sale, 1) == (0,)


def test_one_alone_is_better_than_two() -> None:
    sale = Sale(rows_of(1, 1, 3))
    found = best_seats(Draft(sale.seating), HoldBest("c", 4))
    assert found == ((0, 2, 3, 4), False)


def test_a_party_in_groups_stays_near_and_leaves_nobody_alone() -> None:
    sale = Sale(rows_of(2, 2, 2, 1), max_tickets_per_user=10)
    found = best_seats(Draft(sale.seating), HoldBest("c", 4))
    assert found is not None
    assert found.seats == (0, 1, 2, 3), "two and two, in one section"
    found = best_seats(Draft(sale.seating), HoldBest("c", 7))
    assert found is not None
    assert found.seats == tuple(range(7))
    assert best_seats(Draft(sale.seating), HoldBest("c", 8)) is None
    found = best_seats(Draft(sale.seating), HoldBest("c", 3))
    assert found is not None
    assert len(found.seats) == 3


def test_wishes() -> None:
    sale = Sale(rows_of(4, 4, 4), accessible=frozenset({7, 8}))
    assert best(sale, 2, section="Upper") == (10, 11)
    assert best(sale, 2, section="Nowhere") is None
    assert best(sale, 2, price_tier="standard") == (4, 5)
    assert best(sale, 2, max_price_cents=1_999) == (10, 11)
    assert best(sale, 2, max_price_cents=2_000) == (4, 5)
    assert best(sale, 2, max_price_cents=999) is None
    assert best(sale, 2, accessible=True) == (6, 7)
    assert best(sale, 2, accessible=False) == (0, 1)
    assert best(sale, 2, accessible=True, section="Upper") == (8, 9)
    assert best(sale, 2, accessible=True, price_tier="vip") is None
    assert best(Sale(rows_of(10)), 2, accessible=True) is None, "where there are no such seats at all"


def test_holds_what_it_finds() -> None:
    sale = Sale()
    assert holding(sale.hold_best("ada", 2)) == ((4, 5), OPENING_MS + 600_000, 4_000)
    assert holding(sale.hold_best("ada", 2))[0] in {(2, 3, 4, 5), (4, 5, 6, 7)}


def test_refusals_come_in_order() -> None:
    sale = Sale(rows_of(2), on_sale_at_ms=OPENING_MS + 1)
    assert refusal(sale.hold_best("ada", 10)) == (Code.NOT_ON_SALE, ())
    sale.wait(ms=1)
    assert refusal(sale.hold_best("ada", 5)) == (Code.LIMIT_REACHED, ())
    assert refusal(sale.hold_best("ada", 3)) == (Code.NO_BLOCK, ())
    sale.hold_best("ada", 1)
    sale.begin("ada")
    assert refusal(sale.hold_best("ada", 4)) == (Code.LIMIT_REACHED, ())
    assert refusal(sale.hold_best("ada", 3)) == (Code.NO_BLOCK, ())
    assert refusal(sale.hold_best("ada", 1)) == (Code.BUSY, ())


def test_the_limit_counts_held_and_bought() -> None:
    sale = Sale(max_tickets_per_user=3)
    sale.buy("ada", 0)
    sale.hold("ada", 1)
    assert code(sale.hold_best("ada", 2)) is Code.LIMIT_REACHED
    assert holding(sale.hold_best("ada", 1))[0] == (1, 4)


@pytest.mark.parametrize("stage", [Stage.COMPLETED, Stage.CANCELLED])
def test_nothing_after_the_sale(stage: Stage) -> None:
    assert code(Sale(stage=stage).hold_best("ada", 1)) is Code.NOT_ON_SALE


def test_two_in_one_batch_get_different_seats() -> None:
    sale = Sale(rows_of(4))
    draft = Draft(sale.seating)
    found = []
    for customer in ("ada", "bob", "cyd"):
        verdict = decide(draft, Asked(customer, HoldBest("c", 2)), sale.now_ms)
        if isinstance(verdict, Accept):
            draft.add(verdict.changes)
            found.append(verdict.entry.seats)
    assert found == [(0, 1), (2, 3)]


def test_what_the_same_batch_takes_is_not_found() -> None:
    sale = Sale(rows_of(6))
    draft = Draft(sale.seating)
    verdict = decide(draft, Asked("ada", HoldSeats("c", (2,))), sale.now_ms)
    assert isinstance(verdict, Accept)
    draft.add(verdict.changes)
    assert best_seats(draft, HoldBest("c", 2)) == ((0, 1), True)


def test_what_the_same_batch_gives_back_is_found() -> None:
    sale = Sale(rows_of(2))
    sale.hold("ada", 0, 1)
    assert best(sale, 2) is None
    draft = Draft(sale.seating)
    verdict = decide(draft, Asked("ada", ReleaseSeats("c", ())), sale.now_ms)
    assert isinstance(verdict, Accept)
    draft.add(verdict.changes)
    assert best_seats(draft, HoldBest("c", 2)) == ((0, 1), True)
    sale.seating.apply(draft.changes)
    assert best(sale, 2) == (0, 1)


def test_what_a_dropped_draft_had_taken_is_found() -> None:
    sale = Sale(rows_of(4))
    draft = Draft(sale.seating)
    assert best_seats(draft, HoldBest("c", 2)) == ((0, 1), True)
    draft.add((SeatsMoved(Cause.HOLD, "ada", (0, 1)),))
    assert best_seats(draft, HoldBest("c", 2)) == ((2, 3), True)
    assert best(sale, 2) == (0, 1)


# Properties


def hall(rows: int, seats: int) -> list[Run]:
    """Rows with an aisle in the middle, before a stage."""
    runs: list[Run] = []
    for row in range(rows):
        for side in (-1, 1):
            xs = [side * (8 + 10 * k) for k in range(seats)]
            distances = tuple(math.hypot(x, 50 + 12 * row) for x in (reversed(xs) if side < 0 else xs))
            first = len(runs) * seats
            runs.append(Run(f"Side {side}", "standard", 1_000 + row, first, seats, min(distances), distances))
    return runs


@pytest.fixture(params=[False, True], ids=["much is kept", "little is kept"])
def keeps_little(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that heaps are forgotten, and begun anew, in between."""
    if request.param:
        for name, value in {"CHANGES_MAX": 3, "HEAP_SLACK": 0, "RANKINGS_MAX": 2}.items():
            monkeypatch.setattr(ranking, name, value)


@pytest.mark.usefixtures("keeps_little")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_is_known_of_the_runs_is_what_a_look_at_all_seats_would_find(data: st.DataObject) -> None:
    runs = hall(3, data.draw(st.integers(1, 6), "seats"))
    sale = Sale(runs, max_tickets_per_user=10**6)
    seat_count = len(sale.seating.states)
    counts, seats = st.integers(1, 7), st.sets(st.integers(0, seat_count - 1), min_size=1, max_size=4)
    for _ in range(data.draw(st.integers(1, 8), "batches")):
        draft = Draft(sale.seating)
        for _ in range(data.draw(st.integers(1, 4), "commands")):
            asked = data.draw(counts, "count")
            found = best_seats(draft, HoldBest("c", asked))
            assert found == best_seats(_seen_anew(draft), HoldBest("c", asked))
            if data.draw(st.booleans(), "takes it") and found is not None:
                draft.add((SeatsMoved(Cause.HOLD, "ada", found.seats),))
            some = sorted(data.draw(seats, "seats that change"))
            for seat in some:
                is_free = draft.seat(seat)[0] is SeatState.AVAILABLE
                draft.add((SeatsMoved(Cause.HOLD if is_free else Cause.RELEASE, "ada", (seat,)),))
        if data.draw(st.booleans(), "commits"):
            sale.seating.apply(draft.changes)


def _seen_anew(draft: Draft) -> Draft:
    """The same seats, of which nothing is known yet."""
    states = draft.states_of(0, len(draft.prices_cents))
    holders = {seat: "ada" for seat, state in enumerate(states) if state}
    return Draft(Seating(draft.terms, draft.layout, states, holders, 0, "epoch"))


def test_without_the_news_of_changes_taken_seats_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: with a ranking that hears of no change, the property above fails."""
    monkeypatch.setattr(Ranked, "changed", lambda *_: None)
    with pytest.raises((AssertionError, ExceptionGroup)):
        test_what_is_known_of_the_runs_is_what_a_look_at_all_seats_would_find()


def test_who_asks_in_vain_again_and_again_costs_no_look_at_the_seats(monkeypatch: pytest.MonkeyPatch) -> None:
    sale = Sale(hall(10, 9), accessible=frozenset({0}), max_tickets_per_user=1_000)
    sale.hold("ada", *(seat for seat in range(180) if seat % 9 not in (2, 5)))
    looks, look = 0, ranking._best_in

    def counted(*arguments: Any) -> ranking.Block | None:
        nonlocal looks
        looks += 1
        return look(*arguments)

    monkeypatch.setattr(ranking, "_best_in", counted)
    assert best(sale, 2, accessible=True) is None
    first, looks = looks, 0
    for number in range(20):
        assert best_seats(Draft(sale.seating), HoldBest("c", 41)) is None, "there are forty, each alone"
        assert best(sale, 2, accessible=True) is None
        assert best(sale, 2, section=f"Nowhere {number}") is None
        assert best(sale, 2, price_tier=f"gold {number}") is None
    assert first > 0
    assert looks == 0
    for max_price_cents in range(1_000, 1_400):
        assert best_seats(Draft(sale.seating), HoldBest("c", 4, max_price_cents=max_price_cents)) is not None
    assert looks <= 3 * 20 * 10 * 4, "no larger groups than there is room for; ten prices, two sections and all"


@pytest.mark.parametrize("seed", range(3))
def test_a_house_sells_out_by_best_seats_alone(seed: int) -> None:
    dice, sale = random.Random(seed), Sale(hall(12, 17), max_tickets_per_user=10)
    refused: list[int] = []
    for number in range(10_000):
        size = dice.choices((1, 2, 3, 4, 5, 6), (1, 6, 2, 5, 1, 2))[0]
        if isinstance(sale.hold_best(f"customer-{number}", size), Rejected):
            refused.append(size)
            if size == 1:
                break
    assert sale.seating.counts.available == 0
    assert 1 in refused


@pytest.mark.parametrize("seed", range(3))
def test_few_single_seats_are_left_when_nobody_comes_alone(seed: int) -> None:
    dice, sale = random.Random(seed), Sale(hall(12, 17), max_tickets_per_user=10)
    together = parties = 0
    while True:
        answer = sale.hold_best(f"customer-{parties}", dice.choices((2, 3, 4, 5, 6), (6, 2, 5, 1, 2))[0])
        if not isinstance(answer, Accepted):
            break
        parties += 1
        together += answer.together is True
    assert together >= 0.9 * parties
    assert sale.seating.counts.available <= 0.03 * len(sale.seating.states)

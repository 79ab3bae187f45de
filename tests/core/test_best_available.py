"""The best seats next to each other."""

from typing import Any

import pytest

from actors.core.best_available import best_block
from actors.core.layout import Run
from actors.core.model import Stage
from actors.core.rules import decide
from actors.core.seating import Draft
from actors.core.verdict import Accept, Asked
from protocol.codes import Code
from protocol.inbound import HoldBest, HoldSeats, ReleaseSeats
from tests.core.sale import OPENING_MS, Sale, code, holding, refusal, rows_of


def best(sale: Sale, count: int, **wishes: Any) -> tuple[int, ...] | None:
    return best_block(Draft(sale.seating), HoldBest("c", count, **wishes))


def test_the_middle_of_the_nearest_row_is_the_best() -> None:
    sale = Sale(rows_of(10, 10))
    assert best(sale, 2) == (4, 5)
    assert best(sale, 1) in {(4,), (5,)}
    assert best(sale, 10) == tuple(range(10))
    assert best(sale, 11) is None


def test_nearest_is_by_distance_and_not_by_index() -> None:
    runs = [Run("Back", "standard", 100, 0, 4, 50.0), Run("Front", "vip", 900, 4, 4, 5.0)]
    assert best(Sale(runs), 2) == (5, 6)


def test_what_is_not_available_is_gone_around() -> None:
    sale = Sale(rows_of(10, 10), blocked=(4,), max_tickets_per_user=10)
    assert best(sale, 2) == (5, 6)
    sale.hold("bob", 5, 6)
    assert best(sale, 2) == (2, 3)
    assert best(sale, 4) == (0, 1, 2, 3)
    sale.hold("bob", 0, 9)
    assert best(sale, 4) == (13, 14, 15, 16), "the next row"


def test_neighbours_never_span_rows() -> None:
    assert best(Sale(rows_of(3, 3)), 4) is None


def test_wishes() -> None:
    sale = Sale(rows_of(4, 4, 4), accessible=frozenset({7, 8}))
    assert best(sale, 2, section="Upper") == (9, 10)
    assert best(sale, 2, section="Nowhere") is None
    assert best(sale, 2, price_tier="standard") == (5, 6)
    assert best(sale, 2, max_price_cents=1_999) == (9, 10)
    assert best(sale, 2, max_price_cents=2_000) == (5, 6)
    assert best(sale, 2, max_price_cents=999) is None
    assert best(sale, 2, accessible=True) == (6, 7)
    assert best(sale, 2, accessible=False) == (1, 2)
    assert best(sale, 2, accessible=True, section="Upper") == (8, 9)
    assert best(sale, 2, accessible=True, price_tier="vip") is None


def test_holds_what_it_finds() -> None:
    sale = Sale()
    assert holding(sale.hold_best("ada", 2)) == ((4, 5), OPENING_MS + 600_000, 4_000)
    assert holding(sale.hold_best("ada", 2))[0] in {(2, 3, 4, 5), (4, 5, 6, 7)}


def test_refusals_come_in_order() -> None:
    sale = Sale(rows_of(2, 2), on_sale_at_ms=OPENING_MS + 1)
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
    # The middle first leaves one on either side, so there is no second pair.
    assert found == [(1, 2)]


def test_what_the_same_batch_takes_is_not_found() -> None:
    sale = Sale(rows_of(6))
    draft = Draft(sale.seating)
    verdict = decide(draft, Asked("ada", HoldSeats("c", (2,))), sale.now_ms)
    assert isinstance(verdict, Accept)
    draft.add(verdict.changes)
    assert best_block(draft, HoldBest("c", 2)) == (3, 4)


def test_what_the_same_batch_gives_back_may_wait_for_the_next() -> None:
    sale = Sale(rows_of(2))
    sale.hold("ada", 0, 1)
    draft = Draft(sale.seating)
    verdict = decide(draft, Asked("ada", ReleaseSeats("c", ())), sale.now_ms)
    assert isinstance(verdict, Accept)
    draft.add(verdict.changes)
    assert best_block(draft, HoldBest("c", 2)) is None
    sale.seating.apply(draft.changes)
    assert best(sale, 2) == (0, 1)

"""The orphan rule: what is refused, what is allowed all the same, and what the refusal says."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from actors.core import orphans
from actors.core.layout import Run
from actors.core.model import OrphanRule
from actors.core.verdict import ChangeTerms
from protocol.codes import Code
from protocol.outbound import Accepted, Rejected
from tests.core import naive_orphans
from tests.core.sale import Sale, refusal, rows_of

ORPHAN = Code.ORPHAN_SEAT


def strict(*counts: int, **how: Any) -> Sale:
    """Rows of one section and price, in which nobody may be left alone."""
    fields: dict[str, Any] = {"max_tickets_per_user": 8, "orphan_rule": OrphanRule.ENFORCE}
    return Sale(one_section(*counts), **(fields | how))


def one_section(*counts: int) -> list[Run]:
    runs: list[Run] = []
    for row, count in enumerate(counts):
        runs.append(Run("Floor", "standard", 1_000, sum(counts[:row]), count, 10.0 * row))
    return runs


def said(answer: object) -> tuple[str, tuple[int, ...]]:
    """What a refusal says would work, in words and in seats."""
    assert isinstance(answer, Rejected)
    way = answer.message.removeprefix("This would leave a single seat alone: ")
    return way, () if answer.instead is UNSET else answer.instead


def test_a_seat_left_alone_is_named_and_so_is_what_would_work() -> None:
    sale = strict(6)
    answer = sale.hold("ada", 1, 2)
    assert refusal(answer) == (ORPHAN, (0,))
    assert said(answer) == ("take it as well or move along the row", (0, 1))
    assert not sale.seating.holds
    assert isinstance(sale.hold("ada", 0, 1, 2), Accepted), "it is taken as well"
    assert isinstance(strict(6).hold("ada", 0, 1), Accepted), "moved along"
    assert refusal(strict(6).hold("ada", 3, 4)) == (ORPHAN, (5,))


def test_on_both_sides() -> None:
    sale = strict(5, 5)
    answer = sale.hold("ada", 1, 2, 3)
    assert refusal(answer) == (ORPHAN, (0, 4))
    assert said(answer) == ("take it as well or move along the row", (0, 1, 2))
    assert isinstance(sale.hold("ada", 0, 1, 2), Accepted)


def test_beside_seats_that_others_have_or_nobody_may_have() -> None:
    sale = strict(9, blocked=(8,))
    sale.hold("bob", 0, 1)
    assert refusal(sale.hold("ada", 3, 4)) == (ORPHAN, (2,))
    assert refusal(sale.hold("ada", 5, 6)) == (ORPHAN, (7,))
    assert isinstance(sale.hold("ada", 2, 3), Accepted)


def test_between_the_seats_of_one_command() -> None:
    sale = strict(8)
    answer = sale.hold("ada", 2, 4)
    assert refusal(answer) == (ORPHAN, (3,))
    assert said(answer)[1] == (2, 3)


def test_a_hold_that_grows_is_judged_like_one_that_begins() -> None:
    sale = strict(6, 6)
    assert isinstance(sale.hold("ada", 0, 1), Accepted)
    assert refusal(sale.hold("ada", 3)) == (ORPHAN, (2,))
    assert isinstance(sale.hold("ada", 2), Accepted)
    assert isinstance(sale.hold("ada", 0, 1, 2), Accepted), "what is held already leaves nobody alone"


def test_an_aisle_is_an_end() -> None:
    sale = strict(4, 4)
    assert refusal(sale.hold("ada", 1, 2)) == (ORPHAN, (0, 3))
    assert isinstance(sale.hold("ada", 2, 3), Accepted)


def test_what_was_alone_before_is_nobodys_fault() -> None:
    sale = strict(7, 7, orphan_rule=OrphanRule.OFF)
    sale.hold("bob", 1, 2)
    sale.tell("admin", ChangeTerms("strict", orphan_rule=OrphanRule.ENFORCE))
    assert isinstance(sale.hold("ada", 3, 4), Accepted)
    assert isinstance(sale.hold("cyd", 0), Accepted)


@pytest.mark.parametrize("rule", [OrphanRule.OFF, OrphanRule.WARN])
def test_only_where_the_event_says_so(rule: OrphanRule) -> None:
    assert isinstance(strict(6, orphan_rule=rule).hold("ada", 1, 2), Accepted)


def test_it_is_allowed_when_there_is_no_other_way() -> None:
    assert isinstance(strict(3).hold("ada", 0, 1), Accepted), "two of three"
    sale = strict(3, 4)
    answer = sale.hold("ada", 0, 1)
    assert refusal(answer) == (ORPHAN, (2,))
    assert said(answer) == ("take it as well or choose seats in another row", (3, 4))
    assert isinstance(sale.hold("bob", 3, 4, 5, 6), Accepted)
    assert isinstance(sale.hold("ada", 0, 1), Accepted), "now there is no other way"


def test_another_way_costs_no_more_and_is_in_the_section() -> None:
    dear, near = Run("Floor", "vip", 2_000, 3, 4, 5.0), Run("Stand", "standard", 1_000, 7, 4, 5.0)
    sale = Sale([Run("Floor", "standard", 1_000, 0, 3, 1.0), dear, near], orphan_rule=OrphanRule.ENFORCE)
    assert isinstance(sale.hold("ada", 0, 1), Accepted)
    cheap = Run("Floor", "economy", 500, 3, 4, 5.0)
    sale = Sale([Run("Floor", "standard", 1_000, 0, 3, 1.0), cheap], orphan_rule=OrphanRule.ENFORCE)
    assert refusal(sale.hold("ada", 0, 1)) == (ORPHAN, (2,))


def test_seats_with_wheelchair_access_are_no_other_way_but_for_who_wants_one() -> None:
    assert isinstance(strict(3, 4, accessible=frozenset({3, 4, 5, 6})).hold("ada", 0, 1), Accepted)
    sale = strict(3, 4, accessible=frozenset({2, 3}))
    answer = sale.hold("ada", 1, 2)
    assert refusal(answer) == (ORPHAN, (0,))
    assert said(answer)[1] == (3, 4)


def test_who_may_have_no_more_is_not_told_to_take_more() -> None:
    assert said(strict(6, max_tickets_per_user=2).hold("ada", 1, 2)) == ("move along the row", (0, 1))


def test_at_the_end_of_a_sale_every_seat_counts() -> None:
    sale = strict(40, 40, max_tickets_per_user=80)
    sale.hold("bob", *range(4, 40))
    sale.hold("bob", *range(40, 80))
    assert sale.seating.available == 4, "of eighty: a twentieth"
    assert isinstance(sale.hold("ada", 1), Accepted)
    sale = strict(40, 39, max_tickets_per_user=80)
    sale.hold("bob", *range(4, 40))
    sale.hold("bob", *range(40, 79))
    assert refusal(sale.hold("ada", 1)) == (ORPHAN, (0,))


def test_the_limit_comes_first() -> None:
    assert refusal(strict(6, max_tickets_per_user=1).hold("ada", 1, 2)) == (Code.LIMIT_REACHED, (1, 2))


def test_a_part_that_is_given_back_may_not_be_alone() -> None:
    sale = strict(6)
    sale.hold("ada", 0, 1, 2)
    answer = sale.release("ada", 1)
    assert refusal(answer) == (ORPHAN, (1,))
    assert said(answer) == ("give back other seats, or all of them", (2,))
    assert refusal(sale.release("ada", 0)) == (ORPHAN, (0,))
    assert isinstance(sale.release("ada", 2), Accepted)
    assert isinstance(sale.release("ada", 0, 1), Accepted)


def test_all_of_it_may_be_given_back_and_a_part_that_has_no_better_one() -> None:
    sale = strict(4, 4, blocked=(2,))
    sale.hold("ada", 3)
    assert isinstance(sale.release("ada"), Accepted)
    sale.hold("ada", 0, 1)
    assert isinstance(sale.release("ada", 1), Accepted), "either seat is alone"


def test_holds_that_run_out_and_orders_that_are_cancelled_are_not_held_up() -> None:
    sale = strict(4)
    sale.hold("bob", 2, 3)
    order = sale.buy("ada", 0, 1)
    sale.wait(s=601)
    assert sale.end_due() == ["bob"]
    sale.hold("bob", 2, 3)
    assert isinstance(sale.cancel("ada", order.order_id), Accepted)


# Properties

MAPS = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@given(MAPS, st.data())
def test_holds_are_refused_as_by_looking_at_everything(counts: list[int], data: st.DataObject) -> None:
    sale, runs, free = _some_sale(counts, data)
    if not free:
        return
    wanted = data.draw(st.lists(st.sampled_from(sorted(free)), min_size=1, max_size=5, unique=True), "wanted")
    layout = sale.seating.layout
    expected = naive_orphans.wrong_to_hold(runs, free, wanted, layout.accessible, layout.companion)
    answer = sale.hold("ada", *wanted)
    if not expected:
        assert isinstance(answer, Accepted)
        return
    assert refusal(answer) == (ORPHAN, tuple(sorted(expected)))
    instead = said(answer)[1]
    if instead:
        assert len(set(instead)) == len(wanted)
        assert isinstance(sale.hold("ada", *instead), Accepted), "what is said to work does"


@given(MAPS, st.data())
def test_parts_are_taken_back_as_by_looking_at_everything(counts: list[int], data: st.DataObject) -> None:
    sale, runs, free = _some_sale(counts, data)
    held = sale.seating.hold("bob")
    if held is None:
        return
    given_back = data.draw(st.lists(st.sampled_from(held.seats), min_size=1, unique=True), "given back")
    expected = naive_orphans.wrong_to_give_back(runs, free, held.seats, given_back)
    answer = sale.release("bob", *given_back)
    if not expected:
        assert isinstance(answer, Accepted)
        return
    assert refusal(answer) == (ORPHAN, tuple(sorted(expected)))
    instead = said(answer)[1]
    assert len(instead) == len(given_back)
    assert isinstance(sale.release("bob", *instead), Accepted), "what is said to work does"


def test_without_the_exceptions_the_property_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a rule that always finds another way is not what looking at everything says."""
    monkeypatch.setattr(orphans, "_another_way", lambda _view, _run, group, _others: group)
    with pytest.raises((AssertionError, ExceptionGroup)):
        test_holds_are_refused_as_by_looking_at_everything()


@pytest.mark.parametrize("seed", range(3))
def test_where_it_is_enforced_nobody_is_alone_in_a_house_half_full(seed: int) -> None:
    """People who pick at random, and ask for the best, leave no single seat while there is much to choose from."""
    dice, sale = random.Random(seed), strict(*[14] * 12, max_tickets_per_user=10)
    runs, total = sale.seating.layout.runs, len(sale.seating.states)
    number = 0
    while sale.seating.available > 0.5 * total:
        number += 1
        if dice.random() < 0.5:
            sale.hold_best(f"customer-{number}", dice.randint(1, 6))
        else:
            first = dice.randrange(total - 6)
            sale.hold(f"customer-{number}", *range(first, first + dice.randint(1, 6)))
        free = {seat for seat, state in enumerate(sale.seating.states) if not state}
        assert not naive_orphans.alone(runs, free)


def _some_sale(counts: list[int], data: st.DataObject) -> tuple[Sale, list[Run], set[int]]:
    """A sale in which bob holds some seats, and cyd some others."""
    runs = rows_of(*counts)
    seats = range(sum(counts))
    accessible = frozenset(data.draw(st.sets(st.sampled_from(seats), max_size=2), "accessible"))
    companion = frozenset(data.draw(st.sets(st.sampled_from(seats), max_size=2), "companion"))
    sale = Sale(
        runs, accessible=accessible, companion=companion, max_tickets_per_user=100, orphan_rule=OrphanRule.OFF
    )
    owners = data.draw(st.lists(st.sampled_from(["", "", "bob", "cyd"]), min_size=len(seats), max_size=len(seats)))
    for who in ("bob", "cyd"):
        mine = [seat for seat in seats if owners[seat] == who]
        if mine:
            sale.hold(who, *mine)
    sale.tell("admin", ChangeTerms("strict", orphan_rule=OrphanRule.ENFORCE))
    return sale, runs, {seat for seat in seats if not owners[seat]}

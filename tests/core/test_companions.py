"""The best seats with wheelchair places and the companion seats beside them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.core import best_available
from actors.core.best_available import Found, best_seats
from actors.core.layout import Access
from actors.core.seating import Draft
from protocol.inbound import HoldBest
from tests.core import naive_access
from tests.core.sale import Sale, rows_of


def best(sale: Sale, count: int, **wishes: Any) -> Found | None:
    return best_seats(Draft(sale.seating), HoldBest("c", count, **wishes))


def house(*counts: int, accessible: set[int], companion: set[int]) -> Sale:
    return Sale(
        rows_of(*counts), accessible=frozenset(accessible), companion=frozenset(companion), max_tickets_per_user=100
    )


def test_who_asks_for_access_has_companions_beside() -> None:
    sale = house(6, 6, accessible={0, 6}, companion={7, 8})
    assert best(sale, 1, accessible=True) == ((0,), True)
    assert best(sale, 2, accessible=True) == ((6, 7), True), "farther, but with the seat that is meant for it"
    assert best(sale, 3, accessible=True) == ((6, 7, 8), True)
    assert best(sale, 4, accessible=True) == ((0, 1, 2, 3), True), "no row has so many companion seats: the nearest"


def test_no_more_wheelchair_places_than_one_while_there_is_another_way() -> None:
    sale = house(4, 3, accessible={0, 1, 4}, companion={2})
    assert best(sale, 2, accessible=True) == ((1, 2), True)
    assert best(sale, 3, accessible=True) == ((4, 5, 6), True)
    sale.hold("bob", 4)
    assert best(sale, 3, accessible=True) == ((1, 2, 3), True)
    sale.hold("bob", 3)
    assert best(sale, 3, accessible=True) == ((0, 1, 2), True), "two, when nothing else is left"


def test_a_party_in_groups_needs_one_wheelchair_place_only() -> None:
    sale = house(2, 3, accessible={0}, companion={1})
    assert best(sale, 4, accessible=True) == ((0, 1, 2, 3), False)
    sale = house(2, 2, accessible={0, 2}, companion={1, 3})
    assert best(sale, 3, accessible=True) == ((0, 1, 3), False), "the second wheelchair place is left to others"
    assert best(sale, 4, accessible=True) == ((0, 1, 2, 3), False)


def test_companion_seats_are_the_last_to_be_given_away_and_wheelchair_places_never() -> None:
    sale = house(4, 4, accessible={0}, companion={1})
    assert best(sale, 2) == ((2, 3), True)
    assert best(sale, 3) == ((4, 5, 6), True) or best(sale, 3) == ((5, 6, 7), True)
    sale.hold("bob", 4, 5, 6, 7)
    assert best(sale, 2) == ((2, 3), True)
    assert best(sale, 3) == ((1, 2, 3), True), "there are no three other seats"
    assert best(sale, 4) is None
    sale.hold("bob", 2, 3)
    assert best(sale, 1) == ((1,), True)
    assert best(sale, 1, accessible=False) == ((1,), True)
    sale.hold("bob", 1)
    assert best(sale, 1) is None
    assert best(sale, 1, accessible=True) == ((0,), True)


def test_groups_come_before_companion_seats() -> None:
    sale = house(4, 2, accessible={0}, companion={1})
    assert best(sale, 3) == ((2, 3, 4), False)


# Properties


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_access_is_given_as_by_looking_at_everything(counts: list[int], data: st.DataObject) -> None:
    sale, free = _some_house(counts, data)
    layout, count = sale.seating.layout, data.draw(st.integers(1, 6), "count")
    found = best(sale, count, accessible=True)
    blocks = naive_access.together(layout.runs, free, count, layout.accessible, layout.companion)
    assert (found is not None) == (bool(free & layout.accessible) and len(free) >= count)
    if found is None:
        return
    assert len(set(found.seats)) == count
    assert set(found.seats) <= free
    assert layout.accessible & set(found.seats)
    assert found.together == bool(blocks)
    if found.together:
        assert blocks[found.seats] == min(blocks.values())


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.data())
def test_unasked_no_place_and_no_companion_seat_is_given_while_others_are_left(
    counts: list[int], data: st.DataObject
) -> None:
    sale, free = _some_house(counts, data)
    layout, count = sale.seating.layout, data.draw(st.integers(1, 6), "count")
    found = best(sale, count)
    ordinary = free - layout.accessible - layout.companion
    assert (found is not None) == (len(free - layout.accessible) >= count)
    if found is None:
        return
    assert len(set(found.seats)) == count
    assert set(found.seats) <= (ordinary if len(ordinary) >= count else free - layout.accessible)


def test_with_no_care_for_companion_seats_the_property_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    found = best_available._seats
    any_seat = (Access.NO_WHEELCHAIR_PLACE,)
    monkeypatch.setattr(best_available, "_seats", lambda view, wish, *_: found(view, wish, any_seat, any_seat))
    with pytest.raises((AssertionError, ExceptionGroup)):
        test_unasked_no_place_and_no_companion_seat_is_given_while_others_are_left()


def test_with_any_block_that_has_a_place_the_property_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    monkeypatch.setattr(best_available, "_WITH_ACCESS", (Access.SOME_WHEELCHAIR_PLACE,))
    with pytest.raises((AssertionError, ExceptionGroup)):
        test_access_is_given_as_by_looking_at_everything()


def _some_house(counts: list[int], data: st.DataObject) -> tuple[Sale, set[int]]:
    """A house where bob holds some seats; its free seats."""
    seats = range(sum(counts))
    kinds = st.lists(st.sampled_from(["", "", "W", "C", "C", "bob's"]), min_size=len(seats), max_size=len(seats))
    drawn = data.draw(kinds, "kinds")
    accessible, companion, taken = ({seat for seat in seats if drawn[seat] == kind} for kind in ("W", "C", "bob's"))
    sale = house(*counts, accessible=accessible, companion=companion)
    if taken:
        sale.hold("bob", *sorted(taken))
    return sale, set(seats) - taken

"""When a hold ends: 600 s after the last seat, within 1,200 s of the first, one extension, never earlier."""

import pytest

from actors.core.model import Stage
from protocol.codes import Code
from protocol.inbound import Checkout
from tests.core.sale import OPENING_MS, Sale, code, holding


def end_s(answer: object) -> float:
    """Seconds from the opening to the end of the hold in the answer."""
    expires_ms = holding(answer)[1]
    assert expires_ms is not None
    return (expires_ms - OPENING_MS) / 1000


@pytest.mark.parametrize(("at_s", "ends_s"), [(0, 600), (1, 601), (300, 900), (599, 1_199), (599.999, 1_199.999)])
def test_a_further_seat_moves_the_end(at_s: float, ends_s: float) -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=at_s)
    assert end_s(sale.hold("ada", 2)) == ends_s


@pytest.mark.parametrize(("first_s", "then_s", "ends_s"), [(500, 100, 1_200), (500, 599, 1_200), (599, 599, 1_200)])
def test_no_seat_moves_the_end_beyond_the_lifetime(first_s: int, then_s: int, ends_s: int) -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=first_s)
    sale.hold("ada", 2)
    sale.wait(s=then_s)
    assert end_s(sale.hold("ada", 3)) == ends_s
    assert end_s(sale.extend("ada")) == ends_s


def test_the_lifetime_counts_from_the_first_seat_even_if_it_was_given_back() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=500)
    sale.hold("ada", 2)
    sale.release("ada", 1)
    sale.wait(s=500)
    assert end_s(sale.hold("ada", 3)) == 1_200


def test_a_new_hold_has_a_life_and_an_extension_of_its_own() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.extend("ada")
    sale.release("ada")
    sale.wait(s=1_000)
    assert end_s(sale.hold("ada", 1)) == 1_600
    sale.wait(s=100)
    assert end_s(sale.extend("ada")) == 1_700


@pytest.mark.parametrize(("at_s", "ends_s"), [(0, 600), (10, 610), (599, 1_199)])
def test_an_extension_is_600_seconds_from_now(at_s: int, ends_s: int) -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=at_s)
    assert end_s(sale.extend("ada")) == ends_s


def test_an_extension_is_there_once() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.extend("ada")
    assert code(sale.extend("ada")) is Code.EXTEND_USED
    sale.wait(s=100)
    assert end_s(sale.hold("ada", 2)) == 700, "a seat still moves the end"
    assert code(sale.extend("ada")) is Code.EXTEND_USED, "also for a hold that grew"


def test_an_extension_needs_a_hold() -> None:
    sale = Sale()
    assert code(sale.extend("ada")) is Code.HOLD_NOT_FOUND
    sale.hold("ada", 1)
    sale.release("ada")
    assert code(sale.extend("ada")) is Code.HOLD_NOT_FOUND


def test_a_clock_that_goes_back_moves_no_end_earlier() -> None:
    sale = Sale(stage=Stage.ON_SALE)
    sale.hold("ada", 1)
    sale.wait(s=-3_600)
    assert end_s(sale.hold("ada", 2)) == 600
    assert end_s(sale.extend("ada")) == 600


def test_a_hold_ends_at_its_end_and_not_before() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    assert sale.seating.next_end_ms() == OPENING_MS + 600_000
    sale.wait(ms=599_999)
    assert sale.end_due() == []
    sale.wait(ms=1)
    assert sale.end_due() == ["ada"]
    assert sale.seating.counts.available == 20
    assert sale.seating.next_end_ms() is None
    assert sale.end_due() == []


def test_a_moved_end_counts_and_not_the_first_one() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=300)
    sale.hold("ada", 2)
    sale.wait(s=300)
    assert sale.end_due() == []
    assert sale.seating.next_end_ms() == OPENING_MS + 900_000
    sale.wait(s=300)
    assert sale.end_due() == ["ada"]


def test_holds_end_in_the_order_of_their_ends() -> None:
    sale = Sale()
    for seat, customer in enumerate(("ada", "bob", "cyd")):
        sale.wait(s=seat)
        sale.hold(customer, seat)
    sale.wait(s=-3)
    sale.extend("ada")
    sale.wait(s=1_000)
    assert sale.end_due() == ["ada", "bob", "cyd"]


def test_asking_what_is_due_changes_nothing() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    assert sale.seating.ended(sale.now_ms) == sale.seating.ended(sale.now_ms) == ["ada"]
    assert sale.end_due() == ["ada"]


def test_a_hold_taken_again_does_not_end_with_the_old_one() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=100)
    sale.release("ada")
    sale.hold("ada", 1)
    sale.wait(s=500)
    assert sale.end_due() == []
    sale.wait(s=100)
    assert sale.end_due() == ["ada"]


def test_a_hold_whose_time_is_over_buys_and_extends_nothing_even_before_it_was_ended() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    assert code(sale.extend("ada")) is Code.HOLD_EXPIRED
    assert code(sale.tell("ada", Checkout(sale.next_id(), "card"))) is Code.HOLD_EXPIRED


def test_a_hold_whose_time_is_over_does_not_come_to_life_again() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    assert code(sale.hold("ada", 2)) is Code.BUSY
    assert code(sale.hold_best("ada", 1)) is Code.BUSY
    assert end_s(sale.hold("ada", 1)) == 600


def test_who_lost_a_hold_is_told_so_for_fifteen_minutes() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    sale.end_due()
    assert code(sale.extend("ada")) is Code.HOLD_EXPIRED
    sale.wait(s=899)
    assert code(sale.extend("ada")) is Code.HOLD_EXPIRED
    sale.wait(s=1)
    assert code(sale.extend("ada")) is Code.HOLD_NOT_FOUND


def test_a_new_hold_ends_the_memory_of_the_lost_one() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    sale.end_due()
    sale.hold("ada", 1)
    sale.release("ada")
    assert code(sale.extend("ada")) is Code.HOLD_NOT_FOUND


def test_old_losses_are_forgotten() -> None:
    sale = Sale()
    for round_ in range(5):
        sale.hold(f"customer-{round_}", 1)
        sale.wait(s=600)
        sale.end_due()
        sale.wait(s=600)
    remembered = [number for number in range(5) if sale.seating.ran_out_ms(f"customer-{number}") is not None]
    assert remembered == [4]

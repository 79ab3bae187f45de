"""Holding seats and giving them back: each rule and each refusal."""

import pytest

from actors.core.model import Stage
from protocol.codes import Code
from protocol.inbound import JoinQueue, LeaveQueue
from protocol.outbound import Accepted
from protocol.queue_place import QueuePlace
from protocol.seat_state import SeatState
from tests.core.sale import MINUTE_MS, OPENING_MS, Sale, code, holding, refusal

END_MS = OPENING_MS + 10 * MINUTE_MS


def test_holds_all_seats_asked_for() -> None:
    sale = Sale()
    assert holding(sale.hold("ada", 3, 1, 12)) == ((1, 3, 12), END_MS, 5_000)
    assert [sale.seating.seat(seat) for seat in (1, 3, 12)] == [(SeatState.HELD, "ada")] * 3
    assert sale.seating.counts.held == 3


def test_the_answer_carries_the_revision_that_it_made() -> None:
    sale = Sale()
    for revision in (1, 2):
        answer = sale.hold("ada", revision)
        assert isinstance(answer, Accepted)
        assert answer.revision == revision == sale.seating.revision


def test_a_further_hold_adds() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    assert holding(sale.hold("ada", 0))[0] == (0, 1)


def test_what_is_mine_already_is_fine() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    sale.wait(s=60)
    assert holding(sale.hold("ada", 2, 3)) == ((1, 2, 3), END_MS + MINUTE_MS, 6_000)
    sale.wait(s=60)
    assert holding(sale.hold("ada", 1)) == ((1, 2, 3), END_MS + MINUTE_MS, 6_000), "no seat was added, no time is"


def test_what_is_mine_already_is_fine_at_the_limit_and_while_paying() -> None:
    sale = Sale(max_tickets_per_user=2)
    sale.hold("ada", 1, 2)
    assert holding(sale.hold("ada", 2))[0] == (1, 2)
    sale.begin("ada")
    assert holding(sale.hold("ada", 2))[0] == (1, 2)


def test_all_or_nothing() -> None:
    sale = Sale()
    sale.hold("bob", 2)
    assert refusal(sale.hold("ada", 1, 2, 3)) == (Code.SEAT_TAKEN, (2,))
    assert sale.seating.hold("ada") is None
    assert sale.seating.counts.held == 1


def test_my_bought_seat_is_taken_like_any_other() -> None:
    sale = Sale()
    sale.buy("ada", 5)
    assert refusal(sale.hold("ada", 5)) == (Code.SEAT_TAKEN, (5,))
    assert refusal(sale.hold("bob", 4, 5)) == (Code.SEAT_TAKEN, (5,))


def test_refusals_name_every_seat_at_fault_in_the_order_asked() -> None:
    sale = Sale(blocked=(7, 8))
    sale.hold("bob", 2, 3)
    assert refusal(sale.hold("ada", 99, 1, 20)) == (Code.SEAT_NOT_FOUND, (99, 20))
    assert refusal(sale.hold("ada", 8, 1, 7)) == (Code.SEAT_BLOCKED, (8, 7))
    assert refusal(sale.hold("ada", 3, 1, 2)) == (Code.SEAT_TAKEN, (3, 2))


def test_refusals_come_in_the_order_of_the_protocol() -> None:
    sale = Sale(blocked=(7,), stage=Stage.SCHEDULED, on_sale_at_ms=OPENING_MS + 1)
    seats = [99, 7, 2, 11, 12, 13, 14]
    assert refusal(sale.hold("ada", *seats)) == (Code.NOT_ON_SALE, ())
    sale.wait(ms=1)
    sale.hold("bob", 2)
    sale.hold("ada", 10)
    sale.begin("ada")
    assert refusal(sale.hold("ada", *seats)) == (Code.SEAT_NOT_FOUND, (99,))
    assert refusal(sale.hold("ada", *seats[1:])) == (Code.SEAT_BLOCKED, (7,))
    assert refusal(sale.hold("ada", *seats[2:])) == (Code.SEAT_TAKEN, (2,))
    assert refusal(sale.hold("ada", *seats[3:])) == (Code.LIMIT_REACHED, (11, 12, 13, 14))
    assert refusal(sale.hold("ada", *seats[3:6])) == (Code.BUSY, ())
    assert isinstance(sale.hold("cyd", *seats[3:]), Accepted)


def test_the_limit_counts_held_and_bought() -> None:
    sale = Sale(max_tickets_per_user=4)
    order = sale.buy("ada", 0, 1)
    sale.hold("ada", 2)
    assert refusal(sale.hold("ada", 2, 3, 4)) == (Code.LIMIT_REACHED, (3, 4)), "seat 2 is not newly asked for"
    assert isinstance(sale.hold("ada", 3), Accepted)
    assert refusal(sale.hold("ada", 4)) == (Code.LIMIT_REACHED, (4,))
    sale.cancel("ada", order.order_id)
    assert isinstance(sale.hold("ada", 4, 5), Accepted)
    assert code(sale.hold("ada", 6)) is Code.LIMIT_REACHED


def test_the_limit_of_one_is_not_the_limit_of_another() -> None:
    sale = Sale(max_tickets_per_user=1)
    sale.hold("ada", 0)
    assert isinstance(sale.hold("bob", 1), Accepted)


def test_an_ended_hold_counts_no_more() -> None:
    sale = Sale(max_tickets_per_user=1)
    sale.hold("ada", 0)
    sale.wait(s=600)
    sale.end_due()
    assert isinstance(sale.hold("ada", 1), Accepted)


def test_release_gives_back_what_is_mine_and_ignores_the_rest() -> None:
    sale = Sale(blocked=(7,))
    sale.hold("bob", 5)
    sale.hold("ada", 1, 2, 3)
    assert holding(sale.release("ada", 5, 7, 2, 99)) == ((1, 3), END_MS, 4_000)
    assert sale.seating.seat(2) == (SeatState.AVAILABLE, None)
    assert sale.seating.seat(5) == (SeatState.HELD, "bob")


def test_release_does_not_move_the_end() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    sale.wait(s=300)
    assert holding(sale.release("ada", 2))[1] == END_MS


def test_release_of_everything() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    assert holding(sale.release("ada")) == ((), None, 0)
    assert sale.seating.holds == {}
    assert sale.seating.counts.available == 20


def test_release_of_all_by_name_is_release_of_everything() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    assert holding(sale.release("ada", 2, 1)) == ((), None, 0)
    assert sale.seating.holds == {}


def test_release_of_nothing_is_harmless() -> None:
    sale = Sale()
    assert holding(sale.release("ada")) == ((), None, 0)
    assert holding(sale.release("ada", 99)) == ((), None, 0)


def test_release_never_frees_what_was_bought() -> None:
    sale = Sale()
    sale.buy("ada", 1)
    sale.hold("ada", 2)
    assert holding(sale.release("ada", 1, 2)) == ((), None, 0)
    assert sale.seating.seat(1) == (SeatState.SOLD, "ada")


def test_what_is_being_paid_cannot_be_released() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    sale.begin("ada")
    assert code(sale.release("ada", 1)) is Code.BUSY
    assert code(sale.release("ada")) is Code.BUSY
    assert code(sale.tell("ada", LeaveQueue(sale.next_id()))) is Code.BUSY
    assert holding(sale.release("ada", 9))[0] == (1, 2), "what is not held is ignored also then"


@pytest.mark.parametrize("stage", [Stage.COMPLETED, Stage.CANCELLED])
def test_giving_back_and_extending_go_on_after_the_sale(stage: Stage) -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    sale.seating.terms = Sale(stage=stage).seating.terms
    assert code(sale.hold("ada", 3)) is Code.NOT_ON_SALE
    assert holding(sale.extend("ada"))[0] == (1, 2)
    assert holding(sale.release("ada", 1))[0] == (2,)


def test_joining_where_there_is_no_waiting_room_is_being_in() -> None:
    sale = Sale()
    answer = sale.tell("ada", JoinQueue(sale.next_id()))
    assert isinstance(answer, Accepted)
    assert answer.queue == QueuePlace("active")


def test_leaving_gives_the_hold_back() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    answer = sale.tell("ada", LeaveQueue(sale.next_id()))
    assert isinstance(answer, Accepted)
    assert answer.queue == QueuePlace("not_in_queue")
    assert sale.seating.holds == {}
    assert sale.seating.counts.available == 20
    assert isinstance(sale.tell("ada", LeaveQueue(sale.next_id())), Accepted), "also when nothing is held"

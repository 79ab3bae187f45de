"""The organiser changes the terms of a sale under way, and which seats are in it."""

from actors.core.model import BlockMoved, Cause, SeatsMoved, Stage, Status
from actors.core.rules import decide
from actors.core.seating import Draft
from actors.core.verdict import Accept, Asked, BlockSeats, ChangeTerms, Refuse, Repeat, UnblockSeats
from protocol.codes import Code
from protocol.inbound import HoldSeats
from protocol.outbound import Accepted
from protocol.seat_state import SeatState
from tests.core.sale import MINUTE_MS, OPENING_MS, Sale, code, holding, refusal, rows_of

ADMIN = "admin"


def status(sale: Sale) -> Status:
    return sale.seating.status(sale.now_ms)


def test_a_sale_opens_before_its_date_at_once() -> None:
    sale = Sale(on_sale_at_ms=OPENING_MS + MINUTE_MS)
    assert (status(sale), code(sale.hold("ada", 1))) == (Status.UPCOMING, Code.NOT_ON_SALE)
    answer = sale.tell(ADMIN, ChangeTerms("open", stage=Stage.ON_SALE))
    assert isinstance(answer, Accepted)
    assert answer.revision == sale.seating.revision == 1
    assert status(sale) is Status.ON_SALE
    assert isinstance(sale.hold("ada", 1), Accepted)


def test_a_date_that_moves_opens_and_closes() -> None:
    sale = Sale()
    sale.tell(ADMIN, ChangeTerms("later", on_sale_at_ms=OPENING_MS + MINUTE_MS))
    assert code(sale.hold("ada", 1)) == Code.NOT_ON_SALE
    sale.tell(ADMIN, ChangeTerms("over", on_sale_at_ms=OPENING_MS, event_at_ms=OPENING_MS))
    assert status(sale) is Status.COMPLETED
    assert code(sale.hold("ada", 1)) == Code.NOT_ON_SALE


def test_nothing_is_held_or_paid_after_the_end_and_holds_stay_until_theirs() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.tell(ADMIN, ChangeTerms("cancel", stage=Stage.CANCELLED))
    assert status(sale) is Status.CANCELLED
    assert code(sale.hold("bob", 2)) == Code.NOT_ON_SALE
    assert sale.seating.hold("ada") is not None
    sale.wait(s=600)
    assert sale.end_due() == ["ada"]


def test_a_lower_limit_takes_nothing_away() -> None:
    sale = Sale(max_tickets_per_user=4)
    sale.hold("ada", 1, 2, 3)
    sale.tell(ADMIN, ChangeTerms("fewer", max_tickets_per_user=2))
    held = sale.seating.hold("ada")
    assert held is not None
    assert held.seats == (1, 2, 3)
    assert code(sale.hold("ada", 4)) == Code.LIMIT_REACHED
    sale.settle(sale.begin("ada"))
    assert sale.seating.bought("ada") == 3


def test_what_is_not_said_stays() -> None:
    sale = Sale()
    before = sale.seating.terms
    sale.tell(ADMIN, ChangeTerms("nothing"))
    assert sale.seating.terms == before
    assert sale.seating.revision == 1


def test_it_is_remembered_like_any_command() -> None:
    sale = Sale()
    sale.tell(ADMIN, ChangeTerms("once", max_tickets_per_user=1))
    sale.tell(ADMIN, ChangeTerms("twice", max_tickets_per_user=3))
    assert isinstance(sale.judge(ADMIN, ChangeTerms("once", max_tickets_per_user=1)), Repeat)
    assert code(sale.tell(ADMIN, ChangeTerms("once", max_tickets_per_user=2))) == Code.ID_REUSED
    assert sale.seating.terms.max_tickets_per_user == 3


def test_the_rest_of_the_batch_sees_it() -> None:
    sale = Sale()
    draft = Draft(sale.seating)
    closed = decide(draft, Asked(ADMIN, ChangeTerms("close", stage=Stage.CANCELLED)), sale.now_ms)
    assert isinstance(closed, Accept)
    draft.add(closed.changes)
    refused = decide(draft, Asked("ada", HoldSeats("h", (1,))), sale.now_ms)
    assert isinstance(refused, Refuse)
    assert refused.rejected.code == Code.NOT_ON_SALE
    assert sale.seating.terms.stage is Stage.SCHEDULED, "nothing is committed yet"


# Blocked seats


def test_blocked_seats_are_not_for_sale_and_then_they_are() -> None:
    sale = Sale()
    assert isinstance(sale.tell(ADMIN, BlockSeats("b", (3, 4), "Camera")), Accepted)
    assert sale.seating.seat(3) == sale.seating.seat(4) == (SeatState.BLOCKED, None)
    assert refusal(sale.hold("ada", 2, 4, 3)) == (Code.SEAT_BLOCKED, (4, 3))
    assert holding(sale.hold_best("ada", 2))[0] == (5, 6)
    assert sale.seating.counts.blocked == 2
    assert isinstance(sale.tell(ADMIN, UnblockSeats("u", (3, 4, 9))), Accepted)
    assert isinstance(sale.hold("ada", 3, 4), Accepted)


def test_who_has_a_seat_keeps_it() -> None:
    sale = Sale()
    sale.buy("bob", 2)
    sale.hold("ada", 5)
    assert refusal(sale.tell(ADMIN, BlockSeats("b", (1, 5, 2), "Camera"))) == (Code.SEAT_TAKEN, (5, 2))
    assert sale.seating.seat(1) == (SeatState.AVAILABLE, None), "all or none"
    assert isinstance(sale.tell(ADMIN, UnblockSeats("u", (2, 5))), Accepted)
    assert sale.seating.seat(2) == (SeatState.SOLD, "bob")
    assert sale.seating.seat(5) == (SeatState.HELD, "ada")


def test_no_such_seat() -> None:
    sale = Sale()
    assert refusal(sale.tell(ADMIN, BlockSeats("b", (1, 20, 21), "Camera"))) == (Code.SEAT_NOT_FOUND, (20, 21))
    assert refusal(sale.tell(ADMIN, UnblockSeats("u", (20,)))) == (Code.SEAT_NOT_FOUND, (20,))


def test_blocking_again_changes_the_reason_alone() -> None:
    sale = Sale(blocked=(3,))
    again = sale.judge(ADMIN, BlockSeats("b", (3, 4), "Pillar"))
    assert isinstance(again, Accept)
    assert again.entry.seats == (4,), "the journal has the seats whose state changed"
    assert again.changes == (SeatsMoved(Cause.BLOCK, ADMIN, (4,)), BlockMoved(ADMIN, (3, 4), "Pillar"))
    nothing = sale.judge(ADMIN, UnblockSeats("u", (5, 6)))
    assert isinstance(nothing, Accept)
    assert (nothing.changes, nothing.entry.seats) == ((), ())
    reason_alone = sale.judge(ADMIN, BlockSeats("b", (3,), "Pillar"))
    assert isinstance(reason_alone, Accept)
    assert reason_alone.changes == (BlockMoved(ADMIN, (3,), "Pillar"),)


def test_blocking_is_remembered_like_any_command() -> None:
    sale = Sale()
    sale.tell(ADMIN, BlockSeats("b", (3,), "Camera"))
    sale.tell(ADMIN, UnblockSeats("u", (3,)))
    assert isinstance(sale.judge(ADMIN, BlockSeats("b", (3,), "Camera")), Repeat)
    assert code(sale.tell(ADMIN, BlockSeats("b", (3,), "Pillar"))) == Code.ID_REUSED
    assert sale.seating.seat(3) == (SeatState.AVAILABLE, None)


def test_an_event_is_sold_out_when_the_rest_is_blocked() -> None:
    sale = Sale(rows_of(3))
    sale.buy("ada", 0)
    sale.tell(ADMIN, BlockSeats("b", (1, 2), "Camera"))
    assert status(sale) is Status.SOLD_OUT
    sale.tell(ADMIN, UnblockSeats("u", (2,)))
    assert status(sale) is Status.ON_SALE


def test_a_seat_is_blocked_once_its_hold_has_run_out() -> None:
    sale = Sale()
    sale.hold("ada", 3)
    sale.wait(s=600)
    sale.end_due()
    assert isinstance(sale.tell(ADMIN, BlockSeats("b", (3,), "Camera")), Accepted)

"""The organiser changes the terms of a sale under way."""

from actors.core.model import Stage, Status
from actors.core.rules import decide
from actors.core.seating import Draft
from actors.core.verdict import Accept, Asked, ChangeTerms, Refuse, Repeat
from protocol.codes import Code
from protocol.inbound import HoldSeats
from protocol.outbound import Accepted
from tests.core.sale import MINUTE_MS, OPENING_MS, Sale, code

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

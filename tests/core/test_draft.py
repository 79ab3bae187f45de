"""A draft is the committed state plus a batch; dropped, it leaves no trace."""

from typing import Any

import pytest
from msgspec.structs import replace

from actors.core.layout import Run, layout_of
from actors.core.model import Cause, Hold, HoldMoved, OrderMoved, SeatsMoved, Stage
from actors.core.rules import decide
from actors.core.seating import Draft, Seating
from actors.core.verdict import Accept, Asked, CancelOrder
from protocol.inbound import Checkout, Command, ExtendHold, HoldSeats, ReleaseSeats
from protocol.outbound import OrderStatus
from protocol.seat_state import SeatState
from tests.core.sale import MINUTE_MS, OPENING_MS, Sale, rows_of, terms


def picture(seating: Seating) -> Any:
    """Everything that the rules can see of the committed state."""
    customers = ("ada", "bob", "cyd")
    return (
        [seating.seat(seat) for seat in range(len(seating.prices_cents))],
        dict(seating.holds),
        dict(seating.orders),
        [seating.bought(customer) for customer in customers],
        [seating.pending(customer) for customer in customers],
        [seating.ran_out_ms(customer) for customer in customers],
        seating.next_end_ms(),
        seating.counts,
        seating.revision,
        len(seating.memory),
    )


def busy_sale() -> Sale:
    """Ada has bought and holds, Bob is paying, Cyd holds."""
    sale = Sale()
    sale.buy("ada", 0)
    sale.hold("ada", 1, 2)
    sale.hold("bob", 5)
    sale.begin("bob")
    sale.hold("cyd", 8)
    return sale


def batch(sale: Sale) -> list[tuple[str, Command | CancelOrder]]:
    """A batch in which each command needs what the one before did."""
    bought = next(order for order in sale.seating.orders.values() if order.customer == "ada")
    return [
        ("cyd", ReleaseSeats("1", ())),
        ("ada", HoldSeats("2", (8,))),
        ("ada", CancelOrder("3", bought.order_id)),
        ("cyd", HoldSeats("4", (0,))),
        ("ada", ReleaseSeats("5", (1,))),
        ("cyd", HoldSeats("6", (1,))),
        ("cyd", ExtendHold("7")),
        ("ada", Checkout("8", "card")),
    ]


def drafted(sale: Sale) -> Draft:
    draft = Draft(sale.seating)
    for customer, command in batch(sale):
        verdict = decide(draft, Asked(customer, command), sale.now_ms)
        assert isinstance(verdict, Accept), (command, verdict)
        draft.add(verdict.changes)
    return draft


def test_a_dropped_draft_leaves_no_trace() -> None:
    sale = busy_sale()
    before = picture(sale.seating)
    drafted(sale)
    assert picture(sale.seating) == before


def test_what_was_drafted_is_what_is_applied() -> None:
    sale = busy_sale()
    draft = drafted(sale)
    seats = [draft.seat(seat) for seat in range(20)]
    customers = ("ada", "bob", "cyd")
    holds = [draft.hold(customer) for customer in customers]
    bought = [draft.bought(customer) for customer in customers]
    pending = [draft.pending(customer) for customer in customers]
    sale.seating.apply(draft.changes)
    assert [sale.seating.seat(seat) for seat in range(20)] == seats
    assert [sale.seating.hold(customer) for customer in customers] == holds
    assert [sale.seating.bought(customer) for customer in customers] == bought
    assert [sale.seating.pending(customer) for customer in customers] == pending
    assert seats[0] == (SeatState.HELD, "cyd")
    assert seats[8] == (SeatState.HELD, "ada")
    assert bought == [0, 0, 0]


def test_the_same_batch_decides_the_same_again() -> None:
    sale = busy_sale()
    assert drafted(sale).changes == drafted(sale).changes


WRONG_MOVES = [
    SeatsMoved(Cause.HOLD, "ada", (5,)),
    SeatsMoved(Cause.HOLD, "ada", (7,)),
    SeatsMoved(Cause.RELEASE, "ada", (3,)),
    SeatsMoved(Cause.RELEASE, "ada", (5,)),
    SeatsMoved(Cause.EXPIRE, "bob", (0,)),
    SeatsMoved(Cause.SELL, "ada", (5,)),
    SeatsMoved(Cause.SELL, "ada", (3,)),
    SeatsMoved(Cause.CANCEL, "ada", (1,)),
    SeatsMoved(Cause.CANCEL, "bob", (0,)),
]


@pytest.mark.parametrize("move", WRONG_MOVES, ids=repr)
def test_a_move_against_the_table_is_a_broken_promise(move: SeatsMoved) -> None:
    sale = Sale(blocked=(7,))
    sale.buy("ada", 0)
    sale.hold("ada", 1)
    sale.hold("bob", 5)
    with pytest.raises(AssertionError, match="seat"):
        Draft(sale.seating).add((move,))
    with pytest.raises(AssertionError, match="seat"):
        sale.seating.apply((move,))


def test_a_loaded_event_is_as_the_one_that_was_lived() -> None:
    """What `restore` makes of the rows equals what the changes made."""
    lived = busy_sale().seating
    holders = {seat: holder for seat in range(20) if (holder := lived.seat(seat)[1]) is not None}
    loaded = Seating(lived.terms, lived.layout, bytearray(lived.states), holders, lived.revision, lived.epoch)
    loaded.restore(dict(lived.holds), lived.orders.values(), {})
    assert picture(loaded)[:-1] == picture(lived)[:-1]


def test_a_loaded_event_remembers_who_lost_a_hold() -> None:
    seating = Sale().seating
    seating.restore({}, (), {"ada": OPENING_MS})
    assert seating.ran_out_ms("ada") == OPENING_MS


def test_a_draft_sees_a_lost_hold() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    draft = Draft(sale.seating)
    draft.add((SeatsMoved(Cause.EXPIRE, "ada", (1,)), HoldMoved("ada", None, ran_out_ms=7)))
    assert (draft.hold("ada"), draft.ran_out_ms("ada")) == (None, 7)
    draft.add((SeatsMoved(Cause.HOLD, "ada", (1,)), HoldMoved("ada", Hold((1,), 8, 8, 9))))
    assert draft.ran_out_ms("ada") is None
    draft.add((SeatsMoved(Cause.RELEASE, "ada", (1,)), HoldMoved("ada", None)))
    assert draft.ran_out_ms("ada") is None


def test_a_draft_forgets_a_lost_hold_as_its_commit_will() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    sale.end_due()
    draft = Draft(sale.seating)
    draft.add((SeatsMoved(Cause.HOLD, "ada", (1,)), HoldMoved("ada", Hold((1,), 8, 8, 9))))
    draft.add((SeatsMoved(Cause.RELEASE, "ada", (1,)), HoldMoved("ada", None)))
    assert draft.ran_out_ms("ada") is None
    sale.seating.apply(draft.changes)
    assert sale.seating.ran_out_ms("ada") is None


def test_a_draft_settles_and_forgets_a_pending_order() -> None:
    sale = busy_sale()
    (order,) = sale.seating.pending_orders
    draft = Draft(sale.seating)
    draft.add((OrderMoved(replace(order, status=OrderStatus.COMPLETED)),))
    assert draft.pending("bob") is None
    assert sale.seating.pending("bob") == order


@pytest.mark.parametrize(
    ("stage", "at_ms", "is_on_sale"),
    [
        (Stage.SCHEDULED, OPENING_MS - 1, False),
        (Stage.SCHEDULED, OPENING_MS, True),
        (Stage.ON_SALE, OPENING_MS - MINUTE_MS, True),
        (Stage.SCHEDULED, OPENING_MS + 1_000 * MINUTE_MS - 1, True),
        (Stage.SCHEDULED, OPENING_MS + 1_000 * MINUTE_MS, False),
        (Stage.ON_SALE, OPENING_MS + 1_000 * MINUTE_MS, False),
        (Stage.COMPLETED, OPENING_MS, False),
        (Stage.CANCELLED, OPENING_MS, False),
    ],
)
def test_on_sale(stage: Stage, at_ms: int, is_on_sale: bool) -> None:
    assert terms(stage=stage).is_on_sale(at_ms) is is_on_sale


def test_layout() -> None:
    layout = layout_of(rows_of(2, 3))
    assert list(layout.prices_cents) == [2_000, 2_000, 1_000, 1_000, 1_000]
    assert [run.first for run in layout.runs] == [0, 2]


@pytest.mark.parametrize("first", [1, 3], ids=["overlap", "gap"])
def test_runs_must_fit(first: int) -> None:
    with pytest.raises(ValueError, match="a run begins at"):
        layout_of([Run("A", "vip", 1, 0, 2, 0.0), Run("A", "vip", 1, first, 2, 0.0)])

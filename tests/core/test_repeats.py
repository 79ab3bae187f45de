"""Commands sent again: the same answer and no second effect; refusals are not remembered."""

from collections.abc import Callable

import pytest

from actors.core.memory import Memory, Remembered, content_hash
from actors.core.rules import decide
from actors.core.seating import Draft
from actors.core.verdict import Accept, Asked, Await, CancelOrder, Refuse, Repeat
from protocol.codes import Code
from protocol.inbound import (
    Checkout,
    Command,
    ExtendHold,
    HoldBest,
    HoldSeats,
    JoinQueue,
    LeaveQueue,
    ReleaseSeats,
)
from protocol.outbound import Accepted, Rejected
from tests.core.sale import Sale, code, read

ACCEPTED: list[Command] = [
    HoldSeats("c", (3, 4)),
    HoldBest("c", 2),
    ReleaseSeats("c", ()),
    ReleaseSeats("c", (1,)),
    ExtendHold("c"),
    JoinQueue("c"),
    LeaveQueue("c"),
]


@pytest.mark.parametrize("command", ACCEPTED, ids=repr)
def test_an_accepted_command_is_answered_again_and_does_nothing(command: Command) -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    first = sale.tell("ada", command)
    assert isinstance(first, Accepted)
    sale.wait(s=30)
    sale.hold("bob", 15)
    before = (sale.seating.holds, bytes(sale.seating.states), sale.seating.revision)
    verdict = sale.judge("ada", command)
    assert isinstance(verdict, Repeat)
    assert read(verdict.frame) == first
    assert (sale.seating.holds, bytes(sale.seating.states), sale.seating.revision) == before


@pytest.mark.parametrize("command", ACCEPTED, ids=repr)
def test_the_answer_stays_when_the_world_has_moved_on(command: Command) -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    first = sale.tell("ada", command)
    sale.wait(s=700)
    sale.end_due()
    sale.hold("bob", 3, 4)
    assert sale.tell("ada", command) == first


OTHERS: list[Command | CancelOrder] = [
    HoldSeats("c", (2, 1)),
    HoldSeats("c", (1,)),
    ReleaseSeats("c", (1, 2)),
    HoldBest("c", 2),
    ExtendHold("c"),
    Checkout("c", "card"),
    JoinQueue("c"),
    LeaveQueue("c"),
    CancelOrder("c", "o"),
]


@pytest.mark.parametrize("other", OTHERS, ids=repr)
def test_the_same_id_for_something_else_is_refused(other: Command | CancelOrder) -> None:
    sale = Sale()
    assert isinstance(sale.tell("ada", HoldSeats("c", (1, 2))), Accepted)
    assert code(sale.tell("ada", other)) is Code.ID_REUSED


def test_the_id_is_looked_at_before_all_other_refusals() -> None:
    sale = Sale()
    sale.tell("ada", HoldSeats("c", (1, 2)))
    assert code(sale.tell("ada", HoldSeats("c", (99,)))) is Code.ID_REUSED


def test_ids_belong_to_their_customer() -> None:
    sale = Sale()
    sale.tell("ada", HoldSeats("c", (1,)))
    answer = sale.tell("bob", HoldSeats("c", (2,)))
    assert isinstance(answer, Accepted)
    assert sale.held_by("bob").seats == (2,)


def test_a_refused_command_is_judged_anew() -> None:
    sale = Sale()
    sale.hold("bob", 1)
    assert code(sale.tell("ada", HoldSeats("c", (1,)))) is Code.SEAT_TAKEN
    sale.release("bob")
    assert isinstance(sale.tell("ada", HoldSeats("c", (1,))), Accepted)


def test_the_id_of_a_refused_command_is_free_for_something_else() -> None:
    sale = Sale()
    sale.hold("bob", 1)
    assert code(sale.tell("ada", HoldSeats("c", (1,)))) is Code.SEAT_TAKEN
    assert isinstance(sale.tell("ada", HoldSeats("c", (2,))), Accepted)


def test_a_checkout_sent_again_waits_for_the_same_order() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.tell("ada", Checkout("c", "card"))
    assert sale.judge("ada", Checkout("c", "card")) == Await(sale.seating.pending_orders[0].order_id)
    assert sale.tell("ada", Checkout("c", "card")) == order
    assert code(sale.tell("ada", Checkout("c", "cash"))) is Code.ID_REUSED
    assert code(sale.tell("ada", ExtendHold("c"))) is Code.ID_REUSED
    assert code(sale.tell("ada", Checkout("d", "card"))) is Code.BUSY


def test_a_completed_checkout_is_answered_again() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.tell("ada", Checkout("c", "card"))
    answer = sale.settle(sale.seating.pending_orders[0])
    assert sale.tell("ada", Checkout("c", "card")) == answer
    assert code(sale.tell("ada", Checkout("c", "cash"))) is Code.ID_REUSED
    sale.cancel("ada", next(iter(sale.seating.orders)))
    assert sale.tell("ada", Checkout("c", "card")) == answer, "also after it was cancelled"


def test_a_failed_checkout_is_judged_anew() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.tell("ada", Checkout("c", "card"))
    (first,) = sale.seating.pending_orders
    assert isinstance(sale.settle(first, "card declined"), Rejected)
    sale.tell("ada", Checkout("c", "card"))
    (second,) = sale.seating.pending_orders
    assert second.order_id != first.order_id


def test_a_cancelled_order_is_cancelled_once() -> None:
    sale = Sale()
    order = sale.buy("ada", 1)
    first = sale.tell("ada", CancelOrder("c", order.order_id))
    sale.hold("bob", 1)
    assert sale.tell("ada", CancelOrder("c", order.order_id)) == first
    assert sale.held_by("bob").seats == (1,)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HoldSeats("c", (1, 2)), HoldSeats("c", (2, 1))),
        (HoldSeats("c", (1, 2)), ReleaseSeats("c", (1, 2))),
        (HoldSeats("c", (1, 2)), HoldSeats("d", (1, 2))),
        (HoldBest("c", 2), HoldBest("c", 2, accessible=False)),
        (HoldBest("c", 2, section="A"), HoldBest("c", 2, price_tier="A")),
        (ExtendHold("c"), JoinQueue("c")),
        (Checkout("c", "x"), CancelOrder("c", "x")),
    ],
    ids=repr,
)
def test_what_says_something_else_has_another_hash(one: Command, other: Command) -> None:
    assert content_hash(one) != content_hash(other)
    assert len(content_hash(one)) == 16


def judged(draft: Draft, customer: str, command: Command, now_ms: int) -> Accept | Repeat | Await | Refuse:
    """Decide, and let the draft know what was accepted."""
    verdict = decide(draft, Asked(customer, command), now_ms)
    if isinstance(verdict, Accept):
        draft.add(verdict.changes)
        entry = verdict.entry
        if entry.content_hash is not None and entry.frame is not None and entry.command_id is not None:
            draft.answers[customer, entry.command_id] = Remembered(entry.content_hash, entry.frame)
    return verdict


@pytest.mark.parametrize(
    ("again", "outcome"),
    [(HoldSeats("c", (1,)), Repeat), (HoldSeats("c", (2,)), Refuse)],
    ids=["the same", "something else"],
)
def test_a_repeat_within_one_batch(again: Command, outcome: type) -> None:
    sale = Sale()
    draft = Draft(sale.seating)
    first = judged(draft, "ada", HoldSeats("c", (1,)), sale.now_ms)
    assert isinstance(first, Accept)
    second = judged(draft, "ada", again, sale.now_ms)
    assert isinstance(second, outcome)
    if isinstance(second, Repeat):
        assert second.frame == first.frame
    assert len(draft.changes) == 2


def test_a_repeated_checkout_within_one_batch() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    draft = Draft(sale.seating)
    assert isinstance(judged(draft, "ada", Checkout("c", "card"), sale.now_ms), Accept)
    assert isinstance(judged(draft, "ada", Checkout("c", "card"), sale.now_ms), Await)
    assert isinstance(judged(draft, "ada", Checkout("c", "cash"), sale.now_ms), Refuse)


def kept(memory: Memory, *numbers: int) -> None:
    for number in numbers:
        memory.keep("ada", str(number), Remembered(b"", str(number).encode()))


FORGETTING: list[Callable[[Memory], object]] = [
    lambda memory: memory.find("ada", "1"),
    lambda memory: memory.keep("ada", "1", Remembered(b"", b"1")),
]


@pytest.mark.parametrize("use", FORGETTING, ids=["found", "kept"])
def test_the_memory_forgets_what_was_unused_the_longest(use: Callable[[Memory], object]) -> None:
    memory = Memory(3)
    kept(memory, 1, 2, 3)
    use(memory)
    kept(memory, 4)
    assert len(memory) == 3
    assert memory.find("ada", "2") is None
    assert [memory.find("ada", str(number)) is not None for number in (1, 3, 4)] == [True] * 3


def test_the_memory_knows_whose_command_it_was() -> None:
    memory = Memory(3)
    kept(memory, 1)
    assert memory.find("bob", "1") is None

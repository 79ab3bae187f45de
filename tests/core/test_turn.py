"""A turn without its waiting: the order of its parts, the batch it makes, the news of it."""

from collections.abc import Callable

from actors.core.memory import Remembered
from actors.core.verdict import Asked, CancelOrder, Refuse, Repeat, Settle
from actors.ports import Batch, Claim, News, SeatWrite
from actors.told import Told
from actors.turn import Decided, Turn, batch_of, decide_turn, news_of
from protocol.codes import Code
from protocol.inbound import Checkout, Command, HoldSeats, ReleaseSeats
from protocol.outbound import HoldNow, OrderNow, Rejected
from tests.core.sale import Sale

CLAIM = Claim("e", "node", 1)


def told(customer: str, command: Command | CancelOrder, origin: object = None) -> Told:
    return Told(Asked(customer, command), _nobody, origin)


def _nobody(frame: bytes, refusal: Rejected | None) -> None:
    raise AssertionError("a turn answers nobody before it is committed")


def take(sale: Sale, turn: Turn) -> tuple[Decided, Batch, Callable[[], News]]:
    """Decide a turn; `commit` makes it true and answers the news."""
    decided = decide_turn(turn, sale.seating, sale.now_ms)
    batch = batch_of(decided, CLAIM, sale.seating, turn.cleared)

    def commit() -> News:
        sale.seating.apply(decided.draft.changes)
        sale.seating.revision += batch.writes
        return news_of(decided, batch, sale.seating, {})

    return decided, batch, commit


def holds_told(news: News) -> dict[str, tuple[tuple[int, ...], str]]:
    """The last thing that each customer is told about the hold; nobody is told twice."""
    heard = [(one.customer, one.message) for one in news.personal if isinstance(one.message, HoldNow)]
    assert len({customer for customer, _ in heard}) == len(heard)
    return {customer: (message.seats, message.reason) for customer, message in heard}


def test_a_seat_whose_hold_is_over_can_be_held_in_the_same_turn() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    _, batch, commit = take(sale, Turn([told("bob", HoldSeats("c", (1,)))], []))
    assert batch.seats == (SeatWrite(1, 1, "ada", 1, "bob"),)
    assert [entry.kind for entry in batch.entries] == ["expired", "hold"]
    news = commit()
    assert news.seats == {}, "held before, held after: nothing to see"
    assert holds_told(news) == {"ada": ((), "expired"), "bob": ((1,), "command")}


def test_who_holds_anew_in_the_turn_that_ends_the_hold_is_told_of_the_new_one() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.wait(s=600)
    _, _, commit = take(sale, Turn([told("ada", HoldSeats("c", (2,)), "tab")], []))
    news = commit()
    assert holds_told(news) == {"ada": ((2,), "command")}
    assert news.personal[0].origin == "tab"


def test_who_holds_anew_in_the_turn_that_sells_the_hold_is_told_of_the_new_one() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    _, batch, commit = take(sale, Turn([told("ada", HoldSeats("c", (2,)))], [Settle(order.order_id, "p")]))
    assert [entry.kind for entry in batch.entries] == ["completed", "hold"]
    news = commit()
    assert holds_told(news) == {"ada": ((2,), "command")}
    assert [type(one.message) for one in news.personal] == [HoldNow, OrderNow]


def test_a_failed_payment_leaves_nothing_to_say_of_the_hold() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    _, batch, commit = take(sale, Turn([], [Settle(order.order_id, None, "card declined")]))
    assert (batch.seats, batch.holds) == ((), ())
    news = commit()
    assert holds_told(news) == {}
    assert news.seats == {}


def test_a_batch_has_the_net_change_of_each_seat() -> None:
    sale = Sale()
    sale.hold("ada", 1, 2)
    commands = [
        told("ada", ReleaseSeats("1", (1,))),
        told("bob", HoldSeats("2", (1, 3))),
        told("bob", ReleaseSeats("3", (3,))),
        told("ada", HoldSeats("4", (4,))),
    ]
    _, batch, commit = take(sale, Turn(commands, []))
    assert batch.seats == (SeatWrite(1, 1, "ada", 1, "bob"), SeatWrite(4, 0, None, 1, "ada"))
    assert [entry.seats for entry in batch.entries] == [(1,), (1, 3), (3,), (4,)]
    assert commit().seats == {4: 1}


def test_a_batch_has_every_step_of_an_order() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    order = sale.begin("ada")
    cancel = told("ada", CancelOrder("c", order.order_id))
    _, batch, commit = take(sale, Turn([cancel], [Settle(order.order_id, "p")]))
    assert [order.status for order in batch.orders] == ["completed", "cancelled"]
    assert batch.seats == (SeatWrite(1, 1, "ada", 0, None),)
    assert commit().seats == {1: 0}


def test_what_may_have_been_accepted_before_is_looked_up_once() -> None:
    sale = Sale()
    sale.hold("bob", 1)
    known = HoldSeats("k", (5,))
    sale.tell("ada", known)
    commands = [
        told("ada", known),
        told("ada", HoldSeats("1", (1,))),
        told("ada", HoldSeats("2", (2,))),
        told("ada", HoldSeats("2", (2,))),
    ]
    decided, batch, _ = take(sale, Turn(commands, []))
    assert batch.lookups == (("ada", "1"), ("ada", "2")), "refusals too, repeats not"
    assert batch_of(decided, CLAIM, sale.seating, {("ada", "1")}).lookups == (("ada", "2"),)


def test_a_turn_of_refusals_writes_nothing_and_looks_up() -> None:
    sale = Sale()
    sale.hold("bob", 1)
    _, batch, _ = take(sale, Turn([told("ada", HoldSeats("1", (1,)))], []))
    assert not batch.writes
    assert batch.lookups == (("ada", "1"),)


def test_an_idle_turn_is_nothing() -> None:
    _, batch, _ = take(Sale(), Turn([], []))
    assert not batch.writes
    assert not batch.lookups


def test_locked_seats_are_left_alone_and_their_commands_told() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    sale.hold("bob", 2)
    sale.hold("cyd", 3)
    order = sale.begin("cyd")
    sale.wait(s=600)
    commands = [
        told("dan", HoldSeats("1", (5, 6))),
        told("dan", HoldSeats("2", (7,))),
        told("ada", ReleaseSeats("3", ())),
        told("eve", HoldSeats("4", (1,))),
    ]
    turn = Turn(commands, [Settle(order.order_id, "p")], busy=frozenset({1, 3, 6}))
    decided, batch, _ = take(sale, turn)
    assert [entry.kind for entry in batch.entries] == ["expired", "hold"]
    assert [write.index for write in batch.seats] == [2, 7]
    assert decided.postponed == turn.settled
    refusals = [v.rejected for _, v in decided.by_customers if isinstance(v, Refuse)]
    assert [(r.code, r.seats) for r in refusals] == [
        (Code.BUSY, (6,)),
        (Code.BUSY, (1,)),
        (Code.SEAT_TAKEN, (1,)),
    ]


def test_deciding_again_is_deciding_the_same() -> None:
    sale = Sale()
    sale.hold("ada", 1)
    turn = Turn([told("ada", Checkout("c", "card")), told("bob", HoldSeats("c", (2,)))], [])
    (_, first, _), (_, second, _) = take(sale, turn), take(sale, turn)
    assert first == second


def test_a_repeat_that_became_known_is_answered_from_memory() -> None:
    sale = Sale()
    turn = Turn([told("ada", HoldSeats("c", (1,)))], [])
    _, batch, _ = take(sale, turn)
    (entry,) = batch.entries
    assert entry.content_hash is not None
    assert entry.frame is not None
    sale.seating.memory.keep("ada", "c", Remembered(entry.content_hash, entry.frame))
    decided, batch, _ = take(sale, turn)
    assert not batch.writes
    _, verdict = decided.by_customers[0]
    assert isinstance(verdict, Repeat)
    assert verdict.frame == entry.frame

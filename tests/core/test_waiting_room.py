"""Admission by slots, pace and what is left to sell; and what is told of a wait."""

import itertools
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.core.ahead import Ahead
from actors.core.line import Line, interval_us
from actors.core.model import QueueMode, QueueState
from actors.core.verdict import Asked
from actors.core.waiting_room import shown_place, wait_of
from actors.ports import Claim
from actors.told import Told
from actors.turn import Turn, batch_of, decide_turn, make_true
from protocol.inbound import Checkout, HoldSeats, JoinQueue, LeaveQueue, ReleaseSeats
from tests.core.sale import OPENING_MS, Sale, code

EVENT = "550e8400-e29b-41d4-a716-446655440299"
LONG_MS = 10**13


def room(**terms: object) -> Sale:
    """An event on sale with a waiting room in the order of coming, one slot unless told otherwise."""
    usual = {"event_id": EVENT, "queue_mode": QueueMode.FIFO, "max_concurrent_shoppers": 1, "event_at_ms": LONG_MS}
    return Sale(**usual | terms)  # type: ignore[arg-type]  # as `terms` takes them


def turn(
    sale: Sale, *customers: str, seen_ms: int | None = None, releases: str = "", leaves: str = ""
) -> list[tuple[str, int | None]]:
    """These join, one gives all back or leaves; who was admitted, with the place. Everybody was seen then."""
    asked = [Asked(one, JoinQueue(sale.next_id())) for one in customers]
    asked += [Asked(releases, ReleaseSeats(sale.next_id(), ()))] if releases else []
    asked += [Asked(leaves, LeaveQueue(sale.next_id()))] if leaves else []
    told = [Told(one, lambda _frame, _refusal: None) for one in asked]
    seen = sale.now_ms if seen_ms is None else seen_ms
    decided = decide_turn(Turn(told, []), sale.seating, sale.now_ms, lambda _customer: seen)
    batch = batch_of(decided, Claim(EVENT, "me", 1), sale.seating, set())
    make_true(decided, sale.seating)
    inside = (QueueState.ACTIVE, QueueState.CALLED)
    return [
        (one.customer, one.place) for one in batch.queue if one.state in inside and one.admitted_ms == sale.now_ms
    ]


def test_not_faster_than_the_pace() -> None:
    sale = room(max_concurrent_shoppers=1_000, admit_per_minute=60)
    people = [f"c{number}" for number in range(200)]
    admitted = [(sale.now_ms, one) for one in turn(sale, *people)]
    for _ in range(1_200):
        sale.wait(ms=100)
        admitted += [(sale.now_ms, one) for one in turn(sale)]
    times = [at_ms for at_ms, _ in admitted]
    assert [place for _, (_, place) in admitted] == list(range(1, len(admitted) + 1))
    assert 115 <= len(admitted) <= 122
    assert all(sum(start <= at < start + 60_000 for at in times) <= 60 for start in times)


@given(
    per_minute=st.sampled_from([1, 2, 7, 60, 599, 7_919, 1_000_000]),
    steps=st.lists(
        st.integers(0, 61_000) | st.sampled_from(["as soon as it may be"] * 5 + ["crowd", "another owner"]),
        max_size=80,
    ),
)
@settings(deadline=None)
def test_no_sliding_minute_has_more_than_the_limit(per_minute: int, steps: list[int | str]) -> None:
    """Turns come as soon as they may or late, people join in crowds, and another node takes over now and then."""
    sale = room(max_concurrent_shoppers=10**6, admit_per_minute=per_minute)
    people = (f"c{number}" for number in itertools.count())
    times: list[int] = []
    for step in ["crowd", *steps]:
        line, joining = sale.seating.line, list[str]()
        if isinstance(step, int):
            sale.wait(ms=step)
        elif step == "crowd":
            joining = list(itertools.islice(people, 30))
        elif step == "another owner":
            sale.seating.line = Line(sale.seating.terms, line.draws, line.entries.values())
            sale.seating.line.restore(line.tail, line.admitted_upto, max(times, default=0))
        else:
            due_us = line.paced_us + interval_us(sale.seating.terms)
            sale.wait(ms=max(0, math.ceil(due_us / 1_000) - sale.now_ms))
        times += [sale.now_ms for _ in turn(sale, *joining)]
    assert all(late - early >= 60_000 for early, late in zip(times, times[per_minute:], strict=False))


def test_nobody_is_let_in_when_nothing_is_left() -> None:
    sale = room(max_concurrent_shoppers=5, max_tickets_per_user=20)
    assert turn(sale, "ada") == [("ada", 1)]
    sale.hold("ada", *range(20))
    assert turn(sale, "bob") == []
    sale.release("ada", 3)
    assert turn(sale) == [("bob", 2)]


def test_who_joins_with_the_draw_stands_behind_it() -> None:
    """One batch: the sale begins, the lobby is drawn, and somebody comes."""
    sale = room(queue_mode=QueueMode.DRAW, on_sale_at_ms=OPENING_MS + 10_000)
    turn(sale, "ada", "bob")
    sale.wait(s=10)
    assert turn(sale, "late") == []
    assert {one.place for one in sale.seating.line.entries.values()} == {1, 2, 3}
    late = shown_place(sale.seating, "late")
    assert (late.status, late.place, late.ahead) == ("waiting", 3, 2)
    assert [place for _, place in turn(sale)] == [1]


def test_who_leaves_after_the_draw_and_comes_back_keeps_the_entry_of_the_draw() -> None:
    """The receipt says when it was made, or it would look as if it had come too late; the place is a new one."""
    sale = room(queue_mode=QueueMode.DRAW, on_sale_at_ms=OPENING_MS + 10_000)
    turn(sale, "ada", "bob")
    before = sale.seating.line.entries["ada"]
    sale.wait(s=10)
    turn(sale)
    turn(sale, leaves="ada")
    sale.wait(s=10)
    turn(sale, "ada")
    after = sale.seating.line.entries["ada"]
    assert (after.joined_ms, after.position, after.nonce) == (before.joined_ms, before.position, before.nonce)
    assert after.place == 3


def test_a_closed_room_keeps_its_places() -> None:
    sale = room(queue_mode=QueueMode.CLOSED)
    assert turn(sale, "ada", "bob") == []
    assert [sale.seating.line.entries[one].place for one in ("ada", "bob")] == [1, 2]


def test_who_is_away_is_called_then_stands_at_the_end_once_then_is_out() -> None:
    sale = room(max_concurrent_shoppers=1)
    turn(sale, "first", "ada", "bob")
    away_ms = sale.now_ms
    sale.wait(s=120)
    assert turn(sale, seen_ms=away_ms) == [("ada", 2)]
    assert sale.seating.line.entries["ada"].state is QueueState.CALLED
    sale.wait(s=120)
    assert turn(sale, seen_ms=away_ms) == [("bob", 3)]
    assert sale.seating.line.entries["ada"].place == 4
    sale.wait(s=120)
    assert turn(sale, seen_ms=away_ms) == [("ada", 4)]
    sale.wait(s=120)
    turn(sale, seen_ms=away_ms)
    assert sale.seating.line.entry("ada") is None


def test_what_is_held_can_be_paid_after_the_turn_is_over() -> None:
    sale = room()
    turn(sale, "ada", "bob")
    sale.wait(s=890)
    turn(sale)
    sale.hold("ada", 4)
    sale.wait(s=300)
    assert turn(sale) == []
    order = sale.begin("ada")
    sale.settle(order)
    assert turn(sale) == [("bob", 2)]
    refused = sale.tell("ada", HoldSeats(sale.next_id(), (5,)))
    assert getattr(refused, "code", None) == "not_admitted"
    refused = sale.tell("ada", Checkout(sale.next_id(), "card"))
    assert getattr(refused, "code", None) == "not_admitted"


@pytest.mark.parametrize("is_same_turn", [True, False])
def test_giving_back_what_is_held_ends_an_admission_whose_time_is_over(is_same_turn: bool) -> None:
    sale = room()
    turn(sale, "ada", "bob")
    sale.wait(s=890)
    sale.hold("ada", 4)
    sale.wait(s=20)
    assert turn(sale) == []
    sale.release("ada")
    if is_same_turn:
        assert code(sale.hold("ada", 4)) == "not_admitted"
    assert turn(sale) == [("bob", 2)]
    assert code(sale.hold("ada", 4)) == "not_admitted"


def test_giving_back_in_the_turn_in_which_the_holder_is_looked_after() -> None:
    sale = room()
    turn(sale, "ada", "bob")
    sale.hold("ada", 4)
    sale.wait(s=400)
    sale.extend("ada")
    sale.wait(s=500)
    assert turn(sale, releases="ada") == [], "it is looked after before it is given back"
    assert turn(sale) == [("bob", 2)]


def test_who_gave_back_what_was_held_and_is_gone_makes_room() -> None:
    sale = room()
    turn(sale, "ada", "bob")
    sale.hold("ada", 4)
    gone_ms = sale.now_ms
    sale.wait(s=130)
    assert turn(sale, seen_ms=gone_ms) == [], "what is held can be paid"
    sale.release("ada")
    assert turn(sale, seen_ms=gone_ms) == [("bob", 2)]


def test_ahead_is_what_counting_says() -> None:
    dice, ahead, there = Random(7), Ahead(), set[int]()
    for _ in range(3_000):
        place = dice.randint(1, 5_000)
        if place in there:
            there.discard(place)
            ahead.add(place, -1)
        else:
            there.add(place)
            ahead.add(place)
    asked = [dice.randint(1, 9_000) for _ in range(300)]
    counted = [sum(one < place for one in there) for place in asked]
    assert [ahead.before(place) for place in asked] == counted
    assert [Ahead(there).before(place) for place in asked] == counted


def test_no_wait_is_told_when_more_are_ahead_than_seats_are_left() -> None:
    sale = room(max_tickets_per_user=20)
    people = [f"c{number}" for number in range(8)]
    turn(sale, *people)
    for leaving in people[:4]:
        sale.wait(s=20)
        turn(sale, leaves=leaving)
    assert wait_of(sale.seating, 2) is not None
    sale.hold(people[4], *range(18))
    assert wait_of(sale.seating, 1) is not None
    assert wait_of(sale.seating, 2) is None

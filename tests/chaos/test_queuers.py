"""Bots in the waiting room: each does what it is for, and sees what a server does wrong with the line."""

from collections.abc import Callable
from typing import Any

import pytest

from actors.core import holding, waiting_room
from actors.core.line import LineDraft
from actors.core.model import QueueEntry
from actors.ports import PersonalNews
from bots import standing
from bots.standing import Standing
from bots.turns import Turn, line_figures, most_inside, wrong_turns
from protocol.limits import ADMISSION_DURATION_S, CALL_DURATION_S
from protocol.outbound import LineNow, QueueNow
from protocol.queue_place import QueuePlace
from server.rest import queue
from server.sockets.hub import Hub
from tests.chaos.hall import Hall, hall, is_sound
from tests.server.parts import own

__all__ = ["hall", "own"]

QUICK = {"THINK_S": 0.02, "REST_S": 0.05, "STAY_S": 0.2, "AWAY_S": 0.2, "PUSH_S": 0.02}


@pytest.mark.parametrize("behaviour", ["queuers", "callers"])
async def test_they_have_turns_in_the_order_of_their_places(hall: Hall, behaviour: str) -> None:
    hall.hurry(**QUICK)
    hall.monkeypatch.setattr(queue, "ASK_AGAIN_MAX_S", 0)
    assert is_sound(await hall.after(behaviour, lambda seen: seen.turns > 12 and seen.orders > 3, slots=2))
    assert wrong_turns(hall.turns, 2) == []
    assert most_inside(hall.turns) == 2


async def test_waverers_leave_when_it_takes_too_long(hall: Hall) -> None:
    hall.hurry(**QUICK, PATIENCE_S=0.1)
    tally = await hall.after("waverers", lambda seen: seen.turns > 6 and seen.accepted > 60, slots=1)
    assert is_sound(tally)
    assert wrong_turns(hall.turns, 1) == []
    assert any(turn.inside_ms is None for turn in hall.turns), "some have left before their turn"


async def test_vanishers_find_their_place_again(hall: Hall) -> None:
    hall.hurry(**QUICK)
    tally = await hall.after("vanishers", lambda seen: seen.turns > 4 and seen.resumes > 12, slots=2)
    assert is_sound(tally)
    assert wrong_turns(hall.turns, 2) == []


async def test_pushers_get_nothing_before_their_turn(hall: Hall) -> None:
    hall.hurry(**QUICK)
    tally = await hall.after("pushers", lambda seen: seen.refusals.get("not_admitted", 0) > 50, slots=1)
    assert is_sound(tally)


async def test_who_is_let_shop_before_the_turn_is_a_broken_promise(hall: Hall) -> None:
    """Negative control: everybody may hold."""
    hall.monkeypatch.setattr(holding, "is_admitted", lambda *_: True)
    hall.hurry(**QUICK)
    tally = await hall.after("pushers", lambda seen: seen.broken > 0, slots=1)
    assert "is not inside, and" in tally.texts[0]


async def test_a_turn_out_of_order_is_a_broken_promise(hall: Hall) -> None:
    """Negative control: the last in line is let in first."""
    real = LineDraft.next_waiting

    def last(draft: LineDraft) -> QueueEntry | None:
        waiting = [place for place, customer in draft.committed.by_place.items() if customer not in draft.entries]
        return draft.entry(draft.committed.by_place[max(waiting)]) if waiting else real(draft)

    hall.monkeypatch.setattr(LineDraft, "next_waiting", last)
    hall.hurry(**QUICK)
    await hall.after("queuers", lambda seen: seen.turns > 12, slots=1, finds=["queue_order"])
    assert "was let in from place" in wrong_turns(hall.turns, 1)[0]


async def test_more_inside_than_may_be_is_a_broken_promise(hall: Hall) -> None:
    """Negative control: there is always a slot."""
    hall.monkeypatch.setattr(waiting_room, "_admits", lambda view, _now_ms: view.available > 0)
    hall.hurry(**QUICK)
    await hall.after("queuers", lambda seen: seen.turns > 12, slots=1)
    assert "were inside at one time, 1 may be" in wrong_turns(hall.turns, 1)[0]


async def test_a_place_that_is_lost_is_a_broken_promise(hall: Hall) -> None:
    """Negative control: whoever comes back is in no line."""
    hall.monkeypatch.setattr("server.sockets.connection.shown_place", lambda *_: QueuePlace("not_in_queue"))
    hall.hurry(**QUICK)
    tally = await hall.after("vanishers", lambda seen: seen.broken > 0, slots=1)
    assert "has lost the" in tally.texts[0]


async def test_a_turn_that_is_not_told_is_a_broken_promise(hall: Hall) -> None:
    """Negative control: no place is pushed."""
    real = Hub.tell

    def forgets(hub: Hub, event_id: str, personal: PersonalNews) -> None:
        if not isinstance(personal.message, QueueNow):
            real(hub, event_id, personal)

    hall.monkeypatch.setattr(Hub, "tell", forgets)
    hall.monkeypatch.setattr(standing, "UNTOLD_S", -10.0)
    hall.hurry(**QUICK)
    joins_and_one_turn = 6 + 2
    tally = await hall.after("queuers", lambda seen: seen.accepted >= joins_and_one_turn, slots=1)
    assert any("and was not told" in text for text in tally.texts)


# What is wrong with what one customer is told


NOW_MS = 10**12
ADMITTED = QueueNow("active", 3, admitted_until_ms=NOW_MS + 1000 * ADMISSION_DURATION_S)
OUT = QueueNow("not_in_queue")


def waiting(place: int, ahead: int = 0) -> QueueNow:
    """In line."""
    return QueueNow("waiting", place, ahead, 1, 3)


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ((waiting(3, 2), waiting(3, 1), ADMITTED), None),
        ((QueueNow("lobby"), waiting(3, 2)), None),
        ((waiting(3), waiting(4)), "the place of ada was 3, and is 4"),
        ((waiting(3, 1), waiting(3, 2)), "before ada waited 1, and now 2"),
        ((waiting(3), QueueNow("lobby")), "had place 3 already"),
        ((waiting(3), OUT), "has lost the place 3"),
        ((QueueNow("lobby"), OUT), "has lost the place"),
        ((ADMITTED, OUT), "has lost the turn"),
        ((ADMITTED, waiting(9)), "was inside, and is to wait again"),
    ],
)
def test_what_is_told_has_to_follow_from_what_was_told(told: tuple[QueueNow, ...], wrong: str | None) -> None:
    one = Standing("ada")
    found = [text for message in told if (text := one.take(message, NOW_MS)) is not None]
    assert (wrong is None and found == []) or (wrong is not None and wrong in found[0])


@pytest.mark.parametrize(
    "excuse",
    [
        lambda one: one.gives_up(),
        lambda one: one.goes_away(NOW_MS - 1000 * CALL_DURATION_S),
    ],
    ids=["has given it up", "was away for long"],
)
def test_a_place_may_be_lost_by_one_s_own_doing(excuse: Callable[[Standing], Any]) -> None:
    one = Standing("ada")
    one.take(waiting(3), NOW_MS)
    excuse(one)
    assert one.take(OUT, NOW_MS) is None


def test_a_turn_that_has_run_out_is_over() -> None:
    one = Standing("ada")
    one.take(ADMITTED, NOW_MS)
    assert one.take(OUT, NOW_MS + 1000 * ADMISSION_DURATION_S) is None
    assert [turn.entered_ms for turn in one.turns] == [NOW_MS]


def test_a_purchase_that_fails_does_not_excuse_the_loss_of_the_turn() -> None:
    one = Standing("ada")
    one.take(ADMITTED, NOW_MS)
    one.gives_up()
    one.keeps()
    assert one.take(OUT, NOW_MS) is not None


def test_a_line_that_goes_back_is_wrong() -> None:
    one = Standing("ada")
    assert [one.take_line(LineNow(upto, 5, None)) for upto in (3, 3, 4)] == [None, None, None]
    assert one.take_line(LineNow(2, 5, None)) == "turns had come up to place 4, and now up to 2"


def test_a_wait_is_as_long_as_was_told_or_not() -> None:
    for waited_s, is_right in ((0.5, False), (2.0, True), (5.0, False)):
        one = Standing("ada")
        one.take(waiting(3), NOW_MS)
        until_ms = NOW_MS + 1000 * ADMISSION_DURATION_S
        one.take(QueueNow("active", 3, admitted_until_ms=until_ms), NOW_MS + 1000 * waited_s)
        assert [turn.is_range_right for turn in one.turns] == [is_right]


# What is wrong with all turns together


def turn(who: str, place: int, entered_ms: int | None, **how: Any) -> Turn:
    """A turn that came at that time, or did not."""
    inside = None if entered_ms is None else (entered_ms, entered_ms + 10)
    return Turn(who, place, entered_ms, **{"inside_ms": inside, **how})


def test_turns_in_order_are_right() -> None:
    assert wrong_turns([turn("ada", 1, 5), turn("bob", 2, 5), turn("cyd", 3, None, still_waiting_ms=50)], 2) == []


@pytest.mark.parametrize(
    ("overtaken", "expected"),
    [
        (turn("ada", 1, 9), 1),
        (turn("ada", 1, None, still_waiting_ms=9), 1),
        (turn("ada", 1, None), 0),
        (turn("ada", 1, 9, was_there=False), 0),
    ],
    ids=["let in later", "waiting later", "not asked", "was away"],
)
def test_whoever_is_overtaken_is_found(overtaken: Turn, expected: int) -> None:
    found = wrong_turns([overtaken, turn("bob", 2, 5), turn("cyd", 3, 6)], 9)
    assert len(found) == expected
    assert all("bob was let in from place 2, and ada from place 1" in text for text in found)


def test_a_place_that_two_have_is_found() -> None:
    assert wrong_turns([turn("ada", 1, 5), turn("bob", 1, 5)], 9) == ["place 1 was given to ada and bob"]


def test_too_many_inside_are_found() -> None:
    both = [turn("ada", 1, 5), turn("bob", 2, 6)]
    assert wrong_turns(both, 1) == ["2 were inside at one time, 1 may be"]
    assert wrong_turns([turn("ada", 1, 5), turn("bob", 2, 15)], 1) == [], "one goes, one comes"


def test_figures_of_the_line() -> None:
    found = line_figures(
        [turn("ada", 1, 0, waited_s=1.0), turn("bob", 2, 10, waited_s=4.0, is_range_right=True)], 1
    )
    assert (found.turns, found.most_inside, found.slots_used_percent) == (2, 1, 100.0)
    assert (found.waited_p50_s, found.waited_p99_s) == (1.0, 4.0)
    assert (found.ranges_told, found.ranges_right) == (1, 1)
    assert line_figures([], 1).slots_used_percent == 0.0

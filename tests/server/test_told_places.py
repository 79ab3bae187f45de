"""Places in line as those who are connected are told them: all anew, and whose wait has become another one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from actors.core.layout import Run, layout_of
from actors.core.line import Line
from actors.core.model import DrawTerms, QueueEntry, QueueMode, QueueState, Stage, Terms
from actors.core.seating import Seating
from server.ending import end
from server.sockets import customers
from server.sockets.customers import TOLD_PER_SLICE
from tests.server.parts import until
from tests.server.test_broadcast import NOW_MS, Show, Watcher

PER_SECOND = 2


def show_with_line(*people: str) -> Show:
    """A show with a seat for each, in whose line these people wait; nobody knows yet how fast it moves."""
    show = Show()
    terms = Terms("show", Stage.ON_SALE, 0, NOW_MS + 10**9, 4, "EUR", queue_mode=QueueMode.FIFO)
    seats = layout_of([Run("S", "vip", 100, 0, len(people), 0.0)])
    show.seating = Seating(terms, seats, bytearray(len(people)), {}, 0, "e")
    entries = [QueueEntry(one, QueueState.WAITING, NOW_MS, place) for place, one in enumerate(people, 1)]
    show.seating.line = Line(show.seating.terms, DrawTerms(operator_seed=bytes(32)), entries)
    return show


def moves(show: Show, seconds: int, per_second: int = PER_SECOND) -> None:
    """For so long slots come free at this pace."""
    pace = show.seating.line.pace
    pace.inside = show.seating.terms.max_concurrent_shoppers
    since_ms = pace._now_ms or NOW_MS
    for second in range(seconds):
        pace.tick(since_ms + 1_000 * (second + 1))
        for _ in range(per_second):
            pace.freed()


@asynccontextmanager
async def looking(show: Show, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The hub looks after those who wait all the time; what is given waits until it has done so twice."""
    rounds, look = 0, show.hub.customers._look_after

    def counted(whom: list[tuple[str, str]]) -> None:
        nonlocal rounds
        look(whom)
        rounds += 1

    async def looked() -> None:
        wanted = rounds + 2
        await until(lambda: rounds >= wanted)

    monkeypatch.setattr(customers, "LOOK_S", 0.002)
    monkeypatch.setattr(show.hub.customers, "_look_after", counted)
    task = asyncio.create_task(show.hub.customers.run())
    yield looked
    await end(task)


async def test_a_wait_is_told_again_when_it_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [f"c{number}" for number in range(300)]
    show = show_with_line(*people)
    last, stranger, gone = Watcher(show, people[-1]), Watcher(show, "stranger"), Watcher(show, people[5])
    show.hub.leave("show", gone.outbox)
    async with looking(show, monkeypatch) as looked:
        await looked()
        assert last.read() == [], "nothing is known of the wait, and nothing was told"
        moves(show, 60)
        await looked()
        (told,) = last.read()
        assert (told["type"], told["place"], told["ahead"]) == ("queue", 300, 299)
        assert told["eta_s"] < 150 < told["eta_high_s"]
        moves(show, 5)
        await looked()
        assert last.read() == [], "it is as it was told, or nearly"
        moves(show, 60, per_second=6)
        await looked()
        later = last.read()
        assert later[-1]["eta_high_s"] < told["eta_high_s"] * 3 // 4
        await looked()
        assert [*last.read(), *stranger.read(), *gone.read()] == []


async def test_what_was_told_on_change_is_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    show = show_with_line("ada", "bob")
    moves(show, 60)
    bob = Watcher(show, "bob")
    async with looking(show, monkeypatch) as looked:
        await looked()
        assert len(bob.read()) == 1
        await looked()
        assert bob.read() == []


async def test_all_who_are_connected_are_told_their_places() -> None:
    people = [f"c{number}" for number in range(3 * TOLD_PER_SLICE)]
    show = show_with_line(*people)
    watchers = {one: Watcher(show, one) for one in [*people, "stranger"]}
    show.hub.tell_places("show")
    show.hub.tell_places("show")
    await until(lambda: not show.hub.customers._telling)
    told = {one: watcher.read() for one, watcher in watchers.items()}
    assert {one: [(frame["status"], frame["place"]) for frame in frames] for one, frames in told.items()} == {
        **{one: [("waiting", place)] for place, one in enumerate(people, 1)},
        "stranger": [("not_in_queue", None)],
    }


async def test_places_of_an_event_that_is_not_here_are_not_told() -> None:
    show = show_with_line("ada")
    ada = Watcher(show, "ada")
    show.hub.seating = lambda _event_id: None
    show.hub.tell_places("show")
    await until(lambda: not show.hub.customers._telling)
    assert ada.read() == []

"""What is promised of the line holds on a whole on-sale, and each promise that is broken on purpose is noticed."""

from math import sqrt

import pytest
from msgspec.structs import replace

import actors.turn
from actors.core import draw, waiting_room
from actors.core.line import Line, LineDraft
from actors.core.model import DrawTerms, QueueEntry, QueueState
from actors.core.seating import Draft
from tests.simulation.fairness import Fairness, fairness_of
from tests.simulation.sale_day import SaleDay, Scenario, play

HOT = Scenario("fewer seats than people", people=400, seats=300, slots=20)
PACED = Scenario("so many a minute", people=400, seats=2_000, slots=20, admit_per_minute=10)
LOBBY = int(HOT.people * HOT.lobby_share)


def broken(scenario: Scenario) -> set[str]:
    """The promises that an on-sale breaks. Source of the figures: promises of the waiting room."""
    found = fairness_of(play(scenario).record)
    free_s, used = found.fill_longest_s, found.used
    promises = {
        "order": found.out_of_order == 0,
        "nobody is lost": found.lost == 0,
        "slots": found.most_inside <= scenario.slots,
        "pace": not scenario.admit_per_minute or found.most_in_a_minute <= scenario.admit_per_minute,
        "filled within a second": free_s <= 1 and (scenario.admit_per_minute > 0 or used >= 0.99),
        "early is not better": _is_unrelated(found),
    }
    return {promise for promise, is_kept in promises.items() if not is_kept}


def _is_unrelated(found: Fairness) -> bool:
    """Within four standard deviations of the rank correlation of two independent orders."""
    return abs(found.rank_correlation) < 4 / sqrt(LOBBY - 1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scenario", [HOT, PACED], ids=lambda scenario: str(scenario.name))
def test_the_promises_hold(scenario: Scenario, seed: int) -> None:
    assert broken(Scenario(**(vars(scenario) | {"seed": seed}))) == set()


def test_the_same_seed_is_the_same_day() -> None:
    assert fairness_of(play(PACED).record) == fairness_of(play(PACED).record)


def test_a_turn_for_the_second_in_line_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = LineDraft.next_waiting

    def second(line: LineDraft) -> QueueEntry | None:
        first = whole(line)
        waiting = sorted(place for place in line.committed.by_place if first and place > (first.place or 0))
        other = line.entry(line.committed.by_place[waiting[0]]) if waiting else None
        return other if other and other.state is QueueState.WAITING and len(waiting) % 7 == 0 else first

    monkeypatch.setattr(LineDraft, "next_waiting", second)
    assert {"order", "nobody is lost"} <= broken(HOT)


def test_one_too_many_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = waiting_room.may_admit

    def may_admit(view: Draft, now_ms: int) -> bool:
        terms = view.terms
        view.terms = replace(terms, max_concurrent_shoppers=terms.max_concurrent_shoppers + 1, admit_per_minute=0)
        try:
            return whole(view, now_ms)
        finally:
            view.terms = terms

    monkeypatch.setattr(actors.turn, "may_admit", may_admit)
    assert broken(HOT) == {"slots"}
    assert {"slots", "pace"} <= broken(PACED)


def test_a_slot_that_is_not_given_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = SaleDay.terms
    monkeypatch.setattr(SaleDay, "terms", lambda day: replace(whole(day), max_concurrent_shoppers=HOT.slots - 1))
    assert broken(HOT) == {"filled within a second"}


def test_an_order_of_coming_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "drawn_order", lambda _seed, entry_ids: list(entry_ids))
    assert broken(HOT) == {"early is not better"}


def test_somebody_forgotten_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Line.draw

    def forgetful(line: Line, draws: DrawTerms) -> None:
        whole(line, draws)
        del line.by_place[50]
        line.waiting -= 1

    monkeypatch.setattr(Line, "draw", forgetful)
    assert broken(HOT) == {"nobody is lost"}

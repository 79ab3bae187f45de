"""The end of a lobby that waits for a beacon: closed for good, and drawn by the round alone."""

import pytest
from msgspec.structs import replace

from actors.core import draw
from actors.core.model import BeaconRound, DrawTerms, LobbyClosed, QueueMode, QueueState
from actors.core.verdict import Asked
from actors.ports import Batch, Claim
from actors.told import Told
from actors.turn import Turn, batch_of, decide_turn
from protocol.inbound import JoinQueue
from tests.core.sale import Sale

EVENT = "550e8400-e29b-41d4-a716-446655440298"


class Lobby:
    """An event with a lobby that names a beacon; its sale begins when `begin` says so."""

    def __init__(self) -> None:
        self.sale = Sale(event_id=EVENT, queue_mode=QueueMode.DRAW, max_concurrent_shoppers=1, event_at_ms=10**13)
        self.sale.seating.line.draws = DrawTerms(bytes(32), beacon_chain=b"c" * 32)
        self.sell_from(self.sale.now_ms + 60_000)

    def sell_from(self, at_ms: int) -> None:
        """The organiser says when the sale begins."""
        self.sale.seating.terms = replace(self.sale.seating.terms, on_sale_at_ms=at_ms)

    def turn(self, *customers: str, found: BeaconRound | None = None) -> Batch:
        """One turn of the actor, committed."""
        told = [
            Told(Asked(one, JoinQueue(self.sale.next_id())), lambda _frame, _refusal: None) for one in customers
        ]
        decided = decide_turn(Turn(told, [], found=found), self.sale.seating, self.sale.now_ms)
        batch = batch_of(decided, Claim(EVENT, "me", 1), self.sale.seating, set())
        self.sale.seating.apply(decided.draft.changes)
        return batch

    def state(self, customer: str) -> QueueState:
        """Of somebody who has joined."""
        return self.sale.seating.line.entries[customer].state

    def round(self, later_ms: int) -> BeaconRound:
        """A round so long after now."""
        return BeaconRound(9, self.sale.now_ms + later_ms, b"v" * 32, b"signature")


def closed() -> Lobby:
    """A lobby of two that is closed."""
    lobby = Lobby()
    lobby.turn("ada", "bob")
    lobby.sale.wait(s=60)
    batch = lobby.turn("late")
    assert (batch.closed, batch.drawn) == (LobbyClosed(lobby.sale.now_ms), None)
    return lobby


def test_it_closes_before_the_round_and_is_drawn_by_it() -> None:
    lobby = closed()
    assert [lobby.state(one) for one in ("ada", "bob", "late")] == ["lobby", "lobby", "waiting"]
    assert lobby.turn().writes is False, "nothing is drawn, and nobody let in, before the round"
    found = lobby.round(10_000)
    lobby.sale.wait(s=10)
    drawn = lobby.turn(found=found).drawn
    assert drawn is not None
    head = lobby.sale.seating.line.head
    assert head is not None
    assert (drawn.entries, drawn.round, drawn.seed) == (2, found, draw.seed(bytes(32), head, found.value))
    lobby.turn()
    assert sorted(lobby.sale.seating.line.entries[one].place or 0 for one in ("ada", "bob", "late")) == [1, 2, 3]
    assert lobby.sale.seating.line.entries["late"].place == 3
    assert lobby.turn(found=found).drawn is None, "once"


def test_a_sale_that_is_put_off_opens_no_closed_lobby() -> None:
    """Else who has seen the round could join, or drop, an entry."""
    lobby = closed()
    lobby.sell_from(lobby.sale.now_ms + 3_600_000)
    lobby.turn("later")
    entry = lobby.sale.seating.line.entries["later"]
    assert (entry.state, entry.position) == (QueueState.WAITING, None)
    # The control: a lobby that were not closed would take it.
    lobby.sale.seating.line.draws = replace(lobby.sale.seating.line.draws, closed_ms=None)
    lobby.sale.seating.line.tail = 0
    lobby.turn("control")
    assert lobby.sale.seating.line.entries["control"].position == 3


def test_a_round_that_was_public_before_is_not_taken() -> None:
    lobby = closed()
    with pytest.raises(AssertionError, match="was public before the lobby was closed"):
        lobby.turn(found=lobby.round(0))

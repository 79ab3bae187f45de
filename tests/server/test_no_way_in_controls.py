"""Negative controls: with one safeguard of the door taken out, trying all ways finds it. On a real server."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from actors import turn
from actors.core import holding, ordering, rules, waiting_room
from actors.core.model import QueueState
from actors.core.verdict import Asked, Verdict
from actors.core.view import View
from actors.ports import Batch, Outcome
from protocol.inbound import Checkout, HoldBest, HoldSeats
from server.rest import seats
from server.rest.operations import Operation
from server.store import PostgresStore
from tests.server import standings
from tests.server.parts import SHARED, Usher, until
from tests.server.standings import Standing, check
from tests.server.ways_in import unknown_ways

pytestmark = SHARED

RED = (AssertionError, TimeoutError)
"""How a check goes red: somebody got in, was told something else, or is inside for ever."""

Fault = Callable[[pytest.MonkeyPatch], None]


def forgets(command: type, module: Any) -> Fault:
    """The rule of this command does not ask for an admission; all others do."""
    sound = rules._RULES[command]

    def faulty(view: View, asked: Asked, wanted: Any, now_ms: int) -> Verdict:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(module, "is_admitted", lambda *_: True)
            return sound(view, asked, wanted, now_ms)

    return lambda patched: patched.setitem(rules._RULES, command, faulty)


def lets_everybody_in(patched: pytest.MonkeyPatch) -> None:
    """The slots are not counted, and the mode is not looked at."""
    patched.setattr(waiting_room, "may_admit", lambda *_: True)


def keeps_who_has_bought(patched: pytest.MonkeyPatch) -> None:
    """A purchase does not end the admission."""
    patched.setattr(ordering, "left", lambda *_: ())


def keeps_who_has_left(patched: pytest.MonkeyPatch) -> None:
    """Leaving gives back what is held, and no more."""
    patched.setattr(holding, "left", lambda *_: ())


def never_looks_after(patched: pytest.MonkeyPatch) -> None:
    """No admission ends by the clock."""
    patched.setattr(turn, "look_after", lambda _view, _entry, now_ms, _seen: now_ms + 1_000)


def loses_who_goes(patched: pytest.MonkeyPatch) -> None:
    """The store says that it is written, and who goes out stays in."""
    sound = PostgresStore.commit

    async def faulty(self: PostgresStore, batch: Batch) -> Outcome:
        staying = tuple(entry for entry in batch.queue if entry.state is not QueueState.OUT)
        return await sound(self, replace(batch, queue=staying))

    patched.setattr(PostgresStore, "commit", faulty)


FAULTS: list[tuple[str, Fault, Callable[[Usher], Awaitable[Standing]]]] = [
    ("hold_seats asks nobody", forgets(HoldSeats, holding), standings.waiting),
    ("hold_seats asks nobody after the purchase", forgets(HoldSeats, holding), standings.has_bought),
    ("hold_best asks nobody", forgets(HoldBest, holding), standings.never_joined),
    ("checkout asks nobody", forgets(Checkout, ordering), standings.has_left),
    ("everybody is let in", lets_everybody_in, standings.waiting),
    ("everybody is let in by a closed door", lets_everybody_in, standings.before_a_closed_door),
    ("who has bought stays in", keeps_who_has_bought, standings.has_bought),
    ("who has left stays in", keeps_who_has_left, standings.has_left),
    ("no admission runs out", never_looks_after, standings.ran_out_and_gave_back_what_was_held),
    ("nobody is gone", never_looks_after, standings.was_gone),
    ("a batch loses who goes", loses_who_goes, standings.has_left),
]


@pytest.mark.parametrize(("fault", "standing"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
async def test_a_faulty_door_is_found(
    usher: Usher,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    standing: Callable[[Usher], Awaitable[Standing]],
) -> None:
    monkeypatch.setattr(standings, "until", partial(until, deadline_s=2.5))
    await check(usher, standing)  # sound, it holds
    fault(monkeypatch)
    with pytest.raises(RED):
        await check(usher, standing)


async def test_an_operation_that_nobody_tries_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    new = Operation("POST", "/api/v1/seats/{event_id}/swap", "seats", _swap)
    monkeypatch.setattr(seats.operations, "all", [*seats.operations.all, new])
    assert unknown_ways() == {"_swap"}


async def _swap(_request: Any) -> Any:
    """Give one seat back and hold another."""

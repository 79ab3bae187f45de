"""A read that is slow keeps nobody waiting but those who asked for it, and them not for ever."""

import asyncio
from typing import Any

import pytest

from server.reads import seat_answers, shared_work
from server.reads.shared_work import Slices
from tests.server.parts import DEADLINE_S, SHARED, Usher, until

pytestmark = SHARED


async def test_the_slow_read_of_one_event_does_not_stall_another(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = await usher.event(), await usher.event()
    asked, reads, goes_on = usher.parts.supervisor.seating, 0, asyncio.Event()

    async def stalling(event_id: str) -> Any:
        nonlocal reads
        if event_id == slow:
            reads += 1
            if reads > 1:  # who asks has read once, before he waits for the answer to be written
                await goes_on.wait()
        return await asked(event_id)

    monkeypatch.setattr(usher.parts.supervisor, "seating", stalling)
    early = asyncio.create_task(usher.rest("GET", f"/seats/{slow}/availability"))
    late = asyncio.create_task(usher.rest("GET", f"/seats/{slow}/availability"))
    await until(lambda: reads >= 2)
    try:
        async with asyncio.timeout(DEADLINE_S / 4):
            assert (await usher.rest("GET", f"/seats/{quick}/availability")).status == 200
    finally:
        goes_on.set()
        assert {reply.status for reply in await asyncio.gather(early, late)} == {200}


async def test_states_that_cannot_be_read_at_once_are_waited_for(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = await usher.event()
    readable, looks = usher.parts.supervisor.readable, 0

    def gone_at_first(event_id: str) -> Any:
        nonlocal looks
        looks += 1
        return readable(event_id) if looks > 1 else None

    monkeypatch.setattr(usher.parts.supervisor, "readable", gone_at_first)
    assert (await usher.rest("GET", f"/seats/{event_id}/availability")).status == 200
    assert looks == 2


async def test_who_waits_for_too_long_is_told_to_try_again(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id, goes_on = await usher.event(), asyncio.Event()

    class Halting(Slices):
        async def breathe(self) -> None:
            await goes_on.wait()

    monkeypatch.setattr(shared_work, "Slices", Halting)
    monkeypatch.setattr(seat_answers, "ANSWER_S", 0.05)
    try:
        async with asyncio.timeout(DEADLINE_S):
            reply = await usher.rest("GET", f"/seats/{event_id}/availability")
        assert (reply.status, reply.body["code"]) == (503, "try_again")
    finally:
        goes_on.set()
    monkeypatch.undo()
    assert (await usher.rest("GET", f"/seats/{event_id}/availability")).status == 200


async def test_an_event_that_is_not_here_cannot_be_read_at_once(usher: Usher) -> None:
    event_id, supervisor = await usher.event(), usher.parts.supervisor
    assert supervisor.readable(event_id) is None
    seating = await supervisor.seating(event_id)
    assert supervisor.readable(event_id) is seating


async def test_what_is_no_longer_owned_is_not_read(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id, supervisor = await usher.event(), usher.parts.supervisor
    await supervisor.seating(event_id)
    monkeypatch.setattr(supervisor._ports.lease, "is_held", lambda _owner: False)
    assert supervisor.readable(event_id) is None

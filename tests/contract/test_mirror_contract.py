"""What every mirror promises: the newest owner's newest holds and entries, and nothing of anybody older."""

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from actors.core.model import Hold, QueueEntry, QueueState
from actors.ports import Claim, Mirror
from server.mirror import RedisMirror
from tests.fakes import FakeMirror

EVENT = "the-event"
EPOCH = "the-epoch"
FAR_MS = 4_000_000_000_000
OLD, NEW = Claim(EVENT, "old", 1), Claim(EVENT, "new", 2)

Shown = dict[str, tuple[tuple[int, ...], int]]
Line = dict[str, tuple[str, int | None]]
LOBBY, WAITING, CALLED, ACTIVE = QueueState.LOBBY, QueueState.WAITING, QueueState.CALLED, QueueState.ACTIVE


def hold(*seats: int, minutes: int = 0) -> Hold:
    return Hold(seats, FAR_MS - 600_000, FAR_MS - 600_000, FAR_MS + 60_000 * minutes)


def entry(customer: str, state: QueueState, number: int) -> QueueEntry:
    """In the lobby the number is the position, else the place."""
    position, place = (number, None) if state is LOBBY else (None, number)
    return QueueEntry(customer, state, FAR_MS, place, position, admitted_ms=FAR_MS)


class MirrorBench(ABC):
    """Mirrors of several nodes, and what stands in the one place that they write to."""

    @abstractmethod
    def mirror(self) -> Mirror:
        """Another node's mirror."""

    @abstractmethod
    async def shown(self) -> Shown:
        """Each customer's seats and end, once all is written."""

    @abstractmethod
    async def line(self) -> Line:
        """Each customer's state, and position or place, once all is written."""


class FakeMirrorBench(MirrorBench):
    def __init__(self) -> None:
        self._mirror = FakeMirror()

    def mirror(self) -> Mirror:
        return self._mirror

    async def shown(self) -> Shown:
        return {customer: (one.seats, one.expires_ms) for customer, one in self._mirror.holds[EVENT].items()}

    async def line(self) -> Line:
        shown = self._mirror.line[EVENT].items()
        return {who: (str(one.state), one.position if one.state is LOBBY else one.place) for who, one in shown}


class RedisMirrorBench(MirrorBench):
    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._mirrors: list[RedisMirror] = []

    def mirror(self) -> Mirror:
        self._mirrors.append(RedisMirror(self._redis))
        return self._mirrors[-1]

    async def written(self) -> None:
        while any(mirror.events_behind for mirror in self._mirrors):
            _ = await self._redis.ping()

    async def line(self) -> Line:
        await self.written()
        shown: Line = {}
        for kind in ("lobby", "waiting"):
            found: Any = await self._redis.zrange(f"usher:{{{EVENT}}}:{kind}", 0, -1, withscores=True)
            shown |= {customer.decode(): (kind, int(number)) for customer, number in found}
        inside: Any = await self._redis.hgetall(f"usher:{{{EVENT}}}:inside")
        for customer, text in inside.items():
            assert customer.decode() not in shown, "an entry is in two states"
            shown[customer.decode()] = json.loads(text)["status"], json.loads(text)["place"]
        return shown

    async def shown(self) -> Shown:
        await self.written()
        found: Any = await self._redis.hgetall(f"usher:{{{EVENT}}}:holds")
        holds = {customer.decode(): json.loads(text) for customer, text in found.items()}
        return {customer: (tuple(one["seats"]), one["expires_at_ms"]) for customer, one in holds.items()}

    async def stop(self) -> None:
        for mirror in self._mirrors:
            await mirror.stop()


@pytest.fixture
async def redis_bench(redis: Redis) -> AsyncIterator[RedisMirrorBench]:
    bench = RedisMirrorBench(redis)
    yield bench
    await bench.stop()


@pytest.fixture(params=["fake", "redis"])
def mirrors(request: Any) -> MirrorBench:
    """Either mirror."""
    if request.param == "fake":
        return FakeMirrorBench()
    found = request.getfixturevalue("redis_bench")
    assert isinstance(found, MirrorBench)
    return found


async def test_what_was_loaded_is_shown(mirrors: MirrorBench) -> None:
    mirrors.mirror().replace(OLD, 7, EPOCH, lambda: {"ada": hold(1, 2), "bob": hold(3, minutes=5)})
    assert await mirrors.shown() == {"ada": ((1, 2), FAR_MS), "bob": ((3,), FAR_MS + 300_000)}


async def test_changes_are_shown(mirrors: MirrorBench) -> None:
    mirror = mirrors.mirror()
    holds = {"ada": hold(1)}
    mirror.replace(OLD, 7, EPOCH, lambda: holds)
    await mirrors.shown()
    mirror.touch(OLD, 8, {"bob": hold(3)})
    mirror.touch(OLD, 9, {"ada": None, "cyd": hold(4)})
    mirror.touch(OLD, 11, {"cyd": hold(4, 5, minutes=1)})
    assert await mirrors.shown() == {"bob": ((3,), FAR_MS), "cyd": ((4, 5), FAR_MS + 60_000)}


async def test_a_batch_without_holds_changes_nothing(mirrors: MirrorBench) -> None:
    mirror = mirrors.mirror()
    mirror.replace(OLD, 7, EPOCH, lambda: {"ada": hold(1)})
    mirror.touch(OLD, 8, {})
    assert await mirrors.shown() == {"ada": ((1,), FAR_MS)}


async def test_a_new_owner_shows_what_it_has_and_nothing_else(mirrors: MirrorBench) -> None:
    mirrors.mirror().replace(OLD, 7, EPOCH, lambda: {"ada": hold(1)})
    await mirrors.shown()
    mirrors.mirror().replace(NEW, 7, EPOCH, lambda: {"bob": hold(2)})
    assert await mirrors.shown() == {"bob": ((2,), FAR_MS)}


async def test_an_old_owner_that_wakes_up_overwrites_nothing(mirrors: MirrorBench) -> None:
    old, new = mirrors.mirror(), mirrors.mirror()
    old.replace(OLD, 7, EPOCH, lambda: {"ada": hold(1)})
    await mirrors.shown()
    new.replace(NEW, 8, EPOCH, lambda: {"bob": hold(2)})
    await mirrors.shown()
    old.touch(OLD, 99, {"ada": hold(1, 2), "bob": None})
    assert await mirrors.shown() == {"bob": ((2,), FAR_MS)}


async def test_another_history_begins_anew_whatever_its_numbers(mirrors: MirrorBench) -> None:
    mirrors.mirror().replace(NEW, 8, EPOCH, lambda: {"ada": hold(1)})
    await mirrors.shown()
    restored = mirrors.mirror()
    restored.replace(OLD, 2, "another-epoch", lambda: {"bob": hold(2)})
    assert await mirrors.shown() == {"bob": ((2,), FAR_MS)}
    restored.touch(OLD, 3, {"cyd": hold(3)})
    assert await mirrors.shown() == {"bob": ((2,), FAR_MS), "cyd": ((3,), FAR_MS)}


async def test_giving_an_event_up_wipes_nothing(mirrors: MirrorBench) -> None:
    old = mirrors.mirror()
    old.replace(OLD, 7, EPOCH, lambda: {"ada": hold(1)})
    await mirrors.shown()
    old.forget(OLD)
    assert await mirrors.shown() == {"ada": ((1,), FAR_MS)}


async def test_entries_that_were_loaded_are_shown(mirrors: MirrorBench) -> None:
    line = {
        "ada": entry("ada", ACTIVE, 1),
        "bob": entry("bob", CALLED, 2),
        "cyd": entry("cyd", WAITING, 3),
        "dan": entry("dan", QueueState.OUT, 4),
    }
    mirrors.mirror().replace(OLD, 7, EPOCH, dict, lambda: line)
    assert await mirrors.line() == {"ada": ("active", 1), "bob": ("called", 2), "cyd": ("waiting", 3)}


async def test_an_entry_is_shown_in_its_last_state_alone(mirrors: MirrorBench) -> None:
    mirror, line = mirrors.mirror(), dict[str, QueueEntry]()
    mirror.replace(OLD, 7, EPOCH, dict, lambda: line)
    for revision, (state, number) in enumerate(
        ((LOBBY, 9), (WAITING, 4), (CALLED, 4), (WAITING, 12), (ACTIVE, 12)), 8
    ):
        line["ada"] = entry("ada", state, number)
        mirror.touch(OLD, revision, {}, ["ada"])
        assert await mirrors.line() == {"ada": (str(state), number)}
    del line["ada"]
    mirror.touch(OLD, 20, {}, ["ada"])
    assert await mirrors.line() == {}


async def test_a_new_owner_shows_its_own_line(mirrors: MirrorBench) -> None:
    old, line = mirrors.mirror(), {"ada": entry("ada", WAITING, 1)}
    old.replace(OLD, 7, EPOCH, dict, lambda: line)
    await mirrors.line()
    mirrors.mirror().replace(NEW, 7, EPOCH, dict, lambda: {"bob": entry("bob", WAITING, 2)})
    await mirrors.line()
    line["cyd"] = entry("cyd", WAITING, 3)
    old.touch(OLD, 99, {}, ["cyd"])
    assert await mirrors.line() == {"bob": ("waiting", 2)}

"""The broadcast hub alone: folding, fairness, those who fall behind, and maps that are right in the end."""

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from actors.core.layout import Run, layout_of
from actors.core.model import Stage, Terms
from actors.core.seating import Seating
from actors.ports import News, PersonalNews
from protocol import limits
from protocol.codes import CloseCode
from protocol.outbound import EventNow, HoldNow, HoldReason, LineNow
from protocol.seat_state import pack_states
from server.sockets import broadcast, hub, outbox
from server.sockets.broadcast import Channel
from server.sockets.hub import Hub
from server.sockets.outbox import Outbox
from tests.server.parts import Json, unpacked, until
from tests.server.transports import Transport
from tests.simulation.virtual_time import scene

SEATS = 40
NOW_MS = 1_900_000_000_000


def now() -> datetime:
    return datetime.fromtimestamp(NOW_MS / 1000, UTC)


def an_event(epoch: str = "e") -> Seating:
    """Forty seats, all available."""
    terms = Terms("show", Stage.ON_SALE, 0, NOW_MS + 10**9, 4, "EUR")
    return Seating(terms, layout_of([Run("S", "vip", 100, 0, SEATS, 0.0)]), bytearray(SEATS), {}, 0, epoch)


class Show:
    """An event whose batches this test makes, and the hub that tells of them."""

    def __init__(self) -> None:
        self.seating = an_event()
        self.hub = Hub(now)
        self.hub.seating = lambda _: self.seating

    @property
    def channel(self) -> Channel:
        return self.hub._channels["show"]

    def commit(self, seats: dict[int, int], *personal: PersonalNews) -> None:
        """One batch."""
        for seat, state in seats.items():
            self.seating.states[seat] = state
        self.seating.revision += 1
        self.hub.publish("show", News(self.seating.revision, dict(seats), personal))
        for one in personal:
            self.hub.tell("show", one)


class Watcher:
    """One connection by the client's rule; while it is clogged nothing leaves its transport."""

    def __init__(self, show: Show, customer: str | None = None) -> None:
        self.show = show
        self.transport = Transport()
        self.closed: list[CloseCode] = []
        self.outbox = Outbox(self.transport, customer, None, self.closed.append)
        self.is_clogged = False
        self.frames: list[Json] = []
        self.epoch, self.revision, self.states = "", -1, [-1] * SEATS
        show.hub.join("show", self.outbox)

    def watch(self, position: tuple[str, int] | None = None) -> None:
        self.show.hub.watch("show", self.show.seating, self.outbox, position)

    def read(self) -> list[Json]:
        """Take in what has been sent; the frames."""
        since = len(self.frames)
        while not self.is_clogged and self.transport.unsent:
            head, size = 2, self.transport.unsent[1]
            if size == 126:
                head, size = 4, int.from_bytes(self.transport.unsent[2:4], "big")
            self._take(json.loads(self.transport.unsent[head : head + size]))
            self.transport.unsent = self.transport.unsent[head + size :]
        return self.frames[since:]

    def _take(self, frame: Json) -> None:
        self.frames.append(frame)
        if frame["type"] == "snapshot":
            self.epoch, self.revision = frame["epoch"], frame["revision"]
            self.states = unpacked(frame["seats"], SEATS)
        elif frame["type"] == "patch":
            assert frame["epoch"] == self.epoch
            if frame["revision"] <= self.revision:
                return
            assert frame["base"] <= self.revision
            for state, name in enumerate(("available", "held", "sold", "blocked")):
                for seat in frame.get(name, ()):
                    self.states[seat] = state
            self.revision = frame["revision"]


def patches(watcher: Watcher) -> list[Json]:
    watcher.read()
    return [frame for frame in watcher.frames if frame["type"] == "patch"]


@pytest.fixture
def show() -> Iterator[Show]:
    made = Show()
    yield made
    for channel in made.hub._channels.values():
        if channel._task is not None:
            channel._task.cancel()


async def turns(number: int = 20) -> None:
    """Let the tasks that are ready run."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_a_quiet_events_patch_leaves_at_once(show: Show) -> None:
    watcher = Watcher(show)
    watcher.watch()
    show.commit({1: 1, 0: 1, 5: 2})
    await turns()
    assert watcher.read()[-1] == {
        "type": "patch",
        "epoch": "e",
        "base": 0,
        "revision": 1,
        "held": [0, 1],
        "sold": [5],
    }


@scene
async def test_a_hot_events_patches_are_folded(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "FOLD_S", 0.05)
    watcher = Watcher(show)
    watcher.watch()
    loop = asyncio.get_running_loop()
    began, commits = loop.time(), 0
    while loop.time() - began < 0.22:
        show.commit({commits % SEATS: commits % 3})
        commits += 1
        await asyncio.sleep(0.001)
    await until(lambda: bool(patches(watcher)) and patches(watcher)[-1]["revision"] == commits)
    found = patches(watcher)
    assert 4 <= len(found) <= 6, "one at once, and one in each twentieth of a second"
    assert all(before["revision"] == after["base"] for before, after in pairwise(found))
    assert watcher.states == list(show.seating.states)


async def test_fan_out_takes_at_most_half_of_the_time(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "FOLD_S", 0.001)
    watcher = Watcher(show)
    watcher.watch()
    spans: list[tuple[float, float]] = []
    loop = asyncio.get_running_loop()

    async def slow(_self: Channel, _message: Any, _revision: int | None, _run: int | None = None) -> float:
        began = loop.time()
        await asyncio.sleep(0.02)
        spans.append((began, loop.time()))
        return 0.0

    monkeypatch.setattr(Channel, "_push_to_all", slow)
    while len(spans) < 5:
        show.commit({0: len(spans) % 2})
        await asyncio.sleep(0.002)
    for (began, ended), (next_began, _) in pairwise(spans):
        assert next_began - began >= 1.95 * (ended - began)


async def test_a_hot_events_patch_rests_on_its_way(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch leaves without a rest; several that were folded are spread, and are the same for everybody."""
    rests: list[float] = []
    sleep = asyncio.sleep

    async def counted(delay: float) -> None:
        rests.extend([delay] if delay == broadcast.REST_S else [])
        await sleep(delay)

    watchers = [Watcher(show) for _ in range(3 * broadcast.RUN_SOCKETS_MIN)]
    for watcher in watchers:
        watcher.watch()
    monkeypatch.setattr(asyncio, "sleep", counted)
    show.commit({1: 1})
    await until(lambda: all(len(patches(one)) == 1 for one in watchers))
    assert rests == []
    show.commit({2: 1})
    show.commit({3: 1})
    await until(lambda: all(len(patches(one)) == 2 for one in watchers))
    assert 2 <= len(rests) <= 3, "after the last one there is nothing to wait for, but the task may rest"
    assert {bytes(one.states) for one in watchers} == {bytes(show.seating.states)}


async def test_others_get_a_turn_between_slices(show: Show) -> None:
    watchers = [Watcher(show) for _ in range(10 * broadcast.SLICE_SOCKETS)]
    for watcher in watchers:
        watcher.watch()
        watcher.read()
    served: list[int] = []
    is_over = False

    async def count() -> None:
        while not is_over:
            served.append(sum(bool(watcher.transport.unsent) for watcher in watchers))
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    show.commit({0: 1})
    await until(lambda: all(watcher.transport.unsent for watcher in watchers))
    is_over = True
    await counting
    steps = [after - before for before, after in pairwise(served)]
    assert max(steps) <= broadcast.SLICE_SOCKETS


async def test_personal_news_are_not_folded_and_not_for_their_cause(show: Show) -> None:
    ada, tab, ben, silent = Watcher(show, "ada"), Watcher(show, "ada"), Watcher(show, "ben"), Watcher(show, "ada")
    for watcher in (ada, tab, ben):
        watcher.watch()
        watcher.read()
    hold = HoldNow((0,), NOW_MS, 100, HoldReason.COMMAND)
    show.commit({0: 1}, PersonalNews("ada", hold, ada.outbox))
    kinds = [[frame["type"] for frame in watcher.read()] for watcher in (ada, tab, ben, silent)]
    assert kinds == [[], ["hold"], [], ["hold"]]
    await turns()
    kinds = [[frame["type"] for frame in watcher.read()] for watcher in (ada, tab, ben, silent)]
    assert kinds == [["patch"], ["patch"], ["patch"], []]


async def test_a_batch_without_seats_makes_no_patch(show: Show) -> None:
    watcher = Watcher(show)
    watcher.watch()
    watcher.read()
    show.commit({})
    await turns()
    assert watcher.read() == []
    show.commit({0: 1})
    await turns()
    (patch,) = watcher.read()
    assert (patch["base"], patch["revision"]) == (0, 2)


async def test_an_announcement_comes_after_the_patches_before_it(show: Show) -> None:
    watcher = Watcher(show)
    watcher.watch()
    watcher.read()
    show.commit({0: 2})
    show.hub.announce("show", EventNow("sold_out", NOW_MS, "warn"))
    await turns()
    await until(lambda: bool(watcher.transport.unsent) and b"sold_out" in watcher.transport.unsent)
    assert [frame["type"] for frame in watcher.read()] == ["patch", "event"]


async def test_who_was_behind_is_told_the_status_with_what_was_missed(show: Show) -> None:
    watcher = Watcher(show)
    watcher.watch()
    watcher.transport.unsent += b"x" * (outbox.PATCH_BUFFER_BYTES_MAX + 1)
    show.commit({0: 2})
    show.hub.announce("show", EventNow("sold_out", NOW_MS, "warn"))
    await until(lambda: watcher.outbox.behind_since is not None)
    watcher.transport.unsent = b""
    show.channel.care(asyncio.get_running_loop().time())
    assert b"sold_out" in watcher.transport.unsent


async def test_the_same_announcement_is_made_once(show: Show) -> None:
    watcher = Watcher(show)
    watcher.watch()
    for _ in range(2):
        show.hub.announce("show", EventNow("on_sale", NOW_MS, "warn"))
        await until(lambda: not show.channel._notes)
        await turns()
    assert [frame["type"] for frame in watcher.read()].count("event") == 1


async def test_of_what_is_announced_before_it_leaves_the_newest_is_told(show: Show) -> None:
    watcher = Watcher(show)
    watcher.watch()
    for upto in (1, 2, 3):
        show.hub.announce("show", LineNow(upto, 9, None))
    await turns()
    await until(lambda: not show.channel._notes)
    await turns()
    assert [frame["admitted_upto"] for frame in watcher.read() if frame["type"] == "line"] == [3]


async def test_whoever_is_told_how_far_the_line_is_hears_nothing_older_afterwards(show: Show) -> None:
    assert show.hub.said("show", LineNow) is None
    Watcher(show).watch()
    show.hub.announce("show", LineNow(1, 9, None))
    assert show.hub.said("show", LineNow) == LineNow(1, 9, None), "it is what everybody hears first"
    await until(lambda: not show.channel._notes)
    show.hub.announce("show", LineNow(2, 8, None))
    assert show.hub.said("show", LineNow) == LineNow(1, 9, None), "the newer one is still to come"
    await until(lambda: not show.channel._notes)
    assert show.hub.said("show", LineNow) == LineNow(2, 8, None)


async def test_who_leaves_hears_no_more(show: Show) -> None:
    watcher, other = Watcher(show, "ada"), Watcher(show, "ada")
    for one in (watcher, other):
        one.watch()
        one.read()
    show.hub.leave("show", watcher.outbox)
    show.commit({0: 1}, PersonalNews("ada", HoldNow((), None, 0, HoldReason.EXPIRED)))
    await turns()
    assert watcher.read() == []
    assert len(other.read()) == 2
    show.hub.leave("show", other.outbox)
    show.hub.leave("show", other.outbox)  # harmless
    assert show.hub.watched() == frozenset()
    assert show.hub.watchers == 0
    assert not show.hub.customers.sockets


async def test_an_event_that_is_lost_sends_its_watchers_away(show: Show) -> None:
    watchers = [Watcher(show) for _ in range(3)]
    for watcher in watchers:
        watcher.watch()
    show.hub.lost("show")
    show.hub.lost("show")
    show.hub.lost("another")
    assert [watcher.closed for watcher in watchers] == [[CloseCode.RESTARTING]] * 3
    assert show.hub.watched() == frozenset()


async def test_a_channel_that_nobody_watches_is_forgotten(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "CARE_S", 0.01)
    watcher, loop = Watcher(show), asyncio.get_running_loop()
    watcher.watch()
    assert not show.channel.is_forgotten(loop.time() + 2 * broadcast.QUIET_CHANNEL_S)
    show.hub.leave("show", watcher.outbox)
    assert not show.channel.is_forgotten(loop.time() + 0.9 * broadcast.QUIET_CHANNEL_S)
    monkeypatch.setattr(broadcast, "QUIET_CHANNEL_S", 0.0)
    caring = asyncio.create_task(show.hub.run())
    try:
        await until(lambda: not show.hub._channels)
    finally:
        caring.cancel()
        await asyncio.gather(caring, return_exceptions=True)
    # Whoever comes next begins a new one.
    show.commit({0: 1})
    watcher.watch()
    watcher.read()
    assert watcher.states[0] == 1


async def test_one_heartbeat_in_15_seconds(show: Show) -> None:
    assert limits.HEARTBEAT_S == 15
    watcher = Watcher(show)
    watcher.watch()
    watcher.read()
    channel, loop = show.channel, asyncio.get_running_loop()
    channel.care(loop.time())
    await turns()
    assert watcher.read() == []
    channel._beat_at = loop.time()
    channel.care(loop.time())
    channel.care(loop.time())
    await turns()
    assert watcher.read() == [{"type": "heartbeat", "epoch": "e", "revision": 0, "server_time_ms": NOW_MS}]
    assert channel._beat_at == pytest.approx(loop.time() + 15, abs=1)


async def test_a_snapshot_is_encoded_once_a_revision(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[str] = []

    def pack(states: bytes | bytearray) -> str:
        packed.append(pack_states(states))
        return packed[-1]

    monkeypatch.setattr(broadcast, "pack_states", pack)
    for _ in range(5):
        Watcher(show).watch()
    show.commit({0: 1})
    for _ in range(5):
        Watcher(show).watch()
    assert len(packed) == 2


async def test_an_encoded_snapshot_is_not_kept_over_an_epoch(show: Show) -> None:
    Watcher(show).watch()
    show.seating = an_event("another")
    show.hub.begin("show", 0, "another")
    watcher = Watcher(show)
    watcher.watch()
    assert watcher.read()[0]["epoch"] == "another"


class Storm:
    """Batches, watchers who come, go, resume, clog and read, managers that start anew, in an order by the seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.show = Show()
        self.watchers: list[Watcher] = []

    def commit(self) -> None:
        count = self.random.randrange(4)
        self.show.commit({self.random.randrange(SEATS): self.random.randrange(4) for _ in range(count)})

    def come(self) -> None:
        self.watchers.append(Watcher(self.show))
        self.watchers[-1].watch()

    def leave(self) -> None:
        watcher = self.watchers.pop(self.random.randrange(len(self.watchers)))
        self.show.hub.leave("show", watcher.outbox)

    def resume(self) -> None:
        """A new connection with what an old one knew."""
        old = self.random.choice(self.watchers)
        old.read()
        self.show.hub.leave("show", old.outbox)
        new = Watcher(self.show)
        new.epoch, new.revision, new.states = old.epoch, old.revision, list(old.states)
        new.watch((new.epoch, max(0, new.revision)))
        self.watchers[self.watchers.index(old)] = new

    def clog(self) -> None:
        watcher = self.random.choice(self.watchers)
        watcher.is_clogged = not watcher.is_clogged

    def care(self) -> None:
        self.show.channel.care(asyncio.get_running_loop().time())

    def anew(self) -> None:
        self.show.hub.begin("show", self.show.seating.revision, self.show.seating.epoch)

    def gap(self) -> None:
        """Another owner's batches, unheard here; sometimes history was lost."""
        seating = self.show.seating
        seating.revision += self.random.randrange(1, 3)
        seating.states[self.random.randrange(SEATS)] = self.random.randrange(4)
        seating.epoch += "'" * self.random.randrange(2)
        self.anew()

    async def blow(self) -> None:
        """Do some hundred things, then see whether all agree."""
        self.come()
        alone, any_number = (
            (self.commit, self.come, self.anew, self.gap, self.care),
            (self.leave, self.resume, self.clog),
        )
        for _ in range(400):
            chances = dict(zip((*alone, *any_number), (30, 6, 1, 1, 5, 2, 4, 5), strict=True))
            things = [*alone, *(any_number if self.watchers else ())]
            self.random.choices(things, [chances[thing] for thing in things])[0]()
            if self.random.random() < 0.3:
                await asyncio.sleep(self.random.choice((0, 0, 0.001)))
            for watcher in self.watchers:
                watcher.read()
        for watcher in self.watchers:
            watcher.is_clogged = False
        await until(self.all_agree)
        assert all(len(watcher.transport.unsent) <= 300 + 200 for watcher in self.watchers)
        assert not any(watcher.closed for watcher in self.watchers)

    def all_agree(self) -> bool:
        for watcher in self.watchers:
            watcher.read()
        self.care()
        seating = self.show.seating
        return all((one.epoch, one.states) == (seating.epoch, list(seating.states)) for one in self.watchers)


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little folding, short histories, small buffers."""
    monkeypatch.setattr(broadcast, "FOLD_S", 0.0005)
    monkeypatch.setattr(broadcast, "HISTORY_SEATS_MAX", 30)
    monkeypatch.setattr(outbox, "PATCH_BUFFER_BYTES_MAX", 300)
    monkeypatch.setattr(outbox, "DRAINED_BYTES", 100)


@pytest.mark.parametrize("seed", range(12))
async def test_after_any_storm_all_maps_are_right(narrow: None, seed: int) -> None:
    await Storm(seed).blow()


async def test_a_hub_that_forgets_who_is_behind_is_found_out(narrow: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: one who was left out and not brought up to date meets a gap, or ends with a wrong map."""
    monkeypatch.setattr(Channel, "_fall_behind", lambda *_: None)
    failures = 0
    for seed in range(4):
        try:
            await Storm(seed).blow()
        except (AssertionError, TimeoutError):
            failures += 1
    assert failures >= 2

"""Watching: snapshots, patches, resuming, heartbeats, and the news that are one's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from server.sockets import broadcast, hub
from server.sockets.broadcast import Channel
from server.sockets.outbox import Outbox
from tests.server.parts import (
    BLOCKED,
    SEAT_COUNT,
    SHARED,
    Customer,
    Json,
    Socket,
    Usher,
    unpacked,
    until,
)

pytestmark = SHARED

EMPTY = [3 if seat in BLOCKED else 0 for seat in range(SEAT_COUNT)]


def kinds(frames: list[Json]) -> list[str]:
    return [frame["type"] for frame in frames]


@asynccontextmanager
async def holder(usher: Usher, event_id: str) -> AsyncIterator[Socket]:
    """Somebody who does not watch and makes changes."""
    async with usher.socket(event_id, await usher.customer("Holder")) as socket:
        yield socket


async def fresh(usher: Usher, event_id: str) -> Json:
    """The snapshot that a newcomer gets."""
    async with usher.socket(event_id) as socket:
        return (await socket.open())[0]


async def test_open_without_a_position_brings_the_whole_map(usher: Usher) -> None:
    event_id = await usher.event()
    async with holder(usher, event_id) as other, usher.socket(event_id) as socket:
        await other.ask("hold_seats", seats=[3])
        await other.ask("checkout", payment_method="card")
        await other.ask("hold_seats", seats=[199])
        frames = await socket.open()
        assert kinds(frames) == ["snapshot"]
        snapshot = frames[0]
        assert set(snapshot) == {"type", "epoch", "revision", "seats", "counts"}
        assert snapshot["revision"] == await usher.revision_of(event_id)
        assert isinstance(snapshot["epoch"], str)
        assert snapshot["counts"] == {"available": 196, "held": 1, "sold": 1, "blocked": 2}
        states = unpacked(snapshot["seats"], SEAT_COUNT)
        assert states == await usher.seat_states(event_id)
        assert [seat for seat, state in enumerate(states) if state] == [3, *BLOCKED, 199]


async def test_a_change_is_told_to_all_who_watch_in_one_patch(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket, usher.socket(event_id) as watcher:
        await socket.open()
        base = (await watcher.open())[0]["revision"]
        answer = await socket.ask("hold_seats", seats=[7, 2])
        patch = await watcher.seen("patch")
        epoch = patch.pop("epoch")
        assert epoch == watcher.epoch
        assert patch == {"type": "patch", "base": base, "revision": answer["revision"], "held": [2, 7]}
        # Who held them sees the same patch.
        assert await socket.seen("patch") == patch | {"epoch": epoch}
        sold = await socket.ask("checkout", payment_method="card")
        await watcher.at_revision(sold["revision"])
        assert [watcher.states[seat] for seat in (2, 7)] == [2, 2]
        assert watcher.of("patch")[-1]["sold"] == [2, 7]
        order_id = sold["order"]["order_id"]
        assert (await usher.rest("POST", f"/checkout/orders/{order_id}/cancel", by=ada)).status == 200
        await watcher.seen("patch", available=[2, 7])
        assert watcher.states == await usher.seat_states(event_id)


async def test_no_patch_before_open(usher: Usher) -> None:
    event_id = await usher.event()
    async with (
        usher.socket(event_id, await usher.customer()) as socket,
        usher.socket(event_id) as watcher,
    ):
        await watcher.open()
        answer = await socket.ask("hold_seats", seats=[0])
        await watcher.at_revision(answer["revision"])
        await socket.settled()
        assert kinds(socket.frames) == ["welcome", "accepted", "pong"]
        assert kinds(await socket.open()) == ["snapshot"]


async def test_who_opens_is_told_the_own_hold_and_place(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        held = (await socket.ask("hold_seats", seats=[0, 30]))["hold"]
        await socket.open()
        await socket.settled()
        assert kinds(socket.frames) == ["welcome", "accepted", "snapshot", "hold", "queue", "pong"]
        assert (await socket.seen("hold")) == {"type": "hold", "reason": "open", **held}
        assert (await socket.seen("queue"))["status"] == "active"
    async with usher.socket(event_id, await usher.customer()) as socket:
        await socket.open()
        nothing: Json = {"type": "hold", "reason": "open", "seats": [], "expires_at_ms": None, "total_cents": 0}
        assert await socket.seen("hold") == nothing


async def test_resuming_with_nothing_missing(usher: Usher) -> None:
    event_id = await usher.event()
    async with holder(usher, event_id) as other, usher.socket(event_id) as socket:
        await other.ask("hold_seats", seats=[0])
        await socket.open()
        frames = await socket.open(epoch=socket.epoch, revision=socket.revision)
        same = {"epoch": socket.epoch, "base": socket.revision, "revision": socket.revision}
        assert frames == [{"type": "patch", **same}]


async def test_what_is_missing_comes_folded_into_one_patch(usher: Usher) -> None:
    event_id = await usher.event()
    async with holder(usher, event_id) as other, usher.socket(event_id) as witness:
        await witness.open()
        async with usher.socket(event_id) as socket:
            await socket.open()
            epoch, revision = socket.epoch, socket.revision
        await other.ask("hold_seats", seats=[0, 1])
        await other.ask("release_seats", seats=[0])
        await other.ask("hold_seats", seats=[2])
        await other.ask("extend_hold")  # changes no seat
        async with usher.socket(event_id) as socket:
            frames = await socket.open(epoch=epoch, revision=revision)
            patch = {"type": "patch", "epoch": epoch, "base": revision, "revision": revision + 4}
            assert frames == [patch | {"available": [0], "held": [1, 2]}]


async def test_after_any_sequence_a_resumed_map_is_right(usher: Usher) -> None:
    event_id = await usher.event(max_tickets=10)
    customers = [await usher.customer() for _ in range(3)]
    async with usher.socket(event_id) as witness:
        await witness.open()
        # Three positions in the middle of the history, taken by sockets that then leave.
        taken: list[tuple[int, str, list[int]]] = []
        for number, customer in enumerate(customers):
            async with usher.socket(event_id, customer) as socket:
                await socket.open()
                await socket.ask("hold_best", count=2 + number)
                if number == 1:
                    await socket.ask("checkout", payment_method="card")
                await socket.ask("release_seats", seats=[])
                await socket.settled()
                taken.append((socket.revision, socket.epoch, list(socket.states)))
        expected = await usher.seat_states(event_id)
        for revision, epoch, states in taken:
            async with usher.socket(event_id) as socket:
                await socket.seen("welcome")
                socket.revision, socket.epoch, socket.states = revision, epoch, list(states)
                assert kinds(await socket.open(epoch=epoch, revision=revision)) == ["patch"]
                assert socket.states == expected


@pytest.mark.parametrize("which", ["another epoch", "the future", "before the history"])
async def test_a_position_that_is_not_known_brings_resync_and_a_snapshot(usher: Usher, which: str) -> None:
    event_id = await usher.event()
    async with holder(usher, event_id) as other:
        await other.ask("hold_seats", seats=[0])  # nobody watches: not in any history
        async with usher.socket(event_id) as socket:
            await socket.open()
            position = {
                "another epoch": {"epoch": "e", "revision": socket.revision},
                "the future": {"epoch": socket.epoch, "revision": socket.revision + 1},
                "before the history": {"epoch": socket.epoch, "revision": socket.revision - 1},
            }[which]
            frames = await socket.open(**position)
            assert kinds(frames) == ["resync", "snapshot"]
            assert frames[0]["reason"]
            assert socket.states == await usher.seat_states(event_id)


async def test_half_a_position_is_none(usher: Usher) -> None:
    async with usher.socket(await usher.event()) as socket:
        await socket.open()
        for half in ({"epoch": socket.epoch}, {"revision": socket.revision}):
            assert kinds(await socket.open(**half)) == ["snapshot"]


async def test_a_history_that_has_grown_long_is_forgotten_at_its_beginning(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "HISTORY_SEATS_MAX", 6)
    event_id = await usher.event(max_tickets=20)
    async with holder(usher, event_id) as other, usher.socket(event_id) as witness:
        await witness.open()
        positions = [witness.revision]
        for first in (0, 4, 8):
            answer = await other.ask("hold_seats", seats=[first, first + 1, first + 2])
            positions.append(answer["revision"])
        answers = []
        for revision in positions:
            async with usher.socket(event_id) as socket:
                await socket.seen("welcome")
                answers.append(kinds(await socket.open(epoch=witness.epoch, revision=revision)))
        assert answers == [["resync", "snapshot"], ["patch"], ["patch"], ["patch"]]


async def test_the_stream_goes_on_over_a_new_manager(usher: Usher) -> None:
    event_id = await usher.event()
    async with holder(usher, event_id) as other, usher.socket(event_id) as watcher:
        await watcher.open()
        await other.ask("hold_seats", seats=[0])
        await usher.unload(event_id)
        answer = await other.ask("hold_seats", seats=[1])
        await watcher.at_revision(answer["revision"])
        assert not watcher.of("resync"), "nothing was missed"
        assert watcher.states == await usher.seat_states(event_id)
        async with usher.socket(event_id) as late:
            assert kinds(await late.open(epoch=watcher.epoch, revision=0)) == ["patch"]


async def test_what_was_committed_unheard_makes_all_start_anew(usher: Usher) -> None:
    event_id = await usher.event()
    async with usher.socket(event_id) as watcher:
        await watcher.open()
        # Somebody else owns the event for a while.
        await usher.database.execute(
            "UPDATE event_head SET revision = revision + 3, available = available - 1 WHERE event_id = $1",
            UUID(event_id),
        )
        await usher.database.execute(
            "UPDATE seat SET state = 3 WHERE event_id = $1 AND seat_index = 5", UUID(event_id)
        )
        await usher.unload(event_id)
        await watcher.seen("resync")
        await watcher.at_revision(3)
        assert watcher.states[5] == 3


async def test_a_database_that_lost_history_has_a_new_epoch(usher: Usher) -> None:
    event_id = await usher.event()
    async with holder(usher, event_id) as other, usher.socket(event_id) as watcher:
        await watcher.open()
        old = watcher.epoch
        await usher.database.execute(
            "UPDATE event_head SET timeline = 'another' WHERE event_id = $1", UUID(event_id)
        )
        await usher.unload(event_id)
        await watcher.seen("resync")
        snapshot = (await fresh(usher, event_id)) | {}
        assert snapshot["epoch"] != old
        await until(lambda: watcher.epoch == snapshot["epoch"])
        answer = await other.ask("hold_seats", seats=[0])
        await watcher.at_revision(answer["revision"])
        async with usher.socket(event_id) as late:
            assert kinds(await late.open(epoch=old, revision=answer["revision"])) == ["resync", "snapshot"]


async def test_the_heartbeat_carries_the_revision_of_the_last_patch(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("protocol.limits.HEARTBEAT_S", 0.1)
    monkeypatch.setattr(hub, "CARE_S", 0.02)
    event_id = await usher.event()
    async with holder(usher, event_id) as other, usher.socket(event_id) as watcher:
        await watcher.open()
        first = await watcher.seen("heartbeat")
        assert first == {
            "type": "heartbeat",
            "epoch": watcher.epoch,
            "revision": watcher.revision,
            "server_time_ms": first["server_time_ms"],
        }
        assert abs(first["server_time_ms"] - usher.parts.now_ms()) < 5_000
        answer = await other.ask("hold_seats", seats=[0])
        await watcher.seen("heartbeat", revision=answer["revision"])
        # A batch without seats makes no patch, and the heartbeat is of the last patch.
        extended = await other.ask("extend_hold")
        assert extended["revision"] == answer["revision"] + 1
        since = len(watcher.frames)
        assert (await watcher.seen("heartbeat", since=since))["revision"] == answer["revision"]
        # Every patch that a client knows is at most as new as what the heartbeat before it says.
        revision = 0
        for frame in watcher.frames:
            if frame["type"] == "heartbeat":
                assert frame["revision"] == revision
            elif "revision" in frame:
                revision = frame["revision"]
    # Those who have not opened hear nothing, not even that.
    async with usher.socket(event_id) as silent, usher.socket(event_id) as watcher:
        await watcher.open()
        await watcher.seen("heartbeat")
        assert not silent.of("heartbeat")


async def test_another_tab_sees_the_hold(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with (
        usher.socket(event_id, ada) as tab,
        usher.socket(event_id, await usher.sign_in(ada.id)) as other,
        usher.socket(event_id, await usher.customer()) as stranger,
    ):
        for socket in (tab, other, stranger):
            await socket.open()
            await socket.seen("queue")
        held = (await tab.ask("hold_seats", seats=[0, 1]))["hold"]
        assert await other.seen("hold", reason="command") == {"type": "hold", "reason": "command", **held}
        less = (await other.ask("release_seats", seats=[1]))["hold"]
        assert await tab.seen("hold", reason="command") == {"type": "hold", "reason": "command", **less}
        longer = (await tab.ask("extend_hold"))["hold"]
        await other.seen("hold", **longer)
        # One's own command brings the answer and no hold beside it, and nothing goes to strangers.
        await asyncio.gather(tab.settled(), other.settled(), stranger.settled())
        assert len(tab.of("hold")) == 2
        assert len(other.of("hold")) == 3
        assert kinds(stranger.of("hold")) == ["hold"]


async def test_a_hold_over_rest_is_seen_in_the_tab(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as tab:
        await tab.open()
        assert (await usher.reserve(event_id, [4], ada)).status == 200
        assert (await tab.seen("hold", reason="command"))["seats"] == [4]
        assert (await usher.buy(ada)).status == 200
        assert (await tab.seen("hold", reason="sold"))["seats"] == []
        order = await tab.seen("order")
        assert order["status"] == "completed"
        assert (order["seats"], order["total_cents"], order["currency"]) == ([4], 350_00, "USD")


async def test_an_order_is_told_to_the_other_tabs(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as tab, usher.socket(event_id, ada) as other:
        await tab.open()
        await other.open()
        await tab.ask("hold_seats", seats=[0])
        declined = await tab.ask("checkout", payment_method="decline")
        assert declined["code"] == "payment_failed"
        failed = await other.seen("order", status="payment_failed")
        assert failed["seats"] == [0]
        bought = await tab.ask("checkout", payment_method="card")
        order = await other.seen("order", status="completed")
        assert order == {"type": "order", **bought["order"]}
        assert (await other.seen("hold", reason="sold"))["seats"] == []
        await tab.settled()
        assert not tab.of("order"), "the answer said it"
        path = f"/checkout/orders/{order['order_id']}/cancel"
        assert (await usher.rest("POST", path, by=ada)).status == 200
        for socket in (tab, other):
            assert (await socket.seen("order", status="cancelled"))["order_id"] == order["order_id"]


async def test_a_socket_that_never_opened_hears_of_its_own_hold_and_order(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as silent:
        await silent.seen("welcome")
        assert (await usher.reserve(event_id, [0], ada)).status == 200
        assert (await silent.seen("hold", reason="command"))["seats"] == [0]
        assert (await usher.buy(ada)).status == 200
        assert (await silent.seen("order"))["status"] == "completed"
        await silent.settled()
        assert "patch" not in kinds(silent.frames)


async def test_a_hold_that_runs_out_is_told_and_its_seats_are_free(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as tab, usher.socket(event_id) as watcher:
        await tab.open()
        await watcher.open()
        held = (await tab.ask("hold_seats", seats=[0, 1]))["hold"]
        await usher.age_holds(event_id, 599.5)
        ended = await tab.seen("hold", reason="expired")
        end_ms = held["expires_at_ms"] - 599_500
        assert 0 <= usher.parts.now_ms() - end_ms < 1_000, "never early, at most one second late"
        assert (ended["seats"], ended["expires_at_ms"]) == ([], None)
        await watcher.seen("patch", available=[0, 1])
        assert watcher.states == EMPTY


async def test_the_event_tells_when_its_sale_begins_and_when_it_is_sold_out(usher: Usher) -> None:
    event_id = await usher.event(on_sale_in=timedelta(seconds=0.5), max_tickets=SEAT_COUNT)
    ada = await usher.customer()
    async with usher.socket(event_id, ada) as tab, usher.socket(event_id) as watcher:
        await watcher.open()
        on_sale = await watcher.seen("event")
        assert on_sale["status"] == "on_sale"
        assert on_sale["on_sale_at_ms"] <= usher.parts.now_ms()
        free = [seat for seat in range(SEAT_COUNT) if seat not in BLOCKED]
        for first in range(0, len(free), 10):
            assert (await tab.ask("hold_seats", seats=free[first : first + 10]))["type"] == "accepted"
        sold = await tab.ask("checkout", payment_method="card")
        await watcher.seen("event", status="sold_out")
        order_id = sold["order"]["order_id"]
        assert (await usher.rest("POST", f"/checkout/orders/{order_id}/cancel", by=ada)).status == 200
        await watcher.seen("event", status="on_sale", since=watcher.frames.index(on_sale) + 1)
        await until(lambda: watcher.states == EMPTY)


async def watchers_of(usher: Usher, event_id: str, number: int) -> list[Socket]:
    sockets = [usher.socket(event_id) for _ in range(number)]
    for socket in sockets:
        await socket.__aenter__()
        await socket.open()
    return sockets


async def test_a_patch_is_encoded_and_framed_once_for_all(usher: Usher, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = await usher.event()
    pushed: list[bytes] = []
    push = Outbox.push

    def spy(self: Outbox, frame: bytes) -> bool:
        pushed.append(frame)
        return push(self, frame)

    monkeypatch.setattr(Outbox, "push", spy)
    sockets = await watchers_of(usher, event_id, 20)
    try:
        async with holder(usher, event_id) as other:
            answer = await other.ask("hold_seats", seats=[0])
            for socket in sockets:
                await socket.at_revision(answer["revision"])
        assert len(pushed) == 20
        assert len({id(frame) for frame in pushed}) == 1, "the very same bytes object"
    finally:
        for socket in sockets:
            await socket.__aexit__(None, None, None)


async def test_the_patches_of_a_hot_event_are_folded(usher: Usher) -> None:
    event_id = await usher.event(max_tickets=200)
    customers: list[Customer] = [await usher.customer() for _ in range(8)]
    commands = 0
    async with usher.socket(event_id) as watcher:
        await watcher.open()

        async def storm(customer: Customer, seat: int) -> None:
            nonlocal commands
            async with usher.socket(event_id, customer) as socket:
                for _ in range(15):
                    await socket.ask("hold_seats", seats=[seat])
                    await socket.ask("release_seats", seats=[seat])
                    commands += 2

        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(storm(customer, seat) for seat, customer in enumerate(customers)))
        took = loop.time() - began
        await watcher.at_revision(await usher.revision_of(event_id))
        assert watcher.states == EMPTY
        patches = watcher.of("patch")
        assert len(patches) <= took / broadcast.FOLD_S + 3
        assert len(patches) < commands
        for before, after in pairwise(patches):
            assert after["base"] == before["revision"]


async def test_watchers_who_come_and_go_in_a_storm_have_the_right_map(usher: Usher) -> None:
    event_id = await usher.event(max_tickets=200)
    customers = [await usher.customer() for _ in range(4)]
    is_over = asyncio.Event()

    async def storm(customer: Customer, seat: int) -> None:
        async with usher.socket(event_id, customer) as socket:
            while not is_over.is_set():
                await socket.ask("hold_seats", seats=[seat, seat + 1])
                await socket.ask("release_seats", seats=[seat])
                await socket.ask("release_seats", seats=[])

    async def come_and_go(number: int) -> None:
        position: Json = {}
        states: list[int] = []
        for _ in range(10):
            async with usher.socket(event_id) as socket:
                await socket.seen("welcome")
                if states:
                    socket.epoch, socket.revision, socket.states = *position.values(), states
                await socket.open(**position)
                since = len(socket.frames)
                await socket.seen("patch", since=since)
                position = {"epoch": socket.epoch, "revision": socket.revision}
                states = list(socket.states)
                snapshot = await fresh(usher, event_id)
                await socket.at_revision(snapshot["revision"])
                if socket.revision == snapshot["revision"]:
                    assert socket.states == unpacked(snapshot["seats"], SEAT_COUNT)

    storms = [asyncio.create_task(storm(customer, 4 * n)) for n, customer in enumerate(customers)]
    try:
        await asyncio.gather(*(come_and_go(number) for number in range(3)))
    finally:
        is_over.set()
        await asyncio.gather(*storms)


async def test_a_faulty_stream_is_noticed_by_the_clients_rule(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: with a patch left out, the check of these tests fails."""
    event_id = await usher.event()
    push_to_all: Any = Channel._push_to_all
    left_out = iter([True])

    async def forgetful(self: Channel, *what: Any) -> Any:
        return 0.0 if next(left_out, False) else await push_to_all(self, *what)

    async with holder(usher, event_id) as other, usher.socket(event_id) as watcher:
        await watcher.open()
        monkeypatch.setattr(Channel, "_push_to_all", forgetful)
        await other.ask("hold_seats", seats=[0])
        await until(lambda: next(left_out, None) is None)
        await other.ask("hold_seats", seats=[1])
        with pytest.raises(AssertionError, match="leaves a gap"):
            await watcher.closed()

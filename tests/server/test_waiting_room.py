"""The waiting room on a real server: nobody gets in by any route before the turn, and everybody hears of it."""

import asyncio
from datetime import timedelta

from tests.server.parts import SHARED, Customer, Reply, Usher

pytestmark = SHARED


async def join(usher: Usher, event_id: str, by: Customer) -> Reply:
    return await usher.rest("POST", f"/queue/{event_id}/join", by=by)


async def status(usher: Usher, event_id: str, by: Customer) -> Reply:
    return await usher.rest("GET", f"/queue/{event_id}/status", by=by)


async def test_one_in_for_one_out(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=2)
    people = [await usher.customer() for _ in range(4)]
    found = [(await join(usher, event_id, one)).data for one in people]
    assert [(one["status"], one["position"]) for one in found] == [
        ("active", 0),
        ("active", 0),
        ("waiting", 1),
        ("waiting", 2),
    ]
    assert [one["place"] for one in found] == [1, 2, 3, 4]
    stats = (await usher.rest("GET", f"/queue/{event_id}/stats")).data
    assert (stats["queueLength"], stats["activeCount"]) == (2, 2)
    left = await usher.rest("POST", f"/queue/{event_id}/leave", by=people[1])
    assert left.status == 200
    assert [(await status(usher, event_id, one)).data["status"] for one in people] == [
        "active",
        "not_in_queue",
        "active",
        "waiting",
    ]
    again = await status(usher, event_id, people[3])
    assert again.headers["Retry-After"] == str(again.data["ask_again_seconds"])
    assert again.data["position"] == 1


async def test_who_has_bought_makes_room(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    ada, bob = await usher.customer(), await usher.customer("Bob")
    await join(usher, event_id, ada)
    assert (await join(usher, event_id, bob)).data["status"] == "waiting"
    assert (await usher.reserve(event_id, [1], ada)).status == 200
    assert (await usher.buy(ada)).status == 200
    assert (await status(usher, event_id, bob)).data["status"] == "active"
    assert (await status(usher, event_id, ada)).data["status"] == "not_in_queue"
    assert (await usher.reserve(event_id, [2], ada)).body["code"] == "not_admitted"
    assert (await usher.reserve(event_id, [2], bob)).status == 200


async def test_whoever_has_bought_is_told_that_the_turn_is_over(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    async with usher.socket(event_id, await usher.customer()) as socket:
        await socket.open()
        assert (await socket.ask("join_queue"))["queue"]["status"] == "active"
        await socket.ask("hold_seats", seats=[1])
        since = len(socket.frames)
        assert (await socket.ask("checkout", payment_method="card"))["order"]["status"] == "completed"
        await socket.seen("queue", since=since, status="not_in_queue")


async def test_nobody_holds_before_the_turn_by_any_route(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    ada, bob = await usher.customer(), await usher.customer("Bob")
    await join(usher, event_id, ada)
    for is_waiting in (False, True):
        if is_waiting:
            await join(usher, event_id, bob)
        refused = await usher.reserve(event_id, [5], bob)
        assert (refused.status, refused.body["code"]) == (400, "not_admitted")
        bought = await usher.buy(bob, event_id=event_id)
        assert (bought.status, bought.body["code"]) == (400, "not_admitted")
        async with usher.socket(event_id, bob) as socket:
            for kind, fields in (
                ("hold_seats", {"seats": [5]}),
                ("hold_best", {"count": 2}),
                ("checkout", {"payment_method": "card"}),
            ):
                answer = await socket.ask(kind, **fields)
                assert (answer["type"], answer["code"], answer["retry"]) == ("rejected", "not_admitted", True)
    assert set(await usher.seat_states(event_id)) <= {0, 3}


async def test_the_turn_is_pushed_and_the_line_is_told_to_all(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    ada, bob = await usher.customer(), await usher.customer("Bob")
    async with usher.socket(event_id, ada) as first, usher.socket(event_id, bob) as second:
        await first.open()
        await second.open()
        assert (await first.ask("join_queue"))["queue"]["status"] == "active"
        since = len(second.frames)
        answer = await second.ask("join_queue")
        assert (answer["queue"]["status"], answer["queue"]["place"], answer["queue"]["ahead"]) == ("waiting", 2, 0)
        line = await second.seen("line", waiting=1)
        assert line["admitted_upto"] == 1
        await first.ask("leave_queue")
        mine = await second.seen("queue", since=since, status="active")
        assert mine["place"] == 2
        assert mine["admitted_until_ms"] > usher.parts.now_ms() + 800_000
        await second.seen("line", waiting=0, admitted_upto=2)


async def test_one_account_has_one_place_in_all_its_sessions(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    ada, bob = await usher.customer(), await usher.customer("Bob")
    await join(usher, event_id, ada)
    elsewhere = await usher.sign_in(bob.id)
    places = [(await join(usher, event_id, one)).data["place"] for one in (bob, elsewhere, bob)]
    assert places == [2, 2, 2]
    assert (await usher.rest("GET", f"/queue/{event_id}/stats")).data["queueLength"] == 1


async def test_the_lobby_is_drawn_when_the_sale_begins(usher: Usher) -> None:
    event_id = await usher.event(room="draw", shoppers=2, on_sale_in=timedelta(seconds=1.5))
    people = [await usher.customer() for _ in range(5)]
    found = [(await join(usher, event_id, one)).data for one in people]
    assert {(one["status"], one["position"], one["phase"]) for one in found} == {("waiting", 0, "lobby")}
    assert [one["receipt"]["position"] for one in found] == [1, 2, 3, 4, 5]
    assert len({one["receipt"]["entry_id"] for one in found}) == 5
    async with usher.socket(event_id, people[0]) as socket:
        await socket.open()
        assert (await socket.seen("queue"))["status"] == "lobby"
        drawn = await socket.seen("queue", place=(await _place(usher, event_id, people[0])))
        assert drawn["status"] in ("waiting", "active")
    places = sorted([await _place(usher, event_id, one) for one in people])
    assert places == [1, 2, 3, 4, 5]
    late = await usher.customer("Late")
    assert (await join(usher, event_id, late)).data["place"] == 6
    active = [one for one in people if (await status(usher, event_id, one)).data["status"] == "active"]
    assert sorted([await _place(usher, event_id, one) for one in active]) == [1, 2]


async def test_the_line_is_there_after_the_manager_was_loaded_anew(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    people = [await usher.customer() for _ in range(4)]
    for one in people:
        await join(usher, event_id, one)
    before = [(await status(usher, event_id, one)).data for one in people]
    await usher.unload(event_id)
    after = [(await status(usher, event_id, one)).data for one in people]
    assert [(one["status"], one["place"]) for one in after] == [(one["status"], one["place"]) for one in before]
    late = await usher.customer("Late")
    assert (await join(usher, event_id, late)).data["place"] == 5


async def test_limits_change_while_it_runs(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    people = [await usher.customer() for _ in range(3)]
    for one in people:
        await join(usher, event_id, one)
    organiser = await _organiser(usher)
    changed = await usher.rest("PUT", f"/events/{event_id}", {"max_concurrent_shoppers": 2}, organiser)
    assert changed.data["max_concurrent_shoppers"] == 2
    async with asyncio.timeout(5):
        while (await status(usher, event_id, people[1])).data["status"] != "active":  # noqa: ASYNC110 (only asking tells)
            await asyncio.sleep(0.02)
    assert (await status(usher, event_id, people[2])).data["status"] == "waiting"
    changed = await usher.rest("PUT", f"/events/{event_id}", {"waiting_room_enabled": False}, organiser)
    assert changed.data["waiting_room_enabled"] is False
    assert (await usher.reserve(event_id, [7], people[2])).status == 200


async def test_whoever_is_connected_hears_of_another_mode_and_other_limits(usher: Usher) -> None:
    event_id = await usher.event(room="fifo", shoppers=1)
    ada, bob, organiser = await usher.customer(), await usher.customer("Bob"), await _organiser(usher)
    async with usher.socket(event_id, ada) as inside, usher.socket(event_id, bob) as behind:
        for one in (inside, behind):
            await one.open()
            await one.ask("join_queue")
        for changed, said, mine in (
            ({"waiting_room_mode": "closed"}, {"waiting_room_mode": "closed", "max_concurrent_shoppers": 1}, None),
            ({"admit_per_minute": 30}, {"waiting_room_mode": "closed", "admit_per_minute": 30}, None),
            ({"waiting_room_enabled": False}, {"waiting_room_mode": "off"}, "active"),
            ({"waiting_room_enabled": True}, {"waiting_room_mode": "closed"}, "waiting"),
            (
                {"waiting_room_mode": "fifo", "max_concurrent_shoppers": 2, "admit_per_minute": 0},
                {"waiting_room_mode": "fifo", "max_concurrent_shoppers": 2, "admit_per_minute": 0},
                "active",
            ),
        ):
            since = len(behind.frames)
            answer = await usher.rest("PUT", f"/events/{event_id}", changed, organiser)
            assert answer.status == 200, answer.body
            await behind.seen("event", since=since, **said)
            if mine is not None:
                await behind.seen("queue", since=since, status=mine)
            assert (await status(usher, event_id, ada)).data["status"] == "active"


async def _organiser(usher: Usher) -> Customer:
    organiser = await usher.customer("Olga")
    await usher.database.execute("UPDATE customer SET role = 'admin' WHERE id = $1::text::uuid", organiser.id)
    return await usher.sign_in(organiser.id)


async def _place(usher: Usher, event_id: str, by: Customer) -> int:
    async with asyncio.timeout(10):
        while (found := (await status(usher, event_id, by)).data).get("phase") == "lobby":  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.05)
    return int(found["place"])

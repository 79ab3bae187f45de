"""The organiser takes seats out of a sale under way, and decides about single seats."""

from typing import Any

import pytest

from server.audit import audit
from server.rest import organising_seats
from tests.rows import add_customer
from tests.server.parts import SHARED, Customer, Reply, Usher, until

pytestmark = SHARED

BY_THE_PLAN = (["98", "99"], None, None)


async def admin(usher: Usher) -> Customer:
    return await usher.sign_in(await add_customer(usher.database, name="Olga", role="admin"))


async def block(usher: Usher, event_id: str, by: Customer, *seats: int, reason: Any = "Camera") -> Reply:
    body = {"seat_ids": [str(seat) for seat in seats], "reason": reason}
    return await usher.rest("POST", f"/events/{event_id}/block-seats", body, by)


async def unblock(usher: Usher, event_id: str, by: Customer, *seats: int) -> Reply:
    body = {"seat_ids": [str(seat) for seat in seats]}
    return await usher.rest("POST", f"/events/{event_id}/unblock-seats", body, by)


async def blocked(usher: Usher, event_id: str, by: Customer) -> list[tuple[list[str], str | None, str | None]]:
    groups = (await usher.rest("GET", f"/events/{event_id}/blocked-seats", by=by)).data
    assert all((group["blocked_at"] is None) == (group["reason"] is None) for group in groups)
    return [(group["seat_ids"], group["reason"], group["blocked_by"]) for group in groups]


async def test_blocked_seats_are_gone_for_everybody_and_come_back(usher: Usher) -> None:
    olga, ada, event_id = await admin(usher), await usher.customer(), await usher.event()
    async with usher.socket(event_id, ada) as socket:
        await socket.open()
        since = len(socket.frames)
        assert (await block(usher, event_id, olga, 20, 21)).data == {"message": "Seats blocked"}
        await until(lambda: any(frame.get("blocked") == [20, 21] for frame in socket.frames[since:]))
        refused = await socket.ask("hold_seats", seats=[19, 20])
        assert (refused["code"], refused["seats"]) == ("seat_blocked", [20])
        assert (await unblock(usher, event_id, olga, 20)).data == {"message": "Seats are for sale again"}
        await until(lambda: any(frame.get("available") == [20] for frame in socket.frames[since:]))
        assert (await socket.ask("hold_seats", seats=[19, 20]))["type"] == "accepted"
    event = (await usher.rest("GET", f"/events/{event_id}")).data
    assert event["available_seats"] == event["total_capacity"] - 5
    async with usher.database.acquire() as connection:
        assert (await audit(connection)).findings == []


async def test_reasons_are_kept_for_the_organiser(usher: Usher) -> None:
    olga, ada, event_id = await admin(usher), await usher.customer(), await usher.event()
    await block(usher, event_id, olga, 3, 4, 5)
    await block(usher, event_id, olga, 5, 9, reason="  A 'pillar' ")
    camera, pillar = (["3", "4"], "Camera", "Olga"), (["5", "9"], "A 'pillar'", "Olga")
    assert await blocked(usher, event_id, olga) == [BY_THE_PLAN, camera, pillar]
    await usher.unload(event_id)
    await unblock(usher, event_id, olga, 4, 5, 6)
    camera, pillar = (["3"], "Camera", "Olga"), (["9"], "A 'pillar'", "Olga")
    assert await blocked(usher, event_id, olga) == [BY_THE_PLAN, camera, pillar]
    shown = await usher.rest("GET", f"/events/{event_id}/availability", by=ada)
    assert "Camera" not in shown.raw.decode()


async def test_what_the_plan_has_blocked_has_no_reason_until_it_gets_one(usher: Usher) -> None:
    olga, ada, event_id = await admin(usher), await usher.customer(), await usher.event()
    assert await blocked(usher, event_id, olga) == [BY_THE_PLAN]
    await block(usher, event_id, olga, 98, reason="Pillar")
    assert await blocked(usher, event_id, olga) == [(["99"], None, None), (["98"], "Pillar", "Olga")]
    await unblock(usher, event_id, olga, 98, 99)
    assert await blocked(usher, event_id, olga) == []
    assert (await usher.reserve(event_id, [98, 99], ada)).status == 200


async def test_held_and_sold_seats_are_named_and_stay(usher: Usher) -> None:
    olga, ada, event_id = await admin(usher), await usher.customer(), await usher.event()
    await usher.reserve(event_id, [1], ada)
    await usher.buy(ada)
    await usher.reserve(event_id, [5], ada)
    refused = await block(usher, event_id, olga, 0, 1, 5)
    assert refused.refusal == (400, "This seat is taken", "seat_taken")
    assert refused.body["seats"] == ["1", "5"]
    assert await blocked(usher, event_id, olga) == [BY_THE_PLAN]
    assert (await block(usher, event_id, olga, 5000)).refusal[::2] == (400, "seat_not_found")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, None, 7])
async def test_a_reason_is_wanted(usher: Usher, reason: Any) -> None:
    olga, event_id = await admin(usher), await usher.event()
    assert (await block(usher, event_id, olga, 1, reason=reason)).status == 400
    assert await blocked(usher, event_id, olga) == [BY_THE_PLAN]


async def test_so_many_at_once_and_no_more(usher: Usher) -> None:
    olga, event_id = await admin(usher), await usher.event()
    assert (await block(usher, event_id, olga)).status == 400
    assert (await block(usher, event_id, olga, 1, 1)).status == 400
    many = range(organising_seats.SEATS_MAX + 1)
    assert (await block(usher, event_id, olga, *many)).refusal[::2] == (400, "bad_command")
    assert (await block(usher, event_id, olga, *range(200))).status == 200
    assert (await usher.rest("GET", f"/events/{event_id}")).data["status"] == "sold_out"


async def test_only_the_organiser(usher: Usher) -> None:
    ada, event_id = await usher.customer(), await usher.event()
    assert (await block(usher, event_id, ada, 1)).status == 403
    assert (await unblock(usher, event_id, ada, 1)).status == 403
    assert (await usher.rest("GET", f"/events/{event_id}/blocked-seats", by=ada)).status == 403
    assert (await usher.rest("GET", f"/events/{event_id}/blocked-seats")).status == 401


# Single seats


async def test_the_orphan_rule_is_set_shown_and_kept(usher: Usher) -> None:
    olga, ada, event_id = await admin(usher), await usher.customer(), await usher.event()
    assert (await usher.rest("GET", f"/events/{event_id}")).data["orphan_rule"] == "warn"
    async with usher.socket(event_id, ada) as socket:
        await socket.open()
        since = len(socket.frames)
        changed = await usher.rest("PUT", f"/events/{event_id}", {"orphan_rule": "enforce"}, olga)
        assert changed.data["orphan_rule"] == "enforce"
        told = [frame for frame in socket.frames[since:] if frame["type"] == "event"]
        assert [frame["orphan_rule"] for frame in told] == ["enforce"]
        answer = await socket.ask("hold_seats", seats=[1, 2])
        assert (answer["code"], answer["seats"], answer["retry"]) == ("orphan_seat", [0], False)
        assert answer["instead"] == [0, 1]
    await usher.unload(event_id)
    refused = await usher.reserve(event_id, [1, 2], ada)
    assert refused.refusal[::2] == (400, "orphan_seat")
    assert (refused.body["seats"], refused.body["instead"]) == (["0"], ["0", "1"])
    assert (await usher.rest("PUT", f"/events/{event_id}", {"orphan_rule": "off"}, olga)).status == 200
    assert (await usher.reserve(event_id, [1, 2], ada)).status == 200
    assert (await usher.rest("PUT", f"/events/{event_id}", {"orphan_rule": "maybe"}, olga)).status == 400

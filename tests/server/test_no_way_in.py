"""Nobody who is not admitted holds or buys a seat, by any way, on a real server; looked up in PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from server.draws.beacon_address import BeaconAddress
from server.engines import PostgresAddress, RedisAddress
from tests.server.parts import SHARED, Till, Usher, running, until
from tests.server.standings import (
    OTHERS,
    STANDINGS,
    Standing,
    admitted,
    age_admissions,
    check,
    hold,
    join,
    out,
    set_mode,
    state_of,
)
from tests.server.test_draws import add_admin
from tests.server.ways_in import NOT_ADMITTED, WANTED, stored, try_all, unknown_ways

pytestmark = SHARED

NOBODYS_BEACON = BeaconAddress("http://127.0.0.1:9", bytes(range(32)))


async def test_every_declared_way_is_tried() -> None:
    assert unknown_ways() == set(), "say in `ways_in` how these are tried"


@pytest.mark.parametrize("standing", STANDINGS, ids=lambda standing: standing.__name__)
async def test_no_way_leads_in(usher: Usher, standing: Callable[[Usher], Awaitable[Standing]]) -> None:
    await check(usher, standing)


async def test_nobody_is_in_while_the_draw_waits_for_its_beacon(
    database_address: PostgresAddress, redis_server: RedisAddress
) -> None:
    async with running(database_address, redis_server, beacon=NOBODYS_BEACON) as usher:
        # A database of its own: another server, without a beacon, would open the lobby.
        event_id = await usher.event(room="draw", on_sale_in=timedelta(hours=1))
        ada, bob = await usher.customer(), await usher.customer("Bob")
        assert await join(usher, event_id, ada) == "waiting"
        olga = await usher.sign_in(await add_admin(usher))
        opened = await usher.rest("PATCH", f"/events/{event_id}/status", {"status": "on_sale"}, olga)
        assert opened.status == 200, opened.body
        assert await join(usher, event_id, bob) == "waiting"
        for one in (ada, bob):
            await try_all(usher, event_id, one, NOT_ADMITTED, "hold_not_found")


async def test_a_repeat_is_answered_and_has_no_effect(usher: Usher) -> None:
    event_id, ada = await admitted(usher)
    async with usher.socket(event_id, ada) as socket:
        held = await socket.ask("hold_seats", "the-hold", seats=OTHERS)
        bought = await socket.ask("checkout", "the-purchase", payment_method="card")
        assert (held["type"], bought["type"]) == ("accepted", "accepted")
        before = await stored(usher, event_id)
        for _ in ("from memory", "from the journal"):
            assert await socket.ask("hold_seats", "the-hold", seats=OTHERS) == held
            assert await socket.ask("checkout", "the-purchase", payment_method="card") == bought
            other = await socket.ask("hold_seats", "the-hold", seats=WANTED)
            assert other["code"] == "id_reused"
            new = await socket.ask("hold_seats", seats=WANTED)
            assert new["code"] == NOT_ADMITTED
            assert await stored(usher, event_id) == before
            await usher.unload(event_id)


async def test_a_repeated_hold_that_was_given_back_holds_nothing(usher: Usher) -> None:
    event_id, ada = await admitted(usher)
    async with usher.socket(event_id, ada) as socket:
        held = await socket.ask("hold_seats", "the-hold", seats=OTHERS)
        await socket.ask("leave_queue")
        before = await stored(usher, event_id)
        assert before.holds == []
        assert await socket.ask("hold_seats", "the-hold", seats=OTHERS) == held
        assert await stored(usher, event_id) == before


async def test_the_ids_of_somebody_who_is_in_are_of_no_use_to_others(usher: Usher) -> None:
    event_id, ada = await admitted(usher)
    bob = await usher.customer("Bob")
    async with usher.socket(event_id, ada) as socket:
        await socket.ask("join_queue", "the-place")
        await socket.ask("hold_seats", "the-hold", seats=OTHERS)
    bought = await usher.buy(ada, key="the-key", event_id=event_id)
    assert bought.status == 200
    before = await stored(usher, event_id)
    async with usher.socket(event_id, bob) as socket:
        assert (await socket.ask("hold_seats", "the-hold", seats=OTHERS))["code"] == NOT_ADMITTED
        assert (await socket.ask("hold_best", "the-place", count=1))["code"] == NOT_ADMITTED
    refused = await usher.buy(bob, key="the-key", event_id=event_id)
    assert (refused.status, refused.body["code"]) == (400, NOT_ADMITTED)
    assert (await usher.rest("GET", f"/checkout/orders/{bought.data['order']['id']}", by=bob)).status == 404
    assert await stored(usher, event_id) == before
    repeated = await usher.buy(ada, key="the-key", event_id=event_id)
    assert repeated.data["order"]["id"] == bought.data["order"]["id"]
    assert await stored(usher, event_id) == before


async def test_another_session_of_the_same_account_shares_the_one_slot(usher: Usher) -> None:
    event_id, ada = await admitted(usher)
    elsewhere = await usher.sign_in(ada.id)
    assert (await usher.reserve(event_id, OTHERS, elsewhere)).status == 200
    assert (await usher.rest("GET", f"/queue/{event_id}/stats")).data["activeCount"] == 1
    assert (await usher.rest("POST", f"/queue/{event_id}/leave", by=ada)).status == 200
    await try_all(usher, event_id, elsewhere, NOT_ADMITTED, "hold_not_found")


async def test_what_was_held_before_there_was_a_room_can_be_paid_and_does_not_grow(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    await hold(usher, event_id, ada)
    await set_mode(usher, event_id, True, "fifo")
    for seats in (WANTED, OTHERS, OTHERS[:1]):
        refused = await usher.reserve(event_id, seats, ada)
        assert refused.body["code"] == NOT_ADMITTED
    async with usher.socket(event_id, ada) as socket:
        assert (await socket.ask("hold_best", count=1))["code"] == NOT_ADMITTED
        assert (await socket.ask("extend_hold"))["hold"]["seats"] == OTHERS
    assert [row[0] for row in (await stored(usher, event_id)).seats if row[1] == 1] == OTHERS
    assert (await usher.buy(ada)).status == 200
    await try_all(usher, event_id, ada, NOT_ADMITTED, "hold_not_found")


@pytest.mark.parametrize("is_paid", [True, False])
async def test_an_admission_that_ends_while_it_is_paid(
    shared_database: PostgresAddress, redis_server: RedisAddress, is_paid: bool
) -> None:
    till = Till()
    async with running(shared_database, redis_server, till) as usher:
        event_id, ada = await admitted(usher)
        bob = await usher.customer("Bob")
        assert await join(usher, event_id, bob) == "waiting"
        await hold(usher, event_id, ada)
        till.is_open.clear()
        method = "card" if is_paid else "decline"
        paying = asyncio.create_task(usher.buy(ada, method, event_id=event_id))
        await until(lambda: bool(till.asked))
        await age_admissions(usher, event_id)
        assert (await paying).status == 503, "the answer is not known yet"
        before = await stored(usher, event_id)
        assert (await usher.reserve(event_id, WANTED, ada)).status == 503
        assert (await usher.buy(ada, event_id=event_id)).status == 503
        assert (await usher.rest("POST", f"/queue/{event_id}/leave", by=ada)).status == 503
        assert await stored(usher, event_id) == before
        assert await state_of(usher, event_id, bob) == "waiting", "what is held can be paid: no slot is free"
        till.is_open.set()
        if not is_paid:
            await until(lambda: _is_over(usher, event_id))
            assert await state_of(usher, event_id, ada) == "active"
            assert (await usher.buy(ada)).status == 200
        await out(usher, event_id, ada)
        await try_all(usher, event_id, ada, NOT_ADMITTED, "hold_not_found")
        assert await state_of(usher, event_id, bob) == "active"


async def _is_over(usher: Usher, event_id: str) -> bool:
    return all(order[2] != "pending" for order in (await stored(usher, event_id)).orders)

"""Every command of the socket: what it answers, what it refuses and in which order."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from actors.ports import Claim
from server.plans.bowl import bowl
from server.plans.descriptors import SectionDescriptor
from server.plans.publish import published_seats
from tests.server.parts import BALCONY, BLOCKED, FLOOR, SHARED, STAND, Json, Socket, Usher, until

pytestmark = SHARED

HOLD_MS = 600_000
LIFETIME_MS = 1_200_000


def refusal(answer: Json) -> tuple[Any, ...]:
    """Code, retry and seats of a rejected command."""
    assert answer["type"] == "rejected", answer
    assert answer["message"]
    return answer["code"], answer["retry"], answer.get("seats")


def hold(answer: Json) -> Json:
    """The hold in the answer of an accepted command."""
    assert answer["type"] == "accepted", answer
    assert set(answer) - {"together"} == {"type", "id", "revision", "hold"}
    return dict(answer["hold"])


async def test_a_hold_is_answered_with_all_that_is_held(usher: Usher) -> None:
    event_id, ada = await usher.event(max_tickets=6), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        before_ms = usher.parts.now_ms()
        first = await socket.ask("hold_seats", "first", seats=[21, 0])
        after_ms = usher.parts.now_ms()
        assert first["id"] == "first"
        assert first["revision"] == 1
        held = hold(first)
        assert before_ms - 50 <= held.pop("expires_at_ms") - HOLD_MS <= after_ms + 50
        assert held == {"seats": [0, 21], "total_cents": 449_50}
        more = hold(await socket.ask("hold_seats", seats=[150]))
        assert more["seats"] == [0, 21, 150]
        assert more["total_cents"] == 489_50
        assert more["expires_at_ms"] >= first["hold"]["expires_at_ms"]
    states = await usher.seat_states(event_id)
    assert [seat for seat, state in enumerate(states) if state == 1] == [0, 21, 150]


async def test_holding_what_i_hold_is_fine_and_moves_no_end(usher: Usher) -> None:
    event_id, ada = await usher.event(max_tickets=2), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        first = hold(await socket.ask("hold_seats", seats=[0, 1]))
        await usher.age_holds(event_id, 10)
        again = hold(await socket.ask("hold_seats", seats=[1, 0]))
        assert again == first | {"expires_at_ms": first["expires_at_ms"] - 10_000}


async def test_a_hold_ends_600_s_after_its_last_seat_and_1200_s_after_its_first(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        first = hold(await socket.ask("hold_seats", seats=[0]))
        await usher.age_holds(event_id, 500)
        second = hold(await socket.ask("hold_seats", seats=[1]))
        assert 0 <= second["expires_at_ms"] - first["expires_at_ms"] < 5_000
        await usher.age_holds(event_id, 500)
        third = hold(await socket.ask("hold_seats", seats=[2]))
        started_ms = first["expires_at_ms"] - HOLD_MS - 1_000_000
        assert third["expires_at_ms"] == started_ms + LIFETIME_MS
        extended = hold(await socket.ask("extend_hold"))
        assert extended["expires_at_ms"] == started_ms + LIFETIME_MS


async def test_a_hold_is_extended_once(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        first = hold(await socket.ask("hold_seats", seats=[0, 1]))
        await usher.age_holds(event_id, 300)
        extended = hold(await socket.ask("extend_hold", "more"))
        assert extended == first | {"expires_at_ms": extended["expires_at_ms"]}
        assert 0 <= extended["expires_at_ms"] - first["expires_at_ms"] < 5_000
        assert refusal(await socket.ask("extend_hold")) == ("extend_used", False, None)
        # The same command again is not a second one.
        assert hold(await socket.ask("extend_hold", "more")) == extended
        # A hold that ended leaves nothing behind: the next one may be extended again.
        await socket.ask("release_seats", seats=[])
        await socket.ask("hold_seats", seats=[5])
        assert hold(await socket.ask("extend_hold"))["seats"] == [5]


async def test_releasing_gives_back_what_is_held_and_ignores_the_rest(usher: Usher) -> None:
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    async with usher.socket(event_id, ada) as socket, usher.socket(event_id, ben) as other:
        first = hold(await socket.ask("hold_seats", seats=[0, 1, 2, 3]))
        await other.ask("hold_seats", seats=[7])
        left = hold(await socket.ask("release_seats", seats=[3, 7, 50, 10**6, 1]))
        assert left == {"seats": [0, 2], "expires_at_ms": first["expires_at_ms"], "total_cents": 700_00}
        nothing: Json = {"seats": [], "expires_at_ms": None, "total_cents": 0}
        assert hold(await socket.ask("release_seats", seats=[])) == nothing
        assert hold(await socket.ask("release_seats", seats=[])) == nothing
        assert hold(await socket.ask("release_seats", seats=[1])) == nothing
    states = await usher.seat_states(event_id)
    assert [seat for seat, state in enumerate(states) if state == 1] == [7]


async def test_a_hundred_seats_may_be_released_at_once(usher: Usher) -> None:
    async with usher.socket(await usher.event(), await usher.customer()) as socket:
        assert hold(await socket.ask("release_seats", seats=list(range(100))))["seats"] == []
        answer = await socket.ask("release_seats", seats=list(range(101)))
        assert refusal(answer) == ("bad_command", False, None)


async def test_the_best_seats_are_next_to_each_other_and_as_wished(usher: Usher) -> None:
    event_id = await usher.event(max_tickets=10)
    wishes: list[tuple[Json, range]] = [
        ({"count": 4}, FLOOR),
        ({"count": 3, "price_tier": "premium"}, STAND),
        ({"count": 2, "section": "Balcony"}, BALCONY),
        ({"count": 10, "max_price_cents": 40_00}, BALCONY),
        ({"count": 2, "max_price_cents": 99_50}, STAND),
        ({"count": 2, "accessible": True}, BALCONY),
    ]
    for wish, where in wishes:
        async with usher.socket(event_id, await usher.customer()) as socket:
            answer = await socket.ask("hold_best", **wish)
            seats = hold(answer)["seats"]
            assert answer["together"] is True
            assert seats == list(range(seats[0], seats[0] + wish["count"]))
            assert set(seats) <= set(where)
            assert (seats[0] - where[0]) // 20 == (seats[-1] - where[0]) // 20, "all in one row"
            if "accessible" in wish:
                assert {100, 101} & set(seats)


async def test_a_party_too_large_for_any_row_is_told_that_it_sits_in_groups(usher: Usher) -> None:
    async with usher.socket(await usher.event(max_tickets=20), await usher.customer()) as socket:
        for _ in range(2):
            await socket.ask("hold_best", count=8, section="Floor")
        answer = await socket.ask("hold_best", count=4, section="Floor")
        assert answer["together"] is False
        assert len(hold(answer)["seats"]) == 20
        assert "together" not in await socket.ask("release_seats", seats=[])


async def test_a_thousand_wishes_for_two_at_once_sell_two_thousand_seats(usher: Usher) -> None:
    """Nobody is refused while seats are left, and nobody gets a seat of another."""
    sections = [SectionDescriptor(f"Block {n}", 20, 25, 5_000, "standard", n, 0) for n in range(4)]
    event_id = await usher.event(seats=published_seats(bowl("A hall", sections)), max_tickets=40)
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(usher.socket(event_id, await usher.customer())) for _ in range(50)
        ]
        for number in range(20):
            for socket in sockets:
                await socket.send(type="hold_best", id=f"b{number}", count=2)
        held: list[int] = []
        for socket in sockets:
            last = [await socket.seen("accepted", "rejected", id=f"b{number}") for number in range(20)][-1]
            held += hold(last)["seats"]
            assert all(answer["type"] == "accepted" for answer in socket.frames if answer.get("id", "")[:1] == "b")
    assert sorted(held) == list(range(2_000))


@pytest.mark.parametrize(
    "wish",
    [
        {"count": 2, "section": "Pit"},
        {"count": 2, "price_tier": "gold"},
        {"count": 2, "max_price_cents": 39_99},
        {"count": 2, "section": "Floor", "accessible": True},
        {"count": 2, "section": "Floor", "max_price_cents": 100_00},
    ],
)
async def test_no_such_block_is_left(usher: Usher, wish: Json) -> None:
    async with usher.socket(await usher.event(), await usher.customer()) as socket:
        assert refusal(await socket.ask("hold_best", **wish)) == ("no_block", True, None)


async def test_two_who_want_the_best_at_once_get_different_seats(usher: Usher) -> None:
    event_id = await usher.event()
    customers = [await usher.customer() for _ in range(6)]

    async def best(socket: Socket) -> list[int]:
        seats: list[int] = hold(await socket.ask("hold_best", count=3, section="Floor"))["seats"]
        return seats

    sockets = [usher.socket(event_id, customer) for customer in customers]
    for socket in sockets:
        await socket.__aenter__()
    try:
        # Two rows of ten have room for six blocks of three.
        blocks = await asyncio.gather(*(best(socket) for socket in sockets))
        assert len({seat for block in blocks for seat in block}) == 18
    finally:
        for socket in sockets:
            await socket.__aexit__(None, None, None)


async def test_who_joins_where_there_is_no_waiting_room_is_in(usher: Usher) -> None:
    async with usher.socket(await usher.event(), await usher.customer()) as socket:
        joined = await socket.ask("join_queue", "in")
        assert joined["queue"]["status"] == "active"
        await socket.ask("hold_seats", seats=[0, 1])
        left = await socket.ask("leave_queue", "out")
        assert left["queue"]["status"] == "not_in_queue"
        await socket.open()
        assert (await socket.seen("hold"))["seats"] == []


@pytest.mark.parametrize("at", [0, 17, 1.5, -3, 2**53])
async def test_a_ping_comes_back(usher: Usher, at: float) -> None:
    async with usher.socket(await usher.event()) as socket:
        await socket.send(type="ping", at=at)
        pong = await socket.seen("pong")
        assert pong["at"] == at
        assert abs(pong["server_time_ms"] - usher.parts.now_ms()) < 5_000
        assert set(pong) == {"type", "at", "server_time_ms"}


async def test_buying_all_that_is_held(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        await socket.ask("hold_seats", seats=[1, 0, 30])
        answer = await socket.ask("checkout", "pay", payment_method="card")
        assert answer["type"] == "accepted"
        order_id = answer["order"].pop("order_id")
        assert answer["order"] == {
            "status": "completed",
            "total_cents": 799_50,
            "currency": "USD",
            "seats": [0, 1, 30],
        }
        assert (await usher.rest("GET", f"/checkout/orders/{order_id}", by=ada)).status == 200
        # Nothing is held now, so nothing can be bought; the same command gets the same order.
        assert refusal(await socket.ask("checkout", payment_method="card")) == ("hold_not_found", False, None)
        again = await socket.ask("checkout", "pay", payment_method="card")
        assert again["order"]["order_id"] == order_id
        assert again["revision"] == answer["revision"]
    states = await usher.seat_states(event_id)
    assert [seat for seat, state in enumerate(states) if state == 2] == [0, 1, 30]


async def test_a_declined_payment_keeps_the_hold(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        held = hold(await socket.ask("hold_seats", seats=[0]))
        declined = await socket.ask("checkout", "pay", payment_method="decline")
        assert refusal(declined) == ("payment_failed", True, None)
        assert declined["message"] == "Payment failed: the card was declined"
        assert hold(await socket.ask("hold_seats", seats=[0])) == held
        # A refused command is judged anew; with the same id it may be another one.
        assert refusal(await socket.ask("checkout", "pay", payment_method="decline"))[0] == "payment_failed"
        assert (await socket.ask("checkout", "pay", payment_method="card"))["order"]["status"] == "completed"


async def test_the_refusals_of_a_hold_come_in_order(usher: Usher) -> None:
    event_id = await usher.event(max_tickets=3)
    ada, ben = await usher.customer(), await usher.customer()
    async with usher.socket(event_id, ada) as socket, usher.socket(event_id, ben) as other:
        await other.ask("hold_seats", seats=[5, 6])
        await other.ask("checkout", payment_method="card")
        await other.ask("hold_seats", seats=[7])
        await socket.ask("hold_seats", seats=[0, 1])
        # Each names the seats of its own kind and leaves out the later ones.
        unknown = await socket.ask("hold_seats", seats=[200, 98, 5, 7, 2, 3, 10**9])
        assert refusal(unknown) == ("seat_not_found", False, [200, 10**9])
        blocked = await socket.ask("hold_seats", seats=[*BLOCKED, 5, 7, 2, 3])
        assert refusal(blocked) == ("seat_blocked", False, [98, 99])
        taken = await socket.ask("hold_seats", seats=[7, 2, 3, 5, 0])
        assert refusal(taken) == ("seat_taken", True, [7, 5])
        limit = await socket.ask("hold_seats", seats=[3, 0, 2])
        assert refusal(limit) == ("limit_reached", False, [3, 2])
        assert await usher.revision_of(event_id) == 5
        assert hold(await socket.ask("release_seats", seats=[199]))["seats"] == [0, 1], "none of them had an effect"


async def test_before_all_else_the_event_must_be_on_sale(usher: Usher) -> None:
    for how in (
        {"on_sale_in": timedelta(hours=1)},
        {"stage": "cancelled"},
        {"stage": "completed"},
        {"event_in": timedelta(hours=-1)},
    ):
        event_id = await usher.event(**how)
        async with usher.socket(event_id, await usher.customer()) as socket:
            for command in (
                {"kind": "hold_seats", "seats": [10**6]},
                {"kind": "hold_best", "count": 10},
                {"kind": "checkout", "payment_method": "card"},
            ):
                assert refusal(await socket.ask(**command)) == ("not_on_sale", True, None)
        assert 1 not in await usher.seat_states(event_id)


async def test_a_sale_begins_by_itself(usher: Usher) -> None:
    event_id = await usher.event(on_sale_in=timedelta(seconds=0.4))
    async with usher.socket(event_id, await usher.customer()) as socket:
        assert refusal(await socket.ask("hold_seats", seats=[0]))[0] == "not_on_sale"

        async def is_held() -> bool:
            return bool((await socket.ask("hold_seats", seats=[0]))["type"] == "accepted")

        await until(is_held)


async def test_an_organiser_may_open_the_sale_early(usher: Usher) -> None:
    event_id = await usher.event(on_sale_in=timedelta(days=1), stage="on_sale")
    async with usher.socket(event_id, await usher.customer()) as socket:
        assert hold(await socket.ask("hold_seats", seats=[0]))["seats"] == [0]


async def test_the_limit_counts_what_is_held_and_what_is_bought(usher: Usher) -> None:
    event_id, ada = await usher.event(max_tickets=4), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        assert refusal(await socket.ask("hold_seats", seats=[0, 1, 2, 3, 4]))[0] == "limit_reached"
        assert refusal(await socket.ask("hold_best", count=5)) == ("limit_reached", False, None)
        await socket.ask("hold_seats", seats=[0, 1])
        await socket.ask("checkout", payment_method="card")
        await socket.ask("hold_seats", seats=[2])
        assert refusal(await socket.ask("hold_best", count=2))[0] == "limit_reached"
        assert refusal(await socket.ask("hold_seats", seats=[3, 4])) == ("limit_reached", False, [3, 4])
        assert hold(await socket.ask("hold_seats", seats=[3]))["seats"] == [2, 3]
        assert refusal(await socket.ask("hold_seats", seats=[4])) == ("limit_reached", False, [4])
    # Another session of the account is no other customer.
    async with usher.socket(event_id, await usher.sign_in(ada.id)) as socket:
        assert refusal(await socket.ask("hold_seats", seats=[4])) == ("limit_reached", False, [4])


async def test_ten_seats_a_command(usher: Usher) -> None:
    async with usher.socket(await usher.event(max_tickets=20), await usher.customer()) as socket:
        assert refusal(await socket.ask("hold_seats", seats=list(range(11)))) == ("bad_command", False, None)
        assert refusal(await socket.ask("hold_best", count=11)) == ("bad_command", False, None)
        assert len(hold(await socket.ask("hold_seats", seats=list(range(10))))["seats"]) == 10
        assert len(hold(await socket.ask("hold_best", count=10))["seats"]) == 20


async def test_nothing_held_nothing_to_pay_or_extend(usher: Usher) -> None:
    async with usher.socket(await usher.event(), await usher.customer()) as socket:
        assert refusal(await socket.ask("checkout", payment_method="card")) == ("hold_not_found", False, None)
        assert refusal(await socket.ask("extend_hold")) == ("hold_not_found", False, None)


async def test_a_hold_that_ran_out_is_told_from_none(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        await socket.open()
        await socket.ask("hold_seats", seats=[0])
        await usher.age_holds(event_id, 599.9)
        # The scan finds the hold and ends it in time.
        ended = await socket.seen("hold", reason="expired")
        assert ended == {"type": "hold", "seats": [], "expires_at_ms": None, "total_cents": 0, "reason": "expired"}
        for command in ({"kind": "checkout", "payment_method": "card"}, {"kind": "extend_hold"}):
            assert refusal(await socket.ask(**command)) == ("hold_expired", False, None)
        # Also after the event was loaded again, and not for ever.
        await usher.unload(event_id)
        assert refusal(await socket.ask("extend_hold"))[0] == "hold_expired"
        await usher.database.execute("UPDATE journal SET at = at - interval '15 minutes' WHERE kind = 'expired'")
        await usher.unload(event_id)
        assert refusal(await socket.ask("extend_hold"))[0] == "hold_not_found"
        await socket.ask("hold_seats", seats=[0])
        await socket.ask("release_seats", seats=[])
        assert refusal(await socket.ask("extend_hold"))[0] == "hold_not_found"


@pytest.mark.parametrize(
    "command",
    [
        {"kind": "hold_seats"},
        {"kind": "hold_seats", "seats": []},
        {"kind": "hold_seats", "seats": [0, 0]},
        {"kind": "hold_seats", "seats": ["0"]},
        {"kind": "hold_seats", "seats": [-1]},
        {"kind": "hold_seats", "seats": [0.5]},
        {"kind": "hold_seats", "seats": [2**31]},
        {"kind": "hold_seats", "seats": [2**70]},
        {"kind": "hold_seats", "seats": 0},
        {"kind": "hold_seats", "seats": None},
        {"kind": "hold_seats", "seats": [0], "extra": 1},
        {"kind": "hold_best"},
        {"kind": "hold_best", "count": 0},
        {"kind": "hold_best", "count": True},
        {"kind": "hold_best", "count": 1, "price_tier": ""},
        {"kind": "hold_best", "count": 1, "max_price_cents": -1},
        {"kind": "hold_best", "count": 1, "accessible": "yes"},
        {"kind": "release_seats"},
        {"kind": "release_seats", "seats": [1, 1]},
        {"kind": "extend_hold", "seats": []},
        {"kind": "checkout"},
        {"kind": "checkout", "payment_method": ""},
        {"kind": "checkout", "payment_method": "x" * 65},
        {"kind": "checkout", "payment_method": 1},
        {"kind": "checkout", "payment_method": "a\0b"},
        {"kind": "join_queue", "event_id": "x"},
    ],
)
async def test_wrong_fields_are_refused_by_id(usher: Usher, command: Json) -> None:
    event_id = await usher.event()
    async with usher.socket(event_id, await usher.customer()) as socket:
        answer = await socket.ask(command_id="mine", **command)
        assert refusal(answer) == ("bad_command", False, None)
        assert answer["id"] == "mine"
        await socket.settled()
    assert await usher.revision_of(event_id) == 0


async def test_a_repeated_field_is_refused_by_id(usher: Usher) -> None:
    async with usher.socket(await usher.event(), await usher.customer()) as socket:
        await socket.ws.send_str('{"type":"hold_seats","id":"a","seats":[1],"seats":[2]}')
        assert refusal(await socket.seen("rejected", id="a")) == ("bad_command", False, None)


async def test_an_accepted_command_sent_again_has_one_effect_and_one_answer(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        first = await socket.ask("hold_seats", "one", seats=[0, 1])
        released = await socket.ask("release_seats", "two", seats=[1])
        assert await socket.ask("hold_seats", "one", seats=[0, 1]) == first
        assert await socket.ask("release_seats", "two", seats=[1]) == released
        # Even in one breath: nothing is decided twice within a batch.
        since = len(socket.frames)
        for _ in range(5):
            await socket.send(type="hold_seats", id="three", seats=[2])
        await socket.settled()
        await until(lambda: len([f for f in socket.frames[since:] if f.get("id") == "three"]) == 5)
        answers = [frame for frame in socket.frames[since:] if frame.get("id") == "three"]
        assert answers == [answers[0]] * 5
        assert answers[0]["hold"]["seats"] == [0, 2]
    # Over a new socket, and after the event was loaded anew (the journal knows).
    await usher.unload(event_id)
    async with usher.socket(event_id, ada) as socket:
        assert await socket.ask("hold_seats", "one", seats=[0, 1]) == first
        assert await usher.revision_of(event_id) == 3


async def test_the_same_id_with_other_content_is_refused(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        await socket.ask("hold_seats", "x", seats=[0, 1])
        others: list[Json] = [
            {"kind": "hold_seats", "seats": [1, 0]},  # the order of the seats is part of it
            {"kind": "hold_seats", "seats": [0]},
            {"kind": "release_seats", "seats": [0, 1]},
            {"kind": "extend_hold"},
        ]
        for other in others:
            assert refusal(await socket.ask(command_id="x", **other)) == ("id_reused", False, None)
        await usher.unload(event_id)
        for other in others:
            assert refusal(await socket.ask(command_id="x", **other)) == ("id_reused", False, None)
        # Content is what the fields say, not how they are written.
        await socket.ws.send_str('{ "seats": [0,\\u0020 1], "id": "x", "type":"hold_seats"}'.replace("\\u0020", ""))
        assert (await socket.seen("accepted", id="x", since=len(socket.frames) - 1))["hold"]["seats"] == [0, 1]


async def test_the_id_is_looked_at_before_the_sale_and_after_the_body(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        first = await socket.ask("hold_seats", "x", seats=[0])
        assert refusal(await socket.ask("hold_seats", "x", seats=[0, 0]))[0] == "bad_command"
        await usher.database.execute("UPDATE event SET stage = 'cancelled' WHERE id = $1", UUID(event_id))
        await usher.unload(event_id)
        assert refusal(await socket.ask("hold_seats", "x", seats=[1]))[0] == "id_reused"
        assert await socket.ask("hold_seats", "x", seats=[0]) == first
        assert refusal(await socket.ask("hold_seats", "y", seats=[0]))[0] == "not_on_sale"


async def test_an_id_is_one_customers_in_one_event(usher: Usher) -> None:
    one, two = await usher.event(), await usher.event()
    ada, ben = await usher.customer(), await usher.customer()
    async with (
        usher.socket(one, ada) as socket,
        usher.socket(one, ben) as other,
        usher.socket(two, ada) as elsewhere,
    ):
        assert hold(await socket.ask("hold_seats", "x", seats=[0]))["seats"] == [0]
        assert hold(await other.ask("hold_seats", "x", seats=[1]))["seats"] == [1]
        assert hold(await elsewhere.ask("hold_seats", "x", seats=[2]))["seats"] == [2]


async def test_a_refused_command_is_judged_anew(usher: Usher) -> None:
    event_id, ada, ben = await usher.event(), await usher.customer(), await usher.customer()
    async with usher.socket(event_id, ada) as socket, usher.socket(event_id, ben) as other:
        await other.ask("hold_seats", seats=[0])
        assert refusal(await socket.ask("hold_seats", "x", seats=[0])) == ("seat_taken", True, [0])
        await other.ask("release_seats", seats=[])
        assert hold(await socket.ask("hold_seats", "x", seats=[0]))["seats"] == [0]


@pytest.mark.parametrize("command_id", ["x", "x" * 64, "ü" * 64, "a b", "☃", "'; --", "\\"])
async def test_ids_are_any_text_of_up_to_64_characters(usher: Usher, command_id: str) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket:
        first = await socket.ask("hold_seats", command_id, seats=[0])
        assert first["id"] == command_id
        await usher.unload(event_id)
        assert await socket.ask("hold_seats", command_id, seats=[0]) == first


async def test_too_many_commands_without_waiting_are_refused_fast(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sockets.connection.UNANSWERED_COMMANDS_MAX", 3)
    async with usher.socket(await usher.event(), await usher.customer()) as socket:
        for number in range(10):
            await socket.send(type="release_seats", id=f"r{number}", seats=[])
        for number in range(10):
            await socket.seen("accepted", "rejected", id=f"r{number}")
        codes = [frame["code"] for frame in socket.of("rejected")]
        assert codes
        assert set(codes) == {"overloaded"}
        assert all(frame["retry"] and frame["retry_after_ms"] > 0 for frame in socket.of("rejected"))
        # Once answered there is room again.
        assert hold(await socket.ask("release_seats", seats=[]))["seats"] == []


async def test_what_somebody_outside_has_locked_is_busy(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    async with usher.socket(event_id, ada) as socket, usher.database.acquire() as outsider:
        await socket.ask("hold_seats", seats=[19])
        async with outsider.transaction():
            await outsider.execute(
                "SELECT FROM seat WHERE event_id = $1 AND seat_index = 3 FOR UPDATE", UUID(event_id)
            )
            assert refusal(await socket.ask("hold_seats", "x", seats=[2, 3])) == ("busy", True, [3])
            assert hold(await socket.ask("hold_seats", seats=[2]))["seats"] == [2, 19]
        assert hold(await socket.ask("hold_seats", "x", seats=[2, 3]))["seats"] == [2, 3, 19]


async def test_what_comes_while_the_event_is_being_given_up_is_answered_by_the_next_manager(
    usher: Usher, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    store: Any = usher.parts.supervisor._ports.store
    release, go_on = store.release, asyncio.Event()

    async def slow(claim: Claim) -> None:
        await go_on.wait()
        await release(claim)

    async with usher.socket(event_id, ada) as socket:
        await socket.ask("hold_seats", seats=[0])
        with monkeypatch.context() as patched:
            patched.setattr(store, "release", slow)
            await usher.unload(event_id)
            asking = asyncio.create_task(socket.ask("hold_seats", seats=[1]))
            await socket.settled()
            assert not asking.done()
            go_on.set()
            assert hold(await asking)["seats"] == [0, 1]


async def test_an_account_shares_its_hold_between_sessions(usher: Usher) -> None:
    event_id, ada = await usher.event(), await usher.customer()
    phone = await usher.sign_in(ada.id)
    async with usher.socket(event_id, ada) as laptop_socket, usher.socket(event_id, phone) as phone_socket:
        first = hold(await laptop_socket.ask("hold_seats", seats=[0]))
        both = hold(await phone_socket.ask("hold_seats", seats=[1]))
        assert both["seats"] == [0, 1]
        assert both["expires_at_ms"] >= first["expires_at_ms"]
        answer = await phone_socket.ask("checkout", payment_method="card")
        assert answer["order"]["seats"] == [0, 1]


async def test_the_time_of_the_server_is_utc(usher: Usher) -> None:
    async with usher.socket(await usher.event()) as socket:
        time_ms = (await socket.seen("welcome"))["server_time_ms"]
        assert abs(datetime.now(UTC).timestamp() * 1000 - time_ms) < 5_000

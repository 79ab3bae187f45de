"""The ways to be without an admission, each brought about on a real server: `STANDINGS`."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from actors.core import waiting_room
from tests.server.parts import Customer, Usher, until
from tests.server.ways_in import NOT_ADMITTED, NOTHING_HELD, try_all

OTHERS = [150, 151]
"""The seats that those hold who hold some."""


class Standing(NamedTuple):
    """Somebody without an admission; None: nobody who is signed in. The codes are what the ways are answered."""

    event_id: str
    by: Customer | None
    code: str = NOT_ADMITTED
    extend_code: str = NOTHING_HELD


async def admitted(usher: Usher, shoppers: int = 1) -> tuple[str, Customer]:
    """An event with a waiting room, and somebody who is in."""
    event_id, ada = await usher.event(room="fifo", shoppers=shoppers), await usher.customer()
    assert await join(usher, event_id, ada) == "active"
    return event_id, ada


async def join(usher: Usher, event_id: str, by: Customer) -> str:
    return str((await usher.rest("POST", f"/queue/{event_id}/join", by=by)).data["status"])


async def hold(usher: Usher, event_id: str, by: Customer) -> None:
    assert (await usher.reserve(event_id, OTHERS, by)).status == 200


async def release(usher: Usher, event_id: str, by: Customer) -> None:
    body = {"seat_ids": [str(seat) for seat in OTHERS]}
    assert (await usher.rest("POST", f"/seats/{event_id}/release", body, by)).status == 200


async def age_admissions(usher: Usher, event_id: str) -> None:
    """Let a quarter of an hour have passed for those inside, and have the event loaded anew."""
    query = "UPDATE queue_entry SET until_at = until_at - interval '900 s' WHERE event_id = $1 AND state = 'active'"
    await usher.database.execute(query, UUID(event_id))
    await usher.unload(event_id)


async def state_of(usher: Usher, event_id: str, by: Customer) -> str:
    """Where the customer is, as PostgreSQL has it: asking over REST would be coming back."""
    query = "SELECT state FROM queue_entry WHERE event_id = $1 AND customer_id = $2"
    return str(await usher.database.fetchval(query, UUID(event_id), UUID(by.id)))


async def out(usher: Usher, event_id: str, by: Customer) -> None:
    async def is_out() -> bool:
        return await state_of(usher, event_id, by) == "out"

    await until(is_out)


async def set_mode(usher: Usher, event_id: str, enabled: bool, mode: str) -> None:
    organiser = await usher.customer("Olga")
    await usher.database.execute("UPDATE customer SET role = 'admin' WHERE id = $1", UUID(organiser.id))
    organiser = await usher.sign_in(organiser.id)
    changes = {"waiting_room_enabled": enabled, "waiting_room_mode": mode}
    changed = await usher.rest("PUT", f"/events/{event_id}", changes, organiser)
    assert changed.status == 200, changed.body


async def nobody(usher: Usher) -> Standing:
    return Standing(await usher.event(room="fifo"), None, "not_signed_in", "not_signed_in")


async def never_joined(usher: Usher) -> Standing:
    return Standing(await usher.event(room="fifo"), await usher.customer("Bob"))


async def waiting(usher: Usher) -> Standing:
    event_id, _ = await admitted(usher)
    bob = await usher.customer("Bob")
    assert await join(usher, event_id, bob) == "waiting"
    return Standing(event_id, bob)


async def in_the_lobby(usher: Usher) -> Standing:
    event_id, ada = await usher.event(room="draw", on_sale_in=timedelta(hours=1)), await usher.customer()
    assert await join(usher, event_id, ada) == "waiting"
    return Standing(event_id, ada, "not_on_sale")


async def before_a_closed_door(usher: Usher) -> Standing:
    event_id, ada = await usher.event(room="closed"), await usher.customer()
    assert await join(usher, event_id, ada) == "waiting"
    return Standing(event_id, ada)


async def waiting_when_the_door_was_closed(usher: Usher) -> Standing:
    standing = await waiting(usher)
    await set_mode(usher, standing.event_id, True, "closed")
    return standing


async def has_left(usher: Usher) -> Standing:
    event_id, ada = await admitted(usher)
    await hold(usher, event_id, ada)
    assert (await usher.rest("POST", f"/queue/{event_id}/leave", by=ada)).status == 200
    return Standing(event_id, ada)


async def has_bought(usher: Usher) -> Standing:
    event_id, ada = await admitted(usher)
    await hold(usher, event_id, ada)
    assert (await usher.buy(ada)).status == 200
    return Standing(event_id, ada)


async def has_bought_and_cancelled(usher: Usher) -> Standing:
    event_id, ada = await admitted(usher)
    await hold(usher, event_id, ada)
    order_id = (await usher.buy(ada)).data["order"]["id"]
    assert (await usher.rest("POST", f"/checkout/orders/{order_id}/cancel", by=ada)).status == 200
    return Standing(event_id, ada)


async def ran_out(usher: Usher) -> Standing:
    event_id, ada = await admitted(usher)
    await age_admissions(usher, event_id)
    await out(usher, event_id, ada)
    return Standing(event_id, ada)


async def ran_out_with_the_hold(usher: Usher) -> Standing:
    event_id, ada = await admitted(usher)
    await hold(usher, event_id, ada)
    await usher.age_holds(event_id, 600)
    await age_admissions(usher, event_id)
    await out(usher, event_id, ada)
    return Standing(event_id, ada, extend_code="hold_expired")


async def ran_out_and_gave_back_what_was_held(usher: Usher) -> Standing:
    event_id, ada = await admitted(usher)
    await hold(usher, event_id, ada)
    await age_admissions(usher, event_id)
    assert await state_of(usher, event_id, ada) == "active", "what is held can be paid"
    await release(usher, event_id, ada)
    await out(usher, event_id, ada)
    return Standing(event_id, ada)


async def was_gone(usher: Usher) -> Standing:
    event_id, ada = await admitted(usher)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(waiting_room, "_CALL_MS", 1)
        await usher.unload(event_id)
        await out(usher, event_id, ada)
    return Standing(event_id, ada)


async def held_before_there_was_a_room_and_gave_it_back(usher: Usher) -> Standing:
    event_id, ada = await usher.event(), await usher.customer()
    await hold(usher, event_id, ada)
    await set_mode(usher, event_id, True, "fifo")
    await release(usher, event_id, ada)
    return Standing(event_id, ada)


async def waiting_when_the_room_was_taken_away_and_came_back(usher: Usher) -> Standing:
    standing = await waiting(usher)
    await set_mode(usher, standing.event_id, False, "fifo")
    assert standing.by is not None
    assert await join(usher, standing.event_id, standing.by) == "active"
    await set_mode(usher, standing.event_id, True, "fifo")
    return standing


STANDINGS: list[Callable[[Usher], Awaitable[Standing]]] = [
    nobody,
    never_joined,
    waiting,
    in_the_lobby,
    before_a_closed_door,
    waiting_when_the_door_was_closed,
    has_left,
    has_bought,
    has_bought_and_cancelled,
    ran_out,
    ran_out_with_the_hold,
    ran_out_and_gave_back_what_was_held,
    was_gone,
    held_before_there_was_a_room_and_gave_it_back,
    waiting_when_the_room_was_taken_away_and_came_back,
]


async def check(usher: Usher, standing: Callable[[Usher], Awaitable[Standing]]) -> None:
    """All ways are shut, now and when the event was loaded anew."""
    found = await standing(usher)
    await try_all(usher, found.event_id, found.by, found.code, found.extend_code)
    await usher.unload(found.event_id)
    await try_all(usher, found.event_id, found.by, found.code, found.extend_code)

"""Two accounts: whatever one of them asks, over every route, the other's things stay hers and hers alone.

The routes come from the contract itself, so one that is added is swept too.
"""

import re
from typing import Any
from uuid import uuid4

import pytest

from server.rest.contract import all_operations
from server.rest.operations import Operation, Who
from tests.rows import add_customer
from tests.server.parts import SHARED, Customer, Json, Reply, Usher

pytestmark = SHARED

PRIVATE = {"order_id": str(uuid4()), "session_id": str(uuid4())}
"""What the parameters of a path name that belongs to one customer, each with an id that nobody has."""

OPERATIONS = all_operations()
OWNED = [one for one in OPERATIONS if any(f"{{{name}}}" in one.path for name in PRIVATE)]


class Ada:
    """A customer with everything that one can have, and the words that nobody else may read."""

    def __init__(self, customer: Customer, email: str, event: Json, order_id: str, session_id: str) -> None:
        self.customer = customer
        self.event = event
        self.order_id = order_id
        self.session_id = session_id
        self.words = [customer.id, customer.session_id, email, "Ada Lovelace", order_id, session_id]

    def path(self, operation: Operation, **others: str) -> str:
        """The operation's path with her ids in it."""
        known = {
            "event_id": self.event["id"],
            "venue_id": self.event["venue_id"],
            "section": "Floor",
            "order_id": self.order_id,
            "session_id": self.session_id,
        } | others
        return re.sub(r"{(\w+)}", lambda name: known[name[1]], operation.path).removeprefix("/api/v1")

    async def things(self, usher: Usher) -> list[Any]:
        """All that she has."""
        paths = ("/auth/me", "/seats/reservation", "/checkout/orders", f"/checkout/orders/{self.order_id}")
        things = [(await usher.rest("GET", path, by=self.customer)).data for path in paths]
        sessions = (await usher.rest("GET", "/auth/sessions", by=self.customer)).data
        return [*things, sorted(one["id"] for one in sessions)]


async def ada_of(usher: Usher) -> Ada:
    """She has bought a seat and holds another one."""
    email = f"{uuid4()}@example.org"
    ada = await usher.sign_in(await add_customer(usher.database, email=email, name="Ada Lovelace"))
    event_id = await usher.event()
    assert (await usher.reserve(event_id, [0], ada)).status == 200
    order_id = (await usher.buy(ada)).data["order"]["id"]
    assert (await usher.reserve(event_id, [1], ada)).status == 200
    event = (await usher.rest("GET", f"/events/{event_id}")).data
    (session,) = (await usher.rest("GET", "/auth/sessions", by=ada)).data
    return Ada(ada, email, event, order_id, session["id"])


def body_of(operation: Operation) -> Json | None:
    """A body that asks for as much as it can, of what is hers."""
    if operation.body is None:
        return None
    return {
        "seat_ids": ["0", "1"],
        "payment_method": "card",
        "email": "nobody@example.org",
        "password": "a long enough password",
        "name": "Bob",
        "current_password": "wrong",
        "new_password": "another long password",
        "token": "A" * 43,
        "status": "cancelled",
    }


def leaks(ada: Ada, reply: Reply) -> list[str]:
    text = reply.raw.decode() + str(reply.headers)
    return [word for word in ada.words if word in text]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
async def test_nothing_of_hers_changes_or_shows(usher: Usher, operation: Operation) -> None:
    ada, bob = await ada_of(usher), await usher.customer("Bob")
    before = await ada.things(usher)
    for somebody in (bob, None):
        path = ada.path(operation)
        reply = await usher.rest(operation.method, path, body_of(operation), somebody)
        assert reply.status < 500, reply.body
        assert leaks(ada, reply) == []
        if somebody is None and operation.who is not Who.ANYBODY:
            assert reply.refusal[:2] == (401, "Authentication required")
        elif operation.who is Who.ADMIN:
            assert reply.refusal[:2] == (403, "Admin access required")
    assert await ada.things(usher) == before


@pytest.mark.parametrize("operation", OWNED, ids=lambda one: one.name)
async def test_hers_looks_to_others_as_if_it_were_not_there(usher: Usher, operation: Operation) -> None:
    ada, bob = await ada_of(usher), await usher.customer("Bob")
    hers = await usher.rest(operation.method, ada.path(operation), body_of(operation), bob)
    nobodys = await usher.rest(operation.method, ada.path(operation, **PRIVATE), body_of(operation), bob)
    assert hers.status == nobodys.status == 404
    assert hers.body == nobodys.body


async def test_even_an_admin_sees_no_orders_of_hers(usher: Usher) -> None:
    ada = await ada_of(usher)
    olga = await usher.sign_in(await add_customer(usher.database, role="admin"))
    for operation in OWNED:
        reply = await usher.rest(operation.method, ada.path(operation), body_of(operation), olga)
        assert reply.status == 404, operation.path


async def test_the_sweep_sees_what_she_has_and_who_reads_it(usher: Usher) -> None:
    """The negative control: with her own session the words are found, and her things change."""
    ada = await ada_of(usher)
    before = await ada.things(usher)
    read = await usher.rest("GET", f"/checkout/orders/{ada.order_id}", by=ada.customer)
    assert ada.order_id in leaks(ada, read)
    released = await usher.rest("POST", f"/seats/{ada.event['id']}/release", {"seat_ids": ["1"]}, ada.customer)
    assert released.status == 200
    assert await ada.things(usher) != before

"""Every way on which a seat could be held or bought, tried by somebody who may not; and what is stored then."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, get_args
from uuid import UUID, uuid4

from protocol.inbound import Checkout, Command, ExtendHold, HoldBest, HoldSeats, JoinQueue, LeaveQueue, ReleaseSeats
from server.describing import routes as describing
from server.describing.openapi import document
from server.rest import contract
from server.rest.operations import Operation
from tests.server.described import described_operations
from tests.server.parts import Customer, Json, Reply, Socket, Usher

WANTED = [5, 6]
"""The seats that are tried for."""

NOT_ADMITTED, NOTHING_HELD = "not_admitted", "hold_not_found"

COMMANDS: dict[Any, Json] = {
    HoldSeats: {"seats": WANTED},
    HoldBest: {"count": 2},
    ExtendHold: {},
    Checkout: {"payment_method": "card"},
    ReleaseSeats: {"seats": []},
}
"""The commands of the socket with which somebody without an admission tries it; release, to hold again after it."""

COMMANDS_OF_THE_LINE = {JoinQueue, LeaveQueue}
"""They move people; whether they do so in order is what the tests of the line are about."""

OPERATIONS = {
    *("register", "login", "logout", "me", "ws_ticket", "change_password", "ask_for_reset", "reset_password"),
    *("verify_email", "resend_verification", "my_sessions", "end_other_sessions", "end_my_session"),
    *("list_events", "show_event", "list_venues", "show_venue", "list_sections", "availability", "section_seats"),
    *("reserve", "release", "reservation", "checkout", "list_orders", "show_order", "cancel_order"),
    *("lobby_challenge", "queue_status", "queue_stats", "show_draw", "draw_receipt", "signing_keys"),
    *("create_event", "update_event", "set_status", "generate_seats", "create_venue", "update_venue"),
    *("import_venue_plan", "export_venue_plan", "block_seats", "unblock_seats", "blocked_seats"),
}
"""The operations of REST that are tried, all of them: none may end in a seat."""

OPERATIONS_OF_THE_LINE = {"join_queue", "leave_queue"}

_EXAMPLES = {
    operation["operationId"]: operation["requestBody"]["content"]["application/json"]["example"]
    for _, _, operation in described_operations(document(describing.described()))
    if "requestBody" in operation
}
_SEATS_WANTED = {"seat_ids": [str(seat) for seat in WANTED]}
_PAID = {"payment_method": "card"}


class Stored(NamedTuple):
    """What PostgreSQL has of an event that a way to a seat would change."""

    seats: list[tuple[Any, ...]]
    holds: list[tuple[Any, ...]]
    orders: list[tuple[Any, ...]]
    tickets: list[tuple[Any, ...]]


async def stored(usher: Usher, event_id: str) -> Stored:
    """What is stored now."""

    async def rows(query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await usher.database.fetch(query, UUID(event_id))]

    return Stored(
        await rows("SELECT seat_index, state, holder FROM seat WHERE event_id = $1 ORDER BY 1"),
        await rows("SELECT customer_id, started_at, expires_at, extended FROM hold WHERE event_id = $1 ORDER BY 1"),
        await rows("SELECT id, customer_id, status FROM orders WHERE event_id = $1 ORDER BY 1"),
        await rows("SELECT order_id, seat_index, status FROM ticket WHERE event_id = $1 ORDER BY 1, 2"),
    )


def unknown_ways() -> set[str]:
    """The declared commands and operations that nobody tries."""
    commands = {kind.__name__ for kind in (set(get_args(Command)) ^ {*COMMANDS, *COMMANDS_OF_THE_LINE})}
    operations = {operation.name for operation in contract.all_operations()}
    return commands | (operations ^ (OPERATIONS | OPERATIONS_OF_THE_LINE))


async def try_all(usher: Usher, event_id: str, by: Customer | None, code: str, extend_code: str) -> None:
    """Try every way; each is refused with this code, `extend_hold` with its own, and nothing is stored.

    Raises:
        AssertionError: somebody has got in, or was told something else.
    """
    if by is not None:
        by = await usher.sign_in(by.id)  # one of the operations ends the account's other sessions
    before = await stored(usher, event_id)
    await _by_socket(usher, event_id, by, code, extend_code)
    assert await stored(usher, event_id) == before, "something was stored by way of the socket"
    await _by_rest(usher, event_id, by, code)
    assert await stored(usher, event_id) == before, "something was stored by way of REST"
    for operation in contract.all_operations():
        if operation.name in OPERATIONS_OF_THE_LINE:
            continue
        reply = await call(usher, operation, event_id, by)
        assert reply < 500, f"{operation.name}: {reply}"
        assert await stored(usher, event_id) == before, f"something was stored by {operation.name}"


async def call(usher: Usher, operation: Operation, event_id: str, by: Customer | None) -> int:
    """Call one operation as well as it can be, in a session of its own; the answer's status."""
    ids = {"event_id": event_id, "section": "Floor", "venue_id": await _venue_of(usher, event_id)}
    path = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], str(uuid4())), operation.path)
    body = _EXAMPLES.get(operation.name)
    if body is not None and "seat_ids" in body:
        body |= _SEATS_WANTED
    if operation.name == "checkout":
        body = _PAID | {"event_id": event_id}
    headers = {} if by is None else (await usher.sign_in(by.id)).headers
    async with usher.http.request(operation.method, f"{usher.url}{path}", json=body, headers=headers) as answer:
        return answer.status


async def _by_socket(usher: Usher, event_id: str, by: Customer | None, code: str, extend_code: str) -> None:
    async with usher.socket(event_id, by) as socket:
        await _by_commands(socket, code, extend_code)
    if by is not None:
        ticket = (await usher.rest("POST", "/auth/ws-ticket", by=by)).data["ticket"]
        async with usher.socket(event_id, query=f"?ticket={ticket}") as socket:
            await _by_commands(socket, code, extend_code)


async def _by_commands(socket: Socket, code: str, extend_code: str) -> None:
    kinds: tuple[Any, ...] = (HoldSeats, HoldBest, ExtendHold, Checkout, ReleaseSeats, HoldSeats, HoldBest)
    for kind in kinds:
        answer = await socket.ask(str(kind.__struct_config__.tag), **COMMANDS[kind])
        if kind is not ReleaseSeats:
            expected = extend_code if kind is ExtendHold else code
            assert (answer["type"], answer.get("code")) == ("rejected", expected), f"{kind.__name__}: {answer}"
    # All at once: one batch, in which one sees what another would do.
    since = len(socket.frames)
    for number, kind in enumerate(kinds):
        await socket.send(type=kind.__struct_config__.tag, id=f"{since}-{number}", **COMMANDS[kind])
    for number, kind in enumerate(kinds):
        answer = await socket.seen("accepted", "rejected", since=since, id=f"{since}-{number}")
        assert kind is ReleaseSeats or answer["type"] == "rejected", answer


async def _by_rest(usher: Usher, event_id: str, by: Customer | None, code: str) -> None:
    async def reserve() -> Reply:
        return await usher.rest("POST", f"/seats/{event_id}/reserve", _SEATS_WANTED, by)

    async def release() -> Reply:
        return await usher.rest("POST", f"/seats/{event_id}/release", _SEATS_WANTED, by)

    async def buy(key: str | None = None, **fields: str) -> Reply:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await usher.rest("POST", "/checkout", _PAID | fields, by, headers)

    ways: list[Callable[[], Awaitable[Reply]]] = [
        reserve,
        lambda: buy(event_id=event_id),
        lambda: buy(f"key-{uuid4()}", event_id=event_id),
    ]
    for way in (*ways, reserve):
        refused = await way()
        expected = (401, None) if by is None else (400, code)
        assert refused.body["success"] is False, refused.body
        found = (refused.status, None if by is None else refused.body["code"])
        assert found == expected, refused.body
        await release()
    # Without an event it is the hold changed last, and there is none.
    assert (await buy()).status == (401 if by is None else 400)


async def _venue_of(usher: Usher, event_id: str) -> str:
    return str(await usher.database.fetchval("SELECT venue_id FROM event WHERE id = $1", UUID(event_id)))

"""The line over REST, for bots without a socket."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

from bots.rest import BotError, Customer, Rest
from protocol.outbound import QueueNow


class _Place(Struct):
    """The part of an answer that is read."""

    position: int
    status: Literal["waiting", "active", "not_in_queue"]
    estimated_wait_seconds: int
    phase: Literal["lobby", "line"] | None = None
    place: int | None = None
    estimated_wait_high_seconds: int | None = None
    admitted_until: datetime | None = None
    ask_again_seconds: float = 5.0


async def join(rest: Rest, event_id: str, customer: Customer) -> tuple[QueueNow, float]:
    """Stand in line; answers the place as a socket would tell it, and after how many seconds to ask again.

    Raises:
        BotError: the server refuses, or answers what the contract does not allow.
        ServerAway: it has not answered for long.
    """
    return await _ask(rest, "POST", f"/queue/{event_id}/join", customer)


async def place(rest: Rest, event_id: str, customer: Customer) -> tuple[QueueNow, float]:
    """As `join`, without joining."""
    return await _ask(rest, "GET", f"/queue/{event_id}/status", customer)


async def _ask(rest: Rest, method: str, path: str, customer: Customer) -> tuple[QueueNow, float]:
    status, envelope = await rest.patiently(method, path, session_id=customer.session_id)
    if status != 200:
        raise BotError(f"{method} {path}: {status} {envelope}")
    try:
        found = msgspec.convert(envelope.get("data"), _Place)
    except msgspec.ValidationError as problem:
        raise BotError(f"{method} {path}: {problem}") from problem
    until_ms = None if found.admitted_until is None else round(1000 * found.admitted_until.timestamp())
    told = QueueNow(
        "lobby" if found.phase == "lobby" else found.status,
        found.place,
        max(0, found.position - 1),
        None if found.estimated_wait_high_seconds is None else found.estimated_wait_seconds,
        found.estimated_wait_high_seconds,
        until_ms,
    )
    return told, found.ask_again_seconds

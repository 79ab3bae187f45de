"""The rate limits of REST: which one a request falls under, whose it is, and what the answer says of it.

Source: draft-ietf-httpapi-ratelimit-headers, for `RateLimit` and `RateLimit-Policy`.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from aiohttp import web

from server.door.client_addresses import neighbourhood
from server.door.door_settings import DoorSettings
from server.door.forwarded import asked_by
from server.door.rate_limits import WINDOW_S, Count
from server.door.who_asks import find_session, session_id
from server.people.session_cache import Session
from server.rest.envelope import Refused
from server.services import services

RATE_HEADERS = ("RateLimit", "RateLimit-Policy")


class Pace(StrEnum):
    """Which rate limit an operation falls under."""

    RESERVE = "reserve"
    CHECKOUT = "checkout"
    JOIN = "join"
    OTHER = "other"


class _Limit(NamedTuple):
    """At most `per_minute` of `name`; for people, `policy`."""

    policy: str
    name: str
    per_minute: int


class _Counted(NamedTuple):
    limit: _Limit
    found: Count


_COUNTED: Final = web.RequestKey("counted", _Counted)


async def keep_pace(request: web.Request, pace: Pace) -> None:
    """Count this request.

    Reserving, checking out and joining count by customer: many sessions of one account have one budget; joining, by
    address, too: many accounts at one place have another. All else
    counts by session, and without a live one by address.

    Raises:
        Refused: 429, when there were too many within a minute.
    """
    if not services(request).settings.is_rate_limited:
        return
    door = services(request).settings.door
    session = await _session_of(request, door)
    if session is None:
        await _count(request, _of_address(request, door, "request"))
    elif pace is Pace.OTHER:
        name = f"session:{session.id_hash.hex()}"
        await _count(request, _Limit(pace, name, door.other_per_minute))
    else:
        if pace is Pace.JOIN:
            await _count(request, _of_address(request, door, "join", door.joins_per_address))
        await _count(request, _Limit(pace, f"{pace}:{session.customer_id}", _per_minute(door, pace)))


async def keep_pace_of_handshakes(request: web.Request) -> None:
    """Count this handshake of a socket, by address: whoever has a session may have got it from anywhere.

    Raises:
        Refused: 429, when there were too many within a minute.
    """
    parts = services(request)
    if parts.settings.is_rate_limited:
        await _count(request, _of_address(request, parts.settings.door, "socket"))


def rate_headers(request: web.Request) -> dict[str, str]:
    """What the answer to this request says of its limit."""
    if _COUNTED not in request:
        return {}
    limit, count = request[_COUNTED]
    said = (
        f'"{limit.policy}";r={count.remaining};t={count.wait_s}',
        f'"{limit.policy}";q={limit.per_minute};w={WINDOW_S}',
    )
    return dict(zip(RATE_HEADERS, said, strict=True))


async def _session_of(request: web.Request, door: DoorSettings) -> Session | None:
    """The live session, looked up unless too many ids of none came from this address.

    Such an id is in no cache: each would cost PostgreSQL a statement. Who was signed in goes on.
    """
    shown, parts = session_id(request), services(request)
    if shown is None:
        return None
    guesses = _of_address(request, door, "guess")
    if guesses.per_minute and not parts.sessions.was_live(shown):
        found = parts.rate_limits.look(guesses.name, guesses.per_minute)
        if not found.is_within:
            _note(request, guesses, found)
    session = await find_session(request)
    if session is None:
        await _count(request, guesses)
    return session


def _of_address(request: web.Request, door: DoorSettings, what: str, per_minute: int | None = None) -> _Limit:
    limit = door.address_per_minute if per_minute is None else per_minute
    return _Limit("address", f"{what}:{neighbourhood(asked_by(request).address)}", limit)


def _per_minute(door: DoorSettings, pace: Pace) -> int:
    return {
        Pace.RESERVE: door.reserve_per_minute,
        Pace.CHECKOUT: door.checkout_per_minute,
        Pace.JOIN: door.join_per_minute,
        Pace.OTHER: door.other_per_minute,
    }[pace]


async def _count(request: web.Request, limit: _Limit) -> None:
    if limit.per_minute == 0:
        return
    count = await services(request).rate_limits.count(limit.name, limit.per_minute)
    _note(request, limit, count)


def _note(request: web.Request, limit: _Limit, count: Count) -> None:
    request[_COUNTED] = _Counted(limit, count)
    if not count.is_within:
        raise Refused(429, "Too many requests, slow down", "rate_limited", retry_after_s=count.wait_s)

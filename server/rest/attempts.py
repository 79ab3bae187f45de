"""Guesses at passwords: how many an account, a known browser and an address have.

Strangers who guess use up the guesses of the account, and of nobody who comes with a browser that it knows: these
have their own, each browser for itself.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from server.door.client_addresses import neighbourhood
from server.door.forwarded import asked_by
from server.door.origin import is_under_tls
from server.people.accounts import DEVICE_DURATION_S, Device, shown_device
from server.people.passwords import PasswordsOverloaded
from server.people.throttle import Attempt, Budget
from server.rest.envelope import Refused
from server.services import services

GUESSES_MAX = 10
GUESSES_WINDOW_S = 300
ADDRESS_WINDOW_S = 600

_COOKIE = "device"
_COOKIE_TLS = "__Host-device"


async def begin(request: web.Request, *budgets: Budget) -> Attempt:
    """Count an attempt; it may be given back.

    Raises:
        Refused: 429, when there were too many of late.
    """
    attempt = await services(request).throttle.begin(*budgets)
    if attempt.wait_s:
        raise Refused(429, "Too many attempts, try again later", "rate_limited", retry_after_s=attempt.wait_s)
    return attempt


@asynccontextmanager
async def trying(request: web.Request, *budgets: Budget) -> AsyncIterator[Attempt]:
    """Count an attempt that takes work on a password. Where there was no place for the work, it counts for none.

    Raises:
        Refused: 429, when there were too many of late; 503, when too many passwords are waiting to be worked on.
    """
    attempt = await begin(request, *budgets)
    try:
        yield attempt
    except PasswordsOverloaded as error:
        await services(request).throttle.give_back(attempt)
        raise overloaded(error) from None


def overloaded(error: PasswordsOverloaded) -> Refused:
    """The refusal for those who come while too many passwords are waiting to be worked on."""
    sentence = "Too many people are signing in, try again"
    return Refused(503, sentence, "overloaded", retry_after_s=error.retry_after_s)


def guesses(what: str, name: str) -> Budget:
    """The guesses that `name` has at `what`."""
    return Budget(f"{what}:{name}", GUESSES_MAX, GUESSES_WINDOW_S)


def logins_of(account: object) -> Budget:
    """The failed logins that strangers have together at an account, known or not."""
    return guesses("login", str(account))


def logins_from(request: web.Request) -> list[Budget]:
    """The failed logins that the address of this request has; none: as many as it likes."""
    return from_address(request, "address")


def from_address(request: web.Request, what: str) -> list[Budget]:
    """How often the address of this request may do `what`, a whole campus perhaps; none: as often as it likes."""
    attempts_max = services(request).settings.door.logins_per_address
    if attempts_max == 0:
        return []
    return [Budget(f"{what}:{neighbourhood(asked_by(request).address)}", attempts_max, ADDRESS_WINDOW_S)]


def digest(email: str) -> str:
    """What stands for an address that somebody typed: of one length, and nothing for curious readers of Redis."""
    return hashlib.sha256(email.encode()).hexdigest()


def device(request: web.Request) -> Device | None:
    """The browser that this request says to come from; whether anybody knows it is another question."""
    return shown_device(request.cookies.get(_name(request), ""))


def keep_device(request: web.Request, response: web.StreamResponse, kept: Device) -> None:
    """Have the browser known again."""
    settings: dict[str, Any] = {"path": "/", "httponly": True, "samesite": "Lax", "secure": is_under_tls(request)}
    response.set_cookie(_name(request), kept.secret, max_age=DEVICE_DURATION_S, **settings)


def _name(request: web.Request) -> str:
    return _COOKIE_TLS if is_under_tls(request) else _COOKIE

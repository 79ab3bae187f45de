"""The parts of a running server that its handlers use, made once in `server.app`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
from aiohttp import web

if TYPE_CHECKING:
    from server.passwords import Passwords
    from server.sessions import Sessions
    from server.settings import Settings


@dataclass
class Services:
    """What a handler reaches through `services(request)`. `now` gives the time in UTC."""

    settings: "Settings"
    now: Callable[[], datetime]
    database: asyncpg.Pool
    passwords: "Passwords"
    sessions: "Sessions"


SERVICES = web.AppKey("services", Services)


def services(request: web.Request) -> Services:
    """The parts of the server that handles this request."""
    return request.app[SERVICES]

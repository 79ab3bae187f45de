"""The parts of a running server that its handlers use, made once in `server.app`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
from aiohttp import web
from redis.asyncio import Redis

if TYPE_CHECKING:
    from server.passwords import Passwords
    from server.sessions import Sessions
    from server.settings import Settings
    from server.throttle import FailureThrottle


@dataclass
class Services:
    """What a handler reaches through `services(request)`.

    `now` gives the time in UTC. `redis` may be away at any time. `is_stopping` is set once the server drains.
    """

    settings: "Settings"
    now: Callable[[], datetime]
    database: asyncpg.Pool
    redis: Redis
    passwords: "Passwords"
    sessions: "Sessions"
    failed_logins: "FailureThrottle"
    is_stopping: bool = False


SERVICES = web.AppKey("services", Services)


def services(request: web.Request) -> Services:
    """The parts of the server that handles this request."""
    return request.app[SERVICES]

"""A small application around the real parts: the door, the envelope and the routes, with a clock for tests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient
from redis.asyncio import Redis

from server.door import origin, security_headers
from server.door.rate_limits import RateLimits
from server.ending import end
from server.engines import RedisAddress
from server.mail.outgoing import Outgoing
from server.mail.shelf import Shelf
from server.people.account_mails import AccountMails
from server.people.accounts import Accounts
from server.people.passwords import Passwords
from server.people.session_cache import SessionCache
from server.people.sessions import Sessions
from server.people.throttle import Throttle
from server.reads.shared_work import SharedQuestions
from server.rest import accounts as account_routes
from server.rest import auth, envelope, events, my_sessions, venues
from server.services import SERVICES, Services
from server.settings import Settings
from server.sockets.hub import Hub
from server.telemetry import health
from tests.conftest import REDIS_TEST_DATABASE
from tests.rows import add_customer
from tests.server.parts import own, shared_database, usher

__all__ = ["own", "shared_database", "usher"]

Client = TestClient[web.Request, web.Application]


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2031, 5, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)


def some_parts(**given: Any) -> Services:
    """A server's parts of which only those given are there."""
    missing = {part.name: None for part in fields(Services) if part.default is MISSING}
    given.setdefault("hub", Hub(lambda: datetime.now(UTC)))
    return Services(**missing | given)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


@pytest.fixture
async def sessions(database: asyncpg.Pool, redis_address: RedisAddress, clock: Clock) -> AsyncIterator[Sessions]:
    """Sessions whose cache is in use."""
    cache = SessionCache(redis_address, database=REDIS_TEST_DATABASE)
    await cache.healed()
    made = Sessions(database, cache, clock)
    yield made
    await made.close()


@pytest.fixture
async def rate_limits(redis: Redis, clock: Clock) -> AsyncIterator[RateLimits]:
    made = RateLimits(redis, lambda: clock().timestamp())
    yield made
    await made.close()


@pytest.fixture
def shelf(clock: Clock) -> Shelf:
    """Where the mails arrive."""
    return Shelf(clock)


@pytest.fixture
async def outgoing(shelf: Shelf) -> AsyncIterator[Outgoing]:
    """The line before the shelf, at work."""
    made = Outgoing(shelf)
    work = asyncio.create_task(made.run())
    yield made
    await end(work)


@pytest.fixture
def parts(
    database: asyncpg.Pool,
    redis: Redis,
    sessions: Sessions,
    passwords: Passwords,
    rate_limits: RateLimits,
    shelf: Shelf,
    outgoing: Outgoing,
    clock: Clock,
) -> Services:
    """The parts that these routes use; those of the sale are missing."""
    accounts, throttle = Accounts(database, sessions, clock), Throttle(redis, clock)
    return some_parts(
        settings=Settings(),
        now=clock,
        database=database,
        redis=redis,
        passwords=passwords,
        event_lists=SharedQuestions(),
        sessions=sessions,
        rate_limits=rate_limits,
        throttle=throttle,
        accounts=accounts,
        account_mails=AccountMails(database, accounts, outgoing, throttle, "https://tickets.example.org"),
        mail_shelf=shelf,
    )


@pytest.fixture
def app(parts: Services) -> web.Application:
    """The door, the envelope and these modules' routes; a test may add others."""
    made = web.Application(
        middlewares=[envelope.enveloped, origin.guarded], client_max_size=envelope.BODY_BYTES_MAX
    )
    made[SERVICES] = parts
    made.on_response_prepare.append(security_headers.prepare_response)
    for module in (auth, account_routes, my_sessions, events, venues):
        made.router.add_routes(module.operations.routes)
    made.router.add_routes(health.routes)
    return made


@pytest.fixture
async def client(app: web.Application, aiohttp_client: AiohttpClient) -> Client:
    """A browser-like client of the application: it keeps cookies."""
    return await aiohttp_client(app)


@pytest.fixture
async def session_id(database: asyncpg.Pool, sessions: Sessions) -> str:
    """The id of a live session of a customer called Ada."""
    return (await sessions.create(await add_customer(database, email="ada@example.org")))[0]


@pytest.fixture
def signed_in(session_id: str) -> dict[str, str]:
    """The headers of a request in that session."""
    return {origin.SESSION_HEADER: session_id}

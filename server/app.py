"""The composition root: every part of a server, made once, in order, and ended in the opposite order."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
import asyncpg
from aiohttp import web

from actors.ports import Ports
from actors.supervisor import Supervisor, SupervisorSettings
from server import demo, pages
from server.database import connect, connected, open_pool
from server.describing import routes as describing
from server.door.connections import Connections
from server.door.correlation import correlated, name_answer
from server.door.http_protocol import protocol_factory
from server.door.lobby_gate import LobbyGate, ProofOfWork, lobby_secret
from server.door.origin import guarded
from server.door.rate_limits import RateLimits
from server.door.request_heads import sound
from server.door.security_headers import prepare_response
from server.door.under_way import RequestsUnderWay
from server.door.verified_email import VerifiedEmail
from server.draws.heads import publish_for_ever
from server.draws.reading import PublishedDraws
from server.draws.rounds import Rounds
from server.ending import end
from server.engines import Engines, PostgresAddress, RedisAddress
from server.mail import dev_mail
from server.mail.outgoing import WRITERS, Outgoing
from server.mail.shelf import Shelf
from server.mail.wiring import mailer_for
from server.migrate import migrate
from server.mirror import NoFieldExpiry, RedisMirror
from server.node import Node
from server.payments.gateway import TestGateway
from server.payments.port import PaymentProvider
from server.payments.worker import PaymentWorker
from server.people.account_mails import AccountMails
from server.people.accounts import Accounts
from server.people.passwords import Passwords
from server.people.session_cache import SessionCache
from server.people.session_news import SessionNews
from server.people.sessions import Sessions
from server.people.throttle import Throttle
from server.reads.places import PlacesCache
from server.reads.shared_work import SharedQuestions
from server.redis_connection import open_redis
from server.rest import contract
from server.rest.envelope import BODY_BYTES_MAX, enveloped
from server.rest.keys_under_way import KeysUnderWay
from server.sales import Sales
from server.services import SERVICES, Services
from server.settings import Settings
from server.signing import SigningKeys
from server.sockets import connection
from server.sockets.command_pace import CommandPaces
from server.sockets.hub import Hub
from server.sockets.intake import Intake
from server.sockets.open_sockets import Sockets
from server.store import PostgresStore
from server.sweep import sweep_for_ever
from server.telemetry import health, scrape
from server.telemetry.metrics import Metrics
from server.telemetry.metrics_now import PartsCollector

log = logging.getLogger(__name__)

Say = Callable[[str], None]

POOL_CONNECTIONS_MAX = 20
FINISH_S = 2.0
"""How long requests under way may take to finish when the server stops."""


@asynccontextmanager
async def running_server(settings: Settings, say: Say) -> AsyncIterator["Server"]:
    """A server that takes requests: engines, migrations, demo data, parts, sockets. `say` hears what takes time."""
    async with AsyncExitStack() as stack:
        database_at, redis_at = await _engines(stack, settings, say)
        admin_password = await prepare_database(database_at, settings, say)
        parts = await stack.enter_async_context(running_parts(settings, database_at, redis_at))
        port = await stack.enter_async_context(listening(parts, settings))
        yield Server(parts, port, admin_password)


class Server:
    """A running server; `admin_password` is to be told once, at the first start of the demo."""

    def __init__(self, parts: Services, port: int, admin_password: str | None) -> None:
        self.parts = parts
        self.port = port
        self.admin_password = admin_password


@asynccontextmanager
async def running_parts(
    settings: Settings,
    database_at: PostgresAddress,
    redis_at: RedisAddress,
    provider: PaymentProvider | None = None,
    redis_database: int = 0,
) -> AsyncIterator[Services]:
    """The parts behind the handlers, at work. Redis may be away; PostgreSQL may not."""
    async with AsyncExitStack() as stack:
        pool = await open_pool(database_at, min_size=2, max_size=POOL_CONNECTIONS_MAX)
        stack.push_async_callback(_close_pool, pool)
        redis = open_redis(redis_at, database=redis_database)
        stack.push_async_callback(redis.aclose)
        counting = open_redis(redis_at, database=redis_database)
        stack.push_async_callback(counting.aclose)
        rate_limits = RateLimits(counting, time.monotonic)
        stack.push_async_callback(rate_limits.close)
        node = Node(settings.node_name, partial(connect, database_at))
        await node.start()
        stack.push_async_callback(node.stop)

        sessions = Sessions(pool, SessionCache(redis_at, database=redis_database), _now)
        stack.push_async_callback(sessions.close)
        sockets = Sockets(sessions.alive)
        sessions.on_end.append(sockets.end_session)
        session_news = SessionNews(partial(connect, database_at), sessions.ended, sockets.check)
        throttle = Throttle(redis, _now, is_on=settings.is_rate_limited)
        accounts = Accounts(pool, sessions, _now)
        verified_email = VerifiedEmail(pool, accounts, time.monotonic)
        mailer = mailer_for(settings, _now)
        outgoing = Outgoing(mailer)
        passwords = Passwords()
        stack.callback(passwords.close)

        mirror = await _mirror(stack, RedisMirror(redis))
        payments = PaymentWorker(provider or TestGateway())
        stack.push_async_callback(payments.stop)
        hub = Hub(_now)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        rounds = Rounds(http, pool, settings.beacon)
        stack.push_async_callback(rounds.stop)
        store = PostgresStore(pool, lambda: node.node_id, settings.beacon)
        stack.push_async_callback(store.close)
        metrics = Metrics()
        ports = Ports(store, mirror, hub, payments, node, metrics, rounds)
        supervisor = Supervisor(ports, SupervisorSettings())
        rounds.spoke = supervisor.beacon_spoke
        payments.settle = supervisor.settle
        hub.seating = supervisor.loaded
        stack.push_async_callback(supervisor.stop)
        signing_keys = SigningKeys(pool, _now)
        challenges = ProofOfWork(await lobby_secret(pool), _now) if settings.has_lobby_challenge else None
        parts = Services(
            settings=settings,
            now=_now,
            database=pool,
            redis=redis,
            passwords=passwords,
            sessions=sessions,
            rate_limits=rate_limits,
            command_paces=CommandPaces(time.monotonic, is_on=settings.is_rate_limited),
            intake=Intake(),
            throttle=throttle,
            accounts=accounts,
            account_mails=AccountMails(pool, accounts, outgoing, throttle, settings.public_origin or ""),
            mail_shelf=mailer if isinstance(mailer, Shelf) else None,
            node=node,
            supervisor=supervisor,
            hub=hub,
            sockets=sockets,
            sales=Sales(pool),
            places=PlacesCache(pool),
            event_lists=SharedQuestions(),
            keys_under_way=KeysUnderWay(),
            mirror=mirror,
            payments=payments,
            signing_keys=signing_keys,
            draws=PublishedDraws(pool, signing_keys),
            lobby_gate=LobbyGate([verified_email, *([challenges] if challenges else [])]),
            lobby_challenges=challenges,
            metrics=metrics,
        )
        metrics.registry.register(PartsCollector(parts))
        for work in (
            supervisor.run(),
            hub.run(),
            hub.customers.run(),
            sockets.run(),
            session_news.run(),
            *(outgoing.run() for _ in range(WRITERS)),
            sessions.run(),
            sweep_for_ever(parts),
            publish_for_ever(pool, settings.beacon),
        ):
            _spawn(stack, work)
        stack.push_async_callback(outgoing.finish)
        yield parts


class CannotListen(Exception):
    """The address is taken, not ours, or not allowed; the text tells the operator which."""


@asynccontextmanager
async def listening(parts: Services, settings: Settings) -> AsyncIterator[int]:
    """Take requests for these parts; gives the port. At the end everybody is sent away in order.

    Raises:
        CannotListen
    """
    runner = web.AppRunner(make_app(parts), access_log=None, shutdown_timeout=FINISH_S, handle_signals=False)
    await runner.setup()
    assert runner.server is not None
    connections = Connections(settings.door, time.monotonic)
    async with AsyncExitStack() as stack:
        _spawn(stack, connections.run())
        stack.push_async_callback(_leave, parts, runner)
        factory = protocol_factory(runner.server, connections)
        try:
            listener = await asyncio.get_running_loop().create_server(
                factory, settings.host, settings.port, backlog=4096
            )
        except OSError as problem:
            why = problem.strerror or str(problem)
            raise CannotListen(f"Cannot listen on {settings.host}, port {settings.port}: {why}") from problem
        stack.callback(listener.close)
        yield listener.sockets[0].getsockname()[1]


def make_app(parts: Services) -> web.Application:
    """The aiohttp application on these parts: routes and the door before them."""
    under_way = RequestsUnderWay()
    middlewares = [under_way.counted, correlated, enveloped, sound, guarded]
    app = web.Application(middlewares=middlewares, client_max_size=BODY_BYTES_MAX)
    app[SERVICES] = parts
    for api in (*contract.MODULES, describing):
        app.add_routes(api.operations.routes)
    for module in (health, scrape, connection):
        app.add_routes(module.routes)
    # Where a proxy may stand before us, whoever comes by it would look like somebody at this machine.
    has_proxy = parts.settings.public_origin is not None or bool(parts.settings.door.trusted_proxies)
    if parts.mail_shelf is not None and not has_proxy:
        app.add_routes(dev_mail.routes)
    pages.add_pages(app)
    app.on_response_prepare.extend((prepare_response, name_answer))
    app.on_shutdown.append(lambda _app: under_way.finish(FINISH_S))
    return app


async def prepare_database(at: PostgresAddress, settings: Settings, say: Say) -> str | None:
    """Migrate, and make the demo data if they are wanted; answers the demo admin's password if it is new.

    Raises:
        EngineError: PostgreSQL cannot be reached, or refuses us.
        MigrationError: the database does not fit this version.
    """
    async with connected(at) as connection:
        for name in await migrate(connection):
            say(f"applied {name}")
        if not settings.demo:
            return None
        passwords = Passwords()
        try:
            seeded = await demo.seed(connection, _now(), passwords.hash, settings.admin_password, say)
        finally:
            passwords.close()
        return seeded.admin_password


async def _engines(stack: AsyncExitStack, settings: Settings, say: Say) -> tuple[PostgresAddress, RedisAddress]:
    database_at, redis_at = settings.database, settings.redis
    if database_at is None or redis_at is None:
        engines = await Engines.start(
            settings.data_dir, postgres=database_at is None, redis=redis_at is None, progress=say
        )
        stack.push_async_callback(engines.stop)
        database_at, redis_at = database_at or engines.postgres, redis_at or engines.redis
    assert database_at is not None
    assert redis_at is not None
    return database_at, redis_at


async def _mirror(stack: AsyncExitStack, mirror: RedisMirror) -> RedisMirror:
    try:
        await mirror.start()
    except NoFieldExpiry as problem:
        log.warning("the holds are not mirrored: %s", problem)
    stack.push_async_callback(mirror.stop)
    return mirror


async def _leave(parts: Services, runner: web.AppRunner) -> None:
    """Send the sockets away, finish what is under way. Nobody is let in any more."""
    parts.is_stopping = True
    await parts.sockets.close_all()
    await runner.cleanup()


def _spawn(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    task.add_done_callback(_tell_if_it_died)
    stack.push_async_callback(end, task)


def _tell_if_it_died(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a part of the server died: %s", task.get_coro(), exc_info=task.exception())


async def _close_pool(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(2):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _now() -> datetime:
    return datetime.now(UTC)

"""The parts of a running server that its handlers use, made once in `server.app`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg
from aiohttp import web
from redis.asyncio import Redis

if TYPE_CHECKING:
    from actors.supervisor import Supervisor
    from server.door.lobby_gate import LobbyGate, ProofOfWork
    from server.door.rate_limits import RateLimits
    from server.draws.reading import PublishedDraws
    from server.mail.shelf import Shelf
    from server.mirror import RedisMirror
    from server.node import Node
    from server.payments.worker import PaymentWorker
    from server.people.account_mails import AccountMails
    from server.people.accounts import Accounts
    from server.people.passwords import Passwords
    from server.people.sessions import Sessions
    from server.people.throttle import Throttle
    from server.reads.places import PlacesCache
    from server.reads.shared_work import SharedQuestions
    from server.rest.keys_under_way import KeysUnderWay
    from server.sales import Sales
    from server.settings import Settings
    from server.signing import SigningKeys
    from server.sockets.command_pace import CommandPaces
    from server.sockets.hub import Hub
    from server.sockets.intake import Intake
    from server.sockets.open_sockets import Sockets
    from server.telemetry.metrics import Metrics


@dataclass
class Services:
    """What a handler reaches through `services(request)`.

    `now` gives the time in UTC. `redis` may be away at any time. `mail_shelf` is where the demo's mails are, None
    elsewhere. `lobby_challenges` is None where waiting rooms ask for none. `is_stopping` is set once the
    server drains.
    """

    settings: "Settings"
    now: Callable[[], datetime]
    database: asyncpg.Pool
    redis: Redis
    passwords: "Passwords"
    sessions: "Sessions"
    rate_limits: "RateLimits"
    command_paces: "CommandPaces"
    intake: "Intake"
    throttle: "Throttle"
    accounts: "Accounts"
    account_mails: "AccountMails"
    mail_shelf: "Shelf | None"
    node: "Node"
    supervisor: "Supervisor"
    hub: "Hub"
    sockets: "Sockets"
    sales: "Sales"
    places: "PlacesCache"
    event_lists: "SharedQuestions[bytes]"
    keys_under_way: "KeysUnderWay"
    mirror: "RedisMirror"
    payments: "PaymentWorker"
    signing_keys: "SigningKeys"
    draws: "PublishedDraws"
    lobby_gate: "LobbyGate"
    lobby_challenges: "ProofOfWork | None"
    metrics: "Metrics"
    is_stopping: bool = False

    def now_ms(self) -> int:
        """The time in Unix milliseconds."""
        return int(self.now().timestamp() * 1000)


SERVICES = web.AppKey("services", Services)


def services(request: web.Request) -> Services:
    """The parts of the server that handles this request."""
    return request.app[SERVICES]

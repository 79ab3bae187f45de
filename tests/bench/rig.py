"""What is measured: a server on a fresh data directory, and the naive design on the same engines."""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import msgspec
import psutil  # type: ignore[import-untyped]  # its types are no part of the locked tools

from bots.own_data import put_on_sale, sign_in
from bots.own_server import OwnServer, own_server
from server.database import connected
from server.engines import PostgresAddress
from tests.bench.bot import Broken
from tests.bench.child import child
from tests.bench.naive import Addresses
from tests.bench.orders import Bots
from tests.chaos.processes import UsherProcess

START_S = 30.0
TICKETS_MAX = 1_000_000


class Rig:
    """A server and, if wanted, the naive design beside it. Events and customers are known to both."""

    def __init__(self, server: OwnServer, naive_url: str | None) -> None:
        self.url = server.url
        self._naive_url = naive_url
        self.database: PostgresAddress = server.database
        self.server = psutil.Process(server.pid)
        self._own_server = server
        self._engines = UsherProcess(server.data_dir)
        self._sessions: list[str] = []
        self._events: dict[tuple[int, str], str] = {}
        self._naive_events: set[str] = set()

    @property
    def naive_url(self) -> str:
        """Where the naive design is. Raises Broken: not in this rig."""
        if self._naive_url is None:
            raise Broken("there is no naive design in this rig")
        return self._naive_url

    def another_naive(self) -> AbstractAsyncContextManager[str]:
        """A further process of the naive design, for as long as the block lasts; its address."""
        return naive_design(self._own_server)

    async def event(self, seats: int, use: str = "") -> str:
        """An event with so many seats; for the same `use`, the same one."""
        event_id = self._events.get((seats, use))
        if event_id is None:
            event_id = await put_on_sale(self.database, seats, max_tickets=TICKETS_MAX)
            self._events[seats, use] = event_id
        return event_id

    async def queued_event(self, seats: int, use: str) -> str:
        """The same, with a waiting room in which one customer shops at a time and all others are in line."""
        is_new = (seats, use) not in self._events
        event_id = await self.event(seats, use)
        if is_new:  # before the server has loaded it
            async with connected(self.database) as connection:
                await connection.execute(
                    "UPDATE event SET waiting_room_enabled = true, waiting_room_mode = 'fifo',"
                    " max_concurrent_shoppers = 1 WHERE id = $1",
                    event_id,
                )
        return event_id

    async def naive_event(self, seats: int, use: str = "") -> str:
        """The same event, known to the naive design, too."""
        event_id = await self.event(seats, use)
        if event_id not in self._naive_events:
            self._naive_events.add(event_id)
            async with connected(self.database) as connection:
                await connection.execute(
                    "INSERT INTO naive.seat SELECT $1::text::uuid, n FROM generate_series(0, $2 - 1) n",
                    event_id,
                    seats,
                )
        return event_id

    async def customers(self, count: int) -> list[str]:
        """The sessions of so many customers, always the same ones."""
        if (missing := count - len(self._sessions)) > 0:
            self._sessions += [one.session_id for one in await sign_in(self.database, missing)]
        return self._sessions[:count]

    async def bots(self, count: int, seats: int, events: int = 1, use: str = "") -> Bots:
        """The job of so many bots, spread over so many events of so many seats."""
        event_ids = [await self.event(seats, f"{use}{number}") for number in range(events)]
        return Bots(self.url, event_ids, seats, await self.customers(count))

    async def naive_bots(self, count: int, seats: int, use: str = "", url: str = "") -> Bots:
        """The same job, on one event of the naive design: of this one, or of that at `url`."""
        event_id = await self.naive_event(seats, f"{use}0")
        return Bots(url or self.naive_url, [event_id], seats, await self.customers(count))

    def cpu_s(self) -> dict[str, float]:
        """How long each part has been at work so far, s of CPU."""
        postgres = psutil.Process(self._engines.postgres_pid)
        return {
            "server": _cpu_s(self.server),
            "postgres": _cpu_s(postgres) + sum(_cpu_s(one) for one in postgres.children()),
            "valkey": _cpu_s(psutil.Process(self._engines.redis_pid)),
        }

    def memory_bytes(self) -> int:
        """What the server process has to itself."""
        return int(self.server.memory_full_info().uss)


class Cores:
    """How many cores each part has kept busy since this was made."""

    def __init__(self, rig: Rig, generator_pid: int | None = None) -> None:
        self._rig = rig
        self._generator = None if generator_pid is None else psutil.Process(generator_pid)
        self._began = time.monotonic()
        self._before = self._now()

    def spent_s(self) -> dict[str, float]:
        """Seconds of CPU."""
        return {name: after - self._before[name] for name, after in self._now().items()}

    def busy(self) -> dict[str, float]:
        """Cores."""
        took_s = time.monotonic() - self._began
        return {f"{name}_cores": spent / took_s for name, spent in self.spent_s().items()}

    def _now(self) -> dict[str, float]:
        found = self._rig.cpu_s()
        return found if self._generator is None else found | {"bots": _cpu_s(self._generator)}


def _cpu_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:  # a connection of PostgreSQL that has just ended
        return 0.0
    return float(times.user + times.system)


@asynccontextmanager
async def rig(*, naive: bool = False) -> AsyncIterator[Rig]:
    """Start it, and stop all of it at the end.

    Raises:
        BotError, Broken: something did not start.
    """
    async with own_server() as server:
        if not naive:
            yield Rig(server, None)
            return
        async with naive_design(server) as url:
            yield Rig(server, url)


@asynccontextmanager
async def naive_design(server: OwnServer) -> AsyncIterator[str]:
    """The naive design on the engines of this server; its address. Raises Broken."""
    async with child(sys.executable, "-m", "tests.bench.naive") as process:
        said = await process.ask(msgspec.json.encode(_addresses(server)), START_S)
        if not said.startswith(b"ready "):
            raise Broken(f"the naive design did not start: {said.decode()}")
        yield said.decode().split()[1]


def _addresses(server: OwnServer) -> Addresses:
    at, redis = server.database, UsherProcess(server.data_dir).redis
    assert redis.unix_socket is not None
    postgres = {"host": at.host, "port": at.port, "user": at.user, "password": at.password, "database": at.database}
    return Addresses(postgres, redis.unix_socket, redis.password)

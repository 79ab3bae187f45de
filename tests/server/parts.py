"""The real application on a real port, and a stranger's client of it, written from the two protocol pages alone.

Tests that leave the server as it was share one per module (`usher`, with `pytestmark = SHARED`): each makes an
event and customers of its own. The others have a server of their own (`own`, or `running`).
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
import pytest_asyncio

from protocol.seat_map import Category, Row, SeatMap, Section
from server.app import listening, running_parts
from server.door.door_settings import DoorSettings
from server.draws.beacon_address import BeaconAddress
from server.engines import PostgresAddress, RedisAddress
from server.payments.port import Charge, Collected, Declined, PaymentProvider, ProviderAway
from server.plans.publish import PublishedSeats, publish, published_seats
from server.services import Services
from server.settings import Settings
from tests.conftest import REDIS_TEST_DATABASE
from tests.databases import Databases
from tests.rows import UNHURRIED, add_customer, add_venue

SHARED = pytest.mark.asyncio(loop_scope="module")
"""The mark of tests that use the server of their module."""

DEADLINE_S = 10.0
"""How long a test waits for what must come; far more than it takes."""

Json = dict[str, Any]

FLOOR = range(20)
STAND = range(20, 100)
BALCONY = range(100, 200)
BLOCKED = (98, 99)
SEAT_COUNT = 200
"""The hall: 2 rows of 10 for 350, 4 rows of 20 for 99.50, 5 rows of 20 for 40; two seats are not for sale."""


@cache
def hall() -> PublishedSeats:
    """The seats of the hall, ready to be published."""
    floor = tuple(Row(label, 10, 0, line=(-50, 40 + 12 * k, 10, 0)) for k, label in enumerate("AB"))
    stand = tuple(
        Row(label, 20, 1, line=(-100, 100 + 12 * k, 10, 0), blocked=(18, 19) if label == "D" else ())
        for k, label in enumerate("ABCD")
    )
    balcony = tuple(
        Row(label, 20, 2, line=(-100, 200 + 12 * k, 10, 0), accessible=(0, 1) if label == "A" else ())
        for k, label in enumerate("ABCDE")
    )
    return published_seats(
        SeatMap(
            name="The Hall",
            bounds=(-150, 0, 300, 300),
            focal=(0, 0),
            categories=(
                Category("VIP", "vip", 350_00),
                Category("Premium", "premium", 99_50),
                Category("Economy", "economy", 40_00),
            ),
            sections=(
                Section("Floor", floor, (0, 45)),
                Section("Stand", stand, (0, 120)),
                Section("Balcony", balcony, (0, 230)),
            ),
        )
    )


class Customer(NamedTuple):
    """An account with a live session."""

    id: str
    session_id: str

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Session-Id": self.session_id}


class Reply(NamedTuple):
    """An answer over REST."""

    status: int
    body: Json
    raw: bytes
    headers: Any

    @property
    def data(self) -> Any:
        """What succeeded."""
        assert self.body["success"] is True, self.body
        return self.body["data"]

    @property
    def refusal(self) -> tuple[int, str, str]:
        """Status, sentence and code of what was refused."""
        assert self.body["success"] is False, self.body
        return self.status, self.body["error"], self.body["code"]


class Usher:
    """A server in this process that takes requests, and what one may ask of it."""

    def __init__(self, parts: Services, url: str, http: aiohttp.ClientSession) -> None:
        self.parts = parts
        self.url = url
        self.http = http

    @property
    def database(self) -> asyncpg.Pool:
        return self.parts.database

    async def customer(self, name: str = "Ada") -> Customer:
        """A new account, signed in."""
        customer_id = await add_customer(self.database, name=name)
        return await self.sign_in(customer_id)

    async def sign_in(self, customer_id: UUID | str) -> Customer:
        """A further session of an account."""
        session_id, _ = await self.parts.sessions.create(UUID(str(customer_id)))
        return Customer(str(customer_id), session_id)

    async def event(self, **how: Any) -> str:
        """A new event in the hall, on sale unless told otherwise; see `add_show`."""
        return await add_show(self.database, **how)

    async def rest(
        self,
        method: str,
        path: str,
        body: Any = None,
        by: Customer | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request under `/api/v1`; `body` is sent as JSON, or as it is when it is bytes."""
        kind: Json = {"data": body} if isinstance(body, bytes) else {"json": body}
        sent = (by.headers if by is not None else {}) | (headers or {})
        if isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
        async with self.http.request(method, f"{self.url}/api/v1{path}", headers=sent, **kind) as answer:
            raw = await answer.read()
            return Reply(answer.status, await answer.json(), raw, answer.headers)

    async def reserve(self, event_id: str, seats: list[int], by: Customer) -> Reply:
        """Hold seats over REST."""
        body = {"seat_ids": [str(seat) for seat in seats]}
        return await self.rest("POST", f"/seats/{event_id}/reserve", body, by)

    async def buy(self, by: Customer, method: str = "card", key: str | None = None, **fields: Any) -> Reply:
        """Check out over REST."""
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.rest("POST", "/checkout", {"payment_method": method} | fields, by, headers)

    def socket(self, event_id: str, by: Customer | None = None, **how: Any) -> "Socket":
        """A socket on an event, to be used as a context manager; `how` is for `ws_connect`."""
        how.setdefault("protocols", ("usher.v1",))
        if by is not None:
            how["headers"] = by.headers | how.get("headers", {})
        return Socket(self.http, f"{self.url}/ws/events/{event_id}{how.pop('query', '')}", how)

    async def revision_of(self, event_id: str) -> int:
        """How many batches of this event are committed."""
        query = "SELECT revision FROM event_head WHERE event_id = $1"
        return int(await self.database.fetchval(query, UUID(event_id)))

    async def unload(self, event_id: str) -> None:
        """Stop the event's manager; the next command or the scan loads it again, perhaps in the same moment."""
        stopped = self.parts.supervisor.loaded(event_id)
        for manager in self.parts.supervisor.managers:
            if manager.claim.event_id == event_id:
                manager.stop()
        await until(lambda: stopped is None or self.parts.supervisor.loaded(event_id) is not stopped)

    async def age_holds(self, event_id: str, seconds: float) -> None:
        """Make the holds of an event older, and have it loaded anew."""
        await self.database.execute(
            "UPDATE hold SET started_at = started_at - $2::interval, changed_at = changed_at - $2::interval,"
            " expires_at = expires_at - $2::interval WHERE event_id = $1",
            UUID(event_id),
            timedelta(seconds=seconds),
        )
        await self.unload(event_id)

    async def seat_states(self, event_id: str) -> list[int]:
        """The states as PostgreSQL has them."""
        rows = await self.database.fetch(
            "SELECT state FROM seat WHERE event_id = $1 ORDER BY seat_index", UUID(event_id)
        )
        return [row["state"] for row in rows]


class Socket:
    """One socket of a stranger: JSON in, JSON out, and the map by the client's rule."""

    _numbers = count(1)

    def __init__(self, http: aiohttp.ClientSession, url: str, how: Json) -> None:
        self._http = http
        self._url = url
        self._how = how
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self.ws: aiohttp.ClientWebSocketResponse
        self.frames: list[Json] = []
        """All that came, in order."""
        self.close_code: int | None = None
        self.epoch = ""
        self.revision = -1
        self.states: list[int] = []

    async def __aenter__(self) -> Self:
        self.ws = await self._http.ws_connect(self._url, **self._how)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.ws.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    async def send(self, **fields: Any) -> None:
        """Send these fields as they are."""
        await self.ws.send_json(fields)

    async def ask(self, kind: str, command_id: str | None = None, **fields: Any) -> Json:
        """Send a command and wait for its answer; without an id, one that is new."""
        if command_id is None:
            command_id = f"c{next(self._numbers)}"
        since = len(self.frames)
        await self.send(type=kind, id=command_id, **fields)
        return await self.seen("accepted", "rejected", since=since, id=command_id)

    async def open(self, **position: Any) -> list[Json]:
        """Open, and answer the frames that this brought, up to and with the patch or snapshot."""
        await self.seen("welcome")
        since = len(self.frames)
        await self.send(type="open", **position)
        last = await self.seen("patch", "snapshot", since=since)
        return self.frames[since : self.frames.index(last, since) + 1]

    async def seen(self, *kinds: str, since: int = 0, **fields: Any) -> Json:
        """The first frame of one of these types with these fields, as soon as it has come."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for frame in self.frames[since:]:
                    if frame["type"] in kinds and all(frame.get(name) == value for name, value in fields.items()):
                        return frame
                assert self.close_code is None, f"closed with {self.close_code}: {self.frames[since:]}"
                self._news.clear()
                await self._news.wait()

    async def settled(self) -> None:
        """Wait until the server has answered all that was sent before."""
        number = next(self._numbers)
        await self.send(type="ping", at=number)
        await self.seen("pong", at=number)

    async def at_revision(self, revision: int) -> None:
        """Wait until the map is that new."""
        async with asyncio.timeout(DEADLINE_S):
            while self.revision < revision:
                assert self.close_code is None, f"closed with {self.close_code}"
                self._news.clear()
                await self._news.wait()

    async def closed(self) -> int | None:
        """Wait for the end; its close code. Raises what a frame that must not be there raised."""
        assert self._reader is not None
        async with asyncio.timeout(DEADLINE_S):
            await self._reader
        return self.close_code

    def of(self, kind: str) -> list[Json]:
        """The frames of one type."""
        return [frame for frame in self.frames if frame["type"] == kind]

    async def _read(self) -> None:
        try:
            async for message in self.ws:
                assert message.type is aiohttp.WSMsgType.TEXT
                self._take(message.json())
                self._news.set()
        finally:
            self.close_code = self.ws.close_code
            self._news.set()

    def _take(self, frame: Json) -> None:
        self.frames.append(frame)
        if frame["type"] == "welcome":
            self.states = [-1] * frame["seat_count"]
        elif frame["type"] == "snapshot":
            self.epoch, self.revision = frame["epoch"], frame["revision"]
            self.states = unpacked(frame["seats"], len(self.states))
        elif frame["type"] == "patch" and frame["epoch"] == self.epoch and frame["revision"] > self.revision:
            assert frame["base"] <= self.revision, f"{frame} leaves a gap after {self.revision}"
            for state, name in enumerate(("available", "held", "sold", "blocked")):
                for seat in frame.get(name, ()):
                    self.states[seat] = state
            self.revision = frame["revision"]


def unpacked(seats: str, seat_count: int) -> list[int]:
    """A snapshot's seats: 2 bits a seat in index order, low bits first; the spare bits are 0."""
    raw = base64.b64decode(seats, validate=True)
    assert len(raw) == (seat_count + 3) // 4
    states = [byte >> (2 * part) & 3 for byte in raw for part in range(4)]
    assert not any(states[seat_count:])
    return states[:seat_count]


class Till(PaymentProvider):
    """A provider with a ledger of its own. It answers at once, unless its `is_open` is cleared.

    `moods` are consumed one per call: an exception raised before the money is taken.
    """

    def __init__(self) -> None:
        self.asked: list[Charge] = []
        self.ledger: dict[str, int] = {}
        self.moods: list[Exception] = []
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.loses_answers = 0
        """So many times the money is taken and the answer gets lost."""

    async def collect(self, charge: Charge) -> Collected | Declined:
        self.asked.append(charge)
        await self.is_open.wait()
        if self.moods:
            raise self.moods.pop(0)
        if charge.payment_method == "decline":
            return Declined("the card was declined")
        assert self.ledger.setdefault(charge.key, charge.amount_cents) == charge.amount_cents
        if self.loses_answers:
            self.loses_answers -= 1
            raise ProviderAway("the answer got lost")
        return Collected(f"till-{charge.key}")


async def add_show(
    database: asyncpg.Pool,
    *,
    max_tickets: int = 4,
    on_sale_in: timedelta = timedelta(days=-1),
    event_in: timedelta = timedelta(days=30),
    stage: str = "scheduled",
    seats: PublishedSeats | None = None,
    room: str | None = None,
    shoppers: int = 500,
) -> str:
    """A new event with its seats, in the hall unless others are given; `room` is the mode of its waiting room."""
    now, event_id = datetime.now(UTC), uuid4()
    venue_id = await add_venue(database)
    async with database.acquire() as connection, connection.transaction():
        await connection.execute(UNHURRIED)
        await connection.execute(
            "INSERT INTO event (id, name, venue_id, artist, category, event_at, on_sale_at, stage,"
            " max_tickets_per_user, created_at, updated_at, waiting_room_enabled, waiting_room_mode,"
            " max_concurrent_shoppers)"
            " VALUES ($1, 'The Show', $2, 'The Band', 'concert', $3, $4, $5, $6, $7, $7, $8, $9, $10)",
            event_id,
            venue_id,
            now + event_in,
            now + on_sale_in,
            stage,
            max_tickets,
            now,
            room is not None,
            room or "draw",
            shoppers,
        )
        await publish(connection, event_id, seats or hall(), now)
    return str(event_id)


@asynccontextmanager
async def running(
    database_at: PostgresAddress,
    redis_at: RedisAddress,
    provider: PaymentProvider | None = None,
    node_name: str = "test",
    *,
    is_rate_limited: bool = False,
    door: DoorSettings | None = None,
    beacon: BeaconAddress | None = None,
) -> AsyncIterator[Usher]:
    """A server of one's own."""
    settings = Settings(
        port=0,
        demo=False,
        database=database_at,
        redis=redis_at,
        node_name=node_name,
        is_rate_limited=is_rate_limited,
        door=door or DoorSettings(),
        beacon=beacon,
    )
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()) as http,
        running_parts(settings, database_at, redis_at, provider, REDIS_TEST_DATABASE) as parts,
        listening(parts, settings) as port,
    ):
        yield Usher(parts, f"http://127.0.0.1:{port}", http)


async def until(claim: Callable[[], Awaitable[bool]] | Callable[[], bool], deadline_s: float = DEADLINE_S) -> None:
    """Wait until a claim about the world is true."""
    async with asyncio.timeout(deadline_s):
        while True:
            found = claim()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def shared_database(databases: Databases) -> Iterator[PostgresAddress]:
    """A database for the tests of one module."""
    address = databases.take()
    yield address
    databases.give_back(address)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def usher(shared_database: PostgresAddress, redis_server: RedisAddress) -> AsyncIterator[Usher]:
    """A server for the tests of one module, which are marked `SHARED`."""
    async with running(shared_database, redis_server) as server:
        yield server


@pytest_asyncio.fixture
async def own(database_address: PostgresAddress, redis_address: RedisAddress) -> AsyncIterator[Usher]:
    """A server for one test alone."""
    async with running(database_address, redis_address) as server:
        yield server

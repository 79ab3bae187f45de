"""A customer's way in: an account over REST, and a socket that watches one event and sends commands."""

import asyncio
from itertools import count
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec

from bots.watched_map import Outcome, WatchedMap
from protocol.inbound import Command, Open
from protocol.limits import SUBPROTOCOL
from protocol.outbound import Accepted, HoldNow, OrderNow, Patch, Rejected, Snapshot, Welcome, decode

ANSWER_S = 30.0
SIGN_UP_TRIES = 60

_encode = msgspec.json.Encoder().encode


class BotError(Exception):
    """The server did something that the contract does not allow, or did not answer."""


class Rest:
    """The REST side of a server, for one customer at a time: `session_id` is sent once it is known."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http = http
        self.url = url.rstrip("/")

    async def call(
        self, method: str, path: str, body: object = None, session_id: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and envelope of one request under `/api/v1`."""
        headers = {} if session_id is None else {"X-Session-Id": session_id}
        async with self.http.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def sign_up(self, email: str, password: str, name: str) -> str:
        """Make an account if it is new, sign in; answers the session id. Waits where the server is overloaded."""
        account = {"email": email, "password": password, "name": name}
        status, envelope = await self._patiently("/auth/register", account)
        if status != 201 and envelope.get("code") != "user_exists":
            raise BotError(f"register: {status} {envelope}")
        status, envelope = await self._patiently("/auth/login", {"email": email, "password": password})
        if status != 200:
            raise BotError(f"login: {status} {envelope}")
        return str(envelope["data"]["sessionId"])

    async def _patiently(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        for attempt in range(SIGN_UP_TRIES):
            status, envelope = await self.call("POST", path, body)
            if status not in (429, 503):
                return status, envelope
            await asyncio.sleep(min(2.0, 0.1 * (attempt + 1)))
        raise BotError(f"{path} stayed overloaded")


class EventSocket:
    """One socket on one event. Use as a context manager; `open` begins to watch."""

    def __init__(self, rest: Rest, event_id: str, session_id: str | None = None) -> None:
        self._rest = rest
        self._event_id = event_id
        self._session_id = session_id
        self._answers: dict[str, asyncio.Future[Accepted | Rejected]] = {}
        self._ids = count(1)
        self._reader: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._ws: aiohttp.ClientWebSocketResponse
        self.map = WatchedMap(0)
        self.hold: HoldNow | None = None
        self.orders: list[OrderNow] = []
        self.reopened = 0
        self.changed = asyncio.Event()
        """Set at every change of the map; whoever waits for it clears it."""

    async def __aenter__(self) -> Self:
        query = ""
        if self._session_id is not None:
            status, envelope = await self._rest.call("POST", "/auth/ws-ticket", session_id=self._session_id)
            if status != 200:
                raise BotError(f"ws-ticket: {status} {envelope}")
            query = f"?ticket={envelope['data']['ticket']}"
        url = f"{self._rest.url}/ws/events/{self._event_id}{query}".replace("http", "ws", 1)
        self._ws = await self._rest.http.ws_connect(url, protocols=(SUBPROTOCOL,), max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._ws.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    @property
    def close_code(self) -> int | None:
        """Why the socket was closed, once it is."""
        return self._ws.close_code

    async def open(self) -> None:
        """Begin to watch; returns when the map is there."""
        await self._send(Open())
        async with asyncio.timeout(ANSWER_S):
            await self._opened.wait()

    def new_id(self) -> str:
        """A command id that this socket has not used."""
        return f"bot-{id(self):x}-{next(self._ids)}"

    async def ask(self, command: Command) -> Accepted | Rejected:
        """Send a command and wait for its answer."""
        answer = self._answers[command.id] = asyncio.get_running_loop().create_future()
        try:
            await self._send(command)
            async with asyncio.timeout(ANSWER_S):
                got: Accepted | Rejected = await answer
                return got
        finally:
            self._answers.pop(command.id, None)

    async def _send(self, command: Command | Open) -> None:
        await self._ws.send_str(_encode(command).decode())

    async def _read(self) -> None:
        try:
            async for frame in self._ws:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    await self._take(decode(frame.data))
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(BotError(f"the socket was closed with {self._ws.close_code}"))

    async def _take(self, message: object) -> None:
        if isinstance(message, Accepted | Rejected):
            answer = self._answers.get(message.id)
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif isinstance(message, Patch):
            if self.map.take(message) is Outcome.REOPEN:
                self.reopened += 1
                await self._send(Open(self.map.epoch, self.map.revision))
            self._now_open()
        elif isinstance(message, Snapshot):
            self.map.load(message)
            self._now_open()
        elif isinstance(message, Welcome):
            self.map = WatchedMap(message.seat_count)
        elif isinstance(message, HoldNow):
            self.hold = message
        elif isinstance(message, OrderNow):
            self.orders.append(message)

    def _now_open(self) -> None:
        self._opened.set()
        self.changed.set()

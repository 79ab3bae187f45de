"""One socket that watches one event and sends commands. It ends with its connection; `SteadySocket` comes back."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar, get_args

import aiohttp
import msgspec

from bots.rest import BotError, Rest, ServerAway
from bots.watched_map import MapCheck, Outcome, WatchedMap, WrongMap
from protocol.inbound import Command, Open
from protocol.limits import SUBPROTOCOL
from protocol.outbound import (
    Accepted,
    Heartbeat,
    HoldNow,
    Outbound,
    Patch,
    Rejected,
    Resync,
    Snapshot,
    Welcome,
    decode,
)

ANSWER_S = 30.0
AT_REST_S = 2.0
"""No patch is folded for so long."""
CLOSE_S = 0.5

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


class EventSocket:
    """Use as a context manager; `open` begins to watch.

    `seat_map` is the map of an earlier socket, from which `open` resumes. `on_change` is called at every change
    of the map. Entering raises BotError or ServerAway.
    """

    def __init__(
        self,
        rest: Rest,
        event_id: str,
        session_id: str | None = None,
        *,
        seat_map: WatchedMap | None = None,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self.map = seat_map or WatchedMap(0)
        self.hold: HoldNow | None = None
        self.reopened = 0
        """How often a patch could not be taken, or was missed."""
        self.closed = asyncio.Event()
        self.failure: Exception | None = None
        """What the server said that it must not say."""
        self._rest = rest
        self._event_id = event_id
        self._session_id = session_id
        self._on_change = on_change
        self._awaited: set[asyncio.Future[Any]] = set()
        self._answers: dict[str, asyncio.Future[Accepted | Rejected]] = {}
        self._opened: asyncio.Future[None] | None = None
        self._is_reopening = False
        self._is_resyncing = False
        self._check_asked: asyncio.Future[MapCheck] | None = None
        self._check: MapCheck | None = None
        self._heard = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._ws: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        ticket = None if self._session_id is None else await self._rest.ws_ticket(self._session_id)
        query = "" if ticket is None else f"?ticket={ticket}"
        url = f"{self._rest.url}/ws/events/{self._event_id}{query}".replace("http", "ws", 1)
        timeout = aiohttp.ClientWSTimeout(ws_close=CLOSE_S)
        try:
            self._ws = await self._rest.http.ws_connect(
                url, protocols=(SUBPROTOCOL,), max_msg_size=0, timeout=timeout
            )
        except aiohttp.WSServerHandshakeError as problem:
            kind = BotError if problem.status < 500 else ServerAway
            raise kind(f"the handshake was answered with {problem.status}") from problem
        except (aiohttp.ClientError, OSError, TimeoutError) as problem:
            raise ServerAway(f"no socket: {type(problem).__name__} {problem}") from problem
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The reader first: a close that is cancelled while somebody reads leaves the connection behind.
        try:
            if self._reader is not None:
                self._reader.cancel()
                await asyncio.gather(self._reader, return_exceptions=True)
        finally:
            await self._ws.close()

    @property
    def close_code(self) -> int | None:
        """Why the socket was closed, once it is."""
        return self._ws.close_code

    async def open(self) -> None:
        """Begin to watch, from the map's position if it has one; returns when the map is there."""
        self._opened = self._promise()
        await self._send_open()
        await self._kept(self._opened, ANSWER_S)

    async def ask(self, command: Command, answer_s: float = ANSWER_S) -> Accepted | Rejected:
        """Send a command and wait for its answer.

        Raises:
            ServerAway: the socket broke off, or no answer came within `answer_s`.
            BotError: something came that the protocol does not allow.
        """
        answer: asyncio.Future[Accepted | Rejected] = self._promise()
        self._answers[command.id] = answer
        try:
            await self._send(command)
            return await self._kept(answer, answer_s)
        finally:
            self._answers.pop(command.id, None)

    async def check_map(self) -> None:
        """Ask for a snapshot and compare it with the map that patches have made.

        Raises:
            BotError: they differ.
            ServerAway: the socket broke off.
        """
        try:
            while True:
                self._check_asked = self._promise()
                await self._send(Open())
                check = await self._kept(self._check_asked, ANSWER_S)
                while self._check is check:
                    self._heard.clear()
                    if check.is_done(at_rest=not await self._hears_something()):
                        return
        except WrongMap as problem:
            raise BotError(str(problem)) from problem
        finally:
            self._check = self._check_asked = None

    async def _hears_something(self) -> bool:
        if self._check is not None and self._check.is_done():
            return True
        if self.closed.is_set():
            raise ServerAway("the socket was closed")
        try:
            async with asyncio.timeout(AT_REST_S):
                return await self._heard.wait()
        except TimeoutError:
            return False

    def _promise(self) -> asyncio.Future[Any]:
        """Something that the reader brings, or its end."""
        future = asyncio.get_running_loop().create_future()
        if self.closed.is_set():
            future.set_exception(self._why_closed())
        self._awaited.add(future)
        return future

    async def _kept(self, promise: asyncio.Future[T], seconds: float) -> T:
        try:
            async with asyncio.timeout(seconds):
                return await promise
        except TimeoutError:
            raise ServerAway(f"no answer in {seconds} s") from None
        finally:
            self._awaited.discard(promise)

    def _why_closed(self) -> Exception:
        if self.failure is not None:
            return BotError(f"{type(self.failure).__name__}: {self.failure}")
        return ServerAway(f"the socket was closed with {self.close_code}")

    async def _send_open(self) -> None:
        seats = self.map
        await self._send(Open() if seats.revision < 0 else Open(seats.epoch, seats.revision))

    async def _send(self, command: Command | Open) -> None:
        try:
            await self._ws.send_str(_encode(command).decode())
        except (aiohttp.ClientError, OSError) as problem:
            raise ServerAway(f"the socket is closed: {problem}") from problem

    async def _read(self) -> None:
        try:
            async for frame in self._ws:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    await self._take(_decoded(frame.data))
        except ServerAway:
            pass
        except Exception as problem:  # whatever it is, whoever waits is to know
            self.failure = problem
        finally:
            self.closed.set()
            self._heard.set()
            for promise in self._awaited:
                if not promise.done():
                    promise.set_exception(self._why_closed())
                    promise.exception()

    async def _take(self, message: object) -> None:
        if isinstance(message, Accepted | Rejected):
            answer = self._answers.get(message.id)
            if answer is not None and not answer.done():
                answer.set_result(message)
        elif isinstance(message, Patch):
            await self._take_patch(message)
        elif isinstance(message, Snapshot):
            self._take_snapshot(message)
        elif isinstance(message, Resync):
            self._is_resyncing = True
        elif isinstance(message, Heartbeat):
            if self._opened is not None and self._is_missing_something(message):
                await self._reopen()
        elif isinstance(message, Welcome):
            if len(self.map.states) != message.seat_count:
                self.map = WatchedMap(message.seat_count)
        elif isinstance(message, HoldNow):
            self.hold = message

    async def _take_patch(self, patch: Patch) -> None:
        if self.map.take(patch) is Outcome.REOPEN:
            await self._reopen()
            return
        if self._check is not None:
            self._check.take(patch)
        self._now_there()

    def _take_snapshot(self, snapshot: Snapshot) -> None:
        asked = self._check_asked
        if asked is not None and not asked.done() and not self._is_resyncing and self.map.revision >= 0:
            self._check = MapCheck(self.map, snapshot)
            asked.set_result(self._check)
        else:
            self._check = None  # what it compares is gone
            self.map.load(snapshot)
        self._is_resyncing = False
        self._now_there()

    def _is_missing_something(self, beat: Heartbeat) -> bool:
        return beat.epoch != self.map.epoch or beat.revision > self.map.revision

    async def _reopen(self) -> None:
        if not self._is_reopening:
            self._is_reopening = True
            self.reopened += 1
            await self._send_open()

    def _now_there(self) -> None:
        self._is_reopening = False
        self._heard.set()
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
        if self._on_change is not None:
            self._on_change()


class _Head(msgspec.Struct):
    type: str


_head_decoder = msgspec.json.Decoder(_Head)
_KNOWN = {kind.__struct_config__.tag for kind in get_args(Outbound)}


def _decoded(frame: str) -> object:
    """The message in a frame; None: of a type that this client does not know, which it ignores.

    Raises:
        msgspec.DecodeError: the protocol does not allow this frame.
    """
    try:
        return decode(frame)
    except msgspec.ValidationError:
        if _head_decoder.decode(frame).type in _KNOWN:
            raise
        return None

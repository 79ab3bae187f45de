"""One socket that watches one event and sends commands. It ends with its connection; `SteadySocket` comes back.

It is written with callbacks: a frame costs no task and no waking up, so that one process can be a thousand bots.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from bots.decoding import decoded
from bots.handshake import shake_hands
from bots.rest import BotError, Diverged, Rest, ServerAway
from bots.watched_map import MapCheck, Outcome, Pictures, WatchedMap, WrongMap
from protocol.inbound import Command, Open
from protocol.limits import HEARTBEAT_S
from protocol.outbound import (
    Answer,
    Heartbeat,
    HoldNow,
    HoldReason,
    LineNow,
    Patch,
    QueueNow,
    Resync,
    Snapshot,
    Welcome,
)

ANSWER_S = 30.0
QUIET_S = 1.0
"""Who compares maps waits for so long for the patch that makes them one position."""
SILENCE_MAX_S = 2.5 * HEARTBEAT_S
CLOSE_S = 0.5
NO_CLOSE_FRAME = 1006

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


class EventSocket(WSListener):
    """Use as a context manager; `open` begins to watch.

    seat_map: the map of an earlier socket, from which `open` resumes
    pictures: what this socket's map shares with those of others
    on_change: called at every change of the map
    on_answer: called with every answer to a command, and the frame that it was
    on_line: called with what is told of the line, and of this customer's place in it

    Entering raises BotError or ServerAway.
    """

    def __init__(
        self,
        rest: Rest,
        event_id: str,
        session_id: str | None = None,
        *,
        seat_map: WatchedMap | None = None,
        pictures: Pictures | None = None,
        on_change: Callable[[], None] | None = None,
        on_answer: Callable[[Answer, bytes], None] | None = None,
        on_line: Callable[[QueueNow | LineNow], None] | None = None,
    ) -> None:
        self.map = seat_map or WatchedMap(0, pictures)
        self.user_id: str | None = None
        """Whose socket it is, by the server's welcome."""
        self.clock_ahead_s = 0.0
        """How far the server's clock is ahead of ours."""
        self.closed = asyncio.Event()
        self.close_code: int | None = None
        """Why the server has closed it, once it has; 1006 when it broke off without a word."""
        self.failure: Exception | None = None
        """What the server said that it must not say."""
        self._rest = rest
        self._event_id = event_id
        self._session_id = session_id
        self._pictures = pictures
        self._on_change = on_change
        self._on_answer = on_answer
        self._on_line = on_line
        self._awaited: set[asyncio.Future[Any]] = set()
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._opened: asyncio.Future[None] | None = None
        self._is_reopening = False
        self._is_resyncing = False
        self.resynced = 0
        """How often the server had no patch for our position."""
        self._hold_asked: asyncio.Future[HoldNow] | None = None
        self._hold_shown: HoldNow | None = None
        self._check_asked: asyncio.Future[MapCheck] | None = None
        self._check: MapCheck | None = None
        self._heard = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._heard_at = self._loop.time()
        self._transport: WSTransport

    async def __aenter__(self) -> Self:
        ticket = None if self._session_id is None else await self._rest.ws_ticket(self._session_id)
        query = "" if ticket is None else f"?ticket={ticket}"
        url = f"{self._rest.url}/ws/events/{self._event_id}{query}".replace("http", "ws", 1)
        await shake_hands(self, url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self._transport.is_disconnected:
                self._transport.send_close()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_S):
                        await self.closed.wait()
        finally:
            self._transport.disconnect(graceful=False)

    async def open(self) -> None:
        """Begin to watch, from the map's position if it has one; returns when the map is there."""
        self._opened = self._promise()
        self._send_open()
        await self._kept(self._opened, ANSWER_S)

    def tell(self, command: Command) -> None:
        """Send a command; its answer is for `on_answer`. Raises ServerAway when the socket is closed."""
        self._send(command)

    async def ask(self, command: Command, answer_s: float = ANSWER_S) -> Answer:
        """Send a command and wait for its answer.

        Raises:
            ServerAway: the socket broke off, or no answer came within `answer_s`.
            BotError: something came that the protocol does not allow.
        """
        answer: asyncio.Future[Answer] = self._promise()
        self._answers[command.id] = answer
        try:
            self._send(command)
            return await self._kept(answer, answer_s)
        finally:
            self._answers.pop(command.id, None)

    async def check_map(self) -> None:
        """Ask for a snapshot and compare it with the map that patches have made.

        Raises:
            BotError: they differ.
            ServerAway: the socket broke off, or what was asked for did not come.
        """
        silent_s = self._loop.time() - self._heard_at
        if silent_s > SILENCE_MAX_S:
            raise Diverged(f"nothing was sent for {silent_s:.0f} s, not even a heartbeat")
        try:
            async with asyncio.timeout(ANSWER_S):
                while not await self._is_checked():
                    pass
        except TimeoutError:
            raise ServerAway(f"no map to compare in {ANSWER_S} s") from None
        except WrongMap as problem:
            raise Diverged(str(problem)) from problem
        finally:
            self._check = self._check_asked = None

    async def _is_checked(self) -> bool:
        """Compare with one snapshot; False: a resync has come between."""
        self._check_asked = self._promise()
        self._send(Open())
        check = await self._kept(self._check_asked, ANSWER_S)
        while self._check is check:
            self._heard.clear()
            if check.is_done():
                return True
            await self._hear_something()
        return False

    async def _hear_something(self) -> None:
        """Wait for a patch; where none comes, ask for one that ends at the current state."""
        if self.closed.is_set():
            raise ServerAway("the socket was closed")
        try:
            async with asyncio.timeout(QUIET_S):
                await self._heard.wait()
        except TimeoutError:
            self._send_open()

    async def hold_now(self) -> HoldNow:
        """Ask what this customer holds, once it watches; `on_line` has heard the place then, too.

        Raises BotError or ServerAway.
        """
        self._hold_asked, self._hold_shown = self._promise(), None
        self._send_open()
        return await self._kept(self._hold_asked, ANSWER_S)

    def cut(self) -> None:
        """Break the connection off without a word."""
        self._transport.disconnect(graceful=False)

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
        if isinstance(self.failure, WrongMap):
            return Diverged(str(self.failure))
        if self.failure is not None:
            return BotError(f"{type(self.failure).__name__}: {self.failure}")
        return ServerAway(f"the socket was closed with {self.close_code}")

    def _send_open(self) -> None:
        seats = self.map
        self._send(Open() if seats.revision < 0 else Open(seats.epoch, seats.revision))

    def _send(self, command: Command | Open) -> None:
        if self.closed.is_set() or self._transport.is_disconnected:
            raise ServerAway("the socket is closed")
        self._transport.send(WSMsgType.TEXT, _encode(command))

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame has come."""
        self._heard_at = self._loop.time()
        try:
            if frame.msg_type == WSMsgType.TEXT:
                self._take_frame(frame.get_payload_as_bytes())
            elif frame.msg_type == WSMsgType.CLOSE:
                code = frame.get_payload_as_bytes()[:2]
                self.close_code = int.from_bytes(code, "big") if code else None
                if not transport.is_close_frame_sent:
                    transport.send_close()
                transport.disconnect()
        except ServerAway:
            pass
        except Exception as problem:  # whatever it is, whoever waits is to know
            self.failure = problem
            transport.disconnect(graceful=False)

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """The connection is gone."""
        if self.close_code is None:
            self.close_code = NO_CLOSE_FRAME
        self.closed.set()
        self._heard.set()
        for promise in self._awaited:
            if not promise.done():
                promise.set_exception(self._why_closed())
                promise.exception()

    def _take_frame(self, frame: bytes) -> None:
        if self._check is None and self.map.take_known(frame):
            self._now_there()
        else:
            self._take(decoded(frame), frame)

    def _take(self, message: object, frame: bytes) -> None:
        if isinstance(message, Answer):
            self._take_answer(message, frame)
        elif isinstance(message, Patch):
            self._take_patch(message, frame)
        elif isinstance(message, Snapshot):
            self._take_snapshot(message)
        elif isinstance(message, Resync):
            self._is_resyncing = True
            self.resynced += 1
        elif isinstance(message, Heartbeat):
            if self._opened is not None and self._is_missing_something(message):
                self._reopen()
        elif isinstance(message, Welcome):
            self.user_id = None if message.user is None else message.user.id
            self.clock_ahead_s = message.server_time_ms / 1000 - time.time()
            if len(self.map.states) != message.seat_count:
                self.map = WatchedMap(message.seat_count, self._pictures)
        elif isinstance(message, HoldNow):
            if message.reason is HoldReason.OPEN:
                self._hold_shown = message
        elif isinstance(message, QueueNow | LineNow):
            self._take_line(message)

    def _take_answer(self, message: Answer, frame: bytes) -> None:
        answer = self._answers.get(message.id)
        if answer is not None and not answer.cancelled():
            if answer.done():
                raise BotError(f"two answers to {message.id}: {answer.result()} and {message}")
            answer.set_result(message)
        if self._on_answer is not None:
            self._on_answer(message, frame)

    def _take_line(self, news: QueueNow | LineNow) -> None:
        if self._on_line is not None:
            self._on_line(news)
        # What is shown after `open` ends with the place in line.
        asked, shown = self._hold_asked, self._hold_shown
        if isinstance(news, QueueNow) and shown is not None and asked is not None and not asked.done():
            asked.set_result(shown)

    def _take_patch(self, patch: Patch, frame: bytes) -> None:
        if self.map.take(patch, frame) is Outcome.REOPEN:
            self._reopen()
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

    def _reopen(self) -> None:
        if not self._is_reopening:
            self._is_reopening = True
            self._send_open()

    def _now_there(self) -> None:
        self._is_reopening = False
        self._heard.set()
        if self._opened is not None and not self._opened.done():
            self._opened.set_result(None)
        if self._on_change is not None:
            self._on_change()

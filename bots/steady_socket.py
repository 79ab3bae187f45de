"""A customer's socket that comes back by itself, and goes on with what was not answered.

A command keeps its id for as long as it is sent again, over however many connections: it has one effect, whatever
happens between. The map is resumed from its position.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from msgspec import UNSET

from bots.event_socket import ANSWER_S, EventSocket
from bots.rest import PATIENCE_S, BotError, Diverged, Rest, ServerAway
from bots.watched_map import Pictures, WatchedMap, WrongMap
from protocol.codes import Code
from protocol.inbound import Command
from protocol.outbound import Accepted, HoldNow, LineNow, OrderStatus, QueueNow, Rejected

FINAL = frozenset({1002, 1003, 1007, 1008, 1009, 4400, 4401, 4403, 4404})
"""Close codes after which a client does not come back. Source: the socket protocol, "Close codes"."""
ASK_AGAIN = frozenset({Code.RATE_LIMITED, Code.OVERLOADED, Code.TRY_AGAIN})
"""Refusals that say nothing about the command itself."""
PAUSE_FIRST_S, PAUSE_MAX_S = 0.02, 0.5
CANCEL_AGAIN_S = 0.1

_numbers = count(1)

T = TypeVar("T")


class Listener(Protocol):
    """Whoever is told what a customer was told."""

    def answer(
        self, customer: str, command: Command, answer: Accepted | Rejected, took_s: float, frame: bytes, /
    ) -> None:
        """A command has its answer, which came in this frame."""

    def asks_again(self, code: Code | None, /) -> None:
        """A command is sent once more: this was the answer, or there was none."""

    def unanswered(self, customer: str, command: Command, /) -> None:
        """Nobody waits for this answer any more."""

    def cancel(self, customer: str, order_id: str, /) -> None:
        """The server has said that this order is cancelled."""

    def cancel_unanswered(self, customer: str, order_id: str, /) -> None:
        """Nobody waits any more to hear whether this order is cancelled."""

    def line(self, news: QueueNow | LineNow, /) -> None:
        """The server has told of the line, or of the customer's place in it."""


class SteadySocket:
    """One customer's socket on one event, as a context manager. Without a session it watches.

    `doors` are the servers to try, one after the other. A command is asked for at most `patience_s` in all, and
    `answer_s` on one connection. `seat_map` is the map of an earlier socket, from which it resumes.
    """

    def __init__(
        self,
        doors: Sequence[Rest],
        event_id: str,
        session_id: str | None,
        customer: str,
        log: Listener,
        dice: random.Random,
        *,
        is_watching: bool = True,
        patience_s: float = PATIENCE_S,
        answer_s: float = ANSWER_S,
        seat_map: WatchedMap | None = None,
        pictures: Pictures | None = None,
    ) -> None:
        self.customer = customer
        self.session_id = session_id
        self.log = log
        self.changed = asyncio.Event()
        """Set at every change of the map; whoever waits for it clears it."""
        self.close_codes: Counter[int | None] = Counter()
        """How the server has ended connections; what broke off without a word is 1006."""
        self.clock_ahead_s = 0.0
        """How far the server's clock is ahead of ours."""
        self.resumes = self.resumes_by_patches = 0
        """How often it came back with a map, and how often no snapshot was needed then."""
        self._doors = list(doors)
        self._event_id = event_id
        self.dice = dice
        self._is_watching = is_watching
        self._patience_s = patience_s
        self._answer_s = answer_s
        self._map = seat_map
        self._pictures = pictures
        self._frames: dict[str, bytes] = {}
        """The last answer to each command that is asked."""
        self._socket: EventSocket | None = None
        self._up = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._failure: BotError | None = None

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep(), name=f"socket of {self.customer}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    @property
    def map(self) -> WatchedMap:
        """The map as it is known now."""
        return self._map or WatchedMap(0)

    @property
    def rest(self) -> Rest:
        """The server that is tried now."""
        return self._doors[0]

    def new_id(self) -> str:
        """A command id that no socket of this process has used."""
        return f"bot-{next(_numbers)}-{self.dice.getrandbits(32):08x}"

    async def opened(self) -> None:
        """Wait until it is connected (and watches).

        Raises:
            BotError: it took too long, or the server has said what it must not say.
        """
        await self._connected(asyncio.get_running_loop().time() + self._patience_s)

    async def ask(self, command: Command, since: float | None = None) -> Accepted | Rejected:
        """The answer to a command, however often it has to be sent. A checkout is answered when it is settled.

        `since`: from when on its customer waits, by `time.perf_counter`, where that was before now.

        Raises:
            BotError: it took too long, or the server has said what it must not say.
        """
        began = time.perf_counter() if since is None else since
        self._frames[command.id] = b""
        try:
            answer = await self._settled(command)
        except BaseException:
            self.log.unanswered(self.customer, command)
            raise
        finally:
            frame = self._frames.pop(command.id)
        self.log.answer(self.customer, command, answer, time.perf_counter() - began, frame)
        return answer

    async def _settled(self, command: Command) -> Accepted | Rejected:
        give_up, pause_s = asyncio.get_running_loop().time() + self._patience_s, PAUSE_FIRST_S
        while True:
            socket = await self._connected(give_up)
            code: Code | None = None
            try:
                answer = await socket.ask(command, self._answer_s)
            except ServerAway:
                self._leave(socket)
            else:
                if not _is_open(answer):
                    return answer
                code = answer.code if isinstance(answer, Rejected) else None
                self.move_on()
                await asyncio.sleep(pause_s * self.dice.uniform(0.5, 1.5))
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
            self.log.asks_again(code)

    async def cancel_order(self, order_id: str) -> None:
        """Cancel an order. Raises BotError when that takes too long or is refused."""
        try:
            status, envelope = await self._cancel_answer(order_id)
            # After an answer that was lost, it is cancelled already.
            if status != 200 and envelope.get("code") != "order_not_completed":
                raise BotError(f"cancel of order {order_id}: {status} {envelope}")
        except BaseException:
            self.log.cancel_unanswered(self.customer, order_id)
            raise
        self.log.cancel(self.customer, order_id)

    async def _cancel_answer(self, order_id: str) -> tuple[int, dict[str, Any]]:
        loop = asyncio.get_running_loop()
        give_up, path = loop.time() + self._patience_s, f"/checkout/orders/{order_id}/cancel"
        while True:
            try:
                return await self.rest.call("POST", path, session_id=self.session_id)
            except ServerAway as problem:
                if loop.time() > give_up:
                    raise BotError(f"order {order_id} could not be cancelled for {self._patience_s} s") from None
                wait_s = problem.wait_s
            self.move_on()
            await asyncio.sleep(max(wait_s, CANCEL_AGAIN_S))

    def move_on(self) -> None:
        """This server is of no help now: try the next one, if there is another."""
        if len(self._doors) > 1 and self._socket is not None:
            self._leave(self._socket)

    def cut(self) -> None:
        """Break the connection off without a word, as a phone in a tunnel does."""
        if self._socket is not None:
            self._socket.cut()

    async def check_map(self) -> None:
        """Compare the map that patches have made with a snapshot. Raises BotError when they differ."""
        await self._with_socket(EventSocket.check_map)

    async def hold_now(self) -> HoldNow:
        """What the server says that this customer holds; its place in line is told, too. Raises BotError."""
        return await self._with_socket(EventSocket.hold_now)

    async def _with_socket(self, do: Callable[[EventSocket], Awaitable[T]]) -> T:
        give_up = asyncio.get_running_loop().time() + self._patience_s
        while True:
            socket = await self._connected(give_up)
            try:
                return await do(socket)
            except ServerAway:
                self._leave(socket)

    async def a_change(self, within_s: float) -> None:
        """Wait until the map changes, but no longer than this."""
        self.changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.changed.wait()

    async def _connected(self, give_up: float) -> EventSocket:
        try:
            async with asyncio.timeout_at(give_up):
                while True:
                    await self._up.wait()
                    if self._failure is not None:
                        raise self._failure
                    if self._socket is not None and not self._socket.closed.is_set():
                        return self._socket
                    self._up.clear()
        except TimeoutError:
            raise BotError(f"{self.customer} was not served for {self._patience_s} s") from None

    def _leave(self, socket: EventSocket) -> None:
        """This connection is of no use any more: have the keeper make another."""
        if socket is self._socket:
            self._socket = None
            self._up.clear()
            socket.closed.set()

    async def _keep(self) -> None:
        pause_s = PAUSE_FIRST_S
        while self._failure is None:
            try:
                async with self._new_socket() as socket:
                    if self._is_watching:
                        await self._resume(socket)
                    self._socket, self._map = socket, socket.map
                    self.clock_ahead_s = socket.clock_ahead_s
                    pause_s = PAUSE_FIRST_S
                    self._up.set()
                    await socket.closed.wait()
                self._note_end(socket)
            except ServerAway:
                pass
            except BotError as problem:
                self._failure = problem
            self._socket = None
            self._doors.append(self._doors.pop(0))
            await asyncio.sleep(pause_s * self.dice.uniform(0.5, 1.5))
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
        self._up.set()

    def _new_socket(self) -> EventSocket:
        def heard(answer: Accepted | Rejected, frame: bytes) -> None:
            if socket is self._socket:
                if answer.id not in self._frames:
                    raise BotError(f"an answer to what was not asked: {answer}")
                self._frames[answer.id] = frame

        def heard_of_line(news: QueueNow | LineNow) -> None:
            self.clock_ahead_s = socket.clock_ahead_s
            self.log.line(news)

        socket = EventSocket(
            self.rest,
            self._event_id,
            self.session_id,
            seat_map=self._map,
            pictures=self._pictures,
            on_change=self.changed.set,
            on_answer=heard,
            on_line=heard_of_line,
        )
        return socket

    async def _resume(self, socket: EventSocket) -> None:
        has_map = socket.map.revision >= 0
        await socket.open()
        self.resumes += has_map
        self.resumes_by_patches += has_map and not socket.resynced

    def _note_end(self, socket: EventSocket) -> None:
        self.close_codes[socket.close_code] += 1
        if isinstance(socket.failure, WrongMap):
            self._failure = Diverged(f"{self.customer}: {socket.failure}")
        elif socket.failure is not None:
            self._failure = BotError(f"{self.customer}: {type(socket.failure).__name__}: {socket.failure}")
        elif socket.close_code in FINAL:
            self._failure = BotError(f"the socket of {self.customer} was closed with {socket.close_code}")


def _is_open(answer: Accepted | Rejected) -> bool:
    """Is the real answer still to come?"""
    if isinstance(answer, Rejected):
        return answer.code in ASK_AGAIN
    return answer.order is not UNSET and answer.order.status is OrderStatus.PENDING

"""A customer's socket that comes back by itself, and goes on with what was not answered.

A command keeps its id for as long as it is sent again, over however many connections: it has one effect, whatever
happens between. The map is resumed from its position.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Self

from msgspec import UNSET

from bots.answer_log import AnswerLog
from bots.event_socket import ANSWER_S, EventSocket
from bots.rest import PATIENCE_S, BotError, Rest, ServerAway
from bots.watched_map import WatchedMap
from protocol.codes import Code
from protocol.inbound import Command
from protocol.outbound import Accepted, OrderStatus, Rejected

FINAL = frozenset({1002, 1003, 1007, 1008, 1009, 4400, 4401, 4403, 4404})
"""Close codes after which a client does not come back. Source: the socket protocol, "Close codes"."""
ASK_AGAIN = frozenset({Code.RATE_LIMITED, Code.OVERLOADED, Code.TRY_AGAIN})
"""Refusals that say nothing about the command itself."""
PAUSE_FIRST_S, PAUSE_MAX_S = 0.02, 0.5

_numbers = count(1)


class SteadySocket:
    """One customer's socket on one event, as a context manager.

    `doors` are the servers to try, one after the other. A command is asked for at most `patience_s` in all, and
    `answer_s` on one connection.
    """

    def __init__(
        self,
        doors: Sequence[Rest],
        event_id: str,
        session_id: str,
        customer: str,
        log: AnswerLog,
        dice: random.Random,
        *,
        is_watching: bool = True,
        patience_s: float = PATIENCE_S,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.customer = customer
        self.session_id = session_id
        self.log = log
        self.changed = asyncio.Event()
        """Set at every change of the map; whoever waits for it clears it."""
        self.close_codes: Counter[int | None] = Counter()
        """How the server has ended connections; what broke off without a word is 1006."""
        self._doors = list(doors)
        self._event_id = event_id
        self.dice = dice
        self._is_watching = is_watching
        self._patience_s = patience_s
        self._answer_s = answer_s
        self._map: WatchedMap | None = None
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

    async def ask(self, command: Command) -> Accepted | Rejected:
        """The answer to a command, however often it has to be sent. A checkout is answered when it is settled.

        Raises:
            BotError: there is none for too long, or the server has said what it must not say.
        """
        give_up = asyncio.get_running_loop().time() + self._patience_s
        began, pause_s = time.perf_counter(), PAUSE_FIRST_S
        while True:
            socket = await self._connected(give_up)
            try:
                answer = await socket.ask(command, self._answer_s)
            except ServerAway:
                self._leave(socket)
            else:
                if not _is_open(answer):
                    self.log.answer(self.customer, command, answer, time.perf_counter() - began)
                    return answer
                self.move_on()
                await asyncio.sleep(pause_s * self.dice.uniform(0.5, 1.5))
                pause_s = min(2 * pause_s, PAUSE_MAX_S)
            self.log.sent_again += 1

    def move_on(self) -> None:
        """This server is of no help now: try the next one, if there is another."""
        if len(self._doors) > 1 and self._socket is not None:
            self._leave(self._socket)

    async def check_map(self) -> None:
        """Compare the map that patches have made with a snapshot. Raises BotError when they differ."""
        give_up = asyncio.get_running_loop().time() + self._patience_s
        while True:
            socket = await self._connected(give_up)
            try:
                await socket.check_map()
            except ServerAway:
                self._leave(socket)
            else:
                return

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
                        await socket.open()
                    self._socket, self._map = socket, socket.map
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
        return EventSocket(
            self.rest, self._event_id, self.session_id, seat_map=self._map, on_change=self.changed.set
        )

    def _note_end(self, socket: EventSocket) -> None:
        self.close_codes[socket.close_code] += 1
        if socket.failure is not None:
            self._failure = BotError(f"{self.customer}: {type(socket.failure).__name__}: {socket.failure}")
        elif socket.close_code in FINAL:
            self._failure = BotError(f"the socket of {self.customer} was closed with {socket.close_code}")


def _is_open(answer: Accepted | Rejected) -> bool:
    """Is the real answer still to come?"""
    if isinstance(answer, Rejected):
        return answer.code in ASK_AGAIN
    return answer.order is not UNSET and answer.order.status is OrderStatus.PENDING

"""How fast sockets are read when more comes than can be done.

Reading a command and refusing it takes about as long as doing it, and a round of the event loop that reads all that
has come leaves the seat manager waiting for the next one. So while an event has a backlog, only some commands are
taken in each round, in the order in which their sockets came to wait; the rest is left unread, where it costs us
nothing and slows down whoever sends it.
"""

import asyncio
from collections import deque

from aiohttp.base_protocol import BaseProtocol

BACKLOG_COMMANDS = 1_024
"""From here on: two full batches wait, and what is read now would not be decided any sooner."""
TURNS_PER_ROUND = 256
COMMANDS_PER_TURN = 8
"""Of one socket, if they are there already: their refusals are one write."""


class Intake:
    """The turns of all sockets of this process. `rounds` counts the rounds in which somebody took one."""

    def __init__(self) -> None:
        self.rounds = 0
        self._left = TURNS_PER_ROUND
        self._waiting: deque[asyncio.Future[None]] = deque()

    def take(self) -> bool:
        """Take a turn, if one is left in this round and nobody waits for it."""
        if self._left == TURNS_PER_ROUND and not self._waiting:
            asyncio.get_running_loop().call_soon(self._begin_round)
        if not self._left or self._waiting:
            return False
        self._left -= 1
        return True

    async def wait(self) -> None:
        """Wait for a turn behind all who wait already, after `take` has found none."""
        mine = asyncio.get_running_loop().create_future()
        self._waiting.append(mine)
        await mine

    def _begin_round(self) -> None:
        self.rounds += 1
        self._left = TURNS_PER_ROUND
        while self._waiting and self._left:
            mine = self._waiting.popleft()
            if not mine.done():
                mine.set_result(None)
                self._left -= 1
        if self._left < TURNS_PER_ROUND:
            asyncio.get_running_loop().call_soon(self._begin_round)


class Reader:
    """One socket's side of it; its `protocol` reads nothing while it waits."""

    __slots__ = ("_intake", "_left", "_protocol", "_round")

    def __init__(self, intake: Intake, protocol: BaseProtocol) -> None:
        self._intake = intake
        self._protocol = protocol
        self._round = -1
        self._left = 0

    def goes_on(self) -> bool:
        """Use one command of the turn, or take the next turn. False: there is none."""
        if self._left and self._round == self._intake.rounds:
            self._left -= 1
            return True
        return self._begin() if self._intake.take() else False

    async def turn(self) -> None:
        """Wait for the next turn, and use one command of it."""
        self._protocol.pause_reading()
        try:
            await self._intake.wait()
        finally:
            self._protocol.resume_reading()
        self._begin()

    def _begin(self) -> bool:
        self._round, self._left = self._intake.rounds, COMMANDS_PER_TURN - 1
        return True

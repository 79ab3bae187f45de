"""Many requests could be answered in one round of the loop: a few are in each, so that others get in between."""

import asyncio
from collections import deque

ANSWERS_MAX = 8
"""So many in one round keep a command, which takes a handful of rounds, waiting for some milliseconds at most."""


class Rounds:
    """Lets a few through in each round of the loop, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._places = ANSWERS_MAX
        self._is_going = False

    async def join(self) -> None:
        """Wait for a place; at once if one is left in this round."""
        loop = asyncio.get_running_loop()
        if not self._is_going:
            self._is_going = True
            loop.call_soon(self._next)
        if self._places:
            self._places -= 1
            return
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        await place

    def _next(self) -> None:
        self._places = ANSWERS_MAX
        while self._waiting and self._places:
            place = self._waiting.popleft()
            if not place.done():  # who gave up leaves his place to the next
                self._places -= 1
                place.set_result(None)
        self._is_going = self._places < ANSWERS_MAX
        if self._is_going:
            asyncio.get_running_loop().call_soon(self._next)

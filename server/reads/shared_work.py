"""Work that many ask for at about the same time: done once for all of them, and not all of the time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds, in fine steps: those of uvloop's own clock are 1 ms, longer than a slice."""

SLICE_S = 0.0002
"""How long work may keep others from the loop, about."""
REST = 4.0
"""A fifth of the time is enough: the more who wait share an answer."""


class Slices:
    """One piece of work on the loop, cut into slices."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock()
        self._worked_s = 0.0

    @property
    def worked_s(self) -> float:
        """How long the loop was kept, all slices together."""
        return self._worked_s + self._clock() - self._began

    async def breathe(self) -> None:
        """Let others have the loop, if this slice has lasted."""
        if self._clock() - self._began >= SLICE_S:
            self._worked_s = self.worked_s
            await asyncio.sleep(0)
            self._began = self._clock()


class Turns:
    """Work takes turns on the loop: one piece at a time, and after each a pause `rest` times as long as it worked.

    So all of it together takes 1 / (1 + rest) of the loop's time at most.
    """

    def __init__(self, rest: float = REST, clock: Clock = time.perf_counter) -> None:
        self._rest = rest
        self._clock = clock
        self._taken = asyncio.Lock()
        self._not_before = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Slices]:
        """A turn, as soon as it may begin."""
        loop = asyncio.get_running_loop()
        async with self._taken:
            await asyncio.sleep(max(0.0, self._not_before - loop.time()))
            slices = Slices(self._clock)
            try:
                yield slices
            finally:
                self._not_before = loop.time() + slices.worked_s * self._rest


class SharedWork(Generic[T]):
    """Whoever asks gets the outcome of work that began after he asked, and shares it with all who wait with him.

    What is under way when he asks may have read already what is not true any more, so he waits for the next.
    """

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._next: asyncio.Task[T] | None = None
        self._under_way: asyncio.Task[T] | None = None  # the loop itself does not keep it from being thrown away

    @property
    def is_idle(self) -> bool:
        """Is nothing under way, and nobody waiting?"""
        return all(task is None or task.done() for task in (self._next, self._under_way))

    async def outcome(self, work: Callable[[Slices], Awaitable[T]]) -> T:
        """The outcome of `work`, or of that of somebody who waits already. Raises what it raised."""
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._do(work))
            self._next.add_done_callback(_seen)
        return await asyncio.shield(self._next)

    async def _do(self, work: Callable[[Slices], Awaitable[T]]) -> T:
        async with self._turns.turn() as slices:
            self._under_way, self._next = self._next, None
            return await work(slices)


class SharedQuestions(Generic[T]):
    """Equal questions that come at about the same time are put once. As fresh as `SharedWork`."""

    def __init__(self) -> None:
        self._asked: dict[Hashable, SharedWork[T]] = {}

    async def answer(self, question: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` answers. Raises what it raised."""
        shared = self._asked.setdefault(question, SharedWork(Turns(rest=0)))
        try:
            return await shared.outcome(lambda _slices: work())
        finally:
            if shared.is_idle and self._asked.get(question) is shared:
                del self._asked[question]


def _seen(done: asyncio.Task[Any]) -> None:
    """Who asked may have gone meanwhile: what went wrong is nobody's to look at."""
    if not done.cancelled():
        done.exception()

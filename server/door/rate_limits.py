"""How often somebody may do something within a minute, counted for all server processes together.

A *window* is exact: at most so many in any minute. It is kept in Redis, one script and one round trip for each
request, and at the same time in this process, where it answers alone while Redis is away or slow. (The `limits`
library needs a second round trip to say when to come back, takes each process's own clock, and looks through all of
its windows in memory, each in a thread, at every request.)
"""

import asyncio
import logging
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from redis import RedisError
from redis.asyncio import Redis

from server.ending import end

WINDOW_S = 60
NAMES_MAX = 50_000
"""Windows remembered in this process; beyond, that of who has not been here for the longest time is forgotten."""

REDIS_WAIT_S = 0.05
MISSES_MAX = 3
"""So many answers in a row that did not come in time are trouble with Redis: one may be a new connection's."""
REDIS_PAUSE_S = 1.0
"""For how long a Redis that was away or slow is not asked."""
_WAIT_STEPS = 10
"""The wait is cut into steps: a loop that was busy sees that time is up before it sees the answer, which was there.
However long it was busy, that is one step."""

log = logging.getLogger(__name__)


class Count(NamedTuple):
    """What became of one request: whether it was within the limit, and how many more are.

    `wait_s`: after how many whole seconds there is room for one more than `remaining`; at least 1.
    """

    is_within: bool
    remaining: int
    wait_s: int


class RateLimits:
    """The windows of everybody. `monotonic` gives seconds; Redis may be away at any time. Nothing here raises."""

    def __init__(self, redis: Redis, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        # redis-py leaves `register_script` untyped.
        self._script: Any = redis.register_script((Path(__file__).parent / "rate_limits.lua").read_text())
        self._ask_again_at = -math.inf
        """Before it Redis is not asked; minus infinity: it is in use."""
        self._misses = 0
        self._asking: set[asyncio.Task[list[int]]] = set()
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    async def close(self) -> None:
        """Wait for nothing any more."""
        await end(*self._asking)

    def look(self, name: str, limit: int) -> Count:
        """What is known here of `name`, without counting or asking anybody."""
        return self._window(name).look(self._monotonic(), limit)

    async def count(self, name: str, limit: int) -> Count:
        """Count one request of `name`, which has `limit` a minute. One that is refused does not count."""
        window = self._window(name)
        own = window.look(self._monotonic(), limit)
        if not own.is_within:
            return own
        shared = await self._count_in_redis(name, limit)
        now = self._monotonic()
        if shared is None:
            return window.count(now, limit)
        if shared.is_within:
            window.add(now)
        else:
            window.refused_until = now + shared.wait_s
        return shared

    def _window(self, name: str) -> "_Window":
        window = self._windows.setdefault(name, _Window())
        self._windows.move_to_end(name)
        if len(self._windows) > NAMES_MAX:
            self._windows.popitem(last=False)
        return window

    async def _count_in_redis(self, name: str, limit: int) -> Count | None:
        if self._monotonic() < self._ask_again_at:
            return None
        if self._is_paused:  # one asks, the others do not wait for the answer
            self._ask_again_at = self._monotonic() + REDIS_PAUSE_S
        misses = self._misses
        found = await self._answer_in_time([f"usher:rate:{name}"], [limit, WINDOW_S * 1000])
        if found is None:
            self._missed(misses + 1)
            return None
        if self._is_paused:
            log.warning("rate limits: counting in Redis again")
        self._misses, self._ask_again_at = 0, -math.inf
        remaining, wait_ms = found
        return Count(remaining >= 0, max(remaining, 0), _whole(wait_ms / 1000))

    @property
    def _is_paused(self) -> bool:
        return self._ask_again_at > -math.inf

    def _missed(self, misses: int) -> None:
        """The answer did not come, with those before it `misses` in a row; many who asked at once miss it once."""
        self._misses = max(self._misses, misses)
        if self._misses < MISSES_MAX:
            return
        if not self._is_paused:
            log.warning("rate limits: Redis is away or slow, counting in this process alone")
        self._ask_again_at = self._monotonic() + REDIS_PAUSE_S

    async def _answer_in_time(self, keys: list[str], arguments: list[int]) -> list[int] | None:
        """What the script answers; None: nothing, or not yet. It is left to end by itself: a new connection that is
        given the time to be made is there for the next request."""
        asking = asyncio.create_task(self._script(keys, arguments))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        for _ in range(_WAIT_STEPS):
            await asyncio.wait({asking}, timeout=REDIS_WAIT_S / _WAIT_STEPS)
            if asking.done():
                break
        else:
            asking.add_done_callback(_failure)
            return None
        return None if _failure(asking) else asking.result()


class _Window:
    """The requests of one name within the last minute."""

    __slots__ = ("refused_until", "times")

    def __init__(self) -> None:
        self.times: deque[float] = deque()
        self.refused_until = -math.inf
        """Redis has said so: it need not be asked again before."""

    def look(self, now: float, limit: int) -> Count:
        """What `count` would answer."""
        while self.times and self.times[0] <= now - WINDOW_S:
            self.times.popleft()
        if now < self.refused_until:
            return Count(False, 0, _whole(self.refused_until - now))
        if len(self.times) >= limit:
            return Count(False, 0, _whole(self.times[-limit] + WINDOW_S - now))
        oldest = self.times[0] if self.times else now
        return Count(True, limit - len(self.times) - 1, _whole(oldest + WINDOW_S - now))

    def count(self, now: float, limit: int) -> Count:
        """Count one, if it is within the limit."""
        found = self.look(now, limit)
        if found.is_within:
            self.add(now)
        return found

    def add(self, now: float) -> None:
        """One was let through."""
        self.times.append(now)


def _failure(asking: "asyncio.Task[list[int]]") -> bool:
    """Has it failed because of Redis? Any other exception is raised."""
    if asking.cancelled():
        return True
    problem = asking.exception()
    if problem is not None and not isinstance(problem, RedisError | OSError):
        raise problem
    return problem is not None


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))

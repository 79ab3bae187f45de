"""Who has tried too often of late: attempts are counted as they begin, so that many at once have one budget, too.

In Redis for all server processes together; in this process alone while Redis is away.
"""

import logging
import math
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from redis import RedisError
from redis.asyncio import Redis

NAMES_MAX = 10_000
"""Budgets remembered in this process; beyond, the oldest window is forgotten."""
REDIS_PAUSE_S = 1.0
"""For how long a Redis that was in trouble is not asked."""

log = logging.getLogger(__name__)


class Budget(NamedTuple):
    """So many attempts of `name` within a window that begins with the first and forgives all at its end."""

    name: str
    attempts_max: int
    window_s: int


class Attempt(NamedTuple):
    """One that has begun, and where it counts; or that may not for `wait_s` more seconds, and counts nowhere."""

    wait_s: int = 0
    budgets: tuple[Budget, ...] = ()
    counts_in_redis: bool = False


class Throttle:
    """The budgets of everybody. `now` gives the time in UTC. Nothing here raises because of Redis.

    Off, it counts nothing and sends nobody away.
    """

    def __init__(self, redis: Redis, now: Callable[[], datetime], *, is_on: bool = True) -> None:
        self.is_on = is_on
        self._now = now
        # redis-py leaves `register_script` untyped.
        self._script: Any = redis.register_script((Path(__file__).parent / "throttle.lua").read_text())
        self._redis = redis
        self._own = _OwnBudgets()
        self._ask_redis_at_ms = 0
        self._is_alone = False

    async def begin(self, *budgets: Budget) -> Attempt:
        """Count one attempt on each budget. Where one is used up none is counted, and `wait_s` is at least 1."""
        if not self.is_on:
            return Attempt()
        now_ms = self._now_ms()
        limits = [number for budget in budgets for number in (budget.attempts_max, budget.window_s * 1000)]
        told_ms = await self._ask_redis(budgets, "begin", now_ms, *limits)
        wait_ms = self._own.begin(budgets, now_ms) if told_ms is None else told_ms
        if wait_ms:
            return Attempt(math.ceil(wait_ms / 1000))
        return Attempt(0, budgets, told_ms is not None)

    async def give_back(self, attempt: Attempt) -> None:
        """It was no failure after all: as if it had not begun. What Redis counts stays counted while it is away."""
        if attempt.counts_in_redis:
            await self._ask_redis(attempt.budgets, "give back")
        else:
            self._own.give_back(attempt.budgets)

    async def forgive(self, budget: Budget) -> None:
        """Forget all attempts on this budget."""
        if not self.is_on:
            return
        self._own.forgive(budget)
        try:
            await self._redis.delete(_key(budget))
        except (RedisError, OSError) as problem:
            self._pause(problem)

    async def _ask_redis(self, budgets: tuple[Budget, ...], *arguments: object) -> int | None:
        """The script's answer; None when Redis is in trouble."""
        if self._now_ms() < self._ask_redis_at_ms:
            return None
        try:
            answer = int(await self._script([_key(budget) for budget in budgets], arguments))
        except (RedisError, OSError) as problem:
            self._pause(problem)
            return None
        if self._is_alone:
            log.warning("attempts: counting in Redis again")
            self._is_alone = False
        return answer

    def _pause(self, problem: Exception) -> None:
        if not self._is_alone:
            log.warning("attempts: counting in this process alone (%r)", problem)
            self._is_alone = True
        self._ask_redis_at_ms = self._now_ms() + int(REDIS_PAUSE_S * 1000)

    def _now_ms(self) -> int:
        return int(self._now().timestamp() * 1000)


class _OwnBudgets:
    """What the script does, in this process."""

    def __init__(self) -> None:
        self._windows: OrderedDict[str, tuple[int, int]] = OrderedDict()
        """By name: when the window ends, and the attempts in it."""

    def begin(self, budgets: tuple[Budget, ...], now_ms: int) -> int:
        wait_ms = 0
        for budget in budgets:
            ends_at_ms, attempts = self._windows.get(budget.name, (0, 0))
            if ends_at_ms <= now_ms:
                self._windows.pop(budget.name, None)
            elif attempts >= budget.attempts_max:
                wait_ms = max(wait_ms, ends_at_ms - now_ms)
        if wait_ms:
            return wait_ms
        for budget in budgets:
            ends_at_ms, attempts = self._windows.get(budget.name, (now_ms + budget.window_s * 1000, 0))
            self._windows[budget.name] = (ends_at_ms, attempts + 1)
            if len(self._windows) > NAMES_MAX:
                self._windows.popitem(last=False)
        return 0

    def give_back(self, budgets: tuple[Budget, ...]) -> None:
        for budget in budgets:
            if budget.name in self._windows:
                ends_at_ms, attempts = self._windows[budget.name]
                self._windows[budget.name] = (ends_at_ms, max(0, attempts - 1))

    def forgive(self, budget: Budget) -> None:
        self._windows.pop(budget.name, None)


def _key(budget: Budget) -> str:
    return f"usher:attempts:{budget.name}"

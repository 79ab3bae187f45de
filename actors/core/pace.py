"""How fast the line moves, measured by the slots that come free, and how long a wait may be.

Times are Unix milliseconds. What is measured is no fact of the event: a new owner begins to measure anew.
"""

import math
from collections import deque

WINDOW_S = 300
FREED_MIN = 3
"""Fewer slots that came free say nothing yet."""
DEVIATIONS = 1.28
"""Of a normal distribution, four fifths lie so near to its mean."""

WaitRange = tuple[int, int]
"""Seconds, from and to."""


class Pace:
    """Slots that came free within the last five minutes. `told` ranges were given, `right` of them held."""

    def __init__(self) -> None:
        self.told = 0
        self.right = 0
        self._since_ms: int | None = None
        self._now_ms = 0
        self._freed: deque[tuple[int, int]] = deque()
        self._count = 0
        self._promised: dict[str, tuple[int, int]] = {}

    def tick(self, now_ms: int) -> None:
        """It is so late now."""
        self._now_ms = max(self._now_ms, now_ms)
        while self._freed and self._freed[0][0] < self._now_ms // 1000 - WINDOW_S:
            self._count -= self._freed.popleft()[1]

    def admitted(self, customer: str, at_ms: int) -> None:
        """Somebody is in: was the range right that was told when the wait began?"""
        self._since_ms = at_ms if self._since_ms is None else self._since_ms
        promised = self._promised.pop(customer, None)
        if promised is not None:
            self.told += 1
            self.right += promised[0] <= at_ms <= promised[1]

    def freed(self) -> None:
        """A slot has come free just now."""
        second = self._now_ms // 1000
        count = self._freed.pop()[1] if self._freed and self._freed[-1][0] == second else 0
        self._freed.append((second, count + 1))
        self._count += 1

    def waits(self, customer: str, at_ms: int, wait: WaitRange | None) -> None:
        """A wait begins, of which this is told."""
        if wait is not None:
            self._promised[customer] = at_ms + wait[0] * 1000, at_ms + wait[1] * 1000

    def gave_up(self, customer: str) -> None:
        """Whoever leaves the line says nothing about what was told."""
        self._promised.pop(customer, None)

    @property
    def per_minute(self) -> float | None:
        """Slots that come free in a minute; None: not known yet."""
        if self._since_ms is None or self._count < FREED_MIN:
            return None
        seconds = min(WINDOW_S, max(1.0, (self._now_ms - self._since_ms) / 1000))
        return self._count * 60 / seconds

    def wait(self, ahead: int, admit_per_minute: int) -> WaitRange | None:
        """How long it takes with so many ahead, a range for four of five cases; None: not known yet."""
        measured = self.per_minute
        if measured is None:
            return None
        turns = ahead + 1
        if admit_per_minute and admit_per_minute < measured:
            exact = turns * 60 / admit_per_minute
            return math.floor(exact * 0.9), math.ceil(exact * 1.1) + 1
        mean = turns * 60 / measured
        # The slots come free at random, and the pace is itself measured on few.
        spread = DEVIATIONS * math.sqrt(turns + turns * turns / self._count) * 60 / measured
        return max(0, math.floor(mean - spread)), math.ceil(mean + spread)


def is_much_else(told: WaitRange | None, now: WaitRange | None) -> bool:
    """Is the wait another one than was told: known or not, or an end of it moved by a quarter of the longest?"""
    if told is None or now is None:
        return told != now
    return max(abs(told[0] - now[0]), abs(told[1] - now[1])) * 4 > told[1]

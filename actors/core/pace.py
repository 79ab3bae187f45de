"""How fast the line moves, measured by who goes out, and how long a wait may be.

Times are Unix milliseconds. What is measured is no fact of the event: a new owner begins to measure anew.

What is measured is a rate for each slot that is taken, and for each customer who waits: how many of them go in a
second. So it holds as well when there are more slots, or when not all are taken. It is forgotten by and by.
"""

import math

MEMORY_S = 900
"""The measure of forgetting: as long as an admission lasts, so that those who stay longest are counted, too."""
FREED_MIN = 3
"""Fewer slots that came free say nothing yet."""
DEVIATIONS = 1.28
"""Of a normal distribution, four fifths lie so near to its mean."""
UNSTEADY = 0.07
"""A rate does not stay the same: a standard deviation of so much of it."""
UNSTEADY_AT_FIRST = 0.4
"""So much more when the first are let in: who is quick goes first, and says nothing of the others."""
LATE = 0.01
"""Turns by `admit_per_minute` come a little later than it says: never more in any minute."""

WaitRange = tuple[int, int]
"""Seconds, from and to."""


class Pace:
    """What was measured lately. `told` ranges were given, `right` of them held."""

    def __init__(self) -> None:
        self.told = 0
        self.right = 0
        self.inside = 0
        self.waiting = 0
        """Of both, how many there are now: the line says so."""
        self._now_ms: int | None = None
        self._since_ms: int | None = None
        """Since when somebody is inside, as far as is known."""
        self._freed = 0.0
        self._inside_s = 0.0
        self._gave_up = 0.0
        self._waiting_s = 0.0
        self._promised: dict[str, tuple[int, int]] = {}

    def tick(self, now_ms: int) -> None:
        """It is so late now, and until now nothing has moved."""
        passed_s = 0.0 if self._now_ms is None else max(0, now_ms - self._now_ms) / 1000
        self._now_ms = now_ms if self._now_ms is None else max(self._now_ms, now_ms)
        if self._since_ms is None and self.inside:
            self._since_ms = self._now_ms
        kept = math.exp(-passed_s / MEMORY_S)
        new_s = MEMORY_S * (1 - kept)
        self._freed *= kept
        self._gave_up *= kept
        self._inside_s = self._inside_s * kept + self.inside * new_s
        self._waiting_s = self._waiting_s * kept + self.waiting * new_s

    def admitted(self, customer: str, at_ms: int) -> None:
        """Somebody is in: was the range right that was told when the wait began?"""
        promised = self._promised.pop(customer, None)
        if promised is not None:
            self.told += 1
            self.right += promised[0] <= at_ms <= promised[1]

    def freed(self) -> None:
        """A slot has come free just now."""
        self._freed += 1

    def waits(self, customer: str, at_ms: int, wait: WaitRange | None) -> None:
        """A wait begins, of which this is told."""
        if wait is not None:
            self._promised[customer] = at_ms + wait[0] * 1000, at_ms + wait[1] * 1000

    def gave_up(self, customer: str) -> None:
        """Somebody has left the line, who says nothing about what was told."""
        self._gave_up += 1
        self._promised.pop(customer, None)

    @property
    def per_minute(self) -> float | None:
        """Slots that came free in a minute; None: not known yet."""
        if self._freed < FREED_MIN or not self._inside_s:
            return None
        measured_s = MEMORY_S * (1 - math.exp(-self._elapsed_s / MEMORY_S))
        return self._freed * 60 / max(1.0, measured_s)

    def wait(self, ahead: int, slots: int, admit_per_minute: int) -> WaitRange | None:
        """How long it takes with so many ahead, a range for four of five cases; None: not known yet."""
        if self._freed < FREED_MIN or not self._inside_s:
            return None
        free = max(0, slots - self.inside)
        per_s = self._freed / self._inside_s * slots
        low, high = self._range(max(0, ahead + 1 - free), per_s)
        if admit_per_minute:
            per_s = admit_per_minute / 60
            low = max(low, self._with_those_who_give_up(ahead, per_s) * (1 - UNSTEADY))
            high = max(high, (ahead + 1) / per_s * (1 + LATE))
        return math.floor(low), math.ceil(high)

    @property
    def _elapsed_s(self) -> float:
        return 0.0 if self._now_ms is None or self._since_ms is None else (self._now_ms - self._since_ms) / 1000

    def _range(self, turns: int, per_s: float) -> tuple[float, float]:
        if not turns:
            return 0.0, 1.0
        mean = self._with_those_who_give_up(turns, per_s)
        young = math.exp(-2 * self._elapsed_s / MEMORY_S)
        unsteady = UNSTEADY + UNSTEADY_AT_FIRST * young
        # The slots come free at random, their rate is measured on few, and it does not stay the same.
        spread = DEVIATIONS * mean * math.sqrt(1 / turns + 1 / self._freed + unsteady**2)
        return max(0.0, mean - spread), mean + spread

    def _with_those_who_give_up(self, turns: int, per_s: float) -> float:
        """Seconds for so many turns, at so many in a second, when some leave the line by themselves."""
        leaving = self._gave_up / self._waiting_s if self._waiting_s else 0.0
        return math.log1p(leaving * turns / per_s) / leaving if leaving else turns / per_s


def is_much_else(told: WaitRange | None, now: WaitRange | None) -> bool:
    """Is the wait another one than was told: known or not, or an end of it moved by a quarter of the longest?"""
    if told is None or now is None:
        return told != now
    return max(abs(told[0] - now[0]), abs(told[1] - now[1])) * 4 > told[1]

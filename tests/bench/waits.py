"""How long answers were waited for, and how many there were."""

import time
from collections.abc import Sequence


def waits_of(waits: Sequence[float]) -> dict[str, float]:
    """Median, p99 and longest of these times in s, as ms; nothing where there are none."""
    if not waits:
        return {}
    ordered = sorted(waits)
    last = len(ordered) - 1
    return {
        "p50_ms": 1000 * ordered[min(last, len(ordered) // 2)],
        "p99_ms": 1000 * ordered[min(last, len(ordered) * 99 // 100)],
        "max_ms": 1000 * ordered[last],
    }


def share_within(waits: Sequence[float], seconds: float) -> float:
    """The share of these waits, at least one, that were no longer, 0…1."""
    return sum(one <= seconds for one in waits) / len(waits)


class Tally:
    """Answers counted from `begin` to `figures`."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.busy_waits: list[float] = []
        self._accepted = 0
        self._sales = 0
        self._frames_before = 0
        self._began = 0.0

    def begin(self, frames: int) -> None:
        """Count from now on; `frames` is how many frames that were no answers have come so far."""
        self.waits, self.busy_waits = [], []
        self._accepted, self._sales = 0, 0
        self._frames_before = frames
        self._began = time.perf_counter()

    def add(self, wait_s: float, *, is_accepted: bool, is_sale: bool = False, is_busy: bool = False) -> None:
        """An answer; `is_busy`: a refusal because there is too much to do."""
        self._accepted += is_accepted
        self._sales += is_sale
        (self.busy_waits if is_busy else self.waits).append(wait_s)

    def figures(self, frames: int) -> dict[str, float]:
        """What was counted, by the second, and the waits."""
        seconds = time.perf_counter() - self._began
        return {
            "seconds": seconds,
            "accepted_per_s": self._accepted / seconds,
            "answered_per_s": (len(self.waits) + len(self.busy_waits)) / seconds,
            "sales_per_s": self._sales / seconds,
            "frames_per_s": (frames - self._frames_before) / seconds,
            **waits_of(self.waits),
        }

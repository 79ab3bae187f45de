"""Who has failed too often of late, kept in this process and bounded in size."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

FAILURES_MAX = 10
WINDOW_S = 300
NAMES_MAX = 10_000


class FailureThrottle:
    """Counts failures per name; from `failures_max` within `window_s` on, the name is to be sent away.

    A window begins with the first failure and forgives all at its end. Beyond `NAMES_MAX` the oldest window is
    forgotten. `now` gives the time in UTC.
    """

    def __init__(
        self, now: Callable[[], datetime], *, failures_max: int = FAILURES_MAX, window_s: int = WINDOW_S
    ) -> None:
        self._now = now
        self._failures_max = failures_max
        self._window = timedelta(seconds=window_s)
        self._failures: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self.failures = 0
        """All that were ever counted."""

    def wait_s(self, name: str) -> int:
        """How many seconds this name is to be sent away for; 0 when it may try."""
        ends_at, failures = self._failures.get(name, (self._now(), 0))
        if ends_at <= self._now():
            self._failures.pop(name, None)
            return 0
        return int((ends_at - self._now()).total_seconds()) + 1 if failures >= self._failures_max else 0

    def failed(self, name: str) -> None:
        """Count one failure."""
        self.failures += 1
        ends_at, failures = self._failures.get(name, (self._now() + self._window, 0))
        self._failures[name] = (ends_at, failures + 1)
        if len(self._failures) > NAMES_MAX:
            self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget this name's failures."""
        self._failures.pop(name, None)

"""How fast one may talk on sockets: a token bucket for each socket, and one for all sockets of an account.

Counted in this process alone: the buckets are for seconds, and an account rarely has sockets on many nodes.
"""

from collections.abc import Callable
from weakref import WeakValueDictionary

COMMANDS_PER_S = 20.0
BURST = 40
REFUSALS_PER_S = 10.0
REFUSALS_MAX = 200
"""Of one socket that goes on and on; beyond, it is closed."""


class TokenBucket:
    """Holds at most `size` tokens and gets `per_s` new ones each second. Times are seconds of one clock."""

    __slots__ = ("__weakref__", "_at", "_per_s", "_size", "_tokens")

    def __init__(self, per_s: float, size: float) -> None:
        self._per_s = per_s
        self._size = size
        self._tokens = size
        self._at = 0.0

    def wait_s(self, now: float) -> float:
        """How long until there is a token; 0: there is one."""
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        return 0.0 if self._tokens > 1 - 1e-6 else (1 - self._tokens) / self._per_s

    def take(self, now: float) -> bool:
        """Take a token, if there is one."""
        if self.wait_s(now) > 0:
            return False
        self._tokens -= 1
        return True


class CommandPace:
    """The buckets of one socket."""

    def __init__(self, account: TokenBucket | None) -> None:
        self._own = TokenBucket(COMMANDS_PER_S, BURST)
        self._account = account
        self._refusals = TokenBucket(REFUSALS_PER_S, REFUSALS_MAX)

    def wait_s(self, now: float) -> float:
        """Count one command; more than 0: it was too early by so much, and does not count."""
        wait_s = max(self._own.wait_s(now), 0.0 if self._account is None else self._account.wait_s(now))
        if wait_s == 0:
            self._own.take(now)
            if self._account is not None:
                self._account.take(now)
        return wait_s

    def is_flood(self, now: float) -> bool:
        """Count one refusal; has this socket had so many that it is to be closed?"""
        return not self._refusals.take(now)


class CommandPaces:
    """The paces of all sockets. `is_on` False: nobody has one."""

    def __init__(self, monotonic: Callable[[], float], *, is_on: bool) -> None:
        self.monotonic = monotonic
        self._is_on = is_on
        self._accounts: WeakValueDictionary[str, TokenBucket] = WeakValueDictionary()

    def of_socket(self, customer: str | None) -> CommandPace | None:
        """The pace of a new socket of this customer."""
        if not self._is_on:
            return None
        account = None if customer is None else self._accounts.get(customer)
        if account is None and customer is not None:
            account = self._accounts[customer] = TokenBucket(COMMANDS_PER_S, BURST)
        return CommandPace(account)

"""Passwords: argon2id in a few threads, with a short line before them."""

import asyncio
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

PASSWORD_CHARS_MIN = 8
PASSWORD_CHARS_MAX = 128
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
WAITING_MAX = 64
"""About a second and a half of work for two threads; who comes later is sent away."""

T = TypeVar("T")


class PasswordsOverloaded(Exception):
    """Too many passwords are waiting to be worked on: try again in `retry_after_s`."""

    retry_after_s = 2


def weakness(password: str, *about: str) -> str | None:
    """Why this password may not be chosen, in a sentence for a person; None when it may.

    `about` is what everybody may know of its owner: an e-mail address, a name.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        return f"Password must be at least {PASSWORD_CHARS_MIN} characters"
    if len(password) > PASSWORD_CHARS_MAX:
        return f"Password must be at most {PASSWORD_CHARS_MAX} characters"
    if password.casefold() in _common_passwords():
        return "Password is too common, choose another"
    known = {text.strip().casefold() for said in about for text in (said, said.rpartition("@")[0])}
    if password.strip().casefold() in known:
        return "Password is your e-mail address or name, choose another"
    return None


class Passwords:
    """Hashes and verifies with `workers` threads; at most `waiting_max` others wait for one of them.

    Newcomers, who have no account yet, get half of the waiting places: any number of them leaves some for logins.
    """

    def __init__(self, workers: int = 2, *, waiting_max: int = WAITING_MAX) -> None:
        self._hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES, type=Type.ID)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="password")
        self._places = threading.BoundedSemaphore(workers + waiting_max)
        self._places_of_newcomers = threading.BoundedSemaphore(workers + waiting_max // 2)
        self._tasks: set[Future[Any]] = set()
        self._dummy = self._hasher.hash(secrets.token_urlsafe(16))

    @property
    def depth(self) -> int:
        """How many are being worked on or wait for it."""
        return len(self._tasks)

    async def hash(self, password: str, *, is_newcomer: bool = False) -> str:
        """The hash to store, with its parameters and salt in it.

        Raises:
            PasswordsOverloaded: too many are waiting.
        """
        lines = (self._places_of_newcomers, self._places) if is_newcomer else (self._places,)
        return await self._run(lambda: self._hasher.hash(password), lines)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Is this the password? `stored` None (no such customer) takes as long as a wrong password.

        Raises:
            PasswordsOverloaded: too many are waiting.
        """
        return await self._run(lambda: self._verify(stored, password), (self._places,))

    def is_outdated(self, stored: str) -> bool:
        """Was it hashed with other parameters than today's, and should be hashed again?"""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Let the threads end once they have done what was begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(stored or self._dummy, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    async def _run(self, work: Callable[[], T], lines: Sequence[threading.BoundedSemaphore]) -> T:
        for number, line in enumerate(lines):
            if not line.acquire(blocking=False):
                _leave(lines[:number])
                raise PasswordsOverloaded
        task = self._pool.submit(work)
        self._tasks.add(task)
        # The place is given back when the work is done, not when the caller goes away: its thread stays busy.
        task.add_done_callback(partial(self._done, lines))
        return await asyncio.wrap_future(task)

    def _done(self, lines: Sequence[threading.BoundedSemaphore], task: Future[Any]) -> None:
        self._tasks.discard(task)
        _leave(lines)


def _leave(lines: Sequence[threading.BoundedSemaphore]) -> None:
    for line in lines:
        line.release()


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("common_passwords.txt").read_text("utf-8").split())

"""Passwords: what is stored, what is refused, and that no line before the threads grows without end."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters

from server.people.passwords import Passwords, PasswordsOverloaded, weakness


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(workers=2)
    yield made
    made.close()


async def test_a_hash_is_argon2id_with_the_parameters_promised(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != await passwords.hash("correct horse")


async def test_only_the_right_password_is_right(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert await passwords.verify(stored, "correct horse")
    assert not await passwords.verify(stored, "correct horsE")
    assert not await passwords.verify(stored, "")
    assert not await passwords.verify("not a hash", "correct horse")


async def test_nobody_has_no_right_password(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "correct horse")


async def test_an_unknown_customer_costs_the_same_work_as_a_known_one(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    worked: list[Parameters] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            worked.append(extract_parameters(str(hash)))
            return super().verify(hash, password)

    passwords._hasher = Watched()
    for known in (stored, None):
        assert not await passwords.verify(known, "wrong password")
    assert len(worked) == 2
    assert worked[0] == worked[1]


async def test_other_parameters_are_outdated(passwords: Passwords) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("correct horse")
    assert await passwords.verify(old, "correct horse")
    assert passwords.is_outdated(old)
    assert not passwords.is_outdated(await passwords.hash("correct horse"))


async def test_too_many_at_once_are_sent_away() -> None:
    passwords = Passwords(workers=1, waiting_max=1)
    release = threading.Event()
    passwords._hasher = _Stuck(release)
    running = [asyncio.create_task(passwords.hash("one")), asyncio.create_task(passwords.hash("two"))]
    await asyncio.sleep(0)
    with pytest.raises(PasswordsOverloaded):
        await passwords.hash("three")
    release.set()
    assert await asyncio.gather(*running) == ["hash of one", "hash of two"]
    assert await passwords.hash("three") == "hash of three"
    passwords.close()


async def test_newcomers_have_half_of_the_waiting_places() -> None:
    passwords = Passwords(workers=1, waiting_max=4)
    release = threading.Event()
    passwords._hasher = _Stuck(release)
    newcomers = [asyncio.create_task(passwords.hash(str(k), is_newcomer=True)) for k in range(8)]
    await asyncio.sleep(0)
    others = [asyncio.create_task(passwords.hash(str(k))) for k in range(3)]
    await asyncio.sleep(0)
    release.set()
    came = await asyncio.gather(*newcomers, return_exceptions=True)
    assert [isinstance(one, PasswordsOverloaded) for one in came] == [False] * 3 + [True] * 5
    came = await asyncio.gather(*others, return_exceptions=True)
    assert [isinstance(one, PasswordsOverloaded) for one in came] == [False] * 2 + [True]
    came = await asyncio.gather(*(passwords.hash(str(k), is_newcomer=True) for k in range(3)))
    assert len(came) == 3, "their places are given back"
    passwords.close()


async def test_a_caller_that_leaves_keeps_its_thread_busy() -> None:
    passwords = Passwords(workers=1, waiting_max=0)
    stuck = _Stuck(threading.Event())
    passwords._hasher = stuck
    task = asyncio.create_task(passwords.hash("one"))
    await asyncio.to_thread(stuck.begun.wait, 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(PasswordsOverloaded):
        await passwords.hash("two")
    stuck.release.set()
    passwords.close()


@pytest.mark.parametrize("password", ["", "short", "1234567", "password", "PassWord1", "iloveyou", "ticketmaster"])
def test_short_and_common_passwords_are_weak(password: str) -> None:
    assert weakness(password)


@pytest.mark.parametrize("password", ["blue giraffe", "8 charsX", "日本語のパスワード", "x7" * 64])
def test_other_passwords_may_be_chosen(password: str) -> None:
    assert weakness(password) is None


@pytest.mark.parametrize("password", ["ada.king@Example.org", "ADA.KING", " Ada King-Noel ", "ada king-noel"])
def test_what_everybody_knows_of_somebody_is_weak(password: str) -> None:
    about = "Ada.King@example.org", "Ada King-Noel"
    assert weakness(password, *about)
    assert weakness(password) is None
    assert weakness(f"{password} 1815", *about) is None


def test_a_password_may_be_too_long() -> None:
    assert weakness("ab" * 64) is None
    assert weakness("ab" * 64 + "c")


class _Stuck(PasswordHasher):
    """A hasher that waits to be released."""

    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self.release = release
        self.begun = threading.Event()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.begun.set()
        self.release.wait(5)
        return f"hash of {password!s}"

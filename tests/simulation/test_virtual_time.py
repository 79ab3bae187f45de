"""The clock of the simulation."""

import asyncio
import time

import pytest

from tests.simulation.virtual_time import NothingComes, run


def test_an_hour_takes_no_time() -> None:
    async def sleep() -> float:
        await asyncio.sleep(3_600)
        return asyncio.get_running_loop().time()

    before = time.monotonic()
    assert run(sleep()) == pytest.approx(3_600)
    assert time.monotonic() - before < 5


def test_timers_go_off_in_order() -> None:
    async def sleepers() -> list[int]:
        woken: list[int] = []

        async def sleep(number: int, delay_s: float) -> None:
            await asyncio.sleep(delay_s)
            woken.append(number)

        await asyncio.gather(sleep(1, 30), sleep(2, 10), sleep(3, 20), sleep(4, 10))
        return woken

    assert run(sleepers()) == [2, 4, 3, 1]


def test_a_timeout_is_in_virtual_time() -> None:
    async def wait() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(wait()) == pytest.approx(60)


def test_waiting_for_nothing_is_an_error() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingComes):
        run(wait())

"""The capacity is what was done at the paces up to that at which the server refuses."""

from pathlib import Path
from typing import cast

import pytest
from rich.console import Console

from tests.bench.bench import Bench
from tests.bench.bot import Broken
from tests.bench.cases_commands import is_kept
from tests.bench.cases_sales import PACES_PER_S, capacity
from tests.bench.child import Generator
from tests.bench.orders import Pace


class Server:
    """Answers so many commands a second, and refuses the rest; what it does then is a tenth less."""

    def __init__(self, able_per_s: float) -> None:
        self._able_per_s = able_per_s

    async def do(self, order: Pace, _seconds: float = 0.0) -> dict[str, float]:
        done = order.per_s if order.per_s <= self._able_per_s else 0.9 * self._able_per_s
        return {"answered_per_s": order.per_s, "busy_per_s": order.per_s - done, "accepted_per_s": done / 2}


def able_to(per_s: float) -> Generator:
    return cast(Generator, Server(per_s))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Console(quiet=True), tmp_path / "results.json", is_quick=True)


@pytest.mark.parametrize(
    ("able_per_s", "done_per_s"),
    [(PACES_PER_S[3], PACES_PER_S[3]), (1.4 * PACES_PER_S[3], 0.9 * 1.4 * PACES_PER_S[3])],
    ids=["best without refusals", "best with refusals"],
)
async def test_the_capacity_is_the_most_that_was_done(bench: Bench, able_per_s: float, done_per_s: float) -> None:
    found = await capacity(bench, able_to(able_per_s))
    assert found["done_per_s"] == pytest.approx(done_per_s)
    assert found["accepted_per_s"] == pytest.approx(done_per_s / 2)


async def test_without_refusals_the_capacity_is_not_known(bench: Bench) -> None:
    with pytest.raises(Broken, match="nothing was refused"):
        await capacity(bench, able_to(PACES_PER_S[-1]))


def test_a_pace_is_kept_when_nearly_all_was_sent() -> None:
    order = Pace(1.0, 1_000)
    assert is_kept(order, {"sent_per_s": 980.0})
    assert not is_kept(order, {"sent_per_s": 979.0})

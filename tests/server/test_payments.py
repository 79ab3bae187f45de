"""The test gateway, and the worker that asks a provider until it has an answer."""

import asyncio
import logging

import pytest

from actors.core.model import Order
from actors.core.verdict import Settle
from protocol.outbound import OrderStatus
from server.payments import worker
from server.payments.gateway import TestGateway
from server.payments.port import Charge, Collected, Declined, PaymentProvider, ProviderAway
from server.payments.worker import PaymentWorker
from tests.server.parts import Till, until


def order(order_id: str = "o1", method: str = "card") -> Order:
    """A pending order of two seats."""
    return Order(
        order_id=order_id,
        customer="ada",
        status=OrderStatus.PENDING,
        seats=(0, 1),
        prices_cents=(350_00, 99_50),
        currency="EUR",
        payment_method=method,
        command_id="c",
        content_hash=b"h",
        created_ms=1,
    )


class Counter:
    """A worker with what it has settled."""

    def __init__(self, provider: PaymentProvider) -> None:
        self.settled: list[tuple[str, Settle]] = []
        self.worker = PaymentWorker(provider)
        self.worker.settle = self._settle

    def _settle(self, event_id: str, settled: Settle) -> None:
        self.settled.append((event_id, settled))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(worker, "RETRY_MAX_S", 0.02)


CHARGE = Charge("k", 100, "EUR", "card")


async def test_the_gateway_is_deterministic_and_idempotent() -> None:
    for gateway in (TestGateway(), TestGateway(), TestGateway(delay_s=0.01)):
        for _ in range(2):
            assert await gateway.collect(CHARGE) == Collected("test_k")
            declined = await gateway.collect(Charge("k2", 100, "EUR", "decline"))
            assert declined == Declined("the card was declined")


async def test_the_gateway_has_no_delay_unless_asked() -> None:
    with pytest.raises(StopIteration) as answered:
        TestGateway().collect(CHARGE).send(None)  # without ever waiting
    assert answered.value.value == Collected("test_k")


async def test_the_gateway_takes_its_time_if_asked() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await TestGateway(delay_s=0.05).collect(CHARGE)
    assert loop.time() - began >= 0.049


async def test_what_the_provider_says_is_settled() -> None:
    till = Till()
    counter = Counter(till)
    counter.worker.collect("e1", order())
    counter.worker.collect("e2", order("o2", "decline"))
    await until(lambda: len(counter.settled) == 2)
    assert sorted(counter.settled) == [
        ("e1", Settle("o1", "till-o1")),
        ("e2", Settle("o2", None, "the card was declined")),
    ]
    assert till.asked[0] == Charge("o1", 449_50, "EUR", "card")


async def test_an_order_under_way_is_not_asked_for_twice() -> None:
    till = Till()
    counter = Counter(till)
    till.is_open.clear()
    counter.worker.collect("e1", order())
    counter.worker.collect("e1", order())
    await until(lambda: bool(till.asked))
    till.is_open.set()
    await until(lambda: bool(counter.settled))
    assert len(till.asked) == 1
    # Once it is settled it may be asked again: the key is the same.
    counter.worker.collect("e1", order())
    await until(lambda: len(counter.settled) == 2)
    assert till.ledger == {"o1": 449_50}


async def test_a_provider_that_is_away_is_asked_again_with_the_same_key(caplog: pytest.LogCaptureFixture) -> None:
    till = Till()
    till.moods = [ProviderAway("down"), TimeoutError("slow"), OSError("reset")]
    till.loses_answers = 1
    counter = Counter(till)
    counter.worker.collect("e1", order())
    await until(lambda: bool(counter.settled))
    assert counter.settled == [("e1", Settle("o1", "till-o1"))]
    assert len(till.asked) == 5
    assert set(till.asked) == {till.asked[0]}
    assert till.ledger == {"o1": 449_50}
    levels = [record.levelno for record in caplog.records if record.name == worker.__name__]
    assert levels == [logging.WARNING, logging.ERROR, logging.ERROR, logging.WARNING]


async def test_the_pauses_grow_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    till = Till()
    till.moods = [ProviderAway("down")] * 5
    counter = Counter(till)
    monkeypatch.setattr(worker, "RETRY_FIRST_S", 0.5)
    monkeypatch.setattr(worker, "RETRY_MAX_S", 3.0)
    with monkeypatch.context() as patched:
        patched.setattr("server.payments.worker.asyncio.sleep", noted)
        counter.worker.collect("e1", order())
        while not counter.settled:
            await sleep(0)
    assert pauses == [0.5, 1.0, 2.0, 3.0, 3.0]


async def test_stopping_leaves_what_is_under_way() -> None:
    till = Till()
    till.is_open.clear()
    counter = Counter(till)
    counter.worker.collect("e1", order())
    await until(lambda: bool(till.asked))
    await counter.worker.stop()
    till.is_open.set()
    await asyncio.sleep(0)
    assert counter.settled == []
    assert till.ledger == {}


async def test_an_answer_that_nobody_listens_to_is_a_broken_promise() -> None:
    with pytest.raises(AssertionError, match="nobody listens"):
        PaymentWorker(Till()).settle("e1", Settle("o1", "p"))

"""What every provider promises: one decision for a key, however often it is asked."""

import asyncio
from random import Random

import pytest
from msgspec.structs import replace

from server.payments.gateway import DECLINED_METHOD, TestGateway
from server.payments.port import Charge, Collected, Declined, PaymentProvider, ProviderAway
from tests.simulation.virtual_time import run
from tests.simulation.weather import Climate, StormyProvider

CHARGE = Charge("order-1", 7_000, "EUR", "card")
WORST = Climate(declined=0.5, payment_unclear=1.0, payment_late=0.3)


@pytest.fixture(params=["test gateway", "the storm's", "the storm's in its worst mood"])
def provider(request: pytest.FixtureRequest) -> PaymentProvider:
    """Each provider that there is."""
    if request.param == "test gateway":
        return TestGateway()
    climate = WORST if "worst" in request.param else Climate(declined=0)
    return StormyProvider(Random(7), lambda: climate)


async def insist(provider: PaymentProvider, charge: Charge) -> Collected | Declined:
    """Ask until there is an answer."""
    while True:
        try:
            return await provider.collect(charge)
        except ProviderAway:
            continue


def test_one_decision_for_a_key(provider: PaymentProvider) -> None:
    async def ask() -> None:
        for number in range(20):
            charge = replace(CHARGE, key=f"order-{number}")
            answers = await asyncio.gather(*(insist(provider, charge) for _ in range(3)))
            assert answers == [answers[0]] * 3
            assert await insist(provider, charge) == answers[0]
        if isinstance(provider, StormyProvider):
            charged = [one.order_id for one in provider.charges]
            assert len(set(charged)) == len(charged)

    run(ask())


def test_another_key_is_another_payment(provider: PaymentProvider) -> None:
    async def ask() -> None:
        answers = [await insist(provider, replace(CHARGE, key=f"order-{number}")) for number in range(10)]
        paid = [answer.payment_id for answer in answers if isinstance(answer, Collected)]
        assert paid
        assert len(set(paid)) == len(paid)

    run(ask())


def test_the_gateway_declines_when_told_to() -> None:
    answer = run(TestGateway().collect(replace(CHARGE, payment_method=DECLINED_METHOD)))
    assert isinstance(answer, Declined)
    assert answer.reason

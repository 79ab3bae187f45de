"""The test gateway: a provider in this process that takes no real money.

Deterministic: what it answers follows from the charge alone, so it is idempotent over restarts. The payment method
`decline` is declined; every other is collected at once.
"""

import asyncio

from server.payments.port import Charge, Collected, Declined, PaymentProvider

DECLINED_METHOD = "decline"


class TestGateway(PaymentProvider):
    """Answers after `delay_s` seconds; none unless asked."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, delay_s: float = 0) -> None:
        self._delay_s = delay_s

    async def collect(self, charge: Charge) -> Collected | Declined:
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        if charge.payment_method == DECLINED_METHOD:
            return Declined("the card was declined")
        return Collected(f"test_{charge.key}")

"""The payment worker: asks the provider for each pending order, outside any batch, and tells the seat manager.

What is wanted stands in `payment_attempt`, written with the order; the seat manager hands its pending orders over
again when it is loaded. So nothing is lost with this process, and asking twice is harmless: the key is the same.
"""

import asyncio
import logging
from collections.abc import Callable

from actors.core.model import Order
from actors.core.verdict import Settle
from actors.ports import Payments
from server.ending import end
from server.payments.port import Charge, Collected, PaymentProvider, ProviderAway

log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.5
RETRY_MAX_S = 30.0

Settler = Callable[[str, Settle], None]


class PaymentWorker(Payments):
    """Collects for pending orders. `settle` takes the event and the provider's answer; it is set before use."""

    def __init__(self, provider: PaymentProvider) -> None:
        self._provider = provider
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self.settle: Settler = _nobody

    @property
    def under_way(self) -> int:
        """For how many orders the provider has not answered yet."""
        return len(self._under_way)

    def collect(self, event_id: str, order: Order) -> None:
        if order.order_id in self._under_way:
            return
        task = asyncio.create_task(self._collect(event_id, order), name=f"payment {order.order_id}")
        self._under_way[order.order_id] = task

    async def stop(self) -> None:
        """Leave what is under way: it is asked again, with the same key, when its event is loaded."""
        await end(*self._under_way.values())

    async def _collect(self, event_id: str, order: Order) -> None:
        try:
            settled = await self._ask(order)
        finally:
            del self._under_way[order.order_id]
        self.settle(event_id, settled)

    async def _ask(self, order: Order) -> Settle:
        charge = Charge(order.order_id, order.total_cents, order.currency, order.payment_method)
        pause_s = RETRY_FIRST_S
        while True:
            try:
                answer = await self._provider.collect(charge)
            except ProviderAway as problem:
                log.warning("order %s: the provider is away: %s", order.order_id, problem)
            except Exception:
                # Whatever it was, the outcome is as unknown, and a hold in payment cannot end by itself.
                log.exception("order %s: asking the provider failed", order.order_id)
            else:
                if isinstance(answer, Collected):
                    return Settle(order.order_id, answer.payment_id)
                return Settle(order.order_id, None, answer.reason)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_MAX_S)


def _nobody(event_id: str, settled: Settle) -> None:
    raise AssertionError(f"order {settled.order_id} of {event_id} is settled, but nobody listens")

"""What a payment provider is to us. The provider is idempotent by our key."""

from typing import Protocol

from msgspec import Struct


class ProviderAway(Exception):
    """The provider did not answer, or not to the point: ask again with the same key."""


class Charge(Struct, frozen=True):
    """What is to be collected. `key` is the same for every try of the same attempt."""

    key: str
    amount_cents: int
    currency: str
    payment_method: str


class Collected(Struct, frozen=True):
    """The money is taken; `payment_id` is the provider's name for it."""

    payment_id: str


class Declined(Struct, frozen=True):
    """No money was taken and none will be; `reason` is for the customer."""

    reason: str


class PaymentProvider(Protocol):
    """A provider of payments."""

    async def collect(self, charge: Charge) -> Collected | Declined:
        """Take the money, once for each key however often it is asked.

        Raises:
            ProviderAway: the outcome is unknown.
        """

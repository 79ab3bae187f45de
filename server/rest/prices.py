"""Prices as organisers write them: in the major unit."""

from typing import Annotated

from msgspec import Meta

from server.rest.envelope import Refused

PRICE_MAX = 1_000_000

Price = Annotated[
    float,
    Meta(ge=0, le=PRICE_MAX, description="In the major unit, with at most two decimals.", examples=[99.5]),
]


def cents_of(amount: float) -> int:
    """The price in cents. Raises Refused (400): it has more than two decimals."""
    cents = round(amount * 100)
    if abs(cents - amount * 100) > 1e-6 * max(1.0, abs(amount)):
        raise Refused(400, "A price has at most two decimals", "bad_price")
    return cents

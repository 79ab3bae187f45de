"""What a seat manager that was loaded anew must still answer as before."""

from tests.server.parts import Usher, own

__all__ = ["own"]


async def test_a_cancelled_order_is_not_unknown(own: Usher) -> None:
    event_id, buyer = await own.event(), await own.customer()
    assert (await own.reserve(event_id, [1, 2], buyer)).status == 200
    order_id = (await own.buy(buyer)).data["order"]["id"]
    cancel = f"/checkout/orders/{order_id}/cancel"
    assert (await own.rest("POST", cancel, by=buyer)).status == 200
    await own.unload(event_id)
    again = await own.rest("POST", cancel, by=buyer)
    assert again.refusal == (400, "Only completed orders can be cancelled", "order_not_completed")

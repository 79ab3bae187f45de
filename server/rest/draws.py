"""What is published about an event's draw, and the receipt of one's own entry. See docs/waiting-room.md."""

from aiohttp import web
from msgspec import Raw

from protocol.draw_document import DrawDocument, SignedReceipt
from server.door.who_asks import customer
from server.draws.receipts import receipt_of
from server.rest.envelope import Refused, ok
from server.rest.events import stored_event
from server.rest.finding import event_id_of
from server.rest.operations import Operations, Who
from server.services import services

operations = Operations("queue")

_NO_DRAW = {404: ("event_not_found", "no_draw")}


@operations.get("/api/v1/queue/{event_id}/draw", data=DrawDocument, refusals=_NO_DRAW, is_revalidated=True)
async def show_draw(request: web.Request) -> web.Response:
    """All that is public about the draw of an event: to be checked with `usher verify-draw`, or by hand."""
    parts, event_id = services(request), event_id_of(request)
    await stored_event(parts, event_id)
    body = await parts.draws.body(event_id)
    if body is None:
        raise Refused(404, "This event has no draw", "no_draw")
    return ok(Raw(body))


@operations.get(
    "/api/v1/queue/{event_id}/receipt",
    who=Who.SIGNED_IN,
    data=SignedReceipt,
    refusals={404: ("event_not_found", "no_entry")},
)
async def draw_receipt(request: web.Request) -> web.Response:
    """The signed receipt of the customer's entry in the draw: keep it, the draw is checked with it."""
    parts, event_id = services(request), event_id_of(request)
    session = await customer(request)
    await stored_event(parts, event_id)
    receipt = await receipt_of(parts.database, parts.signing_keys, event_id, session.customer_id)
    if receipt is None:
        raise Refused(404, "You have no entry in a draw of this event", "no_entry")
    return ok(receipt)

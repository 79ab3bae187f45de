"""From a REST request to the seat manager and back: commands, refusals, seats."""

import asyncio
from typing import Any
from uuid import uuid4

from aiohttp import web

from actors.core.seating import Seating
from actors.core.verdict import Asked
from actors.supervisor import NotOwned
from actors.told import Told
from protocol.codes import Code
from protocol.outbound import Accepted, Rejected, decode
from server.door.correlation import current_id
from server.ids import uuid_or_none
from server.rest.envelope import Refused
from server.rest.finding import no_event
from server.sales import Sale
from server.services import Services, services
from server.statements import sql

VIA = "rest"
ANSWER_S = 15.0
"""More than a checkout's 10 s, so that the seat manager's own answer comes first."""
READ_S = 5.0

_SENTENCES = {
    Code.HOLD_NOT_FOUND: "No active reservation found",
    Code.HOLD_EXPIRED: "Reservation has expired",
}
_STATUS = {
    Code.PAYMENT_FAILED: 402,
    Code.ORDER_NOT_FOUND: 404,
    Code.RATE_LIMITED: 429,
    Code.OVERLOADED: 503,
    Code.BUSY: 503,
    Code.TRY_AGAIN: 503,
}
COMMAND_REFUSALS = {
    400: tuple(code for code in Code if code not in _STATUS),
    503: tuple(code for code, status in _STATUS.items() if status == 503),
}
"""The refusals of every command, by status."""


class NoSeatsYet(Refused):
    """The event is there, and its seats are not made yet."""

    def __init__(self) -> None:
        super().__init__(400, "This event has no seats yet", Code.SEAT_NOT_FOUND)


def new_command_id() -> str:
    """The id of a command whose client gave none."""
    return f"rest-{uuid4().hex}"


async def sale_of(request: web.Request) -> Sale:
    """The event in the path. Raises Refused (404), NoSeatsYet."""
    return await sale(services(request), request.match_info["event_id"])


async def sale(parts: Services, event_id: str) -> Sale:
    """The event with this id. Raises Refused (404), NoSeatsYet."""
    found = await parts.sales.find(event_id)
    if found is None:
        uuid = uuid_or_none(event_id)
        if uuid is not None and await parts.database.fetchrow(sql("event_times"), uuid) is not None:
            raise NoSeatsYet
        raise no_event()
    return found


async def ask(parts: Services, event_id: str, asked: Asked) -> Accepted:
    """The seat manager's answer to a command.

    Raises:
        Refused: the refusal, with its code and the seats at fault.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Accepted | Rejected | None] = loop.create_future()

    def reply(frame: bytes, refusal: Rejected | None) -> None:
        parts.metrics.outcomes(VIA, type(asked.command)).add(refusal)
        if not answered.done():
            answered.set_result(refusal or _accepted(frame))

    def give_up() -> None:
        if not answered.done():
            answered.set_result(None)

    too_late = loop.call_later(ANSWER_S, give_up)
    parts.supervisor.tell(event_id, Told(asked, reply, correlation_id=current_id()))
    try:
        answer = await answered
    finally:
        too_late.cancel()
    if answer is None:
        raise Refused(503, "The answer is not known yet, try again", Code.TRY_AGAIN)
    if isinstance(answer, Rejected):
        raise refused(answer)
    return answer


def refused(rejected: Rejected) -> Refused:
    """A refused command as a REST answer."""
    status, sentence = _STATUS.get(rejected.code, 400), _SENTENCES.get(rejected.code, rejected.message)
    named = {"seats": rejected.seats, "instead": rejected.instead}
    beside: dict[str, Any] = {name: [str(seat) for seat in seats] for name, seats in named.items() if seats}
    return Refused(status, sentence, rejected.code, **beside)


async def committed(parts: Services, event_id: str) -> Seating:
    """The committed state of an event, to read from. Raises Refused (503)."""
    try:
        return await parts.supervisor.seating_within(event_id, READ_S)
    except NotOwned:
        raise Refused(503, "This event cannot be read just now, try again", Code.TRY_AGAIN) from None


def _accepted(frame: bytes) -> Accepted:
    message = decode(frame)
    assert isinstance(message, Accepted)
    return message

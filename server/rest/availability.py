"""What is available: the seats of an event by section, for everybody."""

from typing import Any

import msgspec
from aiohttp import web

from actors.core.seating import Seating
from protocol.seat_state import SeatState
from server.rest.asking import committed, sale_of
from server.rest.envelope import Refused, cents_to_major, ok, ok_again, ok_body, read_query
from server.rest.operations import Operations
from server.rest.places import Places
from server.rest.shapes import SeatShown, SectionCounts, SectionShown
from server.services import services

_STATUS_JSON = [f'{state.name.lower()}"}}'.encode() for state in SeatState]

operations = Operations("seats")


class AvailabilityQuery(msgspec.Struct):
    """Which section, all when left out, and whether the counts alone will do."""

    section: str | None = None
    summary: bool = False


@operations.get(
    "/api/v1/seats/{event_id}/availability",
    query=AvailabilityQuery,
    data=list[SectionShown],
    refusals={404: ("event_not_found", "section_not_found"), 503: ("try_again",)},
)
async def availability(request: web.Request) -> web.Response:
    """The seats of the event by section, or of one section; with `summary=true` only the counts."""
    query = read_query(request, AvailabilityQuery)
    parts, sale = services(request), await sale_of(request)
    places = await parts.places.get(sale.uuid)
    seating = await committed(parts, sale.event_id)
    wanted = query.section
    if wanted is not None and wanted not in places.sections:
        raise Refused(404, "Section not found", "section_not_found")
    if query.summary:
        names = list(places.sections) if wanted is None else [wanted]
        return ok([_counts(places, seating, name) for name in names])
    if wanted is not None:
        return ok([_section(places, seating, wanted)])
    return ok_again(places.answer.get(seating, lambda: _all_sections(places, seating)))


@operations.get(
    "/api/v1/seats/{event_id}/sections/{section}",
    data=list[SeatShown],
    refusals={404: ("event_not_found", "section_not_found"), 503: ("try_again",)},
)
async def section_seats(request: web.Request) -> web.Response:
    """The seats of one section."""
    parts, sale = services(request), await sale_of(request)
    places = await parts.places.get(sale.uuid)
    seating = await committed(parts, sale.event_id)
    section = request.match_info["section"]
    if section not in places.sections:
        raise Refused(404, "Section not found", "section_not_found")
    return ok(_seats(places, seating, section))


def _all_sections(places: Places, seating: Seating) -> bytes:
    return ok_body([_section(places, seating, name) for name in places.sections])


def _section(places: Places, seating: Seating, name: str) -> dict[str, Any]:
    return {**msgspec.structs.asdict(_counts(places, seating, name)), "seats": _seats(places, seating, name)}


def _counts(places: Places, seating: Seating, name: str) -> SectionCounts:
    indexes = places.sections[name]
    prices = {places.seats[index].price_cents for index in indexes}
    return SectionCounts(
        section=name,
        available=sum(seating.states[index] == SeatState.AVAILABLE for index in indexes),
        total=len(indexes),
        min_price=cents_to_major(min(prices)),
        max_price=cents_to_major(max(prices)),
    )


def _seats(places: Places, seating: Seating, section: str) -> msgspec.Raw:
    seats, states = places.seats, seating.states
    return msgspec.Raw(
        b"[%s]" % b",".join(seats[index].prefix + _STATUS_JSON[states[index]] for index in places.sections[section])
    )

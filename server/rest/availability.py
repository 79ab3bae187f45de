"""What is available: the seats of an event by section, for everybody."""

import msgspec
from aiohttp import hdrs, web

from protocol.codes import Code
from server.reads.accepted_coding import accepts_gzip
from server.reads.gzip_pieces import GzipBody, PlainBody
from server.reads.places import Places
from server.reads.revalidation import is_known, not_modified
from server.reads.seat_answers import Pieces, States
from server.reads.seat_texts import seats_pieces, sections_pieces
from server.rest.asking import NoSeatsYet, committed, sale_of
from server.rest.envelope import Refused, ok, read_query
from server.rest.operations import Operations
from server.rest.shapes import SeatShown, SectionShown
from server.sales import Sale
from server.services import services

operations = Operations("seats")


class AvailabilityQuery(msgspec.Struct):
    """Which section, all when left out, and whether the counts alone will do."""

    section: str | msgspec.UnsetType = msgspec.UNSET
    summary: bool = False


@operations.get(
    "/api/v1/seats/{event_id}/availability",
    query=AvailabilityQuery,
    data=list[SectionShown],
    refusals={404: ("event_not_found", "section_not_found"), 503: ("try_again",)},
    is_revalidated=True,
)
async def availability(request: web.Request) -> web.Response:
    """The seats of the event by section, or of one section; with `summary=true` only the counts."""
    query = read_query(request, AvailabilityQuery)
    wanted = None if query.section is msgspec.UNSET else query.section
    try:
        sale, places = await _places(request)
    except NoSeatsYet:
        if wanted is not None:
            raise _no_section() from None
        return ok([])
    _check(places, wanted)
    if not query.summary:
        return await _shared(request, sale, places, wanted, sections_pieces)
    seating = await committed(services(request), sale.event_id)
    sections = places.answers.sections
    return ok([sections[name].counts(seating.states) for name in ([wanted] if wanted is not None else sections)])


@operations.get(
    "/api/v1/seats/{event_id}/sections/{section}",
    data=list[SeatShown],
    refusals={404: ("event_not_found", "section_not_found"), 503: ("try_again",)},
    is_revalidated=True,
)
async def section_seats(request: web.Request) -> web.Response:
    """The seats of one section."""
    try:
        sale, places = await _places(request)
    except NoSeatsYet:
        raise _no_section() from None
    section = request.match_info["section"]
    _check(places, section)
    return await _shared(request, sale, places, section, seats_pieces)


async def _places(request: web.Request) -> tuple[Sale, Places]:
    parts = services(request)
    await parts.places.rounds.join()
    sale = await sale_of(request)
    return sale, await parts.places.get(sale.uuid)


def _check(places: Places, section: str | None) -> None:
    if section is not None and section not in places.answers.sections:
        raise _no_section()


def _no_section() -> Refused:
    return Refused(404, "Section not found", "section_not_found")


async def _shared(
    request: web.Request, sale: Sale, places: Places, section: str | None, pieces: Pieces
) -> web.Response:
    """The answer that all get who ask for it at about this time; 304 costs none."""

    async def read() -> States:
        return (await committed(services(request), sale.event_id)).states

    def look() -> States | None:
        seating = services(request).supervisor.readable(sale.event_id)
        return None if seating is None else seating.states

    answer = places.answers.about(section, pieces, GzipBody if accepts_gzip(request) else PlainBody)
    if hdrs.IF_NONE_MATCH in request.headers and is_known(request, tag := answer.tag(await read())):
        return not_modified(tag)
    try:
        written = await answer.get(read, look)
    except TimeoutError:
        raise Refused(503, "The seats cannot be shown just now, try again", Code.TRY_AGAIN) from None
    response = web.Response(body=written.body, content_type="application/json", headers={hdrs.ETAG: written.tag})
    if answer.coding is not None:
        response.headers[hdrs.CONTENT_ENCODING] = answer.coding
    return response

"""The waiting room's routes, for those without a socket. Without a waiting room everybody is let in at once."""

import re
from typing import Any, Literal

from aiohttp import hdrs, web
from msgspec import UNSET, Struct, UnsetType

from actors.core.verdict import Asked
from actors.core.waiting_room import shown_place, wait_of
from protocol import limits
from protocol.codes import SENTENCES, Code
from protocol.draw_document import SignedReceipt
from protocol.inbound import JoinQueue, LeaveQueue
from protocol.queue_place import QueuePlace
from server.door.paced import Pace
from server.door.who_asks import customer
from server.draws.receipts import receipt_of
from server.rest.asking import COMMAND_REFUSALS, ask, committed, new_command_id, sale_of
from server.rest.envelope import Refused, iso_ms, ok
from server.rest.events import stored_event
from server.rest.finding import event_id_of
from server.rest.operations import Operations, Who
from server.rest.shapes import Event, Moment, Said
from server.services import services

operations = Operations("queue")

_NOT_FOUND = {404: ("event_not_found",)}
_ASKED = {**COMMAND_REFUSALS, **_NOT_FOUND}
_IS_OVER = ("completed", "cancelled")
PROOF_HEADER, NONCE_HEADER = "X-Lobby-Proof", "X-Lobby-Nonce"
_NONCE = re.compile(rf"[0-9a-f]{{{limits.NONCE_HEX_CHARS}}}")
ASK_AGAIN_MIN_S = 2
ASK_AGAIN_MAX_S = limits.PRESENCE_DURATION_S // 2
"""Who asks more seldom may miss a turn: presence is half a minute."""


class DrawReceipt(Struct):
    """What proves an entry in the draw."""

    entry_id: str
    nonce: str
    position: int
    head: str


class LobbyChallenge(Struct):
    """A proof of work that is to be solved before joining: an ALTCHA challenge."""

    parameters: dict[str, Any]
    signature: str


class PlaceInLine(Struct, omit_defaults=True):
    """Where the customer is. `position` is 0 unless waiting; the rest is there where there is a waiting room."""

    position: int
    status: Literal["waiting", "active", "not_in_queue"]
    estimated_wait_seconds: int
    phase: Literal["lobby", "line"] | UnsetType = UNSET
    place: int | UnsetType = UNSET
    estimated_wait_high_seconds: int | UnsetType = UNSET
    admitted_until: Moment | UnsetType = UNSET
    receipt: DrawReceipt | UnsetType = UNSET
    signed_receipt: SignedReceipt | UnsetType = UNSET
    ask_again_seconds: int | UnsetType = UNSET


class QueueStats(Struct, rename="camel"):
    """How many wait, how many are in, and how many seconds the wait is."""

    queue_length: int
    active_count: int
    estimated_wait: int


@operations.post(
    "/api/v1/queue/{event_id}/join",
    who=Who.SIGNED_IN,
    pace=Pace.JOIN,
    data=PlaceInLine,
    refusals={**_ASKED, 400: (*_ASKED[400], Code.PROOF_REQUIRED), 403: (Code.EMAIL_NOT_VERIFIED,)},
    headers={
        PROOF_HEADER: "The solved challenge, where the waiting room asks for one; at most 4,096 characters.",
        NONCE_HEADER: "32 bytes in hex that the entry in the draw is made of; the server chooses without it.",
    },
)
async def join_queue(request: web.Request) -> web.Response:
    """Stand in line. Who stands there already keeps the place, and the nonce of the first time."""
    nonce = _nonce(request)
    event = await _open_event(request)
    if not event.waiting_room_enabled:
        return _answer(None)
    session, sale = await customer(request), await sale_of(request)
    code = await services(request).lobby_gate.refusal(sale.event_id, session, request.headers.get(PROOF_HEADER))
    if code is not None:
        raise Refused(403 if code is Code.EMAIL_NOT_VERIFIED else 400, SENTENCES[code], code)
    accepted = await ask(
        services(request), sale.event_id, Asked(str(session.customer_id), JoinQueue(new_command_id(), nonce))
    )
    assert isinstance(accepted.queue, QueuePlace), "a place was accepted without a place"
    signed = None
    if accepted.queue.status == "lobby":
        parts = services(request)
        signed = await receipt_of(parts.database, parts.signing_keys, event_id_of(request), session.customer_id)
    return _answer(accepted.queue, signed)


@operations.get(
    "/api/v1/queue/{event_id}/challenge",
    who=Who.SIGNED_IN,
    data=LobbyChallenge,
    refusals={404: ("event_not_found", "no_challenge")},
)
async def lobby_challenge(request: web.Request) -> web.Response:
    """The proof of work that the waiting room asks of this customer, where it asks for one."""
    parts, event_id = services(request), event_id_of(request)
    session = await customer(request)
    await stored_event(parts, event_id)
    if parts.lobby_challenges is None:
        raise Refused(404, "The waiting room asks for no challenge", "no_challenge")
    made = parts.lobby_challenges.challenge(str(event_id), str(session.customer_id))
    return ok(LobbyChallenge(made["parameters"], made["signature"]))


@operations.get("/api/v1/queue/{event_id}/status", who=Who.SIGNED_IN, data=PlaceInLine, refusals=_ASKED)
async def queue_status(request: web.Request) -> web.Response:
    """Where the customer is in line. Asking keeps the place alive; `Retry-After` says when to ask again."""
    event = await _open_event(request)
    if not event.waiting_room_enabled:
        return _answer(None)
    session, sale = await customer(request), await sale_of(request)
    return _answer(shown_place(await committed(services(request), sale.event_id), str(session.customer_id)))


@operations.post("/api/v1/queue/{event_id}/leave", who=Who.SIGNED_IN, data=Said, refusals=_ASKED)
async def leave_queue(request: web.Request) -> web.Response:
    """Give the place in line up, and with it what is held; not being in line is no mistake."""
    parts = services(request)
    if (await stored_event(parts, event_id_of(request))).waiting_room_enabled:
        session, sale = await customer(request), await sale_of(request)
        await ask(parts, sale.event_id, Asked(str(session.customer_id), LeaveQueue(new_command_id())))
    return ok(Said("Left the queue"))


@operations.get(
    "/api/v1/queue/{event_id}/stats",
    data=QueueStats,
    refusals={**_NOT_FOUND, 400: (Code.SEAT_NOT_FOUND,), 503: (Code.TRY_AGAIN,)},
)
async def queue_stats(request: web.Request) -> web.Response:
    """How long the line is."""
    parts = services(request)
    if not (await stored_event(parts, event_id_of(request))).waiting_room_enabled:
        return ok(QueueStats(0, 0, 0))
    seating = await committed(parts, (await sale_of(request)).event_id)
    line = seating.line
    wait = wait_of(seating, line.waiting) if line.waiting else None
    return ok(QueueStats(line.waiting + line.lobby, line.inside, sum(wait or (0, 0)) // 2))


async def _open_event(request: web.Request) -> Event:
    event = await stored_event(services(request), event_id_of(request))
    if event.status in _IS_OVER:
        raise Refused(400, SENTENCES[Code.NOT_ON_SALE], Code.NOT_ON_SALE)
    return event


def _nonce(request: web.Request) -> str | UnsetType:
    nonce = request.headers.get(NONCE_HEADER)
    if nonce is None:
        return UNSET
    if not _NONCE.fullmatch(nonce):
        raise Refused(400, f"{NONCE_HEADER} must be 32 bytes as 64 hexadecimal digits in lower case", "bad_command")
    return nonce


def _answer(place: QueuePlace | None, signed: SignedReceipt | None = None) -> web.Response:
    """The place as the contract has it; None: there is no waiting room."""
    if place is None:
        return ok(PlaceInLine(0, "active", 0))
    is_waiting = place.status in ("lobby", "waiting")
    again_s = ASK_AGAIN_MAX_S
    if place.status == "waiting" and place.eta_s is not None:
        again_s = min(max(place.eta_s // 2, ASK_AGAIN_MIN_S), ASK_AGAIN_MAX_S)
    receipt = place.receipt
    shown = PlaceInLine(
        position=place.ahead + 1 if place.status == "waiting" else 0,
        status="waiting" if place.status == "lobby" else place.status,
        estimated_wait_seconds=place.eta_s or 0,
        phase=("lobby" if place.status == "lobby" else "line") if is_waiting else UNSET,
        place=UNSET if place.place is None else place.place,
        estimated_wait_high_seconds=UNSET if place.eta_high_s is None else place.eta_high_s,
        admitted_until=UNSET if place.admitted_until_ms is None else iso_ms(place.admitted_until_ms),
        receipt=UNSET
        if receipt is UNSET
        else DrawReceipt(receipt.entry_id, receipt.nonce, receipt.position, receipt.head),
        signed_receipt=signed or UNSET,
        ask_again_seconds=again_s,
    )
    response = ok(shown)
    response.headers[hdrs.RETRY_AFTER] = str(again_s)
    return response

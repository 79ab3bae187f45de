"""What a client may say on the socket, and how its words are read.

frame ──read_command()──► Open | HoldSeats | … | Ping
                     └──► BadCommand(id, message)     answered by `rejected bad_command`
                     └──► raises NotUnderstood        the connection is closed with 4400
"""

import json
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from protocol import limits

CommandId = Annotated[str, Meta(min_length=1, max_length=limits.COMMAND_ID_CHARS_MAX)]
SeatIndex = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Seats = Annotated[tuple[SeatIndex, ...], Meta(extra_json_schema={"uniqueItems": True})]
Name = Annotated[str, Meta(min_length=1, max_length=limits.NAME_CHARS_MAX)]
Nonce = Annotated[str, Meta(pattern=f"^[0-9a-f]{{{limits.NONCE_HEX_CHARS}}}$")]
Proof = Annotated[str, Meta(min_length=1, max_length=limits.PROOF_CHARS_MAX)]
PaymentMethod = Annotated[str, Meta(min_length=1, max_length=limits.PAYMENT_METHOD_CHARS_MAX)]


class NotUnderstood(Exception):
    """The frame is no command of this protocol: the connection is closed with 4400."""


class BadCommand(Struct, frozen=True):
    """A frame whose `id` is readable and whose fields are not right."""

    id: str
    message: str


def _refuse_repeats(seats: tuple[int, ...]) -> None:
    if len(set(seats)) != len(seats):
        raise ValueError("a seat is named twice")


class InboundMessage(Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """What a client says. A field means the same in every message, unless the message says otherwise.

    id: the client's own name for this command, new for each; the answer carries it back
    seats: indices of seats, each at most once
    """


class Open(InboundMessage, frozen=True, tag="open"):
    """Start watching; with both fields, a position to resume from.

    Answered by a `patch` that ends at the current state, or by a `snapshot` (after `resync`, if a position was
    given); then come `hold` and `queue`, for those who are signed in.

    epoch: that of the client's map
    revision: that of the client's map
    """

    epoch: str | UnsetType = UNSET
    revision: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET


class HoldSeats(InboundMessage, frozen=True, tag="hold_seats"):
    """Hold all of these seats or none. A further hold adds to what I hold; what I hold already is fine."""

    id: CommandId
    seats: Annotated[Seats, Meta(min_length=1, max_length=limits.SEATS_PER_COMMAND_MAX)]

    def __post_init__(self) -> None:
        _refuse_repeats(self.seats)


class HoldBest(InboundMessage, frozen=True, tag="hold_best"):
    """Hold the best `count` adjacent seats that the server finds under these conditions.

    count: how many seats
    price_tier: only seats of this price tier
    section: only seats of the section with this name
    max_price_cents: only seats that cost at most this
    accessible: true: with a wheelchair place, and companion seats beside it if there are any; otherwise without one
    """

    id: CommandId
    count: Annotated[int, Meta(ge=1, le=limits.SEATS_PER_COMMAND_MAX)]
    price_tier: Name | UnsetType = UNSET
    section: Name | UnsetType = UNSET
    max_price_cents: Annotated[int, Meta(ge=0)] | UnsetType = UNSET
    accessible: bool | UnsetType = UNSET


class ReleaseSeats(InboundMessage, frozen=True, tag="release_seats"):
    """Give these seats back; an empty list gives all of them back. What I do not hold is ignored."""

    id: CommandId
    seats: Annotated[Seats, Meta(max_length=limits.SEATS_PER_RELEASE_MAX)]

    def __post_init__(self) -> None:
        _refuse_repeats(self.seats)


class ExtendHold(InboundMessage, frozen=True, tag="extend_hold"):
    """Move the end of the hold, once: to 600 s from now, and at most 1,200 s after its first seat."""

    id: CommandId


class Checkout(InboundMessage, frozen=True, tag="checkout"):
    """Buy all that I hold in this event.

    Answered when the provider has answered; after 10 s with a `pending` order, whose end comes as `order`.

    payment_method: as the payment provider knows it; the test gateway declines `decline`
    """

    id: CommandId
    payment_method: PaymentMethod


class JoinQueue(InboundMessage, frozen=True, tag="join_queue"):
    """Get a place in line. Who has one keeps it.

    nonce: 32 bytes in hex, of which the entry in the draw is made; without it the server chooses. Fixed at the
        first join
    proof: the solved challenge, where the waiting room asks for one; it is read by the gate alone
    """

    id: CommandId
    nonce: Nonce | UnsetType = UNSET
    proof: Proof | UnsetType = UNSET


class LeaveQueue(InboundMessage, frozen=True, tag="leave_queue"):
    """Give up the place in line, and the hold with it."""

    id: CommandId


class Ping(InboundMessage, frozen=True, tag="ping"):
    """Answered by `pong` with the same `at`.

    at: any number, such as the client's time
    """

    at: int | float


Command = HoldSeats | HoldBest | ReleaseSeats | ExtendHold | Checkout | JoinQueue | LeaveQueue
"""What goes to the seat manager: every command has an `id` and an answer."""

Inbound = Open | Command | Ping

_decoder = msgspec.json.Decoder(Inbound)
_encoder = msgspec.json.Encoder()
_WITHOUT_OPTIONS = (
    HoldSeats("x", (1,)),
    ReleaseSeats("x", ()),
    ExtendHold("x"),
    Checkout("x", "x"),
    JoinQueue("x"),
    LeaveQueue("x"),
)
_QUOTES: dict[type, int] = {type(sample): _encoder.encode(sample).count(b'"') for sample in _WITHOUT_OPTIONS}
_WITH_ID = frozenset(
    kind.__struct_config__.tag
    for kind in (HoldSeats, HoldBest, ReleaseSeats, ExtendHold, Checkout, JoinQueue, LeaveQueue)
)


def read_command(frame: bytes) -> Inbound | BadCommand:
    """The command in a text frame.

    Raises:
        NotUnderstood: not JSON, an unknown type, or a missing or bad `id` on a type that has one.
    """
    try:
        command: Inbound = _decoder.decode(frame)
    except msgspec.ValidationError as problem:
        return _blame(frame, str(problem))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NotUnderstood(str(problem)) from None
    if _wants_a_closer_look(frame, command):
        return _look_closer(frame, command)
    return command


def _wants_a_closer_look(frame: bytes, command: Inbound) -> bool:
    # The decoder keeps the last of repeated fields in silence, and an escape can hide a name or a NUL. A command
    # without options has a known number of quotes: nearly every frame is cleared by two searches.
    if b"\\" in frame:
        return True
    return frame.count(b'"') != _QUOTES.get(type(command), 0)


def _look_closer(frame: bytes, command: Inbound) -> Inbound | BadCommand:
    pairs: list[tuple[str, Any]] = json.loads(frame, object_pairs_hook=list)
    names = [name for name, _ in pairs]
    repeated = [name for name in names if names.count(name) > 1]
    with_nul = [name for name, value in pairs if isinstance(value, str) and "\0" in value]
    if not repeated and not with_nul:
        return command
    problem = f"The field {repeated[0]!r} is there twice" if repeated else f"The field {with_nul[0]!r} has a NUL"
    if isinstance(command, Open | Ping) or {"id", "type"} & {*repeated, *with_nul}:
        raise NotUnderstood(problem)
    return BadCommand(command.id, problem)


class _Head(Struct):
    type: str
    id: CommandId | UnsetType = UNSET


_head_decoder = msgspec.json.Decoder(_Head)


def _blame(frame: bytes, problem: str) -> BadCommand:
    try:
        head = _head_decoder.decode(frame)
        # parse_int: the number of digits is not what matters here.
        names = [name for name, _ in json.loads(frame, object_pairs_hook=list, parse_int=str)]
    except (msgspec.DecodeError, ValueError, RecursionError) as worse:
        raise NotUnderstood(str(worse)) from None
    if head.type not in _WITH_ID or head.id is UNSET or "\0" in head.id:
        raise NotUnderstood(problem)
    if names.count("id") > 1 or names.count("type") > 1:
        raise NotUnderstood(problem)
    return BadCommand(head.id, problem)

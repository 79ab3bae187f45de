"""Refusal codes and close codes, with what a client may do about each."""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """Why a command was refused. The order is the order in which refusals are checked, where one is fixed."""

    NOT_SIGNED_IN = "not_signed_in"
    BAD_COMMAND = "bad_command"
    ID_REUSED = "id_reused"
    EMAIL_NOT_VERIFIED = "email_not_verified"
    PROOF_REQUIRED = "proof_required"
    NOT_ON_SALE = "not_on_sale"
    NOT_ADMITTED = "not_admitted"
    SEAT_NOT_FOUND = "seat_not_found"
    SEAT_BLOCKED = "seat_blocked"
    SEAT_TAKEN = "seat_taken"
    LIMIT_REACHED = "limit_reached"
    ORPHAN_SEAT = "orphan_seat"
    NO_BLOCK = "no_block"
    HOLD_NOT_FOUND = "hold_not_found"
    HOLD_EXPIRED = "hold_expired"
    EXTEND_USED = "extend_used"
    PAYMENT_FAILED = "payment_failed"
    ORDER_NOT_FOUND = "order_not_found"
    ORDER_NOT_COMPLETED = "order_not_completed"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    BUSY = "busy"
    TRY_AGAIN = "try_again"


RETRIABLE = frozenset(
    {
        Code.SEAT_TAKEN,
        Code.NO_BLOCK,
        Code.NOT_ADMITTED,
        Code.NOT_ON_SALE,
        Code.EMAIL_NOT_VERIFIED,
        Code.PAYMENT_FAILED,
        Code.RATE_LIMITED,
        Code.OVERLOADED,
        Code.BUSY,
        Code.TRY_AGAIN,
    }
)
"""The same command may succeed later."""

SENTENCES: dict[Code, str] = {
    Code.NOT_SIGNED_IN: "Sign in to do this",
    Code.BAD_COMMAND: "This command is not understood",
    Code.ID_REUSED: "This command id was used for another command",
    Code.NOT_ON_SALE: "This event is not on sale",
    Code.NOT_ADMITTED: "Your turn in the waiting room has not come yet",
    Code.SEAT_NOT_FOUND: "There is no such seat",
    Code.SEAT_BLOCKED: "This seat is not for sale",
    Code.SEAT_TAKEN: "This seat is taken",
    Code.LIMIT_REACHED: "This is more than one customer may have for this event",
    Code.ORPHAN_SEAT: "This would leave a single seat alone",
    Code.NO_BLOCK: "Not so many seats are left that fit",
    Code.EMAIL_NOT_VERIFIED: "Confirm your e-mail address before you join",
    Code.PROOF_REQUIRED: "Solve the challenge of the waiting room before you join",
    Code.HOLD_NOT_FOUND: "You hold no seats in this event",
    Code.HOLD_EXPIRED: "Your hold has run out",
    Code.EXTEND_USED: "This hold was already extended",
    Code.PAYMENT_FAILED: "The payment failed",
    Code.ORDER_NOT_FOUND: "Order not found",
    Code.ORDER_NOT_COMPLETED: "Only completed orders can be cancelled",
    Code.RATE_LIMITED: "Too many commands, slow down",
    Code.OVERLOADED: "The event is overloaded, try again",
    Code.BUSY: "This is being worked on, try again",
    Code.TRY_AGAIN: "This could not be decided just now, try again",
}
"""One sentence for a person, for each code."""


class CloseCode(IntEnum):
    """Why the server ends a connection."""

    GOING_AWAY = 1001
    BROKEN_FRAME = 1002
    BAD_TEXT = 1007
    TOO_BIG = 1009
    RESTARTING = 1012
    NOT_UNDERSTOOD = 4400
    SESSION_ENDED = 4401
    NOT_ALLOWED = 4403
    NO_SUCH_EVENT = 4404
    TOO_SLOW = 4408
    TOO_MUCH = 4429


class Reconnect(StrEnum):
    """What a client does after the end of a connection."""

    AT_ONCE = "reconnect after a short random wait and resume from your position"
    LATER = "reconnect after 5 s, then double the wait each time"
    NEVER = "final: do not reconnect as you are"


class Ending(NamedTuple):
    """What a close code means, in a sentence, and what to do then."""

    meaning: str
    then: Reconnect


ENDINGS: dict[CloseCode, Ending] = {
    CloseCode.GOING_AWAY: Ending("The server is going away", Reconnect.AT_ONCE),
    CloseCode.BROKEN_FRAME: Ending("A frame breaks the rules of WebSocket", Reconnect.NEVER),
    CloseCode.BAD_TEXT: Ending("A text or a close reason is not UTF-8", Reconnect.NEVER),
    CloseCode.TOO_BIG: Ending("A message is too big", Reconnect.NEVER),
    CloseCode.RESTARTING: Ending("The server or the event's owner changes", Reconnect.AT_ONCE),
    CloseCode.NOT_UNDERSTOOD: Ending(
        "Not JSON, a binary frame, an unknown type, or a missing or bad id", Reconnect.NEVER
    ),
    CloseCode.SESSION_ENDED: Ending("The session has ended, or the ticket is bad, used or old", Reconnect.NEVER),
    CloseCode.NOT_ALLOWED: Ending("This customer may not be here", Reconnect.NEVER),
    CloseCode.NO_SUCH_EVENT: Ending("There is no such event, or its seats are not made yet", Reconnect.NEVER),
    CloseCode.TOO_SLOW: Ending("Too much was left unread", Reconnect.AT_ONCE),
    CloseCode.TOO_MUCH: Ending("Too many commands or connections", Reconnect.LATER),
}
"""Every close code. A client takes 1003 and 1008, which this version never sends, as final too."""

"""What a command asks and what becomes of it.

Accept   an effect, and the frame that answers it
Repeat   accepted before: the same answer, no effect
Await    this checkout's payment is still open
Refuse   no effect, not remembered
"""

from msgspec import Struct

from actors.core.memory import content_hash
from actors.core.model import Change, IdempotencyKey, OrphanRule, QueueMode, Stage
from protocol.codes import Code
from protocol.inbound import Command
from protocol.outbound import Rejected, rejected


class CancelOrder(Struct, frozen=True, tag="cancel_order"):
    """The customer gives a completed order back. Its seats are available at once."""

    id: str
    order_id: str


class ChangeTerms(Struct, frozen=True, tag="change_terms"):
    """The organiser changes the terms of the sale; None leaves one as it is."""

    id: str
    stage: Stage | None = None
    on_sale_at_ms: int | None = None
    event_at_ms: int | None = None
    max_tickets_per_user: int | None = None
    orphan_rule: OrphanRule | None = None
    queue_mode: QueueMode | None = None
    max_concurrent_shoppers: int | None = None
    admit_per_minute: int | None = None


class BlockSeats(Struct, frozen=True, tag="block_seats"):
    """The organiser takes these seats out of the sale, and says why. Those that are blocked get the new reason."""

    id: str
    seats: tuple[int, ...]
    reason: str


class UnblockSeats(Struct, frozen=True, tag="unblock_seats"):
    """The organiser puts these seats into the sale again. What is not blocked stays as it is."""

    id: str
    seats: tuple[int, ...]


OrganiserCommand = ChangeTerms | BlockSeats | UnblockSeats


class Settle(Struct, frozen=True):
    """The provider has answered for a pending order. `failure` is its sentence when no money was taken."""

    order_id: str
    payment_id: str | None
    failure: str | None = None


class Asked(Struct, frozen=True):
    """A command and who asks. `idempotency` belongs to a checkout that came with a key."""

    customer: str
    command: Command | CancelOrder | OrganiserCommand
    idempotency: IdempotencyKey | None = None


class Entry(Struct, frozen=True):
    """One row of the journal. `command_id` and `frame` are there for a customer's accepted command."""

    kind: str
    customer: str
    seats: tuple[int, ...]
    command_id: str | None = None
    content_hash: bytes | None = None
    frame: bytes | None = None


class Accept(Struct, frozen=True):
    """It takes effect. `frame` is None for a checkout, whose answer comes when its order is settled."""

    changes: tuple[Change, ...]
    entry: Entry
    frame: bytes | None = None


class Repeat(Struct, frozen=True):
    """It took effect before."""

    frame: bytes


class Await(Struct, frozen=True):
    """It began before and is being paid for."""

    order_id: str


class Refuse(Struct, frozen=True):
    """It has no effect."""

    rejected: Rejected


Verdict = Accept | Repeat | Await | Refuse


def refuse(command_id: str, code: Code, seats: tuple[int, ...] = ()) -> Refuse:
    """The refusal with the code's own sentence; `seats` are those at fault."""
    return Refuse(rejected(command_id, code, seats))


def entry_of(asked: Asked, kind: str, seats: tuple[int, ...], frame: bytes) -> Entry:
    """The journal row of an accepted command, with its answer."""
    return Entry(kind, asked.customer, seats, asked.command.id, content_hash(asked.command), frame)

"""No two entries of a draw are the same: a nonce that somebody else has joined with is refused."""

from actors.core.model import QueueMode
from actors.core.rules import decide
from actors.core.seating import Draft
from actors.core.verdict import Accept, Asked, Refuse
from protocol.codes import Code
from protocol.inbound import JoinQueue
from protocol.outbound import Accepted, Rejected
from protocol.queue_place import QueuePlace
from tests.core.sale import MINUTE_MS, OPENING_MS, Sale

NONCE, OTHER = "0" * 63 + "1", "0" * 63 + "2"


def lobby() -> Sale:
    """An event whose sale begins in a minute, with a draw."""
    return Sale(
        event_id="550e8400-e29b-41d4-a716-446655440202",
        queue_mode=QueueMode.DRAW,
        on_sale_at_ms=OPENING_MS + MINUTE_MS,
    )


def test_a_nonce_is_one_accounts() -> None:
    sale = lobby()
    ada = sale.tell("ada", JoinQueue("1", NONCE))
    assert isinstance(ada, Accepted)
    refused = sale.tell("bob", JoinQueue("1", NONCE))
    assert isinstance(refused, Rejected)
    assert refused.code == Code.BAD_COMMAND
    assert isinstance(sale.tell("bob", JoinQueue("2", OTHER)), Accepted), "another one will do"


def test_nor_within_one_batch() -> None:
    draft = Draft(lobby().seating)
    first = decide(draft, Asked("ada", JoinQueue("1", NONCE)), OPENING_MS)
    assert isinstance(first, Accept)
    draft.add(first.changes)
    assert isinstance(decide(draft, Asked("bob", JoinQueue("1", NONCE)), OPENING_MS), Refuse)
    assert isinstance(decide(draft, Asked("bob", JoinQueue("2", OTHER)), OPENING_MS), Accept)


def test_who_joined_with_it_may_send_it_again() -> None:
    sale = lobby()
    first = sale.tell("ada", JoinQueue("1", NONCE))
    again = sale.tell("ada", JoinQueue("2", NONCE))
    assert isinstance(first, Accepted)
    assert isinstance(again, Accepted)
    assert isinstance(first.queue, QueuePlace)
    assert isinstance(again.queue, QueuePlace)
    assert first.queue.receipt == again.queue.receipt

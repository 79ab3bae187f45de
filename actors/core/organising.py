"""The rules of the organiser's commands: they change the terms, and no seat."""

from typing import Any

from msgspec.structs import replace

from actors.core.model import TermsMoved
from actors.core.verdict import Accept, Asked, ChangeTerms, entry_of
from actors.core.view import View
from protocol.outbound import Accepted, encode


def change_terms(view: View, asked: Asked, command: ChangeTerms, _now_ms: int) -> Accept:
    """Sell by other terms from now on. Who holds or has bought more than a new limit keeps it."""
    wanted: dict[str, Any] = {
        "stage": command.stage,
        "on_sale_at_ms": command.on_sale_at_ms,
        "event_at_ms": command.event_at_ms,
        "max_tickets_per_user": command.max_tickets_per_user,
    }
    terms = replace(view.terms, **{name: value for name, value in wanted.items() if value is not None})
    frame = encode(Accepted(command.id, view.next_revision))
    return Accept((TermsMoved(terms),), entry_of(asked, "terms", (), frame), frame)

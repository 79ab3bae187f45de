"""What is told to everybody: how far the line is, by one frame, at most once a second; and what the event is."""

from actors.core.seating import Seating
from actors.core.waiting_room import has_room
from protocol.outbound import EventNow, LineNow

SAID_EVERY_MS = 1_000


class LineNews:
    """Knows what was said of the line last, and when."""

    def __init__(self) -> None:
        self._said: LineNow | None = None
        self._said_ms = 0

    def due(self, seating: Seating, now_ms: int) -> LineNow | None:
        """What is to be said now, if anything."""
        seating.line.pace.tick(now_ms)
        if now_ms < self._said_ms + SAID_EVERY_MS or not has_room(seating.terms) or not self._is_news(seating):
            return None
        self._said, self._said_ms = line_now(seating), now_ms
        return self._said

    def next_ms(self, seating: Seating) -> int | None:
        """When there is something to say; None: there is nothing."""
        is_news = has_room(seating.terms) and self._is_news(seating)
        return self._said_ms + SAID_EVERY_MS if is_news else None

    def _is_news(self, seating: Seating) -> bool:
        said, now = self._said, line_now(seating)
        return said is None or (said.admitted_upto, said.waiting) != (now.admitted_upto, now.waiting)


def line_now(seating: Seating) -> LineNow:
    """How far the line is."""
    line = seating.line
    per_minute = line.pace.per_minute
    return LineNow(
        line.admitted_upto, line.waiting + line.lobby, None if per_minute is None else round(per_minute, 1)
    )


def event_now(seating: Seating, now_ms: int) -> EventNow:
    """The event with what may change while it is on sale."""
    terms = seating.terms
    return EventNow(
        seating.status(now_ms),
        terms.on_sale_at_ms,
        terms.orphan_rule,
        str(terms.queue_mode),
        terms.max_concurrent_shoppers,
        terms.admit_per_minute,
    )

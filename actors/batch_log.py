"""What the log says of a seat manager's batches, so that a request can be followed to its batch and its patch."""

import logging
from collections.abc import Sequence

from actors.ports import Claim
from actors.told import Told

log = logging.getLogger(__name__)

SLOW_S = 0.25
"""A batch that takes longer is worth a warning."""
CORRELATION_IDS_MAX = 20
"""So many are named in one line."""


class BatchLog:
    """The lines about one event's batches. Where nobody reads them they cost a look at the level."""

    def __init__(self, claim: Claim) -> None:
        self._claim = claim

    def ids_for_patch(self, told: Sequence[Told]) -> tuple[str, ...]:
        """The correlation ids that are to go with the news; none when nobody reads of patches."""
        return _ids(told) if log.isEnabledFor(logging.DEBUG) else ()

    def committed(self, told: Sequence[Told], revision: int, seats: int, took_s: float) -> None:
        """A turn that answers these commands has made this revision."""
        level = logging.WARNING if took_s > SLOW_S else logging.DEBUG
        if log.isEnabledFor(level):
            self._say(level, "batch committed", told, revision, took_s, {"seats": seats})

    def failed(self, told: Sequence[Told], revision: int, took_s: float, problem: Exception) -> None:
        """A turn that began at this revision ended without a commit. What to do about it is said elsewhere."""
        self._say(logging.WARNING, "batch failed", told, revision, took_s, {"problem": type(problem).__name__})

    def _say(
        self,
        level: int,
        sentence: str,
        told: Sequence[Told],
        revision: int,
        took_s: float,
        more: dict[str, object],
    ) -> None:
        fields: dict[str, object] = {
            "event_id": self._claim.event_id,
            "term": self._claim.term,
            "revision": revision,
            "commands": len(told),
            "ms": round(took_s * 1000, 2),
            "correlation_ids": _ids(told),
        }
        log.log(level, sentence, extra=fields | more)


def _ids(told: Sequence[Told]) -> tuple[str, ...]:
    return tuple(_id(one) for one in told[:CORRELATION_IDS_MAX] if one.correlation_id)


def _id(told: Told) -> str:
    """A request brings one command; a socket brings many, which have names of their own."""
    return told.correlation_id if told.origin is None else f"{told.correlation_id}/{told.asked.command.id}"

"""The map as a watcher knows it: rebuilt from snapshots and patches by the client's rule alone."""

from enum import Enum

from protocol.outbound import Patch, Snapshot
from protocol.seat_state import SeatState, unpack_states


class Outcome(Enum):
    """What the client's rule says about a patch."""

    IGNORE = "ignore"
    APPLY = "apply"
    REOPEN = "reopen"


def judge(epoch: str, revision: int, patch: Patch) -> Outcome:
    """The client's rule: a patch against my position. Source: the socket protocol, "Position and resume"."""
    if patch.epoch != epoch:
        return Outcome.REOPEN
    if patch.revision <= revision:
        return Outcome.IGNORE
    return Outcome.APPLY if patch.base <= revision else Outcome.REOPEN


class WatchedMap:
    """The state of every seat and the position it belongs to."""

    def __init__(self, seat_count: int) -> None:
        self.epoch = ""
        self.revision = -1
        self.states = bytearray(seat_count)

    def load(self, snapshot: Snapshot) -> None:
        """Take the whole map."""
        self.epoch, self.revision = snapshot.epoch, snapshot.revision
        self.states = unpack_states(snapshot.seats, len(self.states))

    def take(self, patch: Patch) -> Outcome:
        """Take a patch, if the rule says so."""
        outcome = judge(self.epoch, self.revision, patch)
        if outcome is Outcome.APPLY:
            changes = zip(SeatState, (patch.available, patch.held, patch.sold, patch.blocked), strict=True)
            for state, seats in changes:
                for seat in seats:
                    self.states[seat] = state
            self.revision = patch.revision
        return outcome

    def seats(self, state: SeatState) -> list[int]:
        """The seats in this state, in index order."""
        return [index for index, found in enumerate(self.states) if found == state]

"""The map as a watcher knows it: rebuilt from snapshots and patches by the client's rule alone."""

from enum import Enum

from protocol.outbound import Patch, Snapshot
from protocol.seat_state import SeatState, unpack_states


class WrongMap(Exception):
    """The server has shown a map that cannot be: the text says in what way."""


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
    """The state of every seat and the position it belongs to; `revision` is -1 before the first snapshot."""

    def __init__(self, seat_count: int) -> None:
        self.epoch = ""
        self.revision = -1
        self.states = bytearray(seat_count)

    def load(self, snapshot: Snapshot) -> None:
        """Take the whole map.

        Raises:
            WrongMap: within one epoch, history has gone back or says something else than before.
        """
        states = unpack_states(snapshot.seats, len(self.states))
        counts = snapshot.counts
        if [states.count(state) for state in SeatState] != [
            counts.available,
            counts.held,
            counts.sold,
            counts.blocked,
        ]:
            raise WrongMap(f"the counts of the snapshot of revision {snapshot.revision} are not those of its seats")
        if snapshot.epoch == self.epoch and snapshot.revision < self.revision:
            raise WrongMap(f"history went back from revision {self.revision} to {snapshot.revision}")
        if (snapshot.epoch, snapshot.revision) == (self.epoch, self.revision) and states != self.states:
            raise WrongMap(f"revision {self.revision} is shown in two ways")
        self.epoch, self.revision, self.states = snapshot.epoch, snapshot.revision, states

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


class MapCheck:
    """Is the map that patches have made the one that a snapshot shows?

    Both may be at different moments; from the snapshot on, both take the same patches, and where they meet they
    must be equal.
    """

    def __init__(self, watched: WatchedMap, snapshot: Snapshot) -> None:
        self._watched = watched
        self._fresh = WatchedMap(len(watched.states))
        self._fresh.load(snapshot)

    def take(self, patch: Patch) -> None:
        """Take a patch that the watched map has been given, too."""
        if self._fresh.take(patch) is Outcome.REOPEN:
            raise WrongMap(f"after the snapshot of revision {self._fresh.revision}, a patch from {patch.base}")

    def is_done(self, *, at_rest: bool = False) -> bool:
        """Have both met? `at_rest`: no patch is to come, so they must be equal wherever they are.

        Raises:
            WrongMap: they have met and are not equal.
        """
        watched, fresh = self._watched, self._fresh
        if not at_rest and (watched.epoch, watched.revision) != (fresh.epoch, fresh.revision):
            return False
        wrong = [seat for seat, state in enumerate(fresh.states) if watched.states[seat] != state]
        if wrong:
            raise WrongMap(
                f"{len(wrong)} seats are not as in the snapshot, {wrong[:5]} among them "
                f"(revisions {watched.revision}, {fresh.revision})"
            )
        return True

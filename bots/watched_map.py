"""The map as a watcher knows it: rebuilt from snapshots and patches by the client's rule alone."""

from enum import Enum
from weakref import WeakValueDictionary

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


class Picture:
    """An event's seats at one position, never changed. `after` is what one patch, in these bytes, makes of it."""

    __slots__ = ("__weakref__", "after", "epoch", "revision", "states")

    def __init__(self, epoch: str, revision: int, states: bytes) -> None:
        self.epoch = epoch
        self.revision = revision
        self.states = states
        self.after: tuple[bytes, Picture] | None = None


class Pictures:
    """The pictures that the watchers of one event have now, each of them once.

    A thousand bots that are sent the same patches have the same picture: the first works it out, the others find
    it. Whoever comes to a position by another way, over other patches or a snapshot, must find the same seats.
    """

    def __init__(self) -> None:
        self._known: WeakValueDictionary[tuple[str, int], Picture] = WeakValueDictionary()

    def at(self, epoch: str, revision: int, states: bytes) -> Picture:
        """The picture of a position.

        Raises:
            WrongMap: somebody has another picture of it.
        """
        known = self._known.get((epoch, revision))
        if known is None:
            self._known[epoch, revision] = known = Picture(epoch, revision, states)
        elif known.states != states:
            wrong = [seat for seat, state in enumerate(known.states) if states[seat] != state]
            raise WrongMap(f"revision {revision} is shown in two ways: {len(wrong)} seats, {wrong[:5]} among them")
        return known


class WatchedMap:
    """The state of every seat and the position it belongs to; `revision` is -1 before the first snapshot."""

    def __init__(self, seat_count: int, pictures: Pictures | None = None) -> None:
        self._pictures = pictures or Pictures()
        self._picture = Picture("", -1, bytes(seat_count))

    @property
    def epoch(self) -> str:
        """Whose history the revision counts in."""
        return self._picture.epoch

    @property
    def revision(self) -> int:
        """How many batches of the event are in it."""
        return self._picture.revision

    @property
    def states(self) -> bytes:
        """A byte for each seat: its `SeatState`."""
        return self._picture.states

    def parted(self) -> "WatchedMap":
        """The same map for somebody who is away for a while: it keeps nothing of what others see meanwhile."""
        parted = WatchedMap(0, self._pictures)
        parted._picture = Picture(self.epoch, self.revision, self.states)
        return parted

    def load(self, snapshot: Snapshot) -> None:
        """Take the whole map.

        Raises:
            WrongMap: within one epoch, history has gone back or says something else than before.
        """
        states = bytes(unpack_states(snapshot.seats, len(self.states)))
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
        self._picture = self._pictures.at(snapshot.epoch, snapshot.revision, states)

    def take(self, patch: Patch, frame: bytes = b"") -> Outcome:
        """Take a patch, if the rule says so. `frame` is what it was read from.

        Raises:
            WrongMap: it makes another map of this position than what was shown of it before.
        """
        before = self._picture
        outcome = judge(before.epoch, before.revision, patch)
        if outcome is Outcome.APPLY:
            states = bytearray(before.states)
            changes = zip(SeatState, (patch.available, patch.held, patch.sold, patch.blocked), strict=True)
            for state, seats in changes:
                for seat in seats:
                    states[seat] = state
            self._picture = self._pictures.at(before.epoch, patch.revision, bytes(states))
            if frame:
                before.after = frame, self._picture
        return outcome

    def take_known(self, frame: bytes) -> bool:
        """Take a patch that somebody with the same map has taken already; False: it has to be read."""
        after = self._picture.after
        if after is None or after[0] != frame:
            return False
        self._picture = after[1]
        return True

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

    def is_done(self) -> bool:
        """Have both met?

        Raises:
            WrongMap: they have met and are not equal.
        """
        watched, fresh = self._watched, self._fresh
        if (watched.epoch, watched.revision) != (fresh.epoch, fresh.revision):
            return False
        wrong = [seat for seat, state in enumerate(fresh.states) if watched.states[seat] != state]
        if wrong:
            raise WrongMap(
                f"{len(wrong)} seats are not as in the snapshot, {wrong[:5]} among them "
                f"(revisions {watched.revision}, {fresh.revision})"
            )
        return True

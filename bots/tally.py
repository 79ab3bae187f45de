"""What the bots of one process have seen, in numbers: small enough to be told every half second."""

import math
from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

STEPS_PER_OCTAVE = 16
"""A wait is known to within 4.5 %."""
TEXTS_MAX = 20
"""So many broken promises are told in words; the others are counted."""


class Waits(Struct):
    """How long answers took: a count for each step of a logarithmic scale of microseconds."""

    counts: dict[int, int] = field(default_factory=dict)

    def add(self, wait_s: float) -> None:
        """One more answer."""
        step = int(STEPS_PER_OCTAVE * math.log2(max(1.0, 1e6 * wait_s)))
        self.counts[step] = self.counts.get(step, 0) + 1

    def within_ms(self, share: float) -> float:
        """Within what time this share of the answers came, ms; 0 without an answer."""
        left = share * sum(self.counts.values())
        for step in sorted(self.counts):
            left -= self.counts[step]
            if left <= 0:
                return round(2 ** ((step + 1) / STEPS_PER_OCTAVE) / 1000, 3)
        return 0.0

    def __sub__(self, earlier: "Waits") -> "Waits":
        """What has come since then."""
        return Waits({step: count - earlier.counts.get(step, 0) for step, count in self.counts.items()})


class Tally(Struct):
    """All counts are since the start. Times are monotonic, s; 0: not yet.

    arrived: customers who were there before the sale began, or for whom nobody waits
    visiting: bots with a socket that is open now, or is being opened again
    waiting, inside: bots in the waiting room, and those whose turn it is, by what they were told
    turns: how often a turn has come
    sent_again: commands sent once more with their id, because no answer had come or it said to come back
    resumes: how often bots came back with a map
    resumed_by_patches: … and got no snapshot
    fates: how nasty connections ended
    divergences: maps that are not what the server shows, or shows to others
    broken: promises broken otherwise; the first of both are in `texts`
    waits: of answers to what was sent once
    waits_again: of the others, from when it was first sent
    """

    arrived: int = 0
    visiting: int = 0
    waiting: int = 0
    inside: int = 0
    turns: int = 0
    commands: int = 0
    accepted: int = 0
    sent_again: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    seats_bought: int = 0
    orders_cancelled: int = 0
    maps_compared: int = 0
    resumes: int = 0
    resumed_by_patches: int = 0
    fates: dict[str, int] = field(default_factory=dict)
    divergences: int = 0
    broken: int = 0
    texts: list[str] = field(default_factory=list)
    waits: Waits = field(default_factory=Waits)
    waits_again: Waits = field(default_factory=Waits)
    first_asked_at_s: float = 0.0
    last_answered_at_s: float = 0.0
    last_accepted_at_s: float = 0.0
    memory_bytes: int = 0

    def refused(self, code: str) -> None:
        """A command was refused."""
        self.refusals[code] = self.refusals.get(code, 0) + 1

    def ended(self, fate: str) -> None:
        """A nasty connection has ended."""
        self.fates[fate] = self.fates.get(fate, 0) + 1

    def diverged(self, text: str) -> None:
        """A map was wrong."""
        self.divergences += 1
        self._tell(text)

    def broke(self, text: str) -> None:
        """The server broke a promise."""
        self.broken += 1
        self._tell(text)

    def _tell(self, text: str) -> None:
        if len(self.texts) < TEXTS_MAX:
            self.texts.append(text)


def total(tallies: Iterable[Tally]) -> Tally:
    """What all processes have seen together."""
    found = Tally()
    for tally in tallies:
        for name in Tally.__struct_fields__:
            setattr(found, name, _together(name, getattr(found, name), getattr(tally, name)))
    return found


def _together(name: str, one: object, other: object) -> object:
    if isinstance(one, Waits) and isinstance(other, Waits):
        return Waits(dict(Counter(one.counts) + Counter(other.counts)))
    if isinstance(one, dict) and isinstance(other, dict):
        return dict(Counter(one) + Counter(other))
    if isinstance(one, list) and isinstance(other, list):
        return (one + other)[:TEXTS_MAX]
    assert isinstance(one, int | float)
    assert isinstance(other, int | float)
    if name == "first_asked_at_s":
        return min(one or other, other or one)
    return max(one, other) if name.endswith("_at_s") else one + other

"""A waiting room as one would write it without a thought of speed: a list that is searched each time."""

import math
from dataclasses import dataclass, field

PRESENCE_MS, CALL_MS, ADMISSION_MS, LOOK_AGAIN_MS = 30_000, 120_000, 900_000, 1_000
PACE_SLACK_US = 250_000


@dataclass
class NaiveEntry:
    """Somebody in the room."""

    customer: str
    state: str
    place: int | None = None
    until_ms: int = 0
    has_missed: bool = False
    look_at_ms: int = 0
    """Whether somebody who was called has come, or who is inside is gone, is looked at then, and not before."""


@dataclass
class NaiveRoom:
    """One in for one out, in order of places. `order` is filled by the draw; who is not in `entries` is out."""

    slots: int
    mode: str = "draw"
    per_minute: int = 0
    entries: dict[str, NaiveEntry] = field(default_factory=dict)
    chain: list[str] = field(default_factory=list)
    places_given: int = 0
    is_drawn: bool = False
    paced_us: int = 0
    admissions: list[tuple[str, int]] = field(default_factory=list)

    def join(self, customer: str, is_on_sale: bool) -> None:
        if customer in self.entries or self.mode == "off":
            return
        if self.mode == "draw" and not is_on_sale and not self.places_given:
            if customer not in self.chain:
                self.chain.append(customer)
            self.entries[customer] = NaiveEntry(customer, "lobby")
            return
        self.entries[customer] = NaiveEntry(customer, "waiting", self._next_place())

    def draw(self, order: list[str]) -> None:
        assert sorted(order) == sorted(self.chain)
        self.is_drawn = True
        self.places_given = max(self.places_given, len(order))
        for place, customer in enumerate(order, 1):
            if customer in self.entries and self.entries[customer].state == "lobby":
                self.entries[customer] = NaiveEntry(customer, "waiting", place)

    def leave(self, customer: str) -> None:
        self.entries.pop(customer, None)

    def inside(self) -> list[NaiveEntry]:
        return [entry for entry in self.entries.values() if entry.state in ("called", "active")]

    def waiting(self) -> list[NaiveEntry]:
        found = [entry for entry in self.entries.values() if entry.state == "waiting"]
        return sorted(found, key=lambda entry: entry.place or 0)

    def clock(self, now_ms: int, seen: dict[str, int], holds: set[str]) -> None:
        """What the time does to those inside."""
        for entry in self.inside():
            here = seen[entry.customer] + PRESENCE_MS >= now_ms
            if entry.state == "called" and now_ms < entry.look_at_ms:
                continue
            if entry.state == "called" and here:
                entry.state, entry.until_ms = "active", now_ms + ADMISSION_MS
            elif entry.state == "called" and now_ms >= entry.until_ms:
                self._missed(entry)
            elif entry.state == "called":
                entry.look_at_ms = min(now_ms + LOOK_AGAIN_MS, entry.until_ms)
            elif entry.state == "active" and entry.customer not in holds and now_ms >= entry.look_at_ms:
                gone_ms = seen[entry.customer] + CALL_MS
                if now_ms >= min(gone_ms, entry.until_ms):
                    self.leave(entry.customer)
                entry.look_at_ms = min(entry.until_ms, max(gone_ms, now_ms + LOOK_AGAIN_MS))

    def admit(self, now_ms: int, seen: dict[str, int]) -> None:
        """Fill the free slots, not faster than the pace."""
        if self.mode not in ("fifo", "draw") or (self.chain and not self.is_drawn):
            return
        while len(self.inside()) < self.slots and self.waiting() and self._is_paced(now_ms):
            entry = self.waiting()[0]
            assert entry.place is not None
            self.admissions.append((entry.customer, entry.place))
            here = seen[entry.customer] + PRESENCE_MS >= now_ms
            entry.state = "active" if here else "called"
            entry.until_ms = now_ms + (ADMISSION_MS if here else CALL_MS)
            entry.look_at_ms = now_ms

    def gave_back(self, customer: str) -> None:
        """What was held is no reason to stay any more: look at once."""
        if customer in self.entries:
            self.entries[customer].look_at_ms = 0

    def _is_paced(self, now_ms: int) -> bool:
        """Is it time for another one? If so, it is paced."""
        interval_us = math.ceil((60_000_000 + PACE_SLACK_US) / self.per_minute) if self.per_minute else 0
        if self.paced_us + interval_us > now_ms * 1_000:
            return False
        self.paced_us = max(self.paced_us + interval_us, now_ms * 1_000 - PACE_SLACK_US)
        return True

    def _next_place(self) -> int:
        self.places_given = max(self.places_given, len(self.chain)) + 1
        return self.places_given

    def _missed(self, entry: NaiveEntry) -> None:
        if entry.has_missed:
            self.leave(entry.customer)
            return
        entry.state, entry.place, entry.until_ms, entry.has_missed = "waiting", self._next_place(), 0, True

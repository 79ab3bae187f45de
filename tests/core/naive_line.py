"""A waiting room as one would write it without a thought of speed: a list that is searched each time."""

from dataclasses import dataclass, field

PRESENCE_MS, CALL_MS, ADMISSION_MS, LOOK_AGAIN_MS = 30_000, 120_000, 900_000, 1_000


@dataclass
class NaiveEntry:
    """Somebody in the room."""

    customer: str
    state: str
    place: int | None = None
    until_ms: int = 0
    has_missed: bool = False
    look_at_ms: int = 0
    """Whether somebody who was called has come is looked at then, and not before."""


@dataclass
class NaiveRoom:
    """One in for one out, in order of places. `order` is filled by the draw; who is not in `entries` is out."""

    slots: int
    entries: dict[str, NaiveEntry] = field(default_factory=dict)
    chain: list[str] = field(default_factory=list)
    places_given: int = 0
    is_drawn: bool = False
    admissions: list[tuple[str, int]] = field(default_factory=list)

    def join(self, customer: str, is_on_sale: bool) -> None:
        if customer in self.entries:
            return
        if not is_on_sale:
            if customer not in self.chain:
                self.chain.append(customer)
            self.entries[customer] = NaiveEntry(customer, "lobby")
            return
        self.places_given += 1
        self.entries[customer] = NaiveEntry(customer, "waiting", self.places_given)

    def draw(self, order: list[str]) -> None:
        assert sorted(order) == sorted(self.chain)
        self.is_drawn = True
        self.places_given = len(order)
        for place, customer in enumerate(order, 1):
            if customer in self.entries:
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
            elif entry.state == "active" and entry.customer not in holds:
                gone = now_ms >= seen[entry.customer] + CALL_MS
                if gone or now_ms >= entry.until_ms:
                    self.leave(entry.customer)

    def admit(self, now_ms: int, seen: dict[str, int]) -> None:
        """Fill the free slots."""
        while len(self.inside()) < self.slots and self.waiting():
            entry = self.waiting()[0]
            assert entry.place is not None
            self.admissions.append((entry.customer, entry.place))
            here = seen[entry.customer] + PRESENCE_MS >= now_ms
            entry.state = "active" if here else "called"
            entry.until_ms = now_ms + (ADMISSION_MS if here else CALL_MS)
            entry.look_at_ms = now_ms

    def _missed(self, entry: NaiveEntry) -> None:
        if entry.has_missed:
            self.leave(entry.customer)
            return
        self.places_given += 1
        entry.state, entry.place, entry.until_ms, entry.has_missed = "waiting", self.places_given, 0, True

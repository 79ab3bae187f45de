"""What became true in the line of a simulated on-sale, written down from committed batches alone.

It knows nothing of the core's own counts: who is in and who waits follows from the entries as they were written.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from actors.core.model import QueueState
from actors.ports import Batch
from protocol.seat_state import SeatState

INSIDE = (QueueState.CALLED, QueueState.ACTIVE)


class TurnCame(NamedTuple):
    """Somebody's turn: when it became true (s), whose, in which place, how long (s) the slot had been free for
    somebody, and when the turn came by the entry (ms)."""

    at_s: float
    customer: str
    place: int
    waited_s: float
    admitted_ms: int


class Told(NamedTuple):
    """What a customer with so many `ahead` was told of the wait; without a range nothing is known yet."""

    at_s: float
    customer: str
    ahead: int
    low_s: int | None
    high_s: int | None


@dataclass
class LineRecord:
    """`slots_s` are seconds of slots while somebody could have been let in; `used_s` those that were given."""

    slots: int
    interval_s: float
    available: int
    opens_s: float
    states: dict[str, QueueState] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    drawn: dict[str, int] = field(default_factory=dict)
    """The places of the lobby, as they are told when it is drawn."""
    places: dict[str, int] = field(default_factory=dict)
    """Those that were written: of who came later, or moved since."""
    turns: list[TurnCame] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    times: dict[str, list[float]] = field(default_factory=dict)
    """When the turns of each customer came."""
    left_line: set[str] = field(default_factory=set)
    """Who went away before the turn."""
    most_inside: int = 0
    slots_s: float = 0.0
    used_s: float = 0.0
    inside: int = 0
    waiting: int = 0
    _now_s: float = 0.0
    _open_since_s: float | None = None
    _free_since_s: deque[float] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._free_since_s.extend([self.opens_s] * self.slots)

    def committed(self, batch: Batch, at_s: float) -> None:
        """A batch became true."""
        self._pass_to(at_s)
        for write in batch.seats:
            free = SeatState.AVAILABLE
            self.available += (write.to_state == free) - (write.from_state == free)
        if batch.drawn is not None:
            for customer, state in self.states.items():
                if state is QueueState.LOBBY:
                    self._move(customer, QueueState.WAITING)
        # Who goes out makes room for who comes in by the same batch.
        for entry in sorted(batch.queue, key=lambda entry: (entry.state in INSIDE, entry.place or 0)):
            was_inside = self.states.get(entry.customer) in INSIDE
            if entry.position is not None:
                self.positions[entry.customer] = entry.position
            if entry.place is not None:
                self.places[entry.customer] = entry.place
            if entry.state is QueueState.OUT and not was_inside:
                self.left_line.add(entry.customer)
            self._move(entry.customer, entry.state)
            if was_inside and entry.state not in INSIDE:
                self._free_since_s.append(at_s)
            elif entry.state in INSIDE and not was_inside:
                assert entry.place is not None
                assert entry.admitted_ms is not None
                waited_s = at_s - self._could_since(at_s)
                self.turns.append(TurnCame(at_s, entry.customer, entry.place, waited_s, entry.admitted_ms))
                self.times.setdefault(entry.customer, []).append(at_s)
        self.most_inside = max(self.most_inside, self.inside)
        is_open = self.waiting > 0 and self.available > 0 and at_s >= self.opens_s
        self._open_since_s = (self._open_since_s or at_s) if is_open else None

    def _pass_to(self, at_s: float) -> None:
        if self._open_since_s is not None:
            self.slots_s += (at_s - self._now_s) * self.slots
            self.used_s += (at_s - self._now_s) * self.inside
        self._now_s = at_s

    def _could_since(self, at_s: float) -> float:
        """Since when there was a slot, somebody for it, something to buy, and the pace allowed it."""
        free_s = self._free_since_s.popleft() if self._free_since_s else at_s
        paced_s = self.turns[-1].at_s + self.interval_s if self.turns else 0.0
        return min(at_s, max(free_s, paced_s, at_s if self._open_since_s is None else self._open_since_s))

    def _move(self, customer: str, state: QueueState) -> None:
        was, waiting = self.states.get(customer), QueueState.WAITING
        self.waiting += (state is waiting) - (was is waiting)
        self.inside += (state in INSIDE) - (was in INSIDE)
        self.states[customer] = state

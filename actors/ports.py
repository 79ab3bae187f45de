"""The world as the actors see it: what they ask of the store, the mirror, the audience and the payments.

StoreUnavailable     no answer: what was asked may or may not have happened
OwnershipLost        the event has another owner, or this node's lease has run out
BrokenPromise        the store refuses what memory says: memory and database have parted
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from actors.core.layout import Run
from actors.core.model import BlockMoved, Drawn, DrawTerms, Hold, LobbyClosed, Order, QueueEntry, Terms
from actors.core.verdict import Entry
from protocol.outbound import Outbound


class StoreUnavailable(Exception):
    """The store did not answer; the outcome of what was asked is unknown."""


class OwnershipLost(Exception):
    """Somebody else owns the event by now."""


class BrokenPromise(Exception):
    """The store found something else than memory promised. The actor is rebuilt."""


class Claim(Struct, frozen=True):
    """The right to write an event: fenced by owner and term."""

    event_id: str
    owner: str
    term: int


class Loaded(Struct, frozen=True):
    """The committed state of an event. `holders` has the customer of each held or sold seat.

    `now_ms` is the store's time when the loop's clock was at `read_at_s`.
    """

    now_ms: int
    read_at_s: float
    terms: Terms
    revision: int
    epoch: str
    runs: Sequence[Run]
    accessible: frozenset[int]
    companion: frozenset[int]
    states: bytes
    holders: dict[int, str]
    holds: dict[str, Hold]
    orders: Sequence[Order]
    ran_out_ms: dict[str, int]
    line: "LoadedLine"


class LoadedLine(Struct, frozen=True):
    """The waiting room: those who are in it, and all of the draw's chain.

    `tail` is the last place given, `admitted_upto` the last one whose turn came, `admitted_ms` when.
    """

    draws: DrawTerms = DrawTerms()
    entries: Sequence[QueueEntry] = ()
    tail: int = 0
    admitted_upto: int = 0
    admitted_ms: int = 0


class SeatWrite(Struct, frozen=True):
    """One seat's row as it must be found and as it shall be."""

    index: int
    from_state: int
    from_holder: str | None
    to_state: int
    to_holder: str | None


class Batch(Struct, frozen=True):
    """All that one turn of the actor changes. `revision` is the one it starts from.

    `lookups` are the (customer, command id) pairs that may have been accepted before; if one was, nothing is
    written. `orders` are as they now are, each step of each order; one that is pending begins in this batch.
    `terms` are there when they change; `blocks` are the reasons that change, in order. `queue` are the entries in
    the waiting room that change, as they now are; the places that a draw gives follow from it: they are not there.
    """

    claim: Claim
    revision: int
    at_ms: int
    lookups: tuple[tuple[str, str], ...]
    entries: tuple[Entry, ...] = ()
    seats: tuple[SeatWrite, ...] = ()
    holds: tuple[tuple[str, Hold | None], ...] = ()
    orders: tuple[Order, ...] = ()
    terms: Terms | None = None
    blocks: tuple[BlockMoved, ...] = ()
    queue: tuple[QueueEntry, ...] = ()
    drawn: Drawn | None = None
    closed: LobbyClosed | None = None

    @property
    def writes(self) -> bool:
        """Does it change anything? A batch that does not only looks its commands up."""
        return bool(self.entries)


class Stored(Struct, frozen=True):
    """An accepted command found in the journal."""

    customer: str
    command_id: str
    content_hash: bytes
    frame: bytes


class Committed(Struct, frozen=True):
    """The batch is durable."""

    revision: int


class Known(Struct, frozen=True):
    """Nothing was written: these commands were accepted before."""

    stored: tuple[Stored, ...]


class SeatsBusy(Struct, frozen=True):
    """Nothing was written: somebody outside has locked these seats' rows."""

    seats: frozenset[int]


class HeadBusy(Struct, frozen=True):
    """Nothing was written: the event's head is locked, by an earlier try of ours or by a claim."""


Outcome = Committed | Known | SeatsBusy | HeadBusy


class Store(Protocol):
    """Where the truth is. Every method may raise `StoreUnavailable`."""

    async def claim(self, event_id: str) -> Claim | None:
        """Own the event if nobody alive does; None: it is owned elsewhere, or there is no such event."""

    async def load(self, claim: Claim) -> Loaded:
        """The committed state, read after the claim has committed. Raises `OwnershipLost`."""

    async def commit(self, batch: Batch) -> Outcome:
        """Write all of the batch or nothing. Sending the same batch again cannot apply it twice.

        Raises:
            OwnershipLost: fenced.
            BrokenPromise: a row was not as the batch said.
        """

    async def release(self, claim: Claim) -> None:
        """Give the event up, if it is still ours."""

    async def neglected(self, limit: int) -> list[str]:
        """Events with holds or pending orders that nobody alive owns."""


class PersonalNews(Struct, frozen=True):
    """A frame for the sockets of one customer, except the one that caused it."""

    customer: str
    message: Outbound
    origin: object | None = None


class News(Struct, frozen=True):
    """What one committed batch changed: `seats` for all who watch, `personal` for single customers.

    `correlation_ids` are for the log alone.
    """

    revision: int
    seats: dict[int, int]
    personal: tuple[PersonalNews, ...] = ()
    correlation_ids: tuple[str, ...] = ()


class Audience(Protocol):
    """Who watches an event. Never waits, never raises."""

    def begin(self, event_id: str, revision: int, epoch: str) -> None:
        """The event was loaded at this position; the news that follow build on it."""

    def publish(self, event_id: str, news: News) -> None:
        """Tell everybody of the seats, in the order of the calls."""

    def tell(self, event_id: str, personal: PersonalNews) -> None:
        """Tell one customer, in the order of the calls and of the answers to commands."""

    def announce(self, event_id: str, message: Outbound) -> None:
        """Send one message to everybody, encoded once."""

    def tell_places(self, event_id: str) -> None:
        """Tell each customer with a socket the place in line, as it is committed when its turn to be told comes."""

    def seen_s(self, event_id: str, customer: str) -> float:
        """When the customer was there last, by the loop's clock: now with an open socket; 0: not lately."""

    def lost(self, event_id: str) -> None:
        """The event is owned elsewhere: those who watch it here have to go."""

    def watched(self) -> frozenset[str]:
        """The events that somebody watches here."""


class Mirror(Protocol):
    """The copy of holds and waiting rooms in Redis. Never waits, never raises; nothing is decided from it."""

    def touch(self, claim: Claim, revision: int, holds: dict[str, Hold | None], moved: Iterable[str] = ()) -> None:
        """These customers' holds changed; the entries of those who `moved` did, too."""

    def replace(
        self,
        claim: Claim,
        revision: int,
        epoch: str,
        holds: Callable[[], dict[str, Hold]],
        entries: Callable[[], Mapping[str, QueueEntry]] = dict,
    ) -> None:
        """Everything is to be written anew; `holds` and `entries` give what is committed, also later on."""

    def forget(self, claim: Claim) -> None:
        """The event is no longer ours."""


class Payments(Protocol):
    """Who asks the provider for money. Never waits, never raises; the answer comes to the actor as `Settle`."""

    def collect(self, event_id: str, order: Order) -> None:
        """Collect for this pending order; asking again for one that is under way changes nothing."""


class Randomness(Protocol):
    """Who asks the beacon. Never waits, never raises; the round comes to the actor as `BeaconRound`."""

    def await_round(self, event_id: str, draws: DrawTerms) -> None:
        """Find the round of this draw, whose lobby is closed; asking again meanwhile changes nothing."""


class Lease(Protocol):
    """This node's right to answer."""

    @property
    def node_id(self) -> str:
        """The owner to claim as."""

    def is_held(self, owner: str) -> bool:
        """May this node still answer for events that it claimed as `owner`?"""


class Meter(Protocol):
    """Who counts what the seat managers do. Never waits, never raises."""

    def batch_committed(self, commands: int, took_s: float) -> None:
        """A turn with so many commands is over; it took this long, from the inbox to the answers."""

    def batch_failed(self) -> None:
        """A turn ended without a commit; its manager ends with it."""

    def order_moved(self, order: Order) -> None:
        """A committed batch brought an order into the state that it has here."""


@dataclass(frozen=True)
class Ports:
    """The world, for the actors of one node."""

    store: Store
    mirror: Mirror
    audience: Audience
    payments: Payments
    lease: Lease
    meter: Meter
    randomness: Randomness

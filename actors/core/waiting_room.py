"""The rules of the waiting room: who joins, who leaves, who is let in and for how long.

    join, leave      a customer's commands
    is_admitted      may this customer hold seats?
    look_after       what the clock does to those inside: came in, ran out, gone, did not come
    end_lobby        the draw, once, when the sale begins, or when the beacon has spoken after it
    admit            one in for one out, up to `max_concurrent_shoppers`, not faster than `admit_per_minute`

Presence is no fact of the line and is passed in: when each customer was seen last.
"""

from uuid import UUID

from msgspec import UNSET
from msgspec.structs import replace

from actors.core import draw
from actors.core.line import INSIDE, Line, LineDraft, Seen, genesis, interval_us
from actors.core.memory import content_hash
from actors.core.model import (
    BeaconRound,
    Drawn,
    EntryMoved,
    LineDrawn,
    LobbyClosed,
    QueueEntry,
    QueueMode,
    QueueState,
    Terms,
)
from actors.core.pace import WaitRange
from actors.core.seating import Seating
from actors.core.verdict import Accept, Asked, Entry, Verdict, refuse
from actors.core.view import View
from protocol import limits
from protocol.codes import Code
from protocol.inbound import JoinQueue
from protocol.outbound import Accepted, encode
from protocol.queue_place import QueuePlace, Receipt

_ADMISSION_MS = limits.ADMISSION_DURATION_S * 1000
_CALL_MS = limits.CALL_DURATION_S * 1000
_PRESENCE_MS = limits.PRESENCE_DURATION_S * 1000
_LOOK_AGAIN_MS = 1_000
NOBODY = "00000000-0000-0000-0000-000000000000"
"""Whose doing the draw is, in the journal."""

_IS_IN_ROOM = (QueueState.LOBBY, QueueState.WAITING, *INSIDE)


def has_room(terms: Terms) -> bool:
    """Does the event have a waiting room?"""
    return terms.queue_mode is not QueueMode.OFF


def is_admitted(view: View, customer: str, now_ms: int) -> bool:
    """May the customer hold seats? Past its 900 s an admission lasts as long as what is held can be paid."""
    if not has_room(view.terms):
        return True
    entry = view.line.entry(customer)
    if entry is None or entry.state not in INSIDE:
        return False
    return now_ms < (entry.until_ms or 0) or view.hold(customer) is not None


def join(view: View, asked: Asked, command: JoinQueue, now_ms: int) -> Verdict:
    """Get a place. Who has one already keeps it; without a waiting room everybody is in."""
    customer, terms, line = asked.customer, view.terms, view.line
    if not has_room(terms):
        return _accept(view, asked, QueuePlace("active"), ())
    if terms.is_over(now_ms):
        return refuse(command.id, Code.NOT_ON_SALE)
    entry = line.entry(customer)
    if entry is not None and entry.state in _IS_IN_ROOM:
        return _accept(view, asked, place_of(view, entry), ())
    if _is_of_another(line, entry, command):
        return refuse(command.id, Code.BAD_COMMAND)
    joined = _joined(view, asked, command, entry, now_ms)
    shown = place_of(view, joined, is_new=True)
    return _accept(view, asked, shown, (EntryMoved(joined),))


def left(view: View, customer: str) -> tuple[EntryMoved, ...]:
    """What becomes of the customer's entry on leaving, and when something is bought: its slot is free."""
    entry = view.line.entry(customer)
    if entry is None or entry.state not in _IS_IN_ROOM:
        return ()
    return (EntryMoved(replace(entry, state=QueueState.OUT, until_ms=None)),)


def place_of(view: View, entry: QueueEntry | None, *, is_new: bool = False) -> QueuePlace:
    """The entry as a customer's frame carries it; `is_new`: it goes to the end of the line just now."""
    if entry is None or entry.state is QueueState.OUT:
        return QueuePlace("not_in_queue")
    receipt = _receipt(view, entry, is_new) if entry.state is QueueState.LOBBY else UNSET
    if entry.state is QueueState.LOBBY:
        return QueuePlace("lobby", receipt=receipt)
    if entry.state is QueueState.WAITING:
        assert entry.place is not None
        # Those in the lobby, if it is closed or drawn by this batch, come before all who wait.
        ahead = view.line.lobby + (view.line.waiting if is_new else view.line.ahead(entry.place))
        eta_s, eta_high_s = wait_of(view, ahead) or (None, None)
        return QueuePlace("waiting", entry.place, ahead, eta_s, eta_high_s)
    return QueuePlace("active", entry.place, admitted_until_ms=entry.until_ms)


def wait_of(view: View, ahead: int) -> WaitRange | None:
    """How long it takes with so many ahead; None: not known, or fewer seats are left and it may never come."""
    terms = view.terms
    if ahead >= view.available:
        return None
    return view.line.pace.wait(ahead, terms.max_concurrent_shoppers, terms.admit_per_minute)


def shown_place(view: View, customer: str) -> QueuePlace:
    """Where the customer is, as a frame carries it."""
    return place_of(view, view.line.entry(customer)) if has_room(view.terms) else QueuePlace("active")


def is_end_of_lobby_due(terms: Terms, line: Line | LineDraft, now_ms: int) -> bool:
    """Is the lobby to be drawn, or, where a beacon was named, to be closed?"""
    draws = line.draws
    return draws.drawn is None and draws.closed_ms is None and bool(line.chained) and terms.is_on_sale(now_ms)


def end_lobby(terms: Terms, line: LineDraft, now_ms: int, found: BeaconRound | None) -> Accept | None:
    """Close the lobby, if it is time, and draw; with a beacon when its round was `found`, which is later."""
    draws = line.draws
    if is_end_of_lobby_due(terms, line, now_ms):
        if draws.beacon_chain is None:
            return _drawn(line, now_ms, None)
        return Accept((LobbyClosed(now_ms),), Entry("closed", NOBODY, ()))
    if found is None or draws.closed_ms is None or draws.drawn is not None:
        return None
    assert found.at_ms > draws.closed_ms, f"round {found.number} was public before the lobby was closed"
    return _drawn(line, now_ms, found)


def look_after(view: View, entry: QueueEntry, now_ms: int, seen: Seen) -> Accept | int:
    """What the clock does to one who is inside; else when to look again."""
    seen_ms = seen(entry.customer)
    if entry.state is QueueState.CALLED:
        if seen_ms + _PRESENCE_MS >= now_ms:
            return _clocked("entered", _entered(entry, now_ms))
        assert entry.until_ms is not None
        if now_ms < entry.until_ms:
            return min(now_ms + _LOOK_AGAIN_MS, entry.until_ms)
        return _clocked("missed", _missed(view, entry))
    hold, end_ms = view.hold(entry.customer), entry.until_ms or 0
    if view.pending(entry.customer) is not None:
        return now_ms + _LOOK_AGAIN_MS
    if hold is not None:
        # What is held can be paid.
        return max(end_ms, hold.expires_ms, now_ms + 1)
    gone_ms = seen_ms + _CALL_MS
    if now_ms >= min(end_ms, gone_ms):
        reason = "ran_out" if now_ms >= end_ms else "gone"
        return _clocked(reason, replace(entry, state=QueueState.OUT, until_ms=None))
    return min(end_ms, max(gone_ms, now_ms + _LOOK_AGAIN_MS))


def may_admit(view: View, now_ms: int) -> bool:
    """Is there a slot, and something to buy, and is it not too soon after the one before?"""
    return view.line.paced_us + interval_us(view.terms) <= now_ms * 1_000 and _admits(view, now_ms)


def admit(entry: QueueEntry, now_ms: int, seen: Seen) -> Accept:
    """It is the turn of the first in line. Who is away has a while to come."""
    if seen(entry.customer) + _PRESENCE_MS >= now_ms:
        return _clocked("admitted", _entered(replace(entry, admitted_ms=now_ms), now_ms))
    called = replace(entry, state=QueueState.CALLED, admitted_ms=now_ms, until_ms=now_ms + _CALL_MS)
    return _clocked("called", called)


def next_turn_ms(seating: Seating, now_ms: int) -> int | None:
    """When the clock has something to do in the waiting room; None: not by itself."""
    terms, line = seating.terms, seating.line
    times = [at_ms for at_ms in (line.next_check_ms(),) if at_ms is not None]
    if is_end_of_lobby_due(terms, line, now_ms):
        times.append(now_ms)
    if line.waiting and _admits(seating, now_ms):
        times.append(-(-(line.paced_us + interval_us(terms)) // 1_000))
    return min(times, default=None)


def moved_entries(accept: Accept) -> list[QueueEntry]:
    """The entries that this moves."""
    return [change.entry for change in accept.changes if isinstance(change, EntryMoved)]


def _admits(view: View, now_ms: int) -> bool:
    terms, line = view.terms, view.line
    return (
        terms.queue_mode in (QueueMode.FIFO, QueueMode.DRAW)
        and line.inside < terms.max_concurrent_shoppers
        and terms.is_on_sale(now_ms)
        and not (line.chained and line.draws.drawn is None)
        and view.available > 0
    )


def _joined(view: View, asked: Asked, command: JoinQueue, before: QueueEntry | None, now_ms: int) -> QueueEntry:
    terms, line = view.terms, view.line
    nonce, position, joined_ms = b"", None, now_ms
    if before is not None and before.position is not None:
        nonce, position, joined_ms = before.nonce, before.position, before.joined_ms
    entry = QueueEntry(asked.customer, QueueState.WAITING, joined_ms, position=position, nonce=nonce)
    is_open = line.draws.drawn is None and line.draws.closed_ms is None
    is_lobby = terms.queue_mode is QueueMode.DRAW and is_open and not line.tail
    if is_lobby and not terms.is_on_sale(now_ms):
        if position is not None:
            return replace(entry, state=QueueState.LOBBY)
        chosen = _nonce(view, asked, command)
        return replace(entry, state=QueueState.LOBBY, position=line.chained + 1, nonce=chosen)
    entry = replace(entry, place=line.next_place)
    if line.waiting + line.lobby == 0 and may_admit(view, now_ms):
        return _entered(replace(entry, admitted_ms=now_ms), now_ms)
    return entry


def _drawn(line: LineDraft, now_ms: int, found: BeaconRound | None) -> Accept:
    assert line.head is not None, "an empty lobby is not drawn"
    seed = draw.seed(line.draws.operator_seed, line.head, None if found is None else found.value)
    return Accept((LineDrawn(Drawn(now_ms, line.chained, line.head, seed, found)),), Entry("drawn", NOBODY, ()))


def _is_of_another(line: Line | LineDraft, entry: QueueEntry | None, command: JoinQueue) -> bool:
    """Has somebody else joined with this nonce? Two accounts with one would be one entry of the draw."""
    if command.nonce is UNSET or not line.is_taken(bytes.fromhex(command.nonce)):
        return False
    return entry is None or entry.nonce != bytes.fromhex(command.nonce)


def _nonce(view: View, asked: Asked, command: JoinQueue) -> bytes:
    if command.nonce is not UNSET:
        return bytes.fromhex(command.nonce)
    return draw.server_nonce(view.line.draws.operator_seed, UUID(view.terms.event_id), asked.customer)


def _receipt(view: View, entry: QueueEntry, is_new: bool) -> Receipt:
    assert entry.position is not None
    event = UUID(view.terms.event_id)
    entry_id = draw.entry_id(event, entry.nonce)
    head = view.line.head
    if is_new and entry.position > view.line.chained:
        head = draw.next_head(head or genesis(event, view.line.draws), entry_id)
    assert head is not None
    return Receipt(entry_id.hex(), entry.nonce.hex(), entry.position, head.hex())


def _entered(entry: QueueEntry, now_ms: int) -> QueueEntry:
    return replace(entry, state=QueueState.ACTIVE, until_ms=now_ms + _ADMISSION_MS)


def _missed(view: View, entry: QueueEntry) -> QueueEntry:
    if entry.has_missed:
        return replace(entry, state=QueueState.OUT, until_ms=None)
    place = view.line.next_place
    return replace(entry, state=QueueState.WAITING, place=place, until_ms=None, admitted_ms=None, has_missed=True)


def _accept(view: View, asked: Asked, place: QueuePlace, changes: tuple[EntryMoved, ...]) -> Accept:
    frame = encode(Accepted(asked.command.id, view.next_revision, queue=place))
    entry = Entry("queue", asked.customer, (), asked.command.id, content_hash(asked.command), frame)
    return Accept(changes, entry, frame)


def _clocked(kind: str, entry: QueueEntry) -> Accept:
    return Accept((EntryMoved(entry),), Entry(kind, entry.customer, ()))

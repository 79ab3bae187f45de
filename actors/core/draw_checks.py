"""What is wrong with a published draw: everything is computed again, and compared with what was said before.

A document alone shows whether its parts fit each other. That nothing was changed before it was published shows only
in what others have kept of it: a receipt, or an earlier publication. Signatures are checked elsewhere.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

from actors.core import draw
from protocol.draw_document import Beacon, DrawDocument, HeadAt, SignedReceipt


class Finding(NamedTuple):
    """Something that must not be: a word for a machine, a sentence for a person."""

    code: str
    sentence: str


def check_draw(document: DrawDocument) -> list[Finding]:
    """What is wrong within a document. In the lobby there is hardly anything to check yet."""
    return [
        *_heads_are_in_order(document),
        *_chain_fits(document),
        *_lobby_was_closed(document),
        *_seed_fits(document),
        *_beacon_fits(document),
        *_places_fit(document),
        *_was_drawn_once(document),
    ]


def check_receipt(document: DrawDocument, receipt: SignedReceipt) -> list[Finding]:
    """What has become of one's own entry."""
    own = bytes.fromhex(receipt.entry_id)
    if receipt.event_id != document.event_id:
        return [Finding("other_event", "The receipt is of another event")]
    found = []
    if draw.entry_id(receipt.event_id, bytes.fromhex(receipt.nonce)) != own:
        found.append(Finding("wrong_nonce", "The receipt's entry is not made of its nonce"))
    if receipt.commitment != document.commitment:
        found.append(Finding("commitment_changed", "The receipt names another commitment: it was exchanged since"))
    if receipt.beacon_chain != (document.beacon.chain if document.beacon else None):
        found.append(Finding("beacon_changed", "The receipt names another beacon: it was exchanged since"))
    if document.status == "lobby":
        return found
    try:
        position = document.entries.index(receipt.entry_id) + 1
    except ValueError:
        return [*found, Finding("entry_dropped", "The receipt's entry is not among those that were drawn")]
    if position != receipt.position:
        sentence = f"The receipt's entry was number {receipt.position} of the chain and is now number {position}"
        found.append(Finding("entry_moved", sentence))
    elif _head_at(document, position) != receipt.head:
        sentence = f"The head at entry {position} is not the receipt's: what came before it was changed"
        found.append(Finding("history_changed", sentence))
    return found


def check_earlier(document: DrawDocument, earlier: DrawDocument) -> list[Finding]:
    """Does this document go on from one that was published earlier?"""
    if earlier.event_id != document.event_id:
        return [Finding("other_event", "The earlier publication is of another event")]
    found = []
    if earlier.commitment != document.commitment:
        found.append(Finding("commitment_changed", "The commitment was exchanged since the earlier publication"))
    if (earlier.beacon and earlier.beacon.chain) != (document.beacon and document.beacon.chain):
        found.append(Finding("beacon_changed", "The beacon was exchanged since the earlier publication"))
    count = earlier.last_head.count
    if document.status == "lobby":
        return found
    if count > len(document.entries):
        sentence = f"There were {count} entries earlier and {len(document.entries)} now: some were dropped"
        found.append(Finding("entries_dropped", sentence))
    elif _head_at(document, count) != earlier.last_head.head:
        sentence = f"The head at {count} entries was another in the earlier publication: the history was changed"
        found.append(Finding("history_changed", sentence))
    elif earlier.status != "lobby" and count < len(document.entries):
        sentence = f"{len(document.entries) - count} entries were added after the lobby had been closed at {count}"
        found.append(Finding("late_entries", sentence))
    return found


def _heads_are_in_order(document: DrawDocument) -> Iterator[Finding]:
    published = _all_heads(document)
    for before, after in pairwise(published):
        if after.count < before.count or after.at < before.at:
            yield Finding("heads_out_of_order", f"The head published at {after.at} goes back behind another")
        elif after.count == before.count and after.head != before.head:
            yield Finding(
                "two_heads", f"Two heads were published for {after.count} entries: the history was changed"
            )


def _chain_fits(document: DrawDocument) -> Iterator[Finding]:
    if document.status == "lobby":
        return
    entries = document.entries
    if len(set(entries)) != len(entries):
        yield Finding("entry_twice", f"{len(entries) - len(set(entries))} entries are there more than once")
    if not len(entries) == document.count == document.last_head.count:
        sentence = f"{document.last_head.count} entries are in the final head, {document.count} were counted, and"
        yield Finding("wrong_count", f"{sentence} {len(entries)} are published")
    computed = [_genesis(document), *draw.heads(_genesis(document), map(bytes.fromhex, entries))]
    sound = 0
    for head in _all_heads(document):
        if head.count < len(computed) and computed[head.count].hex() == head.head:
            sound = head.count
            continue
        sentence = f"The entries do not give the head that was published at {head.at} for {head.count} entries"
        where = f"one after number {sound} was dropped, added, altered or moved"
        yield Finding("chain_broken", f"{sentence}: {where}")
        return


def _lobby_was_closed(document: DrawDocument) -> Iterator[Finding]:
    if document.status == "lobby":
        return
    closed_at = document.closed_at
    if closed_at is None:
        yield Finding("not_closed", "It was drawn, and the lobby was never closed")
        return
    in_time = max((head.count for head in _all_heads(document) if head.at <= closed_at), default=0)
    if any(head.count > in_time for head in _all_heads(document) if head.at > closed_at):
        late = document.last_head.count - in_time
        yield Finding("late_entries", f"{late} entries came after the lobby was closed at {closed_at}")


def _seed_fits(document: DrawDocument) -> Iterator[Finding]:
    if document.status in ("lobby", "awaiting_beacon", "nobody_joined"):
        if document.operator_seed is not None:
            yield Finding("status_wrong", "The draw is said to be still to come, and its seed is there")
        return
    if document.operator_seed is None:
        yield Finding("seed_withheld", "The operator withholds the seed: nobody can check the places")
    elif document.status == "seed_withheld":
        yield Finding("status_wrong", "The seed is said to be withheld, and is there")
    elif draw.commitment(document.event_id, bytes.fromhex(document.operator_seed)).hex() != document.commitment:
        yield Finding("wrong_seed", "The operator's seed is not the one that was committed to")


def _beacon_fits(document: DrawDocument) -> Iterator[Finding]:
    beacon = document.beacon
    if beacon is None or document.status != "drawn":
        return
    if beacon.value is None or beacon.signature is None or beacon.round is None or beacon.round_at is None:
        yield Finding("beacon_missing", "A beacon was promised, and its round is not published")
        return
    if document.closed_at is not None and beacon.round_at <= document.closed_at:
        yield Finding("beacon_too_early", f"Round {beacon.round} was public before the lobby was closed")
    if _value_of(beacon.signature) != beacon.value:
        yield Finding("wrong_beacon", f"The value of round {beacon.round} is not made of its signature")


def _places_fit(document: DrawDocument) -> Iterator[Finding]:
    if document.status != "drawn" or document.operator_seed is None:
        return
    if len(document.places) != len(document.entries):
        yield Finding("wrong_order", f"{len(document.places)} places for {len(document.entries)} entries")
        return
    places = {entry.hex(): place for place, entry in enumerate(drawn(document), 1)}
    wrong = [
        (entry, said)
        for entry, said in zip(document.entries, document.places, strict=True)
        if places[entry] != said
    ]
    if wrong:
        entry, said = wrong[0]
        sentence = f"{len(wrong)} places are not those that were drawn: entry {entry[:12]}… has place {said}"
        yield Finding("wrong_order", f"{sentence}, and it was drawn {places[entry]}")


def drawn(document: DrawDocument) -> list[bytes]:
    """The entries by their places, from the seed, the final head and the beacon of the document."""
    assert document.operator_seed is not None
    beacon = document.beacon
    value = bytes.fromhex(beacon.value) if beacon is not None and beacon.value is not None else None
    seed = draw.seed(bytes.fromhex(document.operator_seed), bytes.fromhex(document.last_head.head), value)
    return draw.drawn_order(seed, map(bytes.fromhex, document.entries))


def _was_drawn_once(document: DrawDocument) -> Iterator[Finding]:
    if document.earlier_draws:
        sentence = (
            f"This is draw number {len(document.earlier_draws) + 1} of this event: earlier ones were dismissed"
        )
        yield Finding("drawn_again", sentence)


def _all_heads(document: DrawDocument) -> Sequence[HeadAt]:
    last = document.last_head
    return [*document.heads, HeadAt(last.count, last.head, last.at)]


def _genesis(document: DrawDocument) -> bytes:
    chain = _chain_of(document.beacon)
    return draw.genesis(document.event_id, bytes.fromhex(document.commitment), chain)


def _chain_of(beacon: Beacon | None) -> bytes | None:
    return None if beacon is None else bytes.fromhex(beacon.chain)


def _head_at(document: DrawDocument, count: int) -> str:
    """The head after the first `count` entries, computed."""
    return reduce(draw.next_head, map(bytes.fromhex, document.entries[:count]), _genesis(document)).hex()


def _value_of(signature: str) -> str:
    """The value of a round, as drand defines it. Empty for what is no hexadecimal text."""
    try:
        return hashlib.sha256(bytes.fromhex(signature)).hexdigest()
    except ValueError:
        return ""

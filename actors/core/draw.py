"""The draw of places, such that everybody can check it: entries, their chain, the commitment, the seed, the order.

Every value here is 32 bytes. `‖` joins bytes, `T(name)` is the ASCII text `usher.draw.v1.`, the name and one zero
byte, an event id is the 16 bytes of its UUID. All parts have fixed lengths, so no two inputs look the same.

    entry id    = SHA-256(T(entry) ‖ event id ‖ nonce)
    commitment  = SHA-256(T(commitment) ‖ event id ‖ operator's seed)
    genesis     = SHA-256(T(genesis) ‖ event id ‖ commitment ‖ beacon's chain, or 32 zero bytes without a beacon)
    next head   = SHA-256(T(link) ‖ head ‖ entry id)
    seed        = SHA-256(T(seed) ‖ operator's seed ‖ final head ‖ beacon's value, or nothing without a beacon)
    nonce       = HMAC-SHA256(key: operator's seed, message: T(nonce) ‖ event id ‖ account's id as text), for those
                  who send none
    order       = ascending by HMAC-SHA256(key: seed, message: entry id), then by entry id

The genesis names the event, the commitment and the beacon: whoever has a receipt with a head has all three in hand.
The vectors in `tests/core/draw_vectors.json` are the same in every language. Source: decision 26.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from uuid import UUID

HASH_BYTES = 32

_TAG = b"usher.draw.v1."
_ENTRY = _TAG + b"entry\0"
_COMMITMENT = _TAG + b"commitment\0"
_GENESIS = _TAG + b"genesis\0"
_LINK = _TAG + b"link\0"
_NONCE = _TAG + b"nonce\0"
_SEED = _TAG + b"seed\0"
_NO_BEACON = bytes(HASH_BYTES)


def entry_id(event_id: UUID, nonce: bytes) -> bytes:
    """What an entry is called in public. Only who knows the nonce can say that it is theirs.

    Raises:
        ValueError: the nonce has not 32 bytes; so for every other value below.
    """
    return hashlib.sha256(_ENTRY + event_id.bytes + _whole(nonce)).digest()


def server_nonce(operator_seed: bytes, event_id: UUID, customer: str) -> bytes:
    """The nonce of an account that sends none. Nobody can guess it before the draw, when the seed is published.

    Afterwards whoever has it can see that it was not chosen to suit the operator.
    """
    return hmac.digest(_whole(operator_seed), _NONCE + event_id.bytes + customer.encode(), "sha256")


def commitment(event_id: UUID, operator_seed: bytes) -> bytes:
    """What the operator publishes when the lobby opens; the seed itself stays secret until the draw."""
    return hashlib.sha256(_COMMITMENT + event_id.bytes + _whole(operator_seed)).digest()


def genesis(event_id: UUID, committed: bytes, beacon_chain: bytes | None = None) -> bytes:
    """The head of the chain before its first entry. `beacon_chain` is the beacon's chain hash, None without one."""
    chain = _NO_BEACON if beacon_chain is None else _whole(beacon_chain)
    return hashlib.sha256(_GENESIS + event_id.bytes + _whole(committed) + chain).digest()


def next_head(head: bytes, entry: bytes) -> bytes:
    """The head of the chain with one more entry."""
    return hashlib.sha256(_LINK + _whole(head) + _whole(entry)).digest()


def heads(first: bytes, entries: Iterable[bytes]) -> Iterator[bytes]:
    """The head after each of these entries, which follow `first`."""
    head = first
    for entry in entries:
        head = next_head(head, entry)
        yield head


def seed(operator_seed: bytes, final_head: bytes, beacon: bytes | None = None) -> bytes:
    """The seed of the draw. `beacon` is the value of the beacon's round, None without a beacon."""
    value = b"" if beacon is None else _whole(beacon)
    return hashlib.sha256(_SEED + _whole(operator_seed) + _whole(final_head) + value).digest()


def lot(drawn_seed: bytes, entry: bytes) -> bytes:
    """What an entry is ordered by: the smallest comes first."""
    return hmac.digest(drawn_seed, entry, "sha256")


def drawn_order(drawn_seed: bytes, entries: Iterable[bytes]) -> list[bytes]:
    """The entries by their places: the first has place 1. The order in which they are given does not matter."""
    _whole(drawn_seed)
    return sorted(entries, key=lambda entry: (lot(drawn_seed, _whole(entry)), entry))


def _whole(value: bytes) -> bytes:
    if len(value) != HASH_BYTES:
        raise ValueError(f"{len(value)} bytes instead of {HASH_BYTES}")
    return value

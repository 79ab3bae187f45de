"""The JSON of an event's seats in pieces: a piece is written anew when a seat of it has changed.

Pure: what is written follows from the names of the seats and from their states alone.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Protocol

import msgspec

from protocol.seat_state import SeatState
from server.reads.gzip_pieces import Piece
from server.rest.envelope import cents_to_major
from server.rest.shapes import SectionCounts

PIECE_SEATS_MAX = 500

_STATUS_JSON = [f'{state.name.lower()}"}}'.encode() for state in SeatState]
_OPEN = Piece(b'{"success":true,"data":[')
_CLOSE = Piece(b"]}")


class Named(Protocol):
    """What a seat is called and costs."""

    @property
    def section(self) -> str: ...
    @property
    def row(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def price_tier(self) -> str: ...
    @property
    def price_cents(self) -> int: ...


class SectionTexts:
    """One section: its counts and the texts of its seats."""

    def __init__(self, name: str, ranges: Sequence[range], seats: Sequence[Named]) -> None:
        self._name = name
        self._ranges = ranges
        prices = [seats[index].price_cents for part in ranges for index in part]
        self._total = len(prices)
        self._prices = cents_to_major(min(prices)), cents_to_major(max(prices))
        self._runs = [
            _Run(part[first : first + PIECE_SEATS_MAX], seats, is_first=part is ranges[0] and first == 0)
            for part in ranges
            for first in range(0, len(part), PIECE_SEATS_MAX)
        ]

    def states(self, states: bytes | bytearray) -> bytes:
        """Those of the event's states that are this section's."""
        return b"".join(states[part.start : part.stop] for part in self._ranges)

    def counts(self, states: bytes | bytearray) -> SectionCounts:
        """How many seats are available, of how many, at which prices."""
        available = sum(states.count(SeatState.AVAILABLE, part.start, part.stop) for part in self._ranges)
        return SectionCounts(self._name, available, self._total, *self._prices)

    def seats(self, states: bytes) -> Iterator[Piece]:
        """The seats, without the brackets around them."""
        for run in self._runs:
            yield run.piece(states)


def sections_of(seats: Sequence[Named]) -> dict[str, SectionTexts]:
    """The sections in order of their first seats."""
    ranges: dict[str, list[range]] = {}
    for name, run in groupby(range(len(seats)), key=lambda index: seats[index].section):
        indexes = list(run)
        ranges.setdefault(name, []).append(range(indexes[0], indexes[-1] + 1))
    return {name: SectionTexts(name, parts, seats) for name, parts in ranges.items()}


def sections_pieces(sections: Sequence[SectionTexts], states: bytes) -> Iterator[Piece]:
    """An answer that lists sections with their seats."""
    yield _OPEN
    for number, section in enumerate(sections):
        counts = msgspec.json.encode(section.counts(states))
        yield Piece((b"," if number else b"") + counts[:-1] + b',"seats":[')
        yield from section.seats(states)
        yield _CLOSE
    yield _CLOSE


def seats_pieces(sections: Sequence[SectionTexts], states: bytes) -> Iterator[Piece]:
    """An answer that lists the seats of the one section given."""
    (section,) = sections
    yield _OPEN
    yield from section.seats(states)
    yield _CLOSE


class _Run:
    """Seats that follow each other in index order."""

    def __init__(self, indexes: range, seats: Sequence[Named], *, is_first: bool) -> None:
        self._indexes = indexes
        # By turns what comes before a seat's status, which stays, and from the status on, which changes.
        self._parts = [b""] * (2 * len(indexes))
        self._parts[::2] = [_until_status(index, seats[index]) for index in indexes]
        if is_first:
            self._parts[0] = self._parts[0].removeprefix(b",")
        self._states = b""
        self._piece = Piece(b"")

    def piece(self, states: bytes) -> Piece:
        mine = states[self._indexes.start : self._indexes.stop]
        if mine != self._states:
            self._parts[1::2] = [_STATUS_JSON[state] for state in mine]
            self._states, self._piece = mine, Piece(b"".join(self._parts))
        return self._piece


def _until_status(index: int, seat: Named) -> bytes:
    shown = {
        "id": str(index),
        "row": seat.row,
        "seat_number": seat.number,
        "price": cents_to_major(seat.price_cents),
        "price_tier": seat.price_tier,
    }
    return b"," + msgspec.json.encode(shown)[:-1] + b',"status":"'

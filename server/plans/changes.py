"""What a changed plan changes, and how its seats keep their order: those of before first, new ones after them.

Pure. A seat is the same in both plans when it is known by the same name (`checks.identities`); where the former
seats have no names, when section, row and number are the same.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from msgspec import UNSET, Struct, structs

from protocol.seat_map import Place, Row, SeatMap, Section, places, positions
from server.plans.importing import Imported
from server.plans.rows import placed

_MOVED = 1.0
"""A seat has moved if it was farther away than this, a tenth of the usual spacing."""
EXAMPLES_MAX = 20


class Former(Struct, frozen=True):
    """The plan that a venue has. `names` are in index order; None: its seats are known by their labels."""

    seat_map: SeatMap
    names: tuple[str, ...] | None


class Changed(Struct, frozen=True):
    """How many seats, and what some of them are called."""

    count: int
    seats: tuple[str, ...]


class Changes(Struct, frozen=True):
    """What becomes of a venue's seats."""

    kept: int
    added: Changed
    gone: Changed
    moved: Changed
    relabelled: Changed
    recategorised: Changed
    repriced: Changed


def compared(former: Former, imported: Imported) -> tuple[Imported, Changes]:
    """The imported plan in the order that keeps the former seats' order, and what it changes."""
    old, new = list(places(former.seat_map)), list(places(imported.seat_map))
    old_keys = label_keys(old) if former.names is None else former.names
    new_keys = label_keys(new) if former.names is None else imported.identities
    at = {key: index for index, key in enumerate(new_keys)}
    pairs = [(one, new[at[key]]) for one, key in zip(old, old_keys, strict=True) if key in at]
    known = set(old_keys)
    order = [at[key] for key in old_keys if key in at]
    order += [index for index, key in enumerate(new_keys) if key not in known]
    changes = Changes(
        len(pairs),
        _changed([place for place, key in zip(new, new_keys, strict=True) if key not in known]),
        _changed([place for place, key in zip(old, old_keys, strict=True) if key not in at]),
        _changed([one for one, other in pairs if math.dist((one.x, one.y), (other.x, other.y)) > _MOVED]),
        _changed([one for one, other in pairs if one[:3] != other[:3]]),
        _changed([one for one, other in pairs if one.category.name != other.category.name]),
        _changed([one for one, other in pairs if one.category.price_cents != other.category.price_cents]),
    )
    if order == list(range(len(new))):
        return imported, changes
    identities = tuple(imported.identities[index] for index in order)
    return structs.replace(imported, seat_map=rearranged(imported.seat_map, order), identities=identities), changes


def label_keys(seats: Sequence[Place]) -> tuple[str, ...]:
    """Section, row and number of each seat; those that repeat others are numbered."""
    seen: Counter[str] = Counter()
    keys = []
    for place in seats:
        label = "\n".join(place[:3])
        keys.append(f"{label}\n{seen[label]}" if seen[label] else label)
        seen[label] += 1
    return tuple(keys)


def called(place: Place) -> str:
    """What a seat is called in a sentence."""
    return " ".join(filter(None, place[:3]))


def rearranged(seat_map: SeatMap, order: Sequence[int]) -> SeatMap:
    """The map with its seats in this order of their indices; sections and rows are parted where they must be."""
    at = [
        (s, r, k)
        for s, section in enumerate(seat_map.sections)
        for r, row in enumerate(section.rows)
        for k in range(row.seats)
    ]
    sections: list[Section] = []
    begun: set[str] = set()
    for s, seats in groupby((at[index] for index in order), key=lambda seat: seat[0]):
        section = seat_map.sections[s]
        rows = tuple(_part(section.rows[r], first, end) for r, first, end in _pieces([(r, k) for _, r, k in seats]))
        outline = () if section.name in begun else _outline_of(seat_map, section.name)
        begun.add(section.name)
        sections.append(Section(section.name, rows, section.label_at, outline))
    return structs.replace(seat_map, sections=tuple(sections))


def _changed(seats: Sequence[Place]) -> Changed:
    return Changed(len(seats), tuple(called(place) for place in seats[:EXAMPLES_MAX]))


def _outline_of(seat_map: SeatMap, name: str) -> tuple[float, ...]:
    return next((section.outline for section in seat_map.sections if section.name == name and section.outline), ())


def _pieces(seats: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Row, first seat and end of each stretch of seats that follow each other in their row."""
    pieces: list[tuple[int, int, int]] = []
    for r, k in seats:
        if pieces and pieces[-1][0] == r and pieces[-1][2] == k:
            pieces[-1] = (r, pieces[-1][1], k + 1)
        else:
            pieces.append((r, k, k + 1))
    return pieces


def _part(row: Row, first: int, end: int) -> Row:
    """The seats from `first` to before `end` as a row of its own."""
    if (first, end) == (0, row.seats):
        return row
    span = range(first, end)
    numbers = tuple(str(k + 1) if row.numbers is UNSET else row.numbers[k] for k in span)
    part = structs.replace(
        row,
        seats=len(span),
        numbers=UNSET if numbers == tuple(str(k + 1) for k in range(len(span))) else numbers,
        categories=UNSET if row.categories is UNSET else row.categories[first:end],
        aisles=tuple(k - first for k in row.aisles if first < k < end),
        **{
            name: tuple(k - first for k in getattr(row, name) if k in span)
            for name in ("accessible", "companion", "restricted", "blocked")
        },
    )
    return placed(part, positions(row)[first:end])

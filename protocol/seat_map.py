"""The static geometry of an event: what `map_url` serves, and what follows from it.

Immutable and content-addressed. State never travels in it. Lengths are plan units: about 10 units are one seat
pitch; x grows to the right, y grows downwards, angles are degrees clockwise from the x axis.

Seats follow in index order: sections in order, their rows in order, the seats of a row in order.
"""

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType


class Category(Struct, frozen=True):
    """What a seat costs. `price_tier` is vip, premium, standard, economy, or a plan's own word."""

    name: str
    price_tier: str
    price_cents: int
    color: str | UnsetType = UNSET


class Row(Struct, frozen=True, omit_defaults=True):
    """A row of `seats` seats. Exactly one of `line`, `arc`, `at` places them.

    line: x, y of the first seat, then the step dx, dy.
    arc: centre x, y, radius, angle of the first seat, then the step in degrees.
    at: x0, y0, x1, y1, … for rows that follow no rule.
    """

    label: str
    seats: int
    category: int = 0
    line: tuple[float, float, float, float] | UnsetType = UNSET
    arc: tuple[float, float, float, float, float] | UnsetType = UNSET
    at: tuple[float, ...] | UnsetType = UNSET
    numbers: tuple[str, ...] | UnsetType = UNSET
    """Seat numbers where they are not 1…n."""
    categories: tuple[int, ...] | UnsetType = UNSET
    """One category a seat, where they differ within the row."""
    aisles: tuple[int, ...] = ()
    """Positions k at which seat k is not next to seat k-1."""
    accessible: tuple[int, ...] = ()
    """Positions of the seats with wheelchair access."""
    companion: tuple[int, ...] = ()
    """Positions of the seats for who comes with somebody in a wheelchair."""
    restricted: tuple[int, ...] = ()
    """Positions of the seats with a restricted view."""
    blocked: tuple[int, ...] = ()
    """Positions of the seats that are not for sale from the start."""


class Section(Struct, frozen=True, omit_defaults=True):
    """A named group of rows, the front row first. `label_at` is where its name stands.

    A further section of the same name is a part of the same: seats that a venue got later.
    """

    name: str
    rows: tuple[Row, ...]
    label_at: tuple[float, float]
    outline: tuple[float, ...] = ()
    """x0, y0, x1, y1, … of the polygon around the section."""


class Area(Struct, frozen=True, omit_defaults=True):
    """A shape without seats: x0, y0, x1, y1, … of a polygon, with an optional text in its middle."""

    outline: tuple[float, ...]
    text: str = ""
    color: str = ""
    border_color: str = ""


class Text(Struct, frozen=True, omit_defaults=True):
    """A word on the map, centred at x, y; `size` is its height in plan units."""

    text: str
    x: float
    y: float
    size: float = 16
    color: str = ""


class SeatMap(Struct, frozen=True, omit_defaults=True):
    """The whole map. `bounds` is x, y, width, height around everything; `focal` is what everybody looks at."""

    name: str
    bounds: tuple[float, float, float, float]
    focal: tuple[float, float]
    categories: tuple[Category, ...]
    sections: tuple[Section, ...]
    currency: str = "USD"
    seat_radius: float = 4
    stage: Area | UnsetType = UNSET
    areas: tuple[Area, ...] = ()
    texts: tuple[Text, ...] = ()
    version: Literal[1] = 1


class Place(NamedTuple):
    """One seat of a map, as it follows from its row.

    Seats of one `run` stand next to each other in index order and are of one category.
    """

    section: str
    row: str
    number: str
    category: Category
    x: float
    y: float
    run: int
    accessible: bool
    blocked: bool
    companion: bool
    restricted: bool


encode_map = msgspec.json.Encoder().encode
decode_map = msgspec.json.Decoder(SeatMap).decode


def places(seat_map: SeatMap) -> Iterator[Place]:
    """Every seat of the map in index order; a seat's index is its position in this sequence."""
    run = -1
    for section in seat_map.sections:
        for row in section.rows:
            aisles, accessible, blocked = set(row.aisles), set(row.accessible), set(row.blocked)
            companion, restricted = set(row.companion), set(row.restricted)
            previous = -1
            for k, (x, y) in enumerate(positions(row)):
                category = row.category if row.categories is UNSET else row.categories[k]
                if k in aisles or category != previous:
                    run += 1
                previous = category
                number = str(k + 1) if row.numbers is UNSET else row.numbers[k]
                yield Place(
                    section.name,
                    row.label,
                    number,
                    seat_map.categories[category],
                    x,
                    y,
                    run,
                    k in accessible,
                    k in blocked,
                    k in companion,
                    k in restricted,
                )


def positions(row: Row) -> list[tuple[float, float]]:
    """Where the seats of a row stand, in plan units.

    Raises:
        ValueError: not exactly one placement, or one of another length than the row.
    """
    if sum(form is not UNSET for form in (row.line, row.arc, row.at)) != 1:
        raise ValueError(f"row {row.label!r} is not placed by exactly one of line, arc, at")
    if row.line is not UNSET:
        x, y, dx, dy = row.line
        return [(x + k * dx, y + k * dy) for k in range(row.seats)]
    if row.arc is not UNSET:
        cx, cy, radius, start, step = row.arc
        angles = [math.radians(start + k * step) for k in range(row.seats)]
        return [(cx + radius * math.cos(angle), cy + radius * math.sin(angle)) for angle in angles]
    at = row.at
    assert at is not UNSET
    if len(at) != 2 * row.seats:
        raise ValueError(f"row {row.label!r} has {row.seats} seats and {len(at)} coordinates")
    return list(zip(at[0::2], at[1::2], strict=True))

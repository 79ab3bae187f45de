"""The pretix seating plan as it is written: its objects, and what a file does that the format does not allow.

Source: the JSON schema that pretix publishes with its seating plan editor. Every object there is closed; a star in
the comments marks what it requires and real files leave out.
"""

from collections import Counter
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

from server.plans.json_files import converted
from server.plans.oddities import Oddity, named_counts
from server.plans.plan import PRICE_CENTS_MAX

Word: TypeAlias = str | int | float
"""A string by the format; some files have numbers."""


class Position(Struct):
    """A point, or a step from another one."""

    x: float
    y: float


ORIGIN = Position(0, 0)


class Size(Struct):
    """The size of the page that the plan is drawn on."""

    width: float
    height: float


class Category(Struct):
    """What seats refer to by name."""

    name: str
    color: str | None = None


class Seat(Struct):
    """A seat; its position is relative to its row."""

    position: Position
    category: str | None = None  # *
    seat_guid: Word | None = None  # *
    seat_number: Word | None = None  # *
    uuid: str | None = None
    radius: int | float | None = None
    start_direction: str | None = None
    wheelchair: Any = None  # not of the format


class Row(Struct):
    """A row, or the part of a row between two aisles."""

    seats: list[Seat]
    row_number: Word | None = None  # *
    row_label: str | None = None
    seat_label: str | None = None
    row_number_position: str | None = None
    position: Position | None = None
    uuid: str | None = None


class Text(Struct):
    """What is written on an area, relative to the area's position."""

    text: str | None = None  # *
    position: Position | None = None  # *
    color: str | None = None
    size: float | None = None


class Polygon(Struct):
    """Corners, relative to the area's position."""

    points: list[Position]


class Rectangle(Struct):
    """It lies to the right of the area's position and below it."""

    width: float
    height: float


class Ellipse(Struct):
    """Its middle is the area's position."""

    radius: Position


class Circle(Struct):
    """Its middle is the area's position."""

    radius: float


class Area(Struct):
    """A shape without seats, relative to its zone."""

    shape: str
    color: str | None = None
    border_color: str | None = None
    rotation: float | None = None
    position: Position | None = None
    uuid: str | None = None
    polygon: Polygon | None = None
    rectangle: Rectangle | None = None
    ellipse: Ellipse | None = None
    circle: Circle | None = None
    text: Text | None = None


class Zone(Struct):
    """A named part of the plan."""

    rows: list[Row]
    position: Position | None = None  # *
    name: str | None = None
    zone_id: Word | None = None
    uuid: str | None = None
    areas: list[Any] | None = None
    """Each an `Area`, read by itself: one that is not does no harm to the seats."""


class OurCategory(Struct):
    """What a category costs, which the format has no place for."""

    name: str
    price_tier: str
    price_cents: Annotated[int, Meta(ge=0, le=PRICE_CENTS_MAX)]


class OurSection(Struct):
    """What a zone with this `zone_id` looks like; further zones with it are parts of the same section."""

    label_at: tuple[float, float]
    outline: list[tuple[float, float]] = []


class Ours(Struct, omit_defaults=True):
    """What our own exports say beside the format; without it the file keeps to the format. Seats by `seat_guid`.

    Where it is there, lengths are plan units, and the page's upper left corner is that of `bounds`.
    """

    focal: tuple[float, float]
    bounds: tuple[float, float, float, float]
    seat_radius: float
    categories: list[OurCategory]
    sections: dict[str, OurSection]
    accessible: list[str] = []
    companion: list[str] = []
    restricted: list[str] = []
    blocked: list[str] = []
    aisles: list[str] | None = None  # seats with an aisle before them; None: to be told from the distances


class Plan(Struct):
    """The whole file."""

    zones: list[Zone]
    name: str | None = None  # *
    categories: list[Category] = []  # *
    size: Size | None = None  # *
    usher: Ours | None = None  # not of the format


_Kind: TypeAlias = type[Struct]
_INSIDE: dict[_Kind, dict[str, _Kind]] = {
    Plan: {"categories": Category, "zones": Zone, "size": Size},
    Zone: {"position": Position, "rows": Row, "areas": Area},
    Row: {"position": Position, "seats": Seat},
    Seat: {"position": Position},
    Area: {
        "position": Position,
        "polygon": Polygon,
        "rectangle": Rectangle,
        "ellipse": Ellipse,
        "circle": Circle,
        "text": Text,
    },
    Polygon: {"points": Position},
    Ellipse: {"radius": Position},
    Text: {"position": Position},
}
_KINDS: tuple[_Kind, ...] = (*_INSIDE, Position, Size, Category, Rectangle, Circle)
_KNOWN = {
    kind: frozenset(field.encode_name for field in msgspec.structs.fields(kind)) - {"wheelchair"} for kind in _KINDS
}
_REQUIRED = {
    Plan: ("name", "categories", "size"),
    Zone: ("position",),
    Row: ("row_number",),
    Seat: ("category", "seat_guid", "seat_number"),
    Text: ("text", "position"),
}
_STRINGS = {Zone: ("zone_id",), Row: ("row_number",), Seat: ("seat_guid", "seat_number")}
_Departures: TypeAlias = Counter[tuple[str, str]]
_INTEGERS = {Size: ("width", "height"), Seat: ("radius",)}


def decode_plan(tree: Any) -> tuple[Plan, list[Oddity]]:
    """The plan in a file's JSON, and how the file departs from the format.

    Raises:
        PlanError: it is no seating plan.
    """
    plan = converted(tree, Plan)
    departures: _Departures = Counter()
    _compare(Plan, tree, departures)
    return plan, _report(departures)


def _compare(kind: _Kind, node: dict[str, Any], departures: _Departures) -> None:
    name = kind.__name__.lower()
    for field in node.keys() - _KNOWN[kind]:
        departures["unknown_field", f"{name}.{field[:40]}"] += 1
    for field in _REQUIRED.get(kind, ()):
        if node.get(field) is None:
            departures["missing_field", f"{name}.{field}"] += 1
    for field in _STRINGS.get(kind, ()):
        if isinstance(node.get(field), int | float):
            departures["number_for_string", f"{name}.{field}"] += 1
    for field in _INTEGERS.get(kind, ()):
        if isinstance(node.get(field), float):
            departures["float_for_integer", f"{name}.{field}"] += 1
    for field, inner in _INSIDE.get(kind, {}).items():
        value = node.get(field)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, dict):
                _compare(inner, child, departures)


def _report(departures: _Departures) -> list[Oddity]:
    sentences = {
        "unknown_field": "fields that the format does not know",
        "missing_field": "fields that the format requires are missing",
        "number_for_string": "numbers where the format has strings",
        "float_for_integer": "fractions where the format has whole numbers",
    }
    oddities = []
    for code, sentence in sentences.items():
        counts = {field: count for (found, field), count in departures.items() if found == code}
        if counts:
            oddities.append(Oddity(code, sum(counts.values()), f"{sentence}: {named_counts(counts)}"))
    return oddities

"""The areas of a pretix plan as polygons and texts of a seat map, in the plan's own coordinates."""

import math
import re
from typing import NamedTuple, TypeAlias

from msgspec import structs

from protocol.seat_map import Area, Text
from server.plans import pretix_format as pretix
from server.plans.oddities import Oddity, PlanError, named_counts

AREA_POINTS_MAX = 20_000
_TEXT_SIZE = 16
_TEXT_CHARS_MAX = 200
_ROUND_CORNERS = 36
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{1,30}|rgba?\([0-9., %]{1,40}\)")

Point: TypeAlias = tuple[float, float]


class Drawn(NamedTuple):
    """A shape with what is written on it; either may be missing."""

    area: Area | None
    text: Text | None


def draw_areas(plan: pretix.Plan) -> tuple[list[Drawn], list[Oddity]]:
    """Every area of the plan, in the order of the file.

    Raises:
        PlanError: the shapes have too many corners.
    """
    drawn = []
    unreadable: dict[str, int] = {}
    for zone in plan.zones:
        for area in zone.areas:
            points = _points(area)
            if points is None:
                unreadable[area.shape[:40]] = unreadable.get(area.shape[:40], 0) + 1
                points = []
            drawn.append(_draw(area, zone.position or pretix.ORIGIN, points))
    if sum(len(one.area.outline) // 2 for one in drawn if one.area) > AREA_POINTS_MAX:
        raise PlanError(f"the areas have more than {AREA_POINTS_MAX:,} corners")
    if not unreadable:
        return drawn, []
    count = sum(unreadable.values())
    return drawn, [Oddity("unreadable_area", count, f"areas left out: {named_counts(unreadable)}")]


def scaled(drawn: Drawn, scale: float) -> Drawn:
    """The same in other units."""
    area, text = drawn
    if area:
        area = structs.replace(area, outline=tuple(round(value * scale, 1) for value in area.outline))
    if text:
        x, y, size = (round(value * scale, 1) for value in (text.x, text.y, text.size))
        text = structs.replace(text, x=x, y=y, size=size)
    return Drawn(area, text)


def middle(area: Area) -> Point:
    """The middle of the box around an area."""
    xs, ys = area.outline[0::2], area.outline[1::2]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def surface(area: Area) -> float:
    """How large the polygon is."""
    points = list(zip(area.outline[0::2], area.outline[1::2], strict=True))
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


def _points(area: pretix.Area) -> list[Point] | None:
    """The corners relative to the area's position, before it is turned; None: the shape cannot be read."""
    match area:
        case pretix.Area(shape="text"):
            return []
        case pretix.Area(shape="polygon", polygon=pretix.Polygon(points=points)) if len(points) >= 3:
            return [(point.x, point.y) for point in points]
        case pretix.Area(shape="rectangle", rectangle=pretix.Rectangle(width=width, height=height)):
            return [(0, 0), (width, 0), (width, height), (0, height)]
        case pretix.Area(shape="ellipse", ellipse=pretix.Ellipse(radius=radius)):
            return _round(radius.x, radius.y)
        case pretix.Area(shape="circle", circle=pretix.Circle(radius=length)):
            return _round(length, length)
    return None


def _round(radius_x: float, radius_y: float) -> list[Point]:
    angles = [2 * math.pi * k / _ROUND_CORNERS for k in range(_ROUND_CORNERS)]
    return [(radius_x * math.cos(angle), radius_y * math.sin(angle)) for angle in angles]


def _draw(area: pretix.Area, zone: pretix.Position, points: list[Point]) -> Drawn:
    """Turned about the area's position, and put where it belongs."""
    position = area.position or pretix.ORIGIN
    turn = math.radians(area.rotation or 0)
    cos, sin = math.cos(turn), math.sin(turn)

    def place(x: float, y: float) -> Point:
        return zone.x + position.x + x * cos - y * sin, zone.y + position.y + x * sin + y * cos

    outline = tuple(value for x, y in points for value in place(x, y))
    shape = Area(outline, "", color_of(area.color), color_of(area.border_color)) if outline else None
    written = " ".join((area.text.text or "").split())[:_TEXT_CHARS_MAX] if area.text else ""
    if not area.text or not written:
        return Drawn(shape, None)
    at = area.text.position or pretix.ORIGIN
    x, y = place(at.x, at.y)
    return Drawn(shape, Text(written, x, y, area.text.size or _TEXT_SIZE, color_of(area.text.color)))


def color_of(color: str | None) -> str:
    """The colour as it was written, where a browser is sure to understand it."""
    return color if color and _COLOR.fullmatch(color) else ""

"""The shapes of a plan, whatever its format: their measures, and which colours a browser is sure to understand."""

import math
import re
from collections.abc import Sequence

from msgspec import structs

from protocol.seat_map import Area, Text
from server.plans.oddities import PlanError
from server.plans.plan import Drawn, Point

AREA_POINTS_MAX = 20_000
TEXT_CHARS_MAX = 200
TEXT_SIZE = 16.0
_ROUND_CORNERS = 36
_COLOR = re.compile(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{1,30}|rgba?\([0-9., %]{1,40}\)")
_NO_COLORS = {"none", "transparent", "currentcolor", "inherit"}


def check_corners(drawn: Sequence[Drawn], outlines: Sequence[Sequence[Point]] = ()) -> None:
    """Raises PlanError: the shapes have too many corners, or one that is no place."""
    flat = [value for one in drawn if one.area for value in one.area.outline]
    flat += [value for outline in outlines for point in outline for value in point]
    flat += [value for one in drawn if one.text for value in (one.text.x, one.text.y, one.text.size)]
    if len(flat) // 2 > AREA_POINTS_MAX:
        raise PlanError(f"the areas have more than {AREA_POINTS_MAX:,} corners")
    if not all(abs(value) <= 1e6 for value in flat):
        raise PlanError("an area is too far out")


def round_points(radius_x: float, radius_y: float) -> list[Point]:
    """The corners that stand for an ellipse around 0, 0."""
    angles = [2 * math.pi * k / _ROUND_CORNERS for k in range(_ROUND_CORNERS)]
    return [(radius_x * math.cos(angle), radius_y * math.sin(angle)) for angle in angles]


def flat(points: Sequence[Point]) -> tuple[float, ...]:
    """x0, y0, x1, y1, …"""
    return tuple(value for point in points for value in point)


def corners(outline: Sequence[float]) -> list[Point]:
    """The points of x0, y0, x1, y1, …"""
    return list(zip(outline[0::2], outline[1::2], strict=True))


def written(text: str | None) -> str:
    """A text on one line, no longer than a map has room for."""
    return " ".join("".join(c for c in text or "" if not 0xD800 <= ord(c) <= 0xDFFF).split())[:TEXT_CHARS_MAX]


def scaled(drawn: Drawn, scale: float) -> Drawn:
    """The same in other units."""
    area, text = drawn.area, drawn.text
    if area:
        area = structs.replace(area, outline=tuple(round(value * scale, 1) for value in area.outline))
    if text:
        x, y, size = (round(value * scale, 1) for value in (text.x, text.y, text.size))
        text = structs.replace(text, x=x, y=y, size=size)
    return Drawn(area, text)


def with_texts_on_areas(areas: Sequence[Area], texts: Sequence[Text]) -> list[Drawn]:
    """Each text with the smallest area that it lies on, the largest areas first."""
    ordered = sorted(areas, key=surface, reverse=True)
    on: dict[int, Text] = {}
    alone = []
    for text in texts:
        holders = [
            k for k, area in enumerate(ordered) if k not in on and is_inside(corners(area.outline), text.x, text.y)
        ]
        if holders:
            on[holders[-1]] = text
        else:
            alone.append(Drawn(None, text))
    return [*(Drawn(area, on.get(k)) for k, area in enumerate(ordered)), *alone]


def is_inside(polygon: Sequence[Point], x: float, y: float) -> bool:
    """Does the point lie in the polygon?"""
    inside = False
    for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], *polygon[:1]], strict=True):
        if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
            inside = not inside
    return inside


def middle(area: Area) -> Point:
    """The middle of the box around an area."""
    xs, ys = area.outline[0::2], area.outline[1::2]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def surface(area: Area) -> float:
    """How large the polygon is."""
    points = corners(area.outline)
    pairs = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairs)) / 2


def color_of(color: str | None) -> str:
    """The colour as it was written, where a browser is sure to understand it and it is one."""
    color = " ".join((color or "").split())
    return color if color.casefold() not in _NO_COLORS and _COLOR.fullmatch(color) else ""

"""From a venue's sections in numbers to a seat map that looks like the venue.

Sections that all have one `position_x` become a fan before the stage, as in an amphitheatre. Otherwise there is
a floor of straight rows before the stage, and around both the further levels as rings: a bowl, in which
`position_x` chooses the angle. The stage's front lies on y = 0, its middle on x = 0.
"""

import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from protocol.seat_map import SeatMap, Section
from server.plans import floor
from server.plans.descriptors import SectionDescriptor, categories_of, in_index_order
from server.plans.rings import Ring, column_angles, radius_for, rings_of, stand_section, stands

_FLOOR_WORDS = re.compile(r"\b(floor|pit|courtside|ringside|field|infield|parterre|stalls)\b", re.IGNORECASE)
_COURT_WORDS = re.compile(r"\bcourtside\b", re.IGNORECASE)
_FLOOR_COLUMNS_MAX = 3

_FAN_SPREAD = math.radians(56)
_SPREAD_PER_COLUMN = math.radians(38)
_SPREAD_BEYOND_COLUMNS = math.radians(70)
_SPREAD_MAX = math.radians(242)
_STRETCH_MAX = 1.25
"""How much wider than needed a column may become when there is room."""
_MOAT = 40.0
"""Between what lies inside the rings and their first row."""
_SPREAD_MARGIN = 0.15
_STAGE_SHARE_OF_RADIUS = 0.66
_STAGE_SHARE_OF_FLOOR = 1.1
_MARGIN = 24
_SAMPLE = 20.0


def bowl(name: str, sections: Sequence[SectionDescriptor], currency: str = "USD") -> SeatMap:
    """The seat map of a venue. The same sections give the same map, whatever their order.

    Sections never overlap, and no two seats are nearer to each other than nine units.

    Raises:
        ValueError: there is no section, two have one name, or one has no seats.
    """
    ordered = _checked(in_index_order(sections))
    categories = categories_of(ordered)
    numbers = {(category.price_tier, category.price_cents): k for k, category in enumerate(categories)}
    category_of = {s: numbers[s.section_type, s.base_price_cents] for s in ordered}
    on_floor = _on_floor(ordered)
    rings = rings_of([section for section in ordered if section not in on_floor])
    has_court = any(_COURT_WORDS.search(section.name) for section in on_floor)

    made = floor.floor_sections(on_floor, category_of)
    stage = floor.court() if has_court else floor.stage(_stage_width(made, rings))
    if rings:
        made += _around(rings, [stage.outline, *(section.outline for section in made)], category_of)
    by_name = {section.name: section for section in made}
    stage_depth = -min(stage.outline[1::2])
    return SeatMap(
        name,
        _bounds([stage.outline, *(section.outline for section in made)]),
        (0, round(-stage_depth / (2 if has_court else 4))),
        categories,
        tuple(by_name[section.name] for section in ordered),
        currency,
        stage=stage,
        areas=floor.court_lines() if has_court else (),
    )


def _checked(sections: list[SectionDescriptor]) -> list[SectionDescriptor]:
    if not sections:
        raise ValueError("a venue without sections has no map")
    names = [section.name for section in sections]
    for section in sections:
        if names.count(section.name) > 1:
            raise ValueError(f"two sections are called {section.name!r}")
        if section.row_count < 1 or section.seats_per_row < 1:
            raise ValueError(f"section {section.name!r} has no seats")
    return sections


def _on_floor(sections: Sequence[SectionDescriptor]) -> list[SectionDescriptor]:
    """Those that stand in straight rows inside the rings: a narrow first level, and what its name puts there."""
    if len({section.position_x for section in sections}) == 1:
        return []
    named = [section for section in sections if _FLOOR_WORDS.search(section.name)]
    nearest = sections[0].position_y
    first = [section for section in sections if section.position_y == nearest]
    if len({section.position_x for section in first}) > _FLOOR_COLUMNS_MAX:
        return named
    lowest = [section for section in sections if section in first or section in named]
    return lowest if len(lowest) < len(sections) else named


def _stage_width(on_floor: Iterable[Section], rings: Sequence[Ring]) -> float:
    rights = [max(section.outline[0::2]) for section in on_floor]
    if rights:
        return 2 * max(rights) * _STAGE_SHARE_OF_FLOOR
    return radius_for(rings, _spread(rings)) * _STAGE_SHARE_OF_RADIUS


def _spread(rings: Sequence[Ring]) -> float:
    columns = len(rings[0])
    if columns == 1:
        return _FAN_SPREAD
    return min(_SPREAD_MAX, _SPREAD_BEYOND_COLUMNS + columns * _SPREAD_PER_COLUMN)


def _around(
    rings: Sequence[Ring],
    inside: Sequence[tuple[float, ...]],
    category_of: dict[SectionDescriptor, int],
) -> list[Section]:
    """The rings, as near as they can be to what lies inside."""
    points = [point for outline in inside for point in _along(outline)]
    spread = _spread(rings)
    radius = radius_for(rings, spread)
    while True:
        needs = column_angles(rings, radius)
        stretch = min(_STRETCH_MAX, spread / sum(needs))
        angles = [need * stretch for need in needs]
        y = _centre_y(points, radius - _MOAT, sum(angles) / 2)
        if y is not None:
            break
        radius *= 1.01
    return [
        stand_section(stand, (0, round(y)), category_of[stand.section]) for stand in stands(rings, radius, angles)
    ]


def _centre_y(points: Sequence[tuple[float, float]], radius: float, half_spread: float) -> float | None:
    """The highest centre of a circle around the points, of which those above the rings' ends may stick out.

    None: the circle is too small.
    """
    if radius <= 0 or any(abs(x) >= radius for x, _ in points):
        return None
    centre = max(y - math.sqrt(radius**2 - x**2) for x, y in points)
    for x, y in points:
        outside = math.hypot(x, y - centre) > radius + 1e-6
        if outside and abs(math.atan2(x, y - centre)) < half_spread + _SPREAD_MARGIN:
            return None
    return centre


def _along(outline: tuple[float, ...]) -> list[tuple[float, float]]:
    """Points along a polygon's edges, near enough to each other to stand for it."""
    corners = list(zip(outline[0::2], outline[1::2], strict=True))
    points = []
    for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]]):
        steps = max(1, math.ceil(math.hypot(x1 - x0, y1 - y0) / _SAMPLE))
        points += [(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for k in range(steps)]
    return points


def _bounds(outlines: Sequence[tuple[float, ...]]) -> tuple[float, float, float, float]:
    xs = [x for outline in outlines for x in outline[0::2]]
    ys = [y for outline in outlines for y in outline[1::2]]
    left, top = math.floor(min(xs)) - _MARGIN, math.floor(min(ys)) - _MARGIN
    return left, top, math.ceil(max(xs)) + _MARGIN - left, math.ceil(max(ys)) + _MARGIN - top

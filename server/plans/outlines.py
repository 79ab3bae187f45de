"""The outlines of sections that have none: around a section's seats, where nothing else lies between them."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from protocol.seat_map import Section, positions
from server.plans.areas import flat, is_inside
from server.plans.plan import Point

MARGIN = 8.0
"""From a seat's middle to the outline of its section."""
_CORNERS_MAX = 400
_SAMPLE = 500
"""Of so many of its seats, evenly taken, is looked whether they are inside: rows that run to and fro show soon."""
_Named: TypeAlias = tuple[float, float, str]
_OCTAGON = [(math.cos(math.radians(45 * k)), math.sin(math.radians(45 * k))) for k in range(8)]


def outlines_of(sections: Sequence[Section], others: Sequence[Point]) -> list[tuple[float, ...]]:
    """An outline for each section: the convex one, else one along its first and last rows and the others' ends.

    (): in both another section's seat or one of the `others` would lie inside, or a seat of its own outside.
    Sections of one name are parts of one: the first of them has the outline of all.
    """
    rows: dict[str, list[list[Point]]] = {}
    for section in sections:
        rows.setdefault(section.name, []).extend(positions(row) for row in section.rows)
    named: list[_Named] = [(x, y, name) for name, its in rows.items() for row in its for x, y in row]
    named = sorted([*named, *((x, y, "") for x, y in others)])
    found, done = [], set()
    for section in sections:
        outline: tuple[float, ...] = ()
        if section.name not in done:
            outline = _free_outline(section.name, rows[section.name], named)
        done.add(section.name)
        found.append(outline)
    return found


def _free_outline(name: str, rows: Sequence[Sequence[Point]], named: Sequence[_Named]) -> tuple[float, ...]:
    own = [point for row in rows for point in row]
    hull = _around(own)
    if not any(_is_in_hull(hull, (x, y)) for x, y, other in _near(hull, named) if other != name):
        return flat(hull)
    along = _along(rows)
    if len(along) > _CORNERS_MAX or not all(is_inside(along, x, y) for x, y in own[:: len(own) // _SAMPLE + 1]):
        return ()
    if any(is_inside(along, x, y) for x, y, other in _near(along, named) if other != name):
        return ()
    return flat(along)


def _along(rows: Sequence[Sequence[Point]]) -> list[Point]:
    """Around rows that all run in one direction, at a margin."""
    if len(rows) < 2:
        return []
    front, *between, back = rows
    ends = [*front, *(row[-1] for row in between), *back[::-1], *(row[0] for row in reversed(between))]
    corners = [point for point, following in zip(ends, [*ends[1:], ends[0]], strict=True) if point != following]
    if len(corners) < 3:
        return []
    side = 1 if sum(a[0] * b[1] - a[1] * b[0] for a, b in pairwise([*corners, corners[0]])) > 0 else -1
    moved = []
    for before, at, after in zip([corners[-1], *corners[:-1]], corners, [*corners[1:], corners[0]], strict=True):
        (ax, ay), (bx, by) = _normal(before, at), _normal(at, after)
        stretch = side * MARGIN / max(0.5, 1 + ax * bx + ay * by)
        moved.append((round(at[0] + stretch * (ax + bx), 1) + 0.0, round(at[1] + stretch * (ay + by), 1) + 0.0))
    return moved


def _normal(one: Point, other: Point) -> Point:
    """Of length 1, across the way from one point to the other."""
    length = math.dist(one, other)
    return (other[1] - one[1]) / length, (one[0] - other[0]) / length


def _around(points: Sequence[Point]) -> list[Point]:
    rim = [(x + MARGIN * dx, y + MARGIN * dy) for x, y in _hull(points) for dx, dy in _OCTAGON]
    return [(round(x, 1) + 0.0, round(y, 1) + 0.0) for x, y in _hull(rim)]


def _hull(points: Sequence[Point]) -> list[Point]:
    """The convex hull, by Andrew's monotone chain."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    return [*_chain(ordered), *_chain(ordered[::-1])]


def _chain(ordered: Sequence[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in ordered:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain[:-1]


def _near(hull: Sequence[Point], points: Sequence[_Named]) -> list[_Named]:
    """Those of the sorted points that are in the box around the hull."""
    if not hull:
        return []
    xs, ys = [x for x, _ in hull], [y for _, y in hull]
    top, bottom = min(ys), max(ys)
    between = points[bisect_left(points, (min(xs), -math.inf, "")) : bisect_right(points, (max(xs), math.inf, ""))]
    return [named for named in between if top <= named[1] <= bottom]


def _is_in_hull(hull: Sequence[Point], point: Point) -> bool:
    return all(_turn(a, b, point) > 0 for a, b in zip(hull, [*hull[1:], hull[0]], strict=True))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

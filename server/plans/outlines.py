"""The outlines of sections that have none: around a section's seats, where nothing else lies between them."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TypeAlias

from protocol.seat_map import Section, positions
from server.plans.plan import Point

MARGIN = 8.0
"""From a seat's middle to the outline of its section."""
_Named: TypeAlias = tuple[float, float, str]
_OCTAGON = [(math.cos(math.radians(45 * k)), math.sin(math.radians(45 * k))) for k in range(8)]


def outlines_of(sections: Sequence[Section], others: Sequence[Point]) -> list[tuple[float, ...]]:
    """A convex outline for each section; () where another section's seat or one of the `others` would lie inside.

    Sections of one name are parts of one: the first of them has the outline of all.
    """
    seats: dict[str, list[Point]] = {"": list(others)}
    for section in sections:
        seats.setdefault(section.name, []).extend(point for row in section.rows for point in positions(row))
    named: list[_Named] = sorted((x, y, name) for name, points in seats.items() for x, y in points)
    found, done = [], set()
    for section in sections:
        hull = [] if section.name in done else _around(seats[section.name])
        done.add(section.name)
        is_free = not any(_is_inside(hull, (x, y)) for x, y, name in _near(hull, named) if name != section.name)
        found.append(tuple(value for point in hull for value in point) if is_free else ())
    return found


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


def _is_inside(hull: Sequence[Point], point: Point) -> bool:
    return all(_turn(a, b, point) > 0 for a, b in zip(hull, [*hull[1:], hull[0]], strict=True))


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

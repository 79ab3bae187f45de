"""The rows of a plan: where their seats are, which stand next to each other, and the shortest way to say so."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import median

import msgspec
from msgspec import UNSET

from protocol.seat_map import Row, positions
from server.plans.plan import PlanRow, PlanSeat, Point

PITCH = 10.0
"""A plan is scaled so that this is its usual spacing."""
_AISLE = 1.6
"""A gap of more than this many usual spacings is an aisle."""
_GAPS_TO_JUDGE = 3
_TOLERANCE = 0.05
_RADIUS_MAX = 20_000.0


def usual_spacing(rows: Iterable[PlanRow]) -> float | None:
    """The median distance from a seat to the next in its row; None: there is none to tell it from."""
    found = [gap for row in rows for gap in _gaps(row.points) if gap > 0]
    return median(found) if found else None


def aisles(points: Sequence[Point], usual: float) -> tuple[int, ...]:
    """The positions of the seats with an aisle before them. `usual` is the spacing where a row is too short."""
    gaps = _gaps(points)
    wide = [gap for gap in gaps if gap > 0]
    limit = _AISLE * (median(wide) if len(wide) >= _GAPS_TO_JUDGE else usual)
    return tuple(k for k, gap in enumerate(gaps, 1) if gap > limit)


def make_row(
    row: PlanRow, scale: float, usual: float, number_of: dict[str, int], is_blocked: Callable[[PlanSeat], bool]
) -> Row:
    """The row of the seat map. `number_of` are the map's categories by name."""
    seats = list(enumerate(row.seats))
    numbers = tuple(seat.number for seat in row.seats)
    categories = [number_of[seat.category] for seat in row.seats]
    usual_category = max(set(categories), key=lambda category: (categories.count(category), -category))
    points = row.points
    made = Row(
        row.label,
        len(seats),
        usual_category,
        numbers=UNSET if numbers == tuple(str(k + 1) for k, _ in seats) else numbers,
        categories=UNSET if set(categories) == {usual_category} else tuple(categories),
        aisles=aisles(points, usual) if row.aisles is None else row.aisles,
        accessible=tuple(k for k, seat in seats if seat.accessible),
        companion=tuple(k for k, seat in seats if seat.companion),
        restricted=tuple(k for k, seat in seats if seat.restricted),
        blocked=tuple(k for k, seat in seats if is_blocked(seat)),
    )
    return placed(made, [(x * scale, y * scale) for x, y in points])


def placed(row: Row, points: Sequence[Point]) -> Row:
    """The row with its places: a line or an arc where the seats stand on one at even steps, else every place."""
    for form in (_line(row, points), _arc(row, points)):
        if form and all(math.dist(*pair) <= _TOLERANCE for pair in zip(positions(form), points, strict=True)):
            return form
    at = tuple(round(value, 2) for point in points for value in point)
    return msgspec.structs.replace(row, line=UNSET, arc=UNSET, at=at)


def _line(row: Row, points: Sequence[Point]) -> Row | None:
    if row.seats < 3:
        return None
    (x0, y0), (x1, y1) = points[0], points[-1]
    steps = row.seats - 1
    line = (round(x0, 2), round(y0, 2), round((x1 - x0) / steps, 4), round((y1 - y0) / steps, 4))
    return msgspec.structs.replace(row, line=line, arc=UNSET, at=UNSET)


def _arc(row: Row, points: Sequence[Point]) -> Row | None:
    """On the circle through the first, the middle and the last seat; None: there is none of sensible size."""
    if row.seats < 4:
        return None
    (ax, ay), (bx, by), (cx, cy) = points[0], points[len(points) // 2], points[-1]
    twice = 2 * ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))
    if abs(twice) < 1e-9:
        return None
    b, c = (bx - ax) ** 2 + (by - ay) ** 2, (cx - ax) ** 2 + (cy - ay) ** 2
    x, y = ax + ((cy - ay) * b - (by - ay) * c) / twice, ay + ((bx - ax) * c - (cx - ax) * b) / twice
    radius = math.dist((x, y), (ax, ay))
    if radius > _RADIUS_MAX:
        return None
    angles = [math.degrees(math.atan2(py - y, px - x)) for px, py in points]
    turned = sum((two - one + 180) % 360 - 180 for one, two in pairwise(angles))
    start = round(angles[0], 4)
    step = round(turned / (row.seats - 1), 5)
    arc = (round(x, 2), round(y, 2), round(radius, 2), 180.0 if start == -180 else start, step)
    return msgspec.structs.replace(row, arc=arc, line=UNSET, at=UNSET)


def _gaps(points: Sequence[Point]) -> list[float]:
    return [math.dist(one, other) for one, other in pairwise(points)]

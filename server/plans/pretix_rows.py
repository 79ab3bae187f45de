"""The rows of a pretix plan: where their seats are, which stand next to each other, what they are called."""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET

from protocol.seat_map import Row, positions
from server.plans import pretix_format as pretix
from server.plans.oddities import PlanError

SEATS_MAX = 200_000
LABEL_CHARS_MAX = 100
PITCH = 10.0
"""A plan is scaled so that this is its usual spacing."""
_COORDINATE_MAX = 1e6
_AISLE = 1.6
"""A gap of more than this many usual spacings is an aisle."""
_GAPS_TO_JUDGE = 3
_LINE_TOLERANCE = 0.05

Point: TypeAlias = tuple[float, float]


class PlacedRow(NamedTuple):
    """A row of the file that has seats, with their absolute positions. `where` names it as the file does."""

    zone: int
    where: str
    row: pretix.Row
    points: list[Point]


def place_rows(plan: pretix.Plan) -> list[PlacedRow]:
    """Every row with seats, in the order of the file.

    Raises:
        PlanError: no seats, too many, or one that is out of all proportion.
    """
    placed = []
    seats = 0
    for z, zone in enumerate(plan.zones):
        for r, row in enumerate(zone.rows):
            if row.seats:
                where = f"zones[{z}].rows[{r}]"
                placed.append(PlacedRow(z, where, row, list(_absolute(zone, row, where))))
                seats += len(row.seats)
    if not seats:
        raise PlanError("the plan has no seats")
    if seats > SEATS_MAX:
        raise PlanError(f"the plan has {seats:,} seats; {SEATS_MAX:,} is the most")
    return placed


def usual_spacing(rows: Sequence[PlacedRow]) -> float | None:
    """The median distance from a seat to the next in its row; None: there is none to tell it from."""
    found = [gap for placed in rows for gap in _gaps(placed.points) if gap > 0]
    return median(found) if found else None


def aisles(points: Sequence[Point], usual: float) -> tuple[int, ...]:
    """The positions of the seats with an aisle before them. `usual` is the spacing where a row is too short."""
    gaps = _gaps(points)
    wide = [gap for gap in gaps if gap > 0]
    limit = _AISLE * (median(wide) if len(wide) >= _GAPS_TO_JUDGE else usual)
    return tuple(k for k, gap in enumerate(gaps, 1) if gap > limit)


def seat_label(word: pretix.Word | None, template: str | None, where: str) -> str:
    """What a row or a seat is called: its number, in its template's place of `%s`.

    Raises:
        PlanError: nobody could read it.
    """
    number = "" if word is None else str(word)
    return clean(number if template is None else template.replace("%s", number), where, LABEL_CHARS_MAX)


def clean(text: str, where: str, chars_max: int) -> str:
    """The text on one line.

    Raises:
        PlanError: it is too long or has characters that are none.
    """
    text = " ".join(text.split())
    if len(text) > chars_max:
        raise PlanError(f"{where}: a name of more than {chars_max} characters")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise PlanError(f"{where}: a name with a control character")
    return text


def make_row(
    placed: PlacedRow,
    scale: float,
    usual: float,
    category_of: Callable[[pretix.Seat], int],
    is_blocked: Callable[[pretix.Seat], bool],
) -> Row:
    """The row of the seat map."""
    row, where = placed.row, placed.where
    seats = list(enumerate(row.seats))
    numbers = tuple(seat_label(s.seat_number, row.seat_label, f"{where}.seats[{k}]") for k, s in seats)
    categories = [category_of(seat) for seat in row.seats]
    usual_category = max(set(categories), key=lambda category: (categories.count(category), -category))
    made = Row(
        seat_label(row.row_number, row.row_label, where),
        len(seats),
        usual_category,
        numbers=UNSET if numbers == tuple(str(k + 1) for k, _ in seats) else numbers,
        categories=UNSET if set(categories) == {usual_category} else tuple(categories),
        aisles=aisles(placed.points, usual),
        accessible=tuple(k for k, seat in seats if seat.wheelchair),
        blocked=tuple(k for k, seat in seats if is_blocked(seat)),
    )
    return _with_places(made, [(x * scale, y * scale) for x, y in placed.points])


def _absolute(zone: pretix.Zone, row: pretix.Row, where: str) -> Iterator[Point]:
    zone_at, row_at = zone.position or pretix.ORIGIN, row.position or pretix.ORIGIN
    for k, seat in enumerate(row.seats):
        x = zone_at.x + row_at.x + seat.position.x
        y = zone_at.y + row_at.y + seat.position.y
        if max(abs(x), abs(y)) > _COORDINATE_MAX:
            raise PlanError(f"{where}.seats[{k}].position: {x:g}, {y:g} is too far out")
        yield x, y


def _gaps(points: Sequence[Point]) -> list[float]:
    return [math.dist(one, other) for one, other in pairwise(points)]


def _with_places(row: Row, points: list[Point]) -> Row:
    """With a line where the seats stand on one at even steps, else with every place."""
    if row.seats > 2:
        (x0, y0), (x1, y1) = points[0], points[-1]
        steps = row.seats - 1
        line = (round(x0, 2), round(y0, 2), round((x1 - x0) / steps, 4), round((y1 - y0) / steps, 4))
        straight = msgspec.structs.replace(row, line=line)
        if all(math.dist(*pair) <= _LINE_TOLERANCE for pair in zip(positions(straight), points, strict=True)):
            return straight
    at = tuple(round(value, 2) for point in points for value in point)
    return msgspec.structs.replace(row, at=at)

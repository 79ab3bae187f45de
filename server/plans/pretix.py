"""Reading the seating plans of pretix: `read_pretix` makes a seat map of one, and reports what is odd about it.

Lenient, as real files depart from the format in many ways, but never silent: every departure is in the report.
The map's index order is the order of the file.
"""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from statistics import median

from msgspec import UNSET, Struct, UnsetType, structs

from protocol.limits import NAME_CHARS_MAX
from protocol.seat_map import Area, Row, SeatMap, Section, positions
from server.plans.oddities import Oddity, PlanError
from server.plans.pretix_areas import Drawn, Point, draw_areas, middle, scaled, surface
from server.plans.pretix_categories import Priced, category_name, price_categories
from server.plans.pretix_checks import check_seats, identities
from server.plans.pretix_format import Plan, Seat, decode_plan
from server.plans.pretix_rows import PITCH, PlacedRow, clean, make_row, place_rows, usual_spacing

_STAGE_WORDS = re.compile(r"\b(stage|bühne|scène|scene|escenario|palco|podium|court|pitch|leinwand|screen)\b", re.I)
_SPACING_UNKNOWN = 25.0
_SPACING_MIN = 0.01
_RADIUS_USUAL = 10
_RADIUS_MAX = 4.5
_RADIUS_MIN = 2.0
_MARGIN = 20


class Imported(Struct, frozen=True):
    """What a plan became. `identities` are in index order; `focal_from` says what `focal` was taken from."""

    seat_map: SeatMap
    oddities: tuple[Oddity, ...]
    identities: tuple[str, ...]
    focal_from: str


def read_pretix(
    raw: bytes,
    prices: Mapping[str, int],
    *,
    default_price_cents: int | None = None,
    blocked_categories: Collection[str] = (),
    currency: str = "USD",
    strict: bool = False,
) -> Imported:
    """The seat map of a plan with `prices` in cents by category. Lengths are scaled to the map's seat pitch.

    Raises:
        PlanError: the file cannot be read or priced, or is odd in any way and `strict`.
    """
    plan, oddities = decode_plan(raw)
    rows = place_rows(plan)
    priced = price_categories(plan, rows, prices, default_price_cents, blocked_categories)
    names, odd_names = _section_names(plan)
    drawn, odd_areas = draw_areas(plan)
    oddities += [*check_seats(plan, rows), *priced.oddities, *odd_names, *odd_areas]
    if strict and oddities:
        raise PlanError("the plan departs from the format: " + "; ".join(odd.text for odd in oddities))
    scale = PITCH / max(_SPACING_MIN, usual_spacing(rows) or _SPACING_UNKNOWN)
    sections = _sections(rows, names, scale, priced)
    seat_map, focal_from = _compose(plan, sections, [scaled(one, scale) for one in drawn])
    seat_map = structs.replace(
        seat_map, categories=priced.categories, currency=currency, seat_radius=_radius(rows, scale)
    )
    return Imported(seat_map, tuple(oddities), identities(rows), focal_from)


def _section_names(plan: Plan) -> tuple[list[str], list[Oddity]]:
    """A name of its own for each zone."""
    names: list[str] = []
    unnamed = repeated = 0
    for number, zone in enumerate(plan.zones, 1):
        name = clean(zone.name or "", f"zones[{number - 1}].name", NAME_CHARS_MAX)
        if not name:
            unnamed += 1
            name = f"Zone {number}"
        again = 1
        unique = name
        while unique in names:
            again += 1
            unique = f"{name} ({again})"
        repeated += unique != name
        names.append(unique)
    oddities = []
    if unnamed:
        oddities.append(Oddity("unnamed_zone", unnamed, f"zones without a name, numbered: {unnamed}"))
    if repeated:
        text = f"zones with the name of another, numbered: {repeated}"
        oddities.append(Oddity("repeated_zone_name", repeated, text))
    return names, oddities


def _sections(rows: Sequence[PlacedRow], names: Sequence[str], scale: float, priced: Priced) -> tuple[Section, ...]:
    numbers = {category.name: number for number, category in enumerate(priced.categories)}

    def category_of(seat: Seat) -> int:
        return numbers[" ".join(category_name(seat).split())]

    def is_blocked(seat: Seat) -> bool:
        return category_name(seat) in priced.blocked

    sections = []
    for zone, group in groupby(rows, key=lambda placed: placed.zone):
        zone_rows = list(group)
        usual = usual_spacing(zone_rows) or _SPACING_UNKNOWN
        made = tuple(make_row(placed, scale, usual, category_of, is_blocked) for placed in zone_rows)
        sections.append(Section(names[zone], made, _label_at(made)))
    return tuple(sections)


def _label_at(rows: Sequence[Row]) -> Point:
    """The seat that is nearest to the middle of all: a section may lie around something that is not its own."""
    points = [point for row in rows for point in positions(row)]
    centre = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    x, y = min(points, key=lambda point: math.dist(point, centre))
    return round(x, 1), round(y, 1)


def _radius(rows: Sequence[PlacedRow], scale: float) -> float:
    radii = [seat.radius or _RADIUS_USUAL for placed in rows for seat in placed.row.seats]
    return round(min(_RADIUS_MAX, max(_RADIUS_MIN, median(radii) * scale)), 1)


def _compose(plan: Plan, sections: tuple[Section, ...], drawn: Sequence[Drawn]) -> tuple[SeatMap, str]:
    """The map without its categories, and what its focal point is."""
    stage = next((one for one in drawn if one.area and one.text and _STAGE_WORDS.search(one.text.text)), None)
    areas = tuple(one.area for one in drawn if one.area and one is not stage)
    texts = tuple(one.text for one in drawn if one.text and one is not stage)
    stage_area: Area | UnsetType = UNSET
    if stage and stage.area and stage.text:
        stage_area = structs.replace(stage.area, text=stage.text.text)
    points = [point for section in sections for row in section.rows for point in positions(row)]
    points += [(text.x, text.y) for text in texts]
    for area in (*areas, *([stage_area] if stage_area is not UNSET else [])):
        points += zip(area.outline[0::2], area.outline[1::2], strict=True)
    bounds = _bounds(points)
    if stage_area is not UNSET:
        focal, focal_from = middle(stage_area), f"the middle of “{stage_area.text}”"
    elif areas:
        focal, focal_from = middle(max(areas, key=surface)), "the middle of the largest area"
    else:
        focal, focal_from = (bounds[0] + bounds[2] / 2, bounds[1]), "the middle of the upper edge"
    name = clean(plan.name or "", "name", NAME_CHARS_MAX) or "Plan"
    at = (round(focal[0], 1), round(focal[1], 1))
    return SeatMap(name, bounds, at, (), sections, stage=stage_area, areas=areas, texts=texts), focal_from


def _bounds(points: Sequence[Point]) -> tuple[float, float, float, float]:
    left, top = (math.floor(min(point[k] for point in points)) - _MARGIN for k in (0, 1))
    right, bottom = (math.ceil(max(point[k] for point in points)) + _MARGIN for k in (0, 1))
    return left, top, right - left, bottom - top

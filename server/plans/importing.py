"""From a plan's file to a seat map, and the report of what is odd about it.

    file ──► reader of its format ──► Plan ──► prices, names, aisles, scale, focal point ──► SeatMap

Lenient, as real files depart from their formats in many ways, but never silent: every departure is in the report.
The map's index order is the order of the plan.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from statistics import median
from typing import TypeAlias

from msgspec import UNSET, Struct, UnsetType, structs

from protocol.seat_map import Area, Row, SeatMap, Section, positions
from server.plans.areas import check_corners, corners, flat, middle, scaled, surface
from server.plans.categories import Priced, price_categories
from server.plans.checks import check_seats, identities
from server.plans.formats import decoded
from server.plans.oddities import Oddity, PlanError
from server.plans.outlines import outlines_of
from server.plans.plan import Drawn, Plan, PlanRow, PlanSeat, Point, checked
from server.plans.rows import PITCH, make_row, usual_spacing

_STAGE_WORDS = re.compile(r"\b(stage|bühne|scène|scene|escenario|palco|podium|court|pitch|leinwand|screen)\b", re.I)
_SPACING_UNKNOWN = 25.0
_SPACING_MIN = 0.01
_RADIUS_USUAL = 10
_RADIUS_MAX = 4.5
_RADIUS_MIN = 2.0
_MARGIN = 20

Bounds: TypeAlias = tuple[float, float, float, float]
Say: TypeAlias = Callable[[str], None]
STEPS = 3
"""So many times it is said what is being done."""


class Imported(Struct, frozen=True):
    """What a plan became. `identities` are in index order; `focal_from` says what `focal` was taken from."""

    format: str
    seat_map: SeatMap
    oddities: tuple[Oddity, ...]
    identities: tuple[str, ...]
    focal_from: str


def import_file(
    raw: bytes,
    prices: Mapping[str, int],
    *,
    known_prices: Mapping[str, int] | None = None,
    default_price_cents: int | None = None,
    blocked_categories: Collection[str] = (),
    currency: str = "USD",
    strict: bool = False,
    say: Say = lambda _: None,
) -> Imported:
    """The seat map of a plan with `prices` in cents by category. Lengths are scaled to the map's seat pitch.

    `known_prices` are those of the venue's former plan, for categories without another; `say` is told what is done.

    Raises:
        PlanError: the file cannot be read or priced, or is odd in any way and `strict`.
    """
    say("Reading the file")
    plan = checked(decoded(raw))
    check_corners(plan.drawn, [section.outline for section in plan.sections])
    say("Looking for what is odd")
    priced = price_categories(plan, prices, known_prices or {}, default_price_cents, blocked_categories)
    names, odd_names = _section_names(plan)
    oddities = [*plan.oddities, *check_seats(plan), *priced.oddities, *odd_names]
    if strict and oddities:
        raise PlanError("the plan departs from the format: " + "; ".join(odd.text for odd in oddities))
    say("Placing the seats")
    scale = 1.0 if plan.bounds else PITCH / max(_SPACING_MIN, usual_spacing(plan.rows) or _SPACING_UNKNOWN)
    seat_map, focal_from = _compose(plan, _sections(plan, names, scale, priced), scale)
    seat_map = structs.replace(
        seat_map, categories=priced.categories, currency=currency, seat_radius=_radius(plan, scale)
    )
    return Imported(plan.format, seat_map, tuple(oddities), identities(plan), focal_from)


def _section_names(plan: Plan) -> tuple[list[str], list[Oddity]]:
    """A name for each section, its own or that of the section it is a part of."""
    names: list[str] = []
    taken: set[str] = set()
    parts: dict[str, str] = {}
    unnamed = repeated = 0
    for number, section in enumerate(plan.sections, 1):
        if section.part_of in parts:
            names.append(parts[section.part_of])
            continue
        name = section.name
        if not name:
            unnamed += 1
            name = f"Zone {number}"
        again = 1
        unique = name
        while unique in taken:
            again += 1
            unique = f"{name} ({again})"
        repeated += unique != name
        names.append(unique)
        taken.add(unique)
        if section.part_of:
            parts[section.part_of] = unique
    oddities = []
    if unnamed:
        oddities.append(Oddity("unnamed_zone", unnamed, f"zones without a name, numbered: {unnamed}"))
    if repeated:
        text = f"zones with the name of another, numbered: {repeated}"
        oddities.append(Oddity("repeated_zone_name", repeated, text))
    return names, oddities


def _sections(plan: Plan, names: Sequence[str], scale: float, priced: Priced) -> tuple[Section, ...]:
    def is_blocked(seat: PlanSeat) -> bool:
        return seat.blocked or seat.category in priced.blocked

    rows_of: dict[str, list[PlanRow]] = {}
    for name, section in zip(names, plan.sections, strict=True):
        rows_of.setdefault(name, []).extend(section.rows)
    usual_of = {name: usual_spacing(rows) or _SPACING_UNKNOWN for name, rows in rows_of.items()}
    sections = []
    for name, section in zip(names, plan.sections, strict=True):
        usual = usual_of[name]
        rows = tuple(make_row(row, scale, usual, priced.number_of, is_blocked) for row in section.rows if row.seats)
        if rows:
            outline = tuple(round(value * scale, 1) for value in flat(section.outline))
            sections.append(Section(name, rows, section.label_at or _label_at(rows), outline))
    return tuple(sections)


def _label_at(rows: Sequence[Row]) -> Point:
    """The seat that is nearest to the middle of all: a section may lie around something that is not its own."""
    points = [point for row in rows for point in positions(row)]
    centre = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
    x, y = min(points, key=lambda point: math.dist(point, centre))
    return round(x, 1), round(y, 1)


def _radius(plan: Plan, scale: float) -> float:
    if plan.seat_radius is not None:
        return min(_RADIUS_MAX, max(_RADIUS_MIN, plan.seat_radius))
    radii = [seat.radius or _RADIUS_USUAL for seat in plan.seats]
    return round(min(_RADIUS_MAX, max(_RADIUS_MIN, median(radii) * scale)), 1)


def _compose(plan: Plan, sections: tuple[Section, ...], scale: float) -> tuple[SeatMap, str]:
    """The map without its categories, and what its focal point is."""
    drawn = [scaled(one, scale) for one in plan.drawn]
    stage = _stage(drawn)
    areas = tuple(one.area for one in drawn if one.area and one is not stage)
    texts = tuple(one.text for one in drawn if one.text and (one is not stage or not stage.area))
    stage_area: Area | UnsetType = UNSET
    if stage and stage.area and stage.text:
        stage_area = structs.replace(stage.area, text=stage.text.text)
    of_shapes = [text_at for text in texts for text_at in [(text.x, text.y)]]
    for area in (*areas, *([stage_area] if stage_area is not UNSET else [])):
        of_shapes += corners(area.outline)
    points = [point for section in sections for row in section.rows for point in positions(row)]
    points += [*of_shapes, *(point for section in sections for point in corners(section.outline))]
    bounds = _bounds(points)
    if plan.focal is not None:
        focal, focal_from = (plan.focal[0] * scale, plan.focal[1] * scale), "the point given in the file"
    elif stage_area is not UNSET:
        focal, focal_from = middle(stage_area), f"the middle of “{stage_area.text}”"
    elif stage and stage.text:
        focal, focal_from = (stage.text.x, stage.text.y), f"“{stage.text.text}”"
    elif areas:
        focal, focal_from = middle(max(areas, key=surface)), "the middle of the largest area"
    elif (centre := _curved_around(sections, bounds)) is not None:
        focal, focal_from = centre, "the point that the rows are curved around"
    else:
        focal, focal_from = (bounds[0] + bounds[2] / 2, bounds[1]), "the middle of the upper edge"
    name = plan.name or "Plan"
    at = (round(float(focal[0]), 1), round(float(focal[1]), 1))
    sections = _outlined(plan, sections, [at, *(corners(stage_area.outline) if stage_area is not UNSET else [])])
    bounds = _joined(bounds, plan.bounds) if plan.bounds else bounds
    return SeatMap(name, bounds, at, (), sections, stage=stage_area, areas=areas, texts=texts), focal_from


def _stage(drawn: Sequence[Drawn]) -> Drawn | None:
    """What is written to be the stage: an area, or else a word alone."""
    named = [one for one in drawn if one.text and _STAGE_WORDS.search(one.text.text)]
    return next((one for one in named if one.area), named[0] if named else None)


def _curved_around(sections: Sequence[Section], bounds: Bounds) -> Point | None:
    """The middle of the circles that the rows lie on, or what of the map is next to it; None: they are straight."""
    rows = [row for section in sections for row in section.rows]
    arcs = [row.arc for row in rows if row.arc is not UNSET]
    if len(arcs) * 2 <= len(rows):
        return None
    x, y = (median(arc[k] for arc in arcs) for k in (0, 1))
    left, top, width, height = bounds
    return min(max(x, left), left + width), min(max(y, top), top + height)


def _outlined(plan: Plan, sections: tuple[Section, ...], others: Sequence[Point]) -> tuple[Section, ...]:
    """With outlines of their own where the file has none."""
    if any(section.has_outline for section in plan.sections):
        return sections
    found = outlines_of(sections, others)
    return tuple(
        section if section.outline else structs.replace(section, outline=outline)
        for section, outline in zip(sections, found, strict=True)
    )


def _bounds(points: Sequence[Point]) -> Bounds:
    left, top = (float(math.floor(min(point[k] for point in points)) - _MARGIN) for k in (0, 1))
    right, bottom = (float(math.ceil(max(point[k] for point in points)) + _MARGIN) for k in (0, 1))
    return left, top, right - left, bottom - top


def _joined(one: Bounds, given: Bounds) -> Bounds:
    """The box given, grown where the other without its margin sticks out of it."""
    left, top = min(one[0] + _MARGIN, given[0]), min(one[1] + _MARGIN, given[1])
    right = max(one[0] + one[2] - _MARGIN, given[0] + given[2])
    bottom = max(one[1] + one[3] - _MARGIN, given[1] + given[3])
    return left, top, right - left, bottom - top

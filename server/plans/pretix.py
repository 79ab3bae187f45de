"""Reading the seating plans of pretix, and our own exports, which are such plans."""

import math
from collections import Counter
from typing import Any

from protocol.limits import NAME_CHARS_MAX
from protocol.seat_map import Area, Text
from server.plans import pretix_format as pretix
from server.plans.areas import TEXT_SIZE, color_of, flat, round_points, written
from server.plans.json_files import converted
from server.plans.oddities import Oddity, PlanError, named_counts
from server.plans.plan import (
    NO_CATEGORY,
    Drawn,
    Plan,
    PlanCategory,
    PlanRow,
    PlanSeat,
    PlanSection,
    Point,
    clean,
)


def is_pretix(tree: Any) -> bool:
    """Does the file's JSON look like such a plan?"""
    return isinstance(tree, dict) and "zones" in tree


def read_pretix(tree: Any) -> Plan:
    """The plan, as it is. Lenient, as real files depart from the format in many ways; each departure is an oddity.

    Raises:
        PlanError: it is no such plan.
    """
    file, oddities = pretix.decode_plan(tree)
    origin = (0.0, 0.0) if file.usher is None else file.usher.bounds[:2]
    drawn, odd_areas = _drawn(file, origin)
    plan = Plan(
        "pretix seating plan",
        [_section(zone, origin, f"zones[{z}]") for z, zone in enumerate(file.zones)],
        clean(file.name or "", "name", NAME_CHARS_MAX),
        {category.name: PlanCategory(color_of(category.color)) for category in file.categories},
        drawn,
        None if file.size is None else (file.size.width, file.size.height),
        oddities=[*oddities, *odd_areas],
    )
    if file.usher is not None:
        _add_ours(plan, file, file.usher)
    return plan


def _section(zone: pretix.Zone, origin: Point, where: str) -> PlanSection:
    at = _moved(zone, origin)
    rows = [_row(row, at, f"{where}.rows[{r}]") for r, row in enumerate(zone.rows)]
    return PlanSection(zone.name or "", rows, where)


def _moved(zone: pretix.Zone, origin: Point) -> pretix.Position:
    """Where the zone is; an exported plan says where the origin of its map lies."""
    at = zone.position or pretix.ORIGIN
    return pretix.Position(at.x + origin[0], at.y + origin[1])


def _row(row: pretix.Row, zone: pretix.Position, where: str) -> PlanRow:
    at = row.position or pretix.ORIGIN
    x, y = zone.x + at.x, zone.y + at.y
    seats = [
        PlanSeat(
            _label(seat.seat_number, row.seat_label),
            x + seat.position.x,
            y + seat.position.y,
            seat.category or NO_CATEGORY,
            seat.uuid or "",
            "" if seat.seat_guid is None else str(seat.seat_guid),
            seat.radius,
            bool(seat.wheelchair),
        )
        for seat in row.seats
    ]
    return PlanRow(_label(row.row_number, row.row_label), seats, where)


def _label(word: pretix.Word | None, template: str | None) -> str:
    """What a row or a seat is called: its number, in its template's place of `%s`."""
    number = "" if word is None else str(word)
    return number if template is None else template.replace("%s", number)


def _add_ours(plan: Plan, file: pretix.Plan, ours: pretix.Ours) -> None:
    plan.focal, plan.bounds, plan.seat_radius = ours.focal, ours.bounds, ours.seat_radius
    plan.size = None  # which is that of the bounds
    for category in ours.categories:
        if known := plan.categories.get(category.name):
            known.price_cents, known.price_tier = category.price_cents, category.price_tier
    seen = set()
    for zone, section in zip(file.zones, plan.sections, strict=True):
        known_section = ours.sections.get(str(zone.zone_id))
        if known_section is not None:
            section.part_of, section.label_at = str(zone.zone_id), known_section.label_at
            section.outline = [] if section.part_of in seen else known_section.outline
            section.has_outline = True
            seen.add(section.part_of)
    marked = [set(names) for names in (ours.accessible, ours.companion, ours.restricted, ours.blocked)]
    for seat in plan.seats:
        seat.accessible, seat.companion, seat.restricted, seat.blocked = (seat.name in names for names in marked)
    if ours.aisles is not None:
        after_aisle = set(ours.aisles)
        for row in (row for section in plan.sections for row in section.rows):
            row.aisles = tuple(k for k, seat in enumerate(row.seats) if seat.name in after_aisle)


def _drawn(plan: pretix.Plan, origin: Point) -> tuple[list[Drawn], list[Oddity]]:
    """Every area of the plan, in the order of the file."""
    drawn = []
    unreadable: Counter[str] = Counter()
    for zone in plan.zones:
        for tree in zone.areas or ():
            try:
                area = converted(tree, pretix.Area)
            except PlanError:
                unreadable["of a wrong type"] += 1
                continue
            points = _points(area)
            if points is None:
                unreadable[area.shape[:40]] += 1
            drawn.append(_draw(area, _moved(zone, origin), points or []))
    if not unreadable:
        return drawn, []
    text = f"areas left out: {named_counts(unreadable)}"
    return drawn, [Oddity("unreadable_area", unreadable.total(), text)]


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
            return round_points(radius.x, radius.y)
        case pretix.Area(shape="circle", circle=pretix.Circle(radius=length)):
            return round_points(length, length)
    return None


def _draw(area: pretix.Area, zone: pretix.Position, points: list[Point]) -> Drawn:
    """Turned about the area's position, and put where it belongs."""
    position = area.position or pretix.ORIGIN
    turn = math.radians(area.rotation or 0)
    cos, sin = math.cos(turn), math.sin(turn)

    def place(x: float, y: float) -> Point:
        return zone.x + position.x + x * cos - y * sin, zone.y + position.y + x * sin + y * cos

    outline = flat([place(x, y) for x, y in points])
    shape = Area(outline, "", color_of(area.color), color_of(area.border_color)) if outline else None
    text = written(area.text.text) if area.text else ""
    if not area.text or not text:
        return Drawn(shape, None)
    at = area.text.position or pretix.ORIGIN
    x, y = place(at.x, at.y)
    return Drawn(shape, Text(text, x, y, area.text.size or TEXT_SIZE, color_of(area.text.color)))

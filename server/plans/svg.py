"""Reading SVG drawings whose seats carry ids, or whose circles are grouped by sector.

A seat is an element with an id (or a class) like `seat-{number}-{row}-{section}` or
`sec-{section}-row-{row}-seat-{number}`; where there is none, a circle or an ellipse in a group with an id: the
outermost such group is its section, a further one its row. Everything else that is drawn becomes areas and texts.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from protocol.seat_map import Area, Text
from server.plans.areas import TEXT_SIZE, color_of, flat, round_points, with_texts_on_areas, written
from server.plans.oddities import Oddity, PlanError, named_counts
from server.plans.plan import NO_CATEGORY, Plan, PlanCategory, PlanRow, PlanSeat, PlanSection, Point
from server.plans.safe_xml import Element, read_xml
from server.plans.seat_order import in_order
from server.plans.svg_paths import IDENTITY, NUMBER, Matrix, PathError, apply, matrix_of, outline_of, times

_SEAT = re.compile(r"seat[-_](?P<seat>[^\s_-]+)[-_](?P<row>[^\s_-]+)[-_](?P<section>\S+)", re.I)
_SEAT_IN_ROW = re.compile(r"sec-(?P<section>[^\s]+?)-row-(?P<row>[^\s]+?)-seat-(?P<seat>\S+)", re.I)
_NOT_DRAWN = {
    "defs",
    "clipPath",
    "mask",
    "symbol",
    "marker",
    "pattern",
    "metadata",
    "style",
    "script",
    "title",
    "desc",
}
_ROUND = {"circle", "ellipse"}
_SHAPES = {"rect", *_ROUND, "polygon", "polyline", "path"}
_ACCESSIBLE = re.compile(r"accessible|wheelchair|\bDA\b", re.I)
_COMPANION = re.compile(r"companion", re.I)
_RESTRICTED = re.compile(r"restricted|obstructed|limited", re.I)
_ORIGIN = re.compile(r"([-\d.]+)(px|%)\s+([-\d.]+)(px|%)")
_LABEL_PREFIX = re.compile(r"^(sector|section|sec|block|zone|row)[-_ ]+", re.I)


class _Shape(NamedTuple):
    """A shape, where its matrix puts it, the ids of the groups around it, and the box around its own corners."""

    element: Element
    matrix: Matrix
    groups: tuple[str, ...]
    box: tuple[float, float, float, float]

    @property
    def is_round(self) -> bool:
        return self.element.tag in _ROUND

    @property
    def points(self) -> list[Point]:
        return [apply(self.matrix, x, y) for x, y in _points(self.element)]

    @property
    def middle(self) -> Point:
        left, top, right, bottom = self.box
        return apply(self.matrix, (left + right) / 2, (top + bottom) / 2)

    @property
    def radius(self) -> float:
        left, top, right, bottom = self.box
        a, b, c, d, _, _ = self.matrix
        return max(right - left, bottom - top) / 2 * math.sqrt(abs(a * d - b * c))


class _Found(NamedTuple):
    shapes: list[_Shape]
    texts: list[Text]
    left_out: Counter[str]


def read_svg(raw: bytes) -> Plan:
    """The plan. Sections and rows in the order of their first seats; a row's seats by number.

    Raises:
        PlanError: it is no SVG, or none with seats that can be told.
    """
    top = read_xml(raw)
    if top.tag != "svg":
        raise PlanError(f"the file is XML, but no SVG: its outermost element is {top.tag[:40]}")
    found = _Found([], [], Counter())
    _walk(top, IDENTITY, (), found)
    oddities = []
    if found.left_out:
        text = f"parts of the drawing that cannot be read, left out: {named_counts(found.left_out)}"
        oddities.append(Oddity("unreadable_area", found.left_out.total(), text))
    named = [(shape, match) for shape in found.shapes if (match := _match(shape.element)) is not None]
    if named:
        taken = {id(shape) for shape, _ in named}
        seats = [(match["section"], match["row"], match["seat"], shape) for shape, match in named]
        sections = _sections(seats)
    else:
        round_ones = [shape for shape in found.shapes if shape.is_round and shape.groups]
        taken = {id(shape) for shape in round_ones}
        sections, odd = _grouped(round_ones)
        oddities += odd
    areas = [_area(shape) for shape in found.shapes if id(shape) not in taken]
    seats_of = [seat for section in sections for row in section.rows for seat in row.seats]
    categories = {seat.category: PlanCategory() for seat in seats_of}
    drawn = with_texts_on_areas(areas, found.texts)
    return Plan("SVG drawing", sections, "", categories, drawn, oddities=oddities)


def _walk(element: Element, outer: Matrix, groups: tuple[str, ...], found: _Found) -> None:
    for child in element.children:
        if child.tag in _NOT_DRAWN or child.attributes.get("display") == "none":
            continue
        matrix = times(outer, _own_matrix(child))
        if child.tag in ("g", "svg", "a"):
            name = child.attributes.get("id", "") or child.attributes.get("label", "")
            _walk(child, matrix, (*groups, name) if name else groups, found)
        elif child.tag == "text":
            _add_text(child, matrix, found)
        elif child.tag in _SHAPES:
            box = _box(child)
            if box is not None:
                found.shapes.append(_Shape(child, matrix, groups, box))
            elif child.tag != "path":
                found.left_out[child.tag] += 1
        elif child.tag in ("use", "image", "foreignObject"):
            found.left_out[child.tag] += 1


def _own_matrix(element: Element) -> Matrix:
    said = element.attributes.get("transform", "")
    if not said:
        return IDENTITY
    origin = _ORIGIN.fullmatch(_style(element, "transform-origin"))
    if origin is None:
        return matrix_of(said)
    x, y = (_number(word) for word in origin.groups()[::2])
    if origin[2] == "%":
        box = _box(element) if _style(element, "transform-box") == "fill-box" else None
        if box is None:
            return matrix_of(said)
        left, top, right, bottom = box
        x, y = left + x / 100 * (right - left), top + y / 100 * (bottom - top)
    return times(times((1, 0, 0, 1, x, y), matrix_of(said)), (1, 0, 0, 1, -x, -y))


def _box(element: Element) -> tuple[float, float, float, float] | None:
    """The box around a shape in its own coordinates; None: it has no corners."""
    if element.tag in _ROUND:
        cx, cy, rx, ry = _round(element)
        return (cx - rx, cy - ry, cx + rx, cy + ry) if rx > 0 and ry > 0 else None
    points = _points(element)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return (min(xs), min(ys), max(xs), max(ys)) if points else None


def _round(element: Element) -> tuple[float, float, float, float]:
    """Middle and radii of a circle or an ellipse."""
    said = element.attributes
    rx, ry = (_number(said.get(key, "") or said.get("r", "0")) for key in ("rx", "ry"))
    return _number(said.get("cx", "0")), _number(said.get("cy", "0")), rx, ry


def _points(element: Element) -> list[Point]:
    """The corners of a shape in its own coordinates; []: it has none."""
    said = element.attributes
    if element.tag == "rect":
        x, y, width, height = (_number(said.get(key, "0")) for key in ("x", "y", "width", "height"))
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        return corners if width > 0 and height > 0 else []
    if element.tag in _ROUND:
        cx, cy, rx, ry = _round(element)
        return [(cx + dx, cy + dy) for dx, dy in round_points(rx, ry)]
    if element.tag in ("polygon", "polyline"):
        numbers = [_number(word) for word in NUMBER.findall(said.get("points", ""))]
        points = list(zip(numbers[0::2], numbers[1::2], strict=False))
        return points if len(points) > 2 else []
    if element.tag == "path":
        try:
            return outline_of(said.get("d", ""))
        except PathError:
            return []
    return []


def _add_text(element: Element, matrix: Matrix, found: _Found) -> None:
    words = written(element.text)
    if words:
        at = next((one for one in (element, *element.children) if "x" in one.attributes), element)
        size = _number(_style(element, "font-size") or "0") or TEXT_SIZE
        x, y = (_number(at.attributes.get(key, "0")) for key in ("x", "y"))
        if _style(element, "text-anchor") != "middle":
            x += len(words) * size * 0.3  # a map's texts are centred, and a letter is about 0.6 of its height wide
        x, y = apply(matrix, x, y - size * 0.35)
        found.texts.append(Text(words, x, y, size, color_of(_style(element, "fill"))))


def _area(shape: _Shape) -> Area:
    fill, stroke = color_of(_style(shape.element, "fill")), color_of(_style(shape.element, "stroke"))
    return Area(flat(shape.points), "", fill, stroke)


def _style(element: Element, name: str) -> str:
    found = re.search(rf"(?:^|;)\s*{name}\s*:\s*([^;]+)", element.attributes.get("style", ""))
    return found[1].strip() if found else element.attributes.get(name, "")


def _number(word: str) -> float:
    found = NUMBER.match(word.strip())
    return float(found[0]) if found else 0.0


def _match(element: Element) -> re.Match[str] | None:
    """What the element's id, or its class, says of a seat."""
    said = element.attributes
    for word in (said.get("id", ""), *said.get("class", "").split()[:4]):
        found = _SEAT_IN_ROW.fullmatch(word) or _SEAT.fullmatch(word)
        if found is not None:
            return found
    return None


def _seat(number: str, shape: _Shape) -> PlanSeat:
    said = shape.element.attributes
    words = " ".join((said.get("class", ""), said.get("data-attributes", ""), said.get("data-type", "")))
    x, y = shape.middle
    return PlanSeat(
        number,
        x,
        y,
        said.get("data-category", "") or NO_CATEGORY,
        name=said.get("id", ""),
        radius=shape.radius,
        accessible=bool(_ACCESSIBLE.search(words)),
        companion=bool(_COMPANION.search(words)),
        restricted=bool(_RESTRICTED.search(words)),
    )


def _sections(seats: list[tuple[str, str, str, _Shape]]) -> list[PlanSection]:
    found: dict[str, dict[str, list[PlanSeat]]] = {}
    for section, row, number, shape in seats:
        found.setdefault(section, {}).setdefault(row, []).append(_seat(number, shape))
    return [
        PlanSection(
            section,
            [PlanRow(row, in_order(some), f"section “{section}”, row “{row}”") for row, some in rows.items()],
            f"section “{section}”",
        )
        for section, rows in found.items()
    ]


def _grouped(shapes: list[_Shape]) -> tuple[list[PlanSection], list[Oddity]]:
    """Circles by the groups around them: the outermost not shared by all is the section, the next one the row."""
    shared = 0
    while (
        shapes
        and len({shape.groups[: shared + 1] for shape in shapes}) == 1
        and all(len(shape.groups) > shared + 1 for shape in shapes)
    ):
        shared += 1
    seats = []
    guessed = 0
    for section, row, some in _by_group(shapes, shared):
        guessed += len(some) if not row else 0
        parts = {row: some} if row else _lines(some)
        for label, line in parts.items():
            for k, shape in enumerate(line, 1):
                number = shape.element.attributes.get("data-seat", "") or str(k)
                seats.append((section, label, number, shape))
    sections = _sections(seats)
    if not guessed:
        return sections, []
    text = f"{guessed} of {len(shapes)} seats are in no group of a row; those at one height were taken for a row"
    return sections, [Oddity("guessed_row", guessed, text)]


def _by_group(shapes: list[_Shape], shared: int) -> Iterator[tuple[str, str, list[_Shape]]]:
    found: dict[tuple[str, str], list[_Shape]] = {}
    for shape in shapes:
        section, row, *_ = (*shape.groups[shared:], "", "")
        key = _LABEL_PREFIX.sub("", section), _LABEL_PREFIX.sub("", row)
        found.setdefault(key, []).append(shape)
    for (section, row), some in found.items():
        yield section, row, some


def _lines(shapes: list[_Shape]) -> dict[str, list[_Shape]]:
    """Circles at about one height, from the top; each line from left to right."""
    lines: list[list[_Shape]] = []
    for shape in sorted(shapes, key=lambda one: one.middle[::-1]):
        if lines and shape.middle[1] - lines[-1][0].middle[1] <= shape.radius:
            lines[-1].append(shape)
        else:
            lines.append([shape])
    return {str(k): sorted(line, key=lambda one: one.middle) for k, line in enumerate(lines, 1)}

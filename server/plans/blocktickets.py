"""Reading the JSON that Blocktickets exports: sections, rows and seats, each keyed by its uuid.

A seat's `cx`, `cy` are the upper left corner of its box of `w` × `h`, whatever their names say: the exporter takes
them from a rectangle's x and y. A section's `path` is that of an SVG.
Source: exports of seatmap-exporter (CRE8Interactions), and its code.
"""

from typing import Any

from msgspec import Struct

from protocol.seat_map import Area, Text
from server.plans.areas import TEXT_SIZE, flat, middle
from server.plans.json_files import converted
from server.plans.oddities import Oddity
from server.plans.plan import NO_CATEGORY, Drawn, Plan, PlanCategory, PlanRow, PlanSeat, PlanSection, Point
from server.plans.seat_order import in_order
from server.plans.svg_paths import PathError, outline_of

Word = str | int | float


class _Seat(Struct):
    cx: float
    cy: float
    w: float = 0
    h: float = 0
    accessible: bool | None = None
    rowId: str | None = None  # noqa: N815 - the format's own name
    sectionId: str | None = None  # noqa: N815 - the format's own name
    rowNumber: Word | None = None  # noqa: N815 - the format's own name
    seatNumber: Word | None = None  # noqa: N815 - the format's own name
    category: str | None = None


class _Row(Struct):
    rowId: str | None = None  # noqa: N815 - the format's own name
    sectionId: str | None = None  # noqa: N815 - the format's own name
    rowNumber: Word | None = None  # noqa: N815 - the format's own name
    seats: list[str] | None = None


class _Section(Struct):
    sectionId: str | None = None  # noqa: N815 - the format's own name
    sectionName: str | None = None  # noqa: N815 - the format's own name
    sectionNumber: Word | None = None  # noqa: N815 - the format's own name
    path: str | None = None
    rows: list[str] | None = None


class _File(Struct):
    sections: dict[str, _Section]
    rows: dict[str, _Row]
    seats: dict[str, _Seat]


def is_blocktickets(tree: Any) -> bool:
    """Does the file's JSON look like such an export?"""
    return isinstance(tree, dict) and all(
        isinstance(tree.get(name), dict) for name in ("sections", "rows", "seats")
    )


def read_blocktickets(tree: Any) -> Plan:
    """The plan. Sections and rows as the file has them; a row's seats by number.

    Raises:
        PlanError: it is no such export.
    """
    file = converted(tree, _File)
    rows_of: dict[str, list[str]] = {key: [] for key in file.sections}
    seats_of: dict[str, list[str]] = {key: [] for key in file.rows}
    homeless = _gather(file, rows_of, seats_of)
    sections, drawn, unreadable, empty = [], [], 0, 0
    for key, section in file.sections.items():
        try:
            outline = outline_of(section.path or "")
        except PathError:
            outline = []
            unreadable += 1
        name = section.sectionName or _word(section.sectionNumber)
        rows = [_row(file, row, seats_of[row]) for row in rows_of[key]]
        if any(row.seats for row in rows):
            sections.append(PlanSection(name, rows, f"sections[{key}]", outline))
        else:
            empty += 1
            drawn += _standing(name, outline)
    categories = {seat.category or NO_CATEGORY: PlanCategory() for seat in file.seats.values()}
    found = (
        Oddity("stray_seat", homeless, f"seats without a row or a section, left out: {homeless}"),
        Oddity("unreadable_area", unreadable, f"outlines of sections that cannot be read: {unreadable}"),
        Oddity("section_without_seats", empty, f"sections without seats, kept as areas: {empty}"),
    )
    oddities = [oddity for oddity in found if oddity.count]
    return Plan("Blocktickets export", sections, "", categories, drawn, oddities=oddities)


def _gather(file: _File, rows_of: dict[str, list[str]], seats_of: dict[str, list[str]]) -> int:
    """Enter rows under their sections and seats under their rows; answer how many seats belong nowhere."""
    listed_rows = {row: key for key, section in file.sections.items() for row in section.rows or ()}
    for key, row in file.rows.items():
        home = row.sectionId if row.sectionId in rows_of else listed_rows.get(key)
        if home is not None:
            rows_of[home].append(key)
    listed_seats = {seat: key for key, row in file.rows.items() for seat in row.seats or ()}
    housed = {row for rows in rows_of.values() for row in rows}
    homeless = 0
    for key, seat in file.seats.items():
        home = seat.rowId if seat.rowId in seats_of else listed_seats.get(key)
        if home in housed and home is not None:
            seats_of[home].append(key)
        else:
            homeless += 1
    return homeless


def _row(file: _File, key: str, seats: list[str]) -> PlanRow:
    made = [_seat(seat, file.seats[seat]) for seat in seats]
    labels = [_word(file.rows[key].rowNumber), *(_word(file.seats[seat].rowNumber) for seat in seats[:1])]
    return PlanRow(next(filter(None, labels), ""), in_order(made), f"rows[{key}]")


def _seat(key: str, seat: _Seat) -> PlanSeat:
    return PlanSeat(
        _word(seat.seatNumber),
        seat.cx + seat.w / 2,
        seat.cy + seat.h / 2,
        seat.category or NO_CATEGORY,
        key,
        radius=max(seat.w, seat.h) / 2 or None,
        accessible=bool(seat.accessible),
    )


def _standing(name: str, outline: list[Point]) -> list[Drawn]:
    """A section without seats: standing room, or a thing to be seen."""
    if not outline:
        return []
    area = Area(flat(outline))
    x, y = middle(area)
    width, height = (max(point[k] for point in outline) - min(point[k] for point in outline) for k in (0, 1))
    size = max(TEXT_SIZE, min(height / 3, width / max(1, len(name))))
    return [Drawn(area, Text(name[:200], x, y, size) if name else None)]


def _word(word: Word | None) -> str:
    return "" if word is None else str(word)

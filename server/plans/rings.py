"""Sections in rings around a centre: the stands of an arena, or the one wedge of an amphitheatre.

Every ring is divided into the same columns, so that sections of one `position_x` stand behind each other. A column
is as wide, as an angle, as its widest section needs. Angles here are radians clockwise from the x axis, as the page
shows it; the middle of the rings looks down the page (π/2), and columns follow each other from left to right.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from protocol.seat_map import Row, Section
from server.plans.descriptors import SectionDescriptor, row_label

PITCH = 10.0
"""From a seat to the next in a front row, at least."""
PITCH_MAX = 17.0
"""The same where a section is spread to fill its column."""
ROW_PITCH = 12.0
AISLE = 20.0
"""Between the front rows of two neighbours; it widens towards the back."""
CONCOURSE = 36.0
"""Between the last row of a ring and the front row of the next."""
MARGIN = 8.0
"""From a seat's middle to the outline of its section."""
OUTLINE_STEP = math.radians(6)

Cell: TypeAlias = Sequence[SectionDescriptor]
"""The sections of one ring in one column, from left to right; may be empty."""
Ring: TypeAlias = Sequence[Cell]


class Stand(NamedTuple):
    """Where a section of a ring goes: the radius of its front row, the angle of its middle, and that of a seat."""

    section: SectionDescriptor
    radius: float
    angle: float
    step: float


def rings_of(sections: Sequence[SectionDescriptor]) -> list[Ring]:
    """The sections, which are in index order, by level and column."""
    columns = sorted({section.position_x for section in sections})
    return [
        [[s for s in sections if (s.position_x, s.position_y) == (column, level)] for column in columns]
        for level in sorted({section.position_y for section in sections})
    ]


def column_angles(rings: Sequence[Ring], radius: float) -> list[float]:
    """The angle that each column needs, aisles included, where the first ring's front row has this radius."""
    needs = [0.0] * len(rings[0])
    for ring, ring_radius in zip(rings, _radii(rings, radius), strict=True):
        for column, cell in enumerate(ring):
            width = sum(section.seats_per_row * PITCH + AISLE for section in cell)
            needs[column] = max(needs[column], width / ring_radius)
    return needs


def radius_for(rings: Sequence[Ring], spread: float) -> float:
    """The smallest radius of the first ring with which all columns together need no more than `spread`."""
    low, high = 0.0, 100.0
    while sum(column_angles(rings, high)) > spread:
        low, high = high, high * 2
    while high - low > 0.5:
        middle = (low + high) / 2
        if sum(column_angles(rings, middle)) > spread:
            low = middle
        else:
            high = middle
    return high


def stands(rings: Sequence[Ring], radius: float, angles: Sequence[float]) -> list[Stand]:
    """Every section's place, where the first ring has this radius and the columns have these angles."""
    found = []
    for ring, ring_radius in zip(rings, _radii(rings, radius), strict=True):
        left = (math.pi + sum(angles)) / 2
        for cell, angle in zip(ring, angles, strict=True):
            if cell:
                found += _cell_stands(cell, ring_radius, left, angle)
            left -= angle
    return found


def stand_section(stand: Stand, centre: tuple[float, float], category: int) -> Section:
    """The section as arcs around the centre, the front row first, seats from left to right."""
    rows = [_row(stand, centre, index, category) for index in range(stand.section.row_count)]
    last = stand.radius + (stand.section.row_count - 1) * ROW_PITCH
    label_at = _point(centre, (stand.radius + last) / 2, stand.angle)
    return Section(stand.section.name, tuple(rows), label_at, _outline(stand, centre, last))


def _radii(rings: Sequence[Ring], radius: float) -> list[float]:
    found = []
    for ring in rings:
        found.append(radius)
        rows = max(section.row_count for cell in ring for section in cell)
        radius += (rows - 1) * ROW_PITCH + CONCOURSE
    return found


def _cell_stands(cell: Cell, radius: float, left: float, angle: float) -> list[Stand]:
    seats = sum(section.seats_per_row for section in cell)
    pitch = min(PITCH_MAX, (angle * radius - len(cell) * AISLE) / seats)
    left -= (angle - (seats * pitch + len(cell) * AISLE) / radius) / 2
    found = []
    for section in cell:
        width = (section.seats_per_row * pitch + AISLE) / radius
        found.append(Stand(section, radius, left - width / 2, pitch / radius))
        left -= width
    return found


def _row(stand: Stand, centre: tuple[float, float], index: int, category: int) -> Row:
    seats = stand.section.seats_per_row
    step = -round(math.degrees(stand.step), 4)
    start = round(math.degrees(stand.angle) - step * (seats - 1) / 2, 3)
    radius = round(stand.radius + index * ROW_PITCH, 1)
    return Row(row_label(index), seats, category, arc=(*centre, radius, start, step))


def _outline(stand: Stand, centre: tuple[float, float], last: float) -> tuple[float, ...]:
    """Around the seats at a margin: along the front from left to right, and back behind the last row."""
    points: list[float] = []
    for row_radius, margin, turn in ((stand.radius, -MARGIN, 1), (last, MARGIN, -1)):
        half = (stand.section.seats_per_row - 1) * stand.step / 2 + MARGIN / row_radius
        steps = max(1, math.ceil(2 * half / OUTLINE_STEP))
        for step in range(steps + 1):
            angle = stand.angle + turn * half * (1 - 2 * step / steps)
            points += _point(centre, row_radius + margin, angle)
    return tuple(points)


def _point(centre: tuple[float, float], radius: float, angle: float) -> tuple[float, float]:
    return round(centre[0] + radius * math.cos(angle)), round(centre[1] + radius * math.sin(angle))

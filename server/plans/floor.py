"""What lies inside the rings: the stage or the court, its front on y = 0, and straight rows before it."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from protocol.seat_map import Area, Row, Section
from server.plans.descriptors import SectionDescriptor, row_label

PITCH = 13.0
ROW_PITCH = 14.0
AISLE = 28.0
"""Between two sections of the floor."""
MARGIN = 8.0
"""From a seat's middle to the outline of its section."""
STAGE_GAP = 36.0
"""From the stage to the first row."""
_STAGE_WIDTH_MIN = 80.0
_STAGE_DEPTH_MAX = 90.0
_COURT_WIDTH, _COURT_DEPTH = 400, 212
_KEY_WIDTH, _KEY_DEPTH = 81, 68
_CIRCLE = 26
_COURT_LINES = "#FFFFFF"


def floor_sections(
    sections: Sequence[SectionDescriptor], categories: Mapping[SectionDescriptor, int]
) -> list[Section]:
    """The sections, which are in index order, side by side on each level and level behind level."""
    found = []
    y = STAGE_GAP
    for _, same_level in groupby(sections, key=lambda section: section.position_y):
        level = list(same_level)
        x = -(sum(_width(section) for section in level) + (len(level) - 1) * AISLE) / 2
        for section in level:
            found.append(_block(section, x, y, categories[section]))
            x += _width(section) + AISLE
        y += max(_depth(section) for section in level) + AISLE
    return found


def stage(width: float) -> Area:
    """A stage that is `width` wide in front and narrower at its back."""
    half = round(max(width, _STAGE_WIDTH_MIN) / 2)
    back = round(half * 0.8)
    depth = round(min(_STAGE_DEPTH_MAX, half * 0.8))
    return Area((-half, 0, half, 0, back, -depth, -back, -depth), "STAGE")


def court() -> Area:
    """A basketball court; its nearer side line is its front."""
    half = _COURT_WIDTH // 2
    return Area(_rectangle(-half, -_COURT_DEPTH, half, 0), "COURT")


def court_lines() -> tuple[Area, ...]:
    """The lines on the court: the circle in its middle and the two keys."""
    half, middle = _COURT_WIDTH // 2, -_COURT_DEPTH // 2
    circle: list[float] = []
    for degrees in range(0, 360, 15):
        angle = math.radians(degrees)
        circle += (round(_CIRCLE * math.cos(angle)), round(middle + _CIRCLE * math.sin(angle)))
    upper, lower = middle - _KEY_DEPTH // 2, middle + _KEY_DEPTH // 2
    outlines = (
        tuple(circle),
        _rectangle(-half, upper, _KEY_WIDTH - half, lower),
        _rectangle(half - _KEY_WIDTH, upper, half, lower),
    )
    return tuple(Area(outline, border_color=_COURT_LINES) for outline in outlines)


def _block(section: SectionDescriptor, x: float, y: float, category: int) -> Section:
    seats, width, depth = section.seats_per_row, _width(section), _depth(section)
    rows = [
        Row(row_label(index), seats, category, line=(x, y + index * ROW_PITCH, PITCH, 0))
        for index in range(section.row_count)
    ]
    outline = _rectangle(x - MARGIN, y - MARGIN, x + width + MARGIN, y + depth + MARGIN)
    return Section(section.name, tuple(rows), (x + width / 2, y + depth / 2), outline)


def _width(section: SectionDescriptor) -> float:
    return (section.seats_per_row - 1) * PITCH


def _depth(section: SectionDescriptor) -> float:
    return (section.row_count - 1) * ROW_PITCH


def _rectangle(left: float, top: float, right: float, bottom: float) -> tuple[float, ...]:
    return (left, top, right, top, right, bottom, left, bottom)

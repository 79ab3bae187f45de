"""What a venue tells of a section, and what follows from it without geometry: labels, categories, order."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from protocol.seat_map import Category, Row, SeatMap

_TIER_COLORS = {"vip": "#AA3377", "premium": "#EE6677", "standard": "#228833", "economy": "#66CCEE"}


class SectionDescriptor(NamedTuple):
    """A section in numbers. `position_y` is its level, 0 the nearest to the stage; `position_x` its place from left
    to right as seen from above with the stage at the top, 0 in the middle."""

    name: str
    row_count: int
    seats_per_row: int
    base_price_cents: int
    section_type: str
    position_x: int
    position_y: int


def sections_in_numbers(seat_map: SeatMap) -> list[SectionDescriptor]:
    """The sections of a map, as near as that comes: price and type are those of most of a section's rows."""
    rows: dict[str, list[Row]] = {}
    for section in seat_map.sections:
        rows.setdefault(section.name, []).extend(section.rows)
    return [_in_numbers(seat_map, level, *named) for level, named in enumerate(rows.items())]


def _in_numbers(seat_map: SeatMap, level: int, name: str, rows: Sequence[Row]) -> SectionDescriptor:
    usual = Counter(row.category for row in rows)
    category = seat_map.categories[max(usual, key=lambda number: usual[number])]
    longest = max(row.seats for row in rows)
    return SectionDescriptor(name, len(rows), longest, category.price_cents, category.price_tier, 0, level)


def row_label(index: int) -> str:
    """The label of a row counted from 0 at the front: A, B … Z, AA, AB …"""
    label = ""
    index += 1
    while index > 0:
        index, letter = divmod(index - 1, 26)
        label = chr(ord("A") + letter) + label
    return label


def in_index_order(sections: Sequence[SectionDescriptor]) -> list[SectionDescriptor]:
    """The sections in the order in which their seats are counted."""
    return sorted(sections, key=lambda section: (section.position_y, section.position_x, section.name))


def categories_of(sections: Sequence[SectionDescriptor]) -> tuple[Category, ...]:
    """One category for each pair of tier and price, the dearest first."""
    pairs = sorted({(-s.base_price_cents, s.section_type) for s in sections})
    tiers = [tier for _, tier in pairs]
    categories = []
    for negative_cents, tier in pairs:
        name = "VIP" if tier == "vip" else tier.capitalize()
        if tiers.count(tier) > 1:
            name = f"{name} {-negative_cents / 100:.2f}".removesuffix(".00")
        color = _TIER_COLORS.get(tier)
        category = Category(name, tier, -negative_cents)
        categories.append(category if color is None else Category(name, tier, -negative_cents, color))
    return tuple(categories)

"""The report of an import: what was read, what is odd about it, what it changes. For `--report` and for REST."""

from collections import Counter

from msgspec import Struct

from protocol.seat_map import places
from server.plans.changes import Changes
from server.plans.importing import Imported
from server.plans.oddities import Oddity


class CategoryFound(Struct):
    """A category that seats have, with its price in the major unit."""

    name: str
    price: int | float
    seats: int


class PlanReport(Struct):
    """What became of a plan. `changes`: null for a venue that had no seats before."""

    format: str
    seats: int
    blocked: int
    accessible: int
    sections: list[str]
    categories: list[CategoryFound]
    focal_from: str
    oddities: list[Oddity]
    changes: Changes | None
    is_written: bool


def report_of(imported: Imported, changes: Changes | None, *, is_written: bool) -> PlanReport:
    """The report of this import."""
    seat_map = imported.seat_map
    seats = list(places(seat_map))
    used = Counter(place.category.name for place in seats)
    return PlanReport(
        imported.format,
        len(seats),
        sum(place.blocked for place in seats),
        sum(place.accessible for place in seats),
        list(dict.fromkeys(section.name for section in seat_map.sections)),
        [
            CategoryFound(
                one.name, one.price_cents / 100 if one.price_cents % 100 else one.price_cents // 100, used[one.name]
            )
            for one in seat_map.categories
        ],
        imported.focal_from,
        list(imported.oddities),
        changes,
        is_written,
    )

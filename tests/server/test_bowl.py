"""Seat maps of sections in numbers: everything has its place, and nothing lies on anything else."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise, product
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from protocol.seat_map import SeatMap, decode_map, encode_map, places, positions
from server.demo_data import MADISON_SQUARE_GARDEN, O2_ARENA, RED_ROCKS, STAPLES_CENTER, VENUES, DemoVenue
from server.plans.bowl import bowl
from server.plans.descriptors import SectionDescriptor, row_label

Point = tuple[float, float]

SEAT_DISTANCE_MIN = 9


def some(name: str = "Main", rows: int = 3, seats: int = 5, x: int = 0, y: int = 0) -> SectionDescriptor:
    return SectionDescriptor(name, rows, seats, 50_00, "standard", x, y)


def corners(outline: Sequence[float]) -> list[Point]:
    return list(zip(outline[0::2], outline[1::2], strict=True))


def nearest_two(points: Iterable[Point]) -> float:
    """The smallest distance between two points, or infinity where all are far from each other."""
    cells: dict[tuple[int, int], list[Point]] = defaultdict(list)
    smallest = math.inf
    for x, y in points:
        column, line = int(x // 20), int(y // 20)
        for dx, dy in product((-1, 0, 1), repeat=2):
            for other in cells.get((column + dx, line + dy), ()):
                smallest = min(smallest, math.dist((x, y), other))
        cells[column, line].append((x, y))
    return smallest


def is_inside(point: Point, polygon: Sequence[Point]) -> bool:
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in pairwise([*polygon, polygon[0]]):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            inside = not inside
    return inside


def do_cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def side(p: Point, q: Point, r: Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def do_overlap(one: Sequence[Point], other: Sequence[Point]) -> bool:
    if is_inside(one[0], other) or is_inside(other[0], one):
        return True
    edges = pairwise([*one, one[0]]), list(pairwise([*other, other[0]]))
    return any(do_cross(*first, *second) for first, second in product(*edges))


def check_geometry(seat_map: SeatMap) -> None:
    """What every map of sections in numbers promises."""
    assert seat_map.stage is not UNSET
    outlines = [corners(section.outline) for section in seat_map.sections]
    shapes = [*outlines, corners(seat_map.stage.outline)]
    for one, other in combinations(shapes, 2):
        assert not do_overlap(one, other)
    for section, outline in zip(seat_map.sections, outlines, strict=True):
        seats = [point for row in section.rows for point in positions(row)]
        assert all(is_inside(point, outline) for point in seats)
        assert is_inside(section.label_at, outline)
    assert nearest_two((place.x, place.y) for place in places(seat_map)) >= SEAT_DISTANCE_MIN
    left, top, width, height = seat_map.bounds
    for x, y in (point for shape in shapes for point in shape):
        assert left < x < left + width
        assert top < y < top + height


@pytest.mark.parametrize("venue", VENUES, ids=lambda venue: venue.name)
def test_demo_venues_have_sound_geometry(venue: DemoVenue) -> None:
    seat_map = bowl(venue.name, venue.sections)
    check_geometry(seat_map)
    assert decode_map(encode_map(seat_map)) == seat_map
    assert len(encode_map(seat_map)) < 20_000


@pytest.mark.parametrize(
    ("venue", "seats"),
    [(MADISON_SQUARE_GARDEN, 5150), (O2_ARENA, 3750), (STAPLES_CENTER, 2985), (RED_ROCKS, 4250)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_every_seat_of_a_venue_has_a_place(venue: DemoVenue, seats: int) -> None:
    assert sum(1 for _ in places(bowl(venue.name, venue.sections))) == seats


def test_seats_are_counted_by_level_column_and_name_then_row_then_number() -> None:
    found = list(places(bowl("Hall", MADISON_SQUARE_GARDEN.sections)))
    sections = list(dict.fromkeys(place.section for place in found))
    assert sections[:4] == ["Floor A", "Floor B", "Section 101", "Section 102"]
    assert sections[-1] == "Upper 205"
    first = [place for place in found if place.section == "Section 101"]
    assert [place.number for place in first[:25]] == [str(number) for number in range(1, 26)]
    assert list(dict.fromkeys(place.row for place in first)) == list("ABCDEFGHIJKLMNOPQRST")
    assert len({place.run for place in first}) == 20


def test_the_order_of_the_sections_given_does_not_matter() -> None:
    assert bowl("Hall", O2_ARENA.sections) == bowl("Hall", O2_ARENA.sections[::-1])


@pytest.mark.parametrize("venue", VENUES, ids=lambda venue: venue.name)
def test_front_rows_are_nearest_to_the_stage(venue: DemoVenue) -> None:
    seat_map = bowl(venue.name, venue.sections)
    for section in seat_map.sections:
        distances = [mean(math.dist(at, seat_map.focal) for at in positions(row)) for row in section.rows]
        assert distances == sorted(distances)


def test_columns_follow_each_other_from_left_to_right_around_the_stage() -> None:
    seat_map = bowl("Hall", MADISON_SQUARE_GARDEN.sections)
    labels = {section.name: section.label_at for section in seat_map.sections}
    for word, first in (("Section", 101), ("Upper", 201)):
        xs = [labels[f"{word} {number}"][0] for number in range(first, first + 5)]
        assert xs == sorted(xs)
        assert xs[2] == 0
        assert xs[0] == -xs[-1]


def test_sections_of_one_column_become_a_fan() -> None:
    seat_map = bowl("Hill", RED_ROCKS.sections)
    arcs = [row.arc for section in seat_map.sections for row in section.rows]
    assert UNSET not in arcs
    assert len({arc[:2] for arc in arcs if arc is not UNSET}) == 1
    radii = [arc[2] for arc in arcs if arc is not UNSET]
    assert radii == sorted(radii)


def test_courtside_seats_are_at_a_court() -> None:
    seat_map = bowl("Arena", STAPLES_CENTER.sections)
    assert seat_map.stage is not UNSET
    assert seat_map.stage.text == "COURT"
    assert is_inside(seat_map.focal, corners(seat_map.stage.outline))


def test_a_category_for_each_tier_and_price() -> None:
    sections = [some("A"), some("B", x=1), some("C", x=2)._replace(base_price_cents=80_50)]
    categories = bowl("Hall", sections).categories
    names = [(category.name, category.price_tier, category.price_cents) for category in categories]
    assert names == [("Standard 80.50", "standard", 80_50), ("Standard 50", "standard", 50_00)]


def test_row_labels_go_on_after_z() -> None:
    assert [row_label(index) for index in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ([], "without sections"),
        ([some("A"), some("A", x=1)], "two sections are called 'A'"),
        ([some("A", rows=0)], "section 'A' has no seats"),
        ([some("A", seats=0)], "section 'A' has no seats"),
    ],
)
def test_sections_that_make_no_map_are_refused(sections: list[SectionDescriptor], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        bowl("Hall", sections)


@pytest.mark.parametrize(
    "sections",
    [
        [some(rows=1, seats=1)],
        [some(rows=60, seats=150)],
        [some(f"Block {x}", rows=20, seats=25, x=x) for x in range(-5, 7)],
        [some(f"Floor {x}", rows=20, seats=25, x=x) for x in range(-1, 2)],
        [some("Left", x=-100), some("Right", x=100, y=3)],
        [some("Floor", seats=60), some("Balcony", x=1, y=1, rows=2, seats=2)],
    ],
    ids=["one seat", "one large hall", "one level around", "floor only", "far apart", "small balcony"],
)
def test_unusual_venues_have_sound_geometry(sections: list[SectionDescriptor]) -> None:
    check_geometry(bowl("Hall", sections))


@st.composite
def venues(draw: st.DrawFn) -> list[SectionDescriptor]:
    count = draw(st.integers(1, 10))
    words = st.sampled_from(["Section", "Floor", "Courtside", "Upper"])
    return [
        some(
            f"{draw(words)} {number}",
            draw(st.integers(1, 15)),
            draw(st.integers(1, 40)),
            draw(st.integers(-3, 3)),
            draw(st.integers(0, 4)),
        )
        for number in range(count)
    ]


@settings(deadline=None, max_examples=80)
@given(venues())
def test_no_venue_has_seats_on_top_of_each_other(sections: list[SectionDescriptor]) -> None:
    seat_map = bowl("Hall", sections)
    check_geometry(seat_map)
    assert sum(1 for _ in places(seat_map)) == sum(s.row_count * s.seats_per_row for s in sections)

"""The outlines of sections whose file has none, and the point that everybody looks at."""

import math

from protocol.seat_map import SeatMap, places
from server.plans.areas import corners, is_inside
from server.plans.importing import import_file

HALF_CIRCLE = [(-60 + 4 * k) for k in range(31)]


def table(*sections: tuple[str, list[list[tuple[float, float]]]]) -> SeatMap:
    """A plan of sections by their rows' places."""
    lines = ["section,row,seat,x,y"]
    for name, rows in sections:
        for r, row in enumerate(rows):
            lines += [f"{name},{r},{k},{x},{y}" for k, (x, y) in enumerate(row)]
    return import_file("\n".join(lines).encode(), {}, default_price_cents=1).seat_map


def arc(radius: float) -> list[tuple[float, float]]:
    angles = [math.radians(degrees) for degrees in HALF_CIRCLE]
    return [(radius * math.sin(angle), radius * math.cos(angle)) for angle in angles]


def block(x: float, y: float) -> list[list[tuple[float, float]]]:
    return [[(x + 20 * k, y + 20 * r) for k in range(4)] for r in range(3)]


def inside(seat_map: SeatMap, section: int) -> set[str]:
    """The sections of the seats within the outline of one."""
    outline = corners(seat_map.sections[section].outline)
    return {place.section for place in places(seat_map) if is_inside(outline, place.x, place.y)}


def test_a_section_has_an_outline_around_its_seats_alone() -> None:
    seat_map = table(("One", block(0, 0)), ("Two", block(100, 0)))
    assert [inside(seat_map, section) for section in (0, 1)] == [{"One"}, {"Two"}]
    assert all(
        is_inside(corners(seat_map.sections[0].outline), place.x, place.y)
        for place in places(seat_map)
        if place.section == "One"
    )


def test_a_curved_section_does_not_take_in_what_it_is_curved_around() -> None:
    seat_map = table(("Stalls", block(-30, 140)), ("Circle", [arc(300), arc(320), arc(340)]))
    assert inside(seat_map, 1) == {"Circle"}
    assert len(seat_map.sections[1].outline) > 2 * len(HALF_CIRCLE)


def test_a_section_in_pieces_around_another_has_none() -> None:
    around = [row for x, y in ((-200, 0), (200, 0), (0, 200), (0, -200)) for row in block(x, y)]
    seat_map = table(("Middle", block(0, 0)), ("Around", around))
    assert [bool(section.outline) for section in seat_map.sections] == [True, False]


def test_without_a_stage_curved_rows_say_where_people_look() -> None:
    seat_map = table(("Circle", [arc(300), arc(320), arc(340)]))
    left, top, width, height = seat_map.bounds
    assert math.dist(seat_map.focal, (0, top)) < 1
    assert left < -100
    assert width > height

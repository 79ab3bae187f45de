"""Reading pretix plans: what becomes of them, what is reported, what is refused."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from protocol.seat_map import decode_map, encode_map, places
from server.plans import areas as plan_areas
from server.plans import plan as plans
from server.plans.importing import import_file
from server.plans.oddities import PlanError
from tests.server.plan_rows import Json, found, plan, read, row, seat

STADIUM = Path(__file__).parents[2].parent / "shared/plans/seatmap-canvas_stadium.json"


@pytest.fixture
def stadium() -> bytes:
    if not STADIUM.exists():
        pytest.skip("the stadium's plan is not beside the project")
    return STADIUM.read_bytes()


def test_the_stadium_has_738_seats_and_420_repeated_guids(stadium: bytes) -> None:
    imported = import_file(stadium, {}, default_price_cents=50_00)
    assert sum(1 for _ in places(imported.seat_map)) == 738
    assert found(imported) == {
        "repeated_guid": 420,
        "repeated_row_number": 60,
        "repeated_label": 420,
        "unused_category": 1,
    }
    assert len(set(imported.identities)) == 738
    assert imported.identities[0] == "uuid:ccb6d8c1-b81e-491b-b2ae-e8a4644c6616"
    assert [section.name for section in imported.seat_map.sections] == ["Ground floor", "First Floor"]
    assert [category.name for category in imported.seat_map.categories] == [
        "Category I",
        "Category II",
        "Category IV",
        "Category V",
    ]


def test_the_stadium_becomes_a_small_map_with_a_field_to_look_at(stadium: bytes) -> None:
    seat_map = import_file(stadium, {}, default_price_cents=50_00).seat_map
    assert len(encode_map(seat_map)) < 10_000
    assert decode_map(encode_map(seat_map)) == seat_map
    (field,) = seat_map.areas
    assert seat_map.focal == pytest.approx(plan_areas.middle(field), abs=0.1)
    left, top, width, height = seat_map.bounds
    for place in places(seat_map):
        assert left < place.x < left + width
        assert top < place.y < top + height


def test_the_order_of_the_file_is_the_index_order() -> None:
    tree = plan(row([0, 20], "7"), row([40, 20, 0], "3", 20))
    names = [(place.row, place.number) for place in places(read(tree).seat_map)]
    assert names == [("7", "1"), ("7", "2"), ("3", "1"), ("3", "2"), ("3", "3")]


def test_positions_are_absolute_and_scaled_to_a_pitch_of_ten() -> None:
    tree = plan(row([0, 20, 40], y=100), position={"x": 300, "y": 50})
    at = [(place.x, place.y) for place in places(read(tree).seat_map)]
    assert at == [(150, 75), (160, 75), (170, 75)]


def test_a_straight_row_is_a_line_and_another_is_its_places() -> None:
    straight, bent = read(plan(row([0, 20, 40]), row([0, 20, 90], y=20))).seat_map.sections[0].rows
    assert straight.line == (0.0, 0.0, 10.0, 0.0)
    assert bent.line is UNSET
    assert bent.at == (0, 10, 10, 10, 45, 10)


def test_a_gap_of_more_than_one_and_a_half_seats_is_an_aisle() -> None:
    imported = read(plan(row([0, 20, 40, 73, 93, 113]), row([0, 20, 40, 71, 91, 111], y=20), row([0, 60], y=40)))
    rows = imported.seat_map.sections[0].rows
    assert [made.aisles for made in rows] == [(3,), (), (1,)]
    assert [place.run for place in places(imported.seat_map)] == [0, 0, 0, 1, 1, 1, *[2] * 6, 3, 4]


def test_labels_take_the_numbers_place() -> None:
    tree = plan(row([0, 20], "4", row_label="Row %s", seat_label="%s left"))
    names = [(place.row, place.number) for place in places(read(tree).seat_map)]
    assert names == [("Row 4", "1 left"), ("Row 4", "2 left")]


def test_a_seat_is_known_by_uuid_then_guid_then_place() -> None:
    seats = [
        seat(0, "1", uuid="u1", seat_guid="same"),
        seat(20, "2", uuid="u2", seat_guid="same"),
        seat(40, "3", uuid="u2", seat_guid="own"),
        seat(60, "4", seat_guid="same"),
    ]
    imported = read(plan(row([], seats=seats)))
    assert imported.identities == (
        "uuid:u1",
        "place:zones[0].rows[0].seats[1]",
        "guid:own",
        "place:zones[0].rows[0].seats[3]",
    )


def test_a_category_without_a_price_is_an_error_that_names_all() -> None:
    tree = plan(row([], seats=[seat(0, "1", "A"), seat(20, "2", "B"), seat(40, "3", "C")]), categories="ABCD")
    with pytest.raises(PlanError, match="no price for “B” \\(1 seats\\), “C” \\(1 seats\\)"):
        read(tree)
    priced = read(tree, {"a": 1, "B": 2}, default_price_cents=3).seat_map.categories
    assert [(category.name, category.price_cents) for category in priced] == [("A", 1), ("B", 2), ("C", 3)]


def test_a_price_for_what_is_not_in_the_plan_is_an_error() -> None:
    with pytest.raises(PlanError, match="no category “VPI”; it has “A”"):
        read(plan(row([0])), {"A": 1, "VPI": 2})


def test_categories_that_are_tiers_become_tiers() -> None:
    tree = plan(row([], seats=[seat(0, "1", "VIP"), seat(20, "2", "Box")]), categories=["VIP", "Box"])
    assert [category.price_tier for category in read(tree, {}, default_price_cents=1).seat_map.categories] == [
        "vip",
        "Box",
    ]


def test_seats_of_a_blocked_category_are_not_for_sale_and_need_no_price() -> None:
    seats = [seat(0, "1"), seat(20, "2", "NOT AVAILABLE"), seat(40, "3")]
    imported = read(plan(row([], seats=seats)), blocked_categories=["not available"])
    assert [place.blocked for place in places(imported.seat_map)] == [False, True, False]
    assert [place.run for place in places(imported.seat_map)] == [0, 1, 2]
    assert found(imported)["undeclared_category"] == 1


def test_the_report_tells_of_every_departure() -> None:
    seats = [
        seat(0, "1", seat_guid="x", uuid="u", radius=9.5, wheelchair=True),
        seat(0, "1", seat_guid="x", uuid="u"),
        seat(-20, "3", "B", seat_guid=7),
        seat(40, "4", "B", seat_guid=None),
    ]
    tree = plan(row([], "5", seats=seats), row([0, 20], "5", 20), row([], "9"), categories=["A", "Z"])
    tree["zones"] += [plan(row([0], y=40))["zones"][0], {"rows": [row([0], y=60)], "standing": {"capacity": 5}}]
    tree["size"] = {"width": 1000.5, "height": 1000}
    imported = read(tree, default_price_cents=1)
    assert found(imported) == {
        "unknown_field": 2,
        "missing_field": 2,
        "number_for_string": 1,
        "float_for_integer": 2,
        "repeated_uuid": 1,
        "repeated_guid": 1,
        "repeated_row_number": 1,
        "repeated_label": 2,
        "stacked_seats": 1,
        "outside_size": 1,
        "empty_row": 1,
        "unused_category": 1,
        "undeclared_category": 2,
        "repeated_zone_name": 1,
        "unnamed_zone": 1,
    }
    assert [section.name for section in imported.seat_map.sections] == ["Stalls", "Stalls (2)", "Zone 3"]
    assert [place.accessible for place in places(imported.seat_map)][:2] == [True, False]
    with pytest.raises(PlanError, match=r"departs from the format: .*seat_guid"):
        read(tree, default_price_cents=1, strict=True)


def test_a_plan_that_keeps_to_the_format_passes_strictly() -> None:
    assert read(plan(row([0, 20, 40])), strict=True).oddities == ()


def test_areas_and_texts_are_kept_where_they_are() -> None:
    areas = [
        {"shape": "rectangle", "position": {"x": 100, "y": 0}, "rectangle": {"width": 40, "height": 20},
         "rotation": 90, "color": "#abc", "border_color": "url(javascript:x)"},
        {"shape": "circle", "position": {"x": 0, "y": 0}, "circle": {"radius": 10}},
        {"shape": "ellipse", "position": {"x": 0, "y": 0}, "ellipse": {"radius": {"x": 10, "y": 20}}},
        {"shape": "polygon", "position": {"x": 10, "y": 10},
         "polygon": {"points": [{"x": 0, "y": 0}, {"x": 20, "y": 0}, {"x": 0, "y": 20}]}},
        {"shape": "text", "position": {"x": 10, "y": 0},
         "text": {"text": "Bar\n here", "position": {"x": 10, "y": 4}}},
        {"shape": "star"},
        {"shape": "circle", "circle": {"radius": "10"}},
        "a bar",
    ]  # fmt: skip
    imported = read(plan(row([0, 20, 40]), areas=areas, position={"x": 20, "y": 0}))
    turned, circle, ellipse, polygon = imported.seat_map.areas
    assert turned.outline == pytest.approx((60, 0, 60, 20, 50, 20, 50, 0))
    assert [turned.color, turned.border_color] == ["#abc", ""]
    rim = zip(circle.outline[::2], circle.outline[1::2], strict=True)
    assert [math.dist((10, 0), at) for at in rim] == pytest.approx([5] * 36, abs=0.1)
    assert max(ellipse.outline[1::2]) == 10
    assert polygon.outline == pytest.approx((15, 5, 25, 5, 15, 15))
    (text,) = imported.seat_map.texts
    assert [text.text, text.x, text.y, text.size] == ["Bar here", 20, 2, 8]
    assert found(imported) == {"unreadable_area": 3}
    assert imported.focal_from == "the middle of the largest area"


def test_an_area_called_stage_is_the_stage() -> None:
    areas = [
        {"shape": "rectangle", "position": {"x": 0, "y": 100}, "rectangle": {"width": 400, "height": 400}},
        {"shape": "rectangle", "position": {"x": 0, "y": -60}, "rectangle": {"width": 40, "height": 20},
         "text": {"text": "Main stage", "position": {"x": 20, "y": 10}}},
    ]  # fmt: skip
    imported = read(plan(row([0, 20, 40]), areas=areas))
    assert imported.seat_map.stage is not UNSET
    assert imported.seat_map.stage.text == "Main stage"
    assert imported.seat_map.focal == pytest.approx((10, -25))
    assert len(imported.seat_map.areas) == 1
    assert imported.seat_map.texts == ()


def without(tree: Json, *path: Any) -> Json:
    node = tree
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return tree


def with_value(tree: Json, value: Any, *path: Any) -> Json:
    node = tree
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    return tree


SEAT = ("zones", 0, "rows", 0, "seats", 1)


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (with_value(plan(row([0, 20])), "1", *SEAT, "position", "x"),
         r"^zones\[0\]\.rows\[0\]\.seats\[1\]\.position\.x: Expected `float`"),
        (without(plan(row([0, 20])), *SEAT, "position"), r"^zones\[0\]\.rows\[0\]\.seats\[1\]: .*`position`"),
        (without(plan(row([0, 20])), *SEAT, "position", "y"), r"seats\[1\]\.position: .*`y`"),
        (with_value(plan(row([0, 20])), 2e6, *SEAT, "position", "x"), r"seats\[1\]\.position: .* too far out"),
        (with_value(plan(row([0, 20])), "a\x00b", *SEAT, "seat_number"), r"seats\[1\]: .*control character"),
        (with_value(plan(row([0, 20])), "9" * 101, *SEAT, "seat_number"), r"seats\[1\]: .*more than 100"),
        (with_value(plan(row([0, 20])), "n" * 201, "zones", 0, "name"), r"zones\[0\]\.name: .*more than 200"),
        (with_value(plan(row([0, 20])), "n\ud800", "name"), r"^the file is not JSON|control character"),
        (plan(), "the plan has no seats"),
        ({}, "`zones`"),
        ([], r"^the file: Expected `object`"),
        (None, r"^the file: Expected `object`"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(tree: Any, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        read(tree)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"zones": [{"rows": [{"seats": [{"position": {"x": 1e999, "y": 0}}]}]}]}', "out of range"),
        (b" " * (32 * 1024 * 1024 + 1), "larger than 32 MB"),
    ],
    ids=["empty", "no text", "deep", "infinite", "large"],
)
def test_what_is_no_plan_is_refused(raw: bytes, sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence):
        import_file(raw, {})


def test_a_byte_order_mark_is_no_harm() -> None:
    raw = b"\xef\xbb\xbf" + json.dumps(plan(row([0, 20]))).encode()
    assert import_file(raw, {"A": 1}).oddities == ()


def test_more_seats_or_corners_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SEATS_MAX", 2)
    with pytest.raises(PlanError, match="3 seats; 2 is the most"):
        read(plan(row([0, 20, 40])))
    monkeypatch.setattr(plan_areas, "AREA_POINTS_MAX", 3)
    areas = [{"shape": "rectangle", "rectangle": {"width": 4, "height": 4}}]
    with pytest.raises(PlanError, match="more than 3 corners"):
        read(plan(row([0, 20]), areas=areas))


coordinates = st.integers(-5000, 5000) | st.floats(-5000, 5000)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.tuples(coordinates, coordinates), max_size=8), max_size=6))
def test_every_seat_of_any_plan_gets_its_place(rows: list[list[tuple[float, float]]]) -> None:
    tree = plan(
        *(
            row([], str(r), seats=[seat(0, str(k), position={"x": x, "y": y}) for k, (x, y) in enumerate(points)])
            for r, points in enumerate(rows)
        )
    )
    flat = [point for points in rows for point in points]
    if not flat:
        with pytest.raises(PlanError, match="no seats"):
            read(tree)
        return
    imported = read(tree)
    made = list(places(imported.seat_map))
    assert len(made) == len(flat) == len(imported.identities)
    assert all(math.isfinite(place.x) and math.isfinite(place.y) for place in made)
    assert decode_map(encode_map(imported.seat_map)) == imported.seat_map

"""A changed plan and an exported one: seats stay the seats they were."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET, structs

from protocol.seat_map import Place, SeatMap, places
from server.demo_data import MADISON_SQUARE_GARDEN, RED_ROCKS
from server.plans import rows
from server.plans.bowl import bowl
from server.plans.changes import Changes, Former, called, compared
from server.plans.export import pretix_plan
from server.plans.importing import Imported, import_file
from server.plans.pretix_format import decode_plan
from tests.server.plan_rows import Json, plan, read, row, seat

CATEGORIES = {"A": 10_00, "B": 20_00}


def reread(seat_map: SeatMap, names: Sequence[str] | None) -> Imported:
    return import_file(pretix_plan(seat_map, names), {})


def hall(*rows: Json, **zone: Any) -> Imported:
    used = {one["category"] for made in rows for one in made["seats"]}
    return read(plan(*rows, categories="AB", **zone), {name: CATEGORIES[name] for name in used})


def labels(imported: Imported) -> list[str]:
    return [called(place) for place in places(imported.seat_map)]


def changed(former: Imported, imported: Imported) -> tuple[Imported, Changes]:
    return compared(Former(former.seat_map, former.identities), imported)


def counts(changes: Changes) -> dict[str, int]:
    found = {name: getattr(changes, name).count for name in changes.__struct_fields__ if name != "kept"}
    return {"kept": changes.kept} | {name: count for name, count in found.items() if count}


def named(xs: Sequence[float], guids: Sequence[str], number: str = "1", y: float = 0, category: str = "A") -> Json:
    seats = [
        seat(x, str(k), category, seat_guid=guid) for k, (x, guid) in enumerate(zip(xs, guids, strict=True), 1)
    ]
    return row([], number, y, seats=seats)


class TestChanges:
    def test_the_same_plan_changes_nothing(self) -> None:
        former = hall(row([0, 20, 40]), row([0, 20, 40], "2", 20))
        again, changes = changed(former, former)
        assert again == former
        assert counts(changes) == {"kept": 6}

    def test_new_seats_come_after_all_others_wherever_the_file_has_them(self) -> None:
        former = hall(named([0, 20, 40], "abc"), named([0, 20, 40], "def", "2", 20))
        later = hall(named([-20, 0, 20, 40], "xabc"), named([0, 20, 40, 60], "defy", "2", 20))
        again, changes = changed(former, later)
        assert [name.removeprefix("guid:") for name in again.identities] == list("abcdefxy")
        assert counts(changes) == {"kept": 6, "added": 2, "relabelled": 3}
        assert changes.added.seats == ("Stalls 1 1", "Stalls 2 4")
        assert labels(again) == [
            *("Stalls 1 2", "Stalls 1 3", "Stalls 1 4", "Stalls 2 1", "Stalls 2 2", "Stalls 2 3"),
            *("Stalls 1 1", "Stalls 2 4"),
        ]
        assert [made.label for made in again.seat_map.sections[0].rows] == ["1", "2", "1", "2"]

    def test_a_section_goes_on_after_another_and_an_export_keeps_it_so(self) -> None:
        def house(*guids: str) -> Imported:
            tree = plan(named(range(0, 20 * len(guids), 20), guids))
            tree["zones"] += plan(named([0, 20, 40], "xyz", y=200), name="Balcony")["zones"]
            return read(tree)

        again, changes = changed(house("a", "b"), house("a", "b", "c"))
        assert counts(changes) == {"kept": 5, "added": 1}
        sections = again.seat_map.sections
        assert [section.name for section in sections] == ["Stalls", "Balcony", "Stalls"]
        assert [bool(section.outline) for section in sections] == [True, True, False]
        exported = reread(again.seat_map, again.identities)
        assert (exported.seat_map, exported.identities) == (again.seat_map, again.identities)
        assert exported.oddities == ()

    def test_a_seat_put_between_two_parts_them(self) -> None:
        former = hall(named([0, 20, 60, 80], "abcd"), named([0, 20, 40], "efg", "2", 20))
        assert [place.run for place in places(former.seat_map)] == [0, 0, 1, 1, 2, 2, 2]
        again, _ = changed(former, hall(named([0, 20, 40, 60, 80], "abxcd"), named([0, 20, 40], "efg", "2", 20)))
        assert [place.run for place in places(again.seat_map)] == [0, 0, 1, 1, 2, 2, 2, 3]

    def test_every_change_is_named(self) -> None:
        former = hall(named([0, 20, 40, 60], "abcd"), named([0, 20, 40], "efg", "2", 20))
        later = hall(named([0, 20, 45], "abc"), named([0, 20, 40], "efg", "3", 20, "B"))
        _, changes = changed(former, later)
        assert counts(changes) == {
            "kept": 6,
            "gone": 1,
            "moved": 1,
            "relabelled": 3,
            "recategorised": 3,
            "repriced": 3,
        }
        assert changes.gone.seats == ("Stalls 1 4",)
        assert changes.moved.seats == ("Stalls 1 3",)
        assert changes.relabelled.seats == ("Stalls 2 1", "Stalls 2 2", "Stalls 2 3")

    def test_seats_without_names_are_known_by_their_labels(self) -> None:
        former = hall(row([0, 20, 40]))
        later = hall(named([-20, 0, 20, 40], "wxyz"))
        again, changes = compared(Former(former.seat_map, None), later)
        assert counts(changes) == {"kept": 3, "added": 1, "moved": 3}
        assert labels(again) == ["Stalls 1 1", "Stalls 1 2", "Stalls 1 3", "Stalls 1 4"]

    def test_another_order_of_the_file_is_no_change(self) -> None:
        one, two = named([0, 20, 40], "abc"), named([0, 20, 40], "def", "2", 20)
        former = hall(one, two)
        again, changes = changed(former, hall(two, one))
        assert counts(changes) == {"kept": 6}
        assert again.seat_map.sections[0].rows == former.seat_map.sections[0].rows
        assert again.identities == former.identities


class TestExport:
    @pytest.mark.parametrize("venue", [MADISON_SQUARE_GARDEN, RED_ROCKS], ids=["bowl", "fan"])
    def test_a_generated_venue_imports_again_to_the_same(self, venue: Any) -> None:
        made = bowl(venue.name, venue.sections)
        again = reread(made, None).seat_map
        assert structs.replace(again, sections=()) == structs.replace(made, sections=())
        _assert_same_seats(made, again)
        assert len(pretix_plan(made, None)) > 100_000
        assert all(one.arc is not UNSET for one in again.sections[-1].rows)

    def test_without_our_field_it_keeps_to_the_format(self) -> None:
        imported = hall(
            named([0, 20, 40], "abc"), areas=[{"shape": "circle", "circle": {"radius": 50}, "color": "#eee"}]
        )
        tree = json.loads(pretix_plan(imported.seat_map, imported.identities))
        del tree["usher"]
        _, oddities = decode_plan(tree)
        assert oddities == []
        assert read(tree, {"A": 1}, strict=True).oddities == ()

    def test_what_the_format_has_no_place_for_comes_back(self) -> None:
        words = ("accessible", "companion", "restricted", "blocked")
        lines = "".join(f"A,{k},{20 * k},0,{word}\n" for k, word in enumerate(words))
        imported = import_file(f"row,seat,x,y,attributes\n{lines}".encode(), {"Seats": 12_34})
        assert [(one.accessible, one.blocked) for one in places(imported.seat_map)][::3] == [
            (True, False),
            (False, True),
        ]
        again = reread(imported.seat_map, imported.identities)
        assert again.seat_map == imported.seat_map
        assert [one.price_cents for one in again.seat_map.categories] == [12_34]

    def test_seats_without_a_name_keep_their_place_for_a_name(self) -> None:
        imported = hall(named([0, 20, 40], ["same", "same", "other"]))
        assert imported.identities[1] == "place:zones[0].rows[0].seats[1]"
        moved, _ = changed(imported, hall(named([0, 20, 40, 60], ["same", "same", "other", "new"])))
        again = reread(moved.seat_map, moved.identities)
        assert again.identities == moved.identities


NUMBERS = st.integers(-3000, 3000)
A_ROW = st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from("AB"), st.booleans()), min_size=1, max_size=7)


@st.composite
def plans(draw: st.DrawFn) -> Json:
    """A plan of up to three zones, with seats anywhere, known by uuid, guid or nothing."""
    zones = []
    number = 0
    for z in range(draw(st.integers(1, 3))):
        rows = []
        for r, seats in enumerate(draw(st.lists(A_ROW, min_size=1, max_size=4))):
            made = []
            for k, (x, y, category, has_name) in enumerate(seats):
                number += 1
                named_by = (
                    {"uuid": f"u{number}"} if has_name else {"seat_guid": draw(st.sampled_from(["", f"g{number}"]))}
                )
                made.append(seat(0, str(k + 1), category, position={"x": x, "y": y}) | named_by)
            rows.append(row([], str(r), seats=made))
        zones.append(plan(*rows, name=f"Z{z}")["zones"][0])
    return plan(categories="AB") | {"zones": zones}


def imported_of(tree: Json) -> Imported:
    used = {one["category"] for zone in tree["zones"] for made in zone["rows"] for one in made["seats"]}
    return read(tree, {name: CATEGORIES[name] for name in used})


@settings(deadline=None, max_examples=80)
@given(plans())
def test_an_exported_plan_imports_to_the_same_map(tree: Json) -> None:
    imported = imported_of(tree)
    again = reread(imported.seat_map, imported.identities)
    assert again.identities == imported.identities
    _assert_same_seats(imported.seat_map, again.seat_map)
    assert structs.replace(again.seat_map, sections=()) == structs.replace(imported.seat_map, sections=())


def test_an_aisle_among_seats_that_nearly_lie_on_each_other_outlives_the_rounding() -> None:
    """In the map those seats are at one place: what was an aisle beside them could not be told any more."""

    def seat(number: int, x: float) -> Json:
        return {
            "seat_guid": f"s{number}",
            "seat_number": f"{number}",
            "position": {"x": x, "y": 0},
            "category": "A",
        }

    crowded = [seat(number, x) for number, x in enumerate((0, 0.001, 0.002, 0.003, 100))]
    even = [seat(10 + number, 100 * number) for number in range(12)]
    rows = [
        {"row_number": str(k), "position": {"x": 0, "y": 0}, "seats": seats}
        for k, seats in enumerate((crowded, even))
    ]
    tree = {"zones": [{"name": "Z", "position": {"x": 0, "y": 0}, "rows": rows}], "categories": [{"name": "A"}]}
    imported = imported_of(tree)
    assert imported.seat_map.sections[0].rows[0].aisles == (4,)
    again = reread(imported.seat_map, imported.identities)
    assert again.seat_map.sections[0].rows[0].aisles == (4,)


@settings(deadline=None, max_examples=80)
@given(plans())
def test_no_run_crosses_an_aisle(tree: Json) -> None:
    seats = list(places(imported_of(tree).seat_map))
    index = 0
    for zone in tree["zones"]:
        rows = [[(one["position"]["x"], one["position"]["y"]) for one in made["seats"]] for made in zone["rows"]]
        of_zone = [gap for points in rows for gap in _gaps(points) if gap]
        for points in rows:
            own = [gap for gap in _gaps(points) if gap]
            usual = median(own) if len(own) >= 3 else median(of_zone) if of_zone else 25
            runs = [place.run for place in seats[index : index + len(points)]]
            for (one, two), gap in zip(pairwise(runs), _gaps(points), strict=True):
                assert one != two or gap <= 1.6 * usual
            index += len(points)
            assert index == len(seats) or seats[index].run != runs[-1]


def test_an_aisle_is_what_parts_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = plan(row([0, 20, 40, 100, 120, 140]))
    assert [place.run for place in places(read(tree).seat_map)] == [0, 0, 0, 1, 1, 1]
    monkeypatch.setattr(rows, "_AISLE", 100.0)
    assert {place.run for place in places(read(tree).seat_map)} == {0}


@settings(deadline=None, max_examples=80)
@given(plans(), st.data())
def test_a_changed_plan_loses_nothing(tree: Json, data: st.DataObject) -> None:
    former = imported_of(tree)
    later_tree = data.draw(plans())
    later = imported_of(later_tree)
    again, changes = changed(former, later)
    assert sorted(again.identities) == sorted(later.identities)
    kept = [name for name in former.identities if name in set(later.identities)]
    assert list(again.identities[: len(kept)]) == kept
    assert changes.kept == len(kept)
    as_imported = dict(zip(later.identities, places(later.seat_map), strict=True))
    for name, place in zip(again.identities, places(again.seat_map), strict=True):
        _assert_same_seat(place, as_imported[name])


def _gaps(points: Sequence[tuple[float, float]]) -> list[float]:
    return [math.dist(one, two) for one, two in pairwise(points)]


def _assert_same_seats(one: SeatMap, other: SeatMap) -> None:
    for first, second in zip(places(one), places(other), strict=True):
        _assert_same_seat(first, second)
        assert first.run == second.run


def _assert_same_seat(first: Place, second: Place) -> None:
    assert first._replace(x=0, y=0, run=0) == second._replace(x=0, y=0, run=0)
    assert math.dist((first.x, first.y), (second.x, second.y)) < 0.11

"""Plans that are no pretix plans: tables, Blocktickets' exports, SVG drawings; each known by what is in it."""

import json
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from protocol.seat_map import Place, places
from server.plans import csv_plan, safe_xml
from server.plans.importing import Imported, import_file
from server.plans.oddities import PlanError
from tests.server.plan_rows import found

CREATE_PARSER = expat.ParserCreate
TESSITURA = Path(__file__).parents[2].parent / "shared/plans/tessitura_amazing-venue.svg"


def read(file: str | bytes, **options: Any) -> Imported:
    raw = file.encode() if isinstance(file, str) else file
    return import_file(raw, {}, **({"default_price_cents": 10_00} | options))


def names(imported: Imported) -> list[str]:
    return ["/".join(place[:3]) for place in places(imported.seat_map)]


def marks(place: Place) -> tuple[bool, ...]:
    return place.accessible, place.companion, place.restricted, place.blocked


class TestTables:
    def test_columns_are_known_by_their_headings_in_any_order(self) -> None:
        imported = read(
            "Y,Seat,Attributes,Section,X,Category,Row\n"
            "0,1,wheelchair;companion,Stalls,0,VIP,A\n"
            "0,2,restricted view,Stalls,20,VIP,A\n"
            "20,1,,Balcony,0,Cheap,A\n",
        )
        assert names(imported) == ["Stalls/A/1", "Stalls/A/2", "Balcony/A/1"]
        first, second, third = places(imported.seat_map)
        assert marks(first) == (True, True, False, False)
        assert marks(second) == (False, False, True, False)
        assert marks(third) == (False, False, False, False)
        assert [place.category.price_tier for place in (first, third)] == ["vip", "Cheap"]
        assert (second.x - first.x, second.y - first.y) == (10, 0)
        assert imported.identities == ("guid:Stalls-A-1", "guid:Stalls-A-2", "guid:Balcony-A-1")
        assert imported.oddities == ()

    def test_row_seat_and_places_are_enough(self) -> None:
        imported = read("Row,Seat,X,Y\nA,1,0,0\nA,2,20,0\nB,1,0,20\n")
        assert names(imported) == ["Zone 1/A/1", "Zone 1/A/2", "Zone 1/B/1"]
        assert found(imported) == {"unnamed_zone": 1}
        assert [category.name for category in imported.seat_map.categories] == ["Seats"]

    @pytest.mark.parametrize(
        "raw",
        [
            b"row;seat;x;y\nA;1;0,5;0\nA;2;20,5;0\n",
            b"row\tseat\tx\ty\r\nA\t1\t0.5\t0\r\nA\t2\t20.5\t0\r\n",
            b"\xef\xbb\xbfrow,seat,x,y\nA,1,0.5,0\n\n,,,\nA,2,20.5,0\n",
            "row,seat,x,y\nA,1,0.5,0\nA,2,20.5,0\n".encode("utf-16"),
        ],
        ids=["semicolons", "tabs", "mark and empty lines", "UTF-16"],
    )
    def test_tables_of_many_programs(self, raw: bytes) -> None:
        assert [(place.number, place.x) for place in places(read(raw).seat_map)] == [("1", 0.25), ("2", 10.25)]

    def test_odd_numbers_left_and_even_ones_right_are_one_row_and_no_aisles(self) -> None:
        numbers = [7, 5, 3, 1, 2, 4, 6, 8]
        lines = "".join(f"A,{number},{20 * k},0\n" for k, number in enumerate(numbers))
        imported = read("row,seat,x,y\n" + lines)
        assert [place.number for place in places(imported.seat_map)] == [str(number) for number in numbers]
        assert {place.run for place in places(imported.seat_map)} == {0}

    def test_numbers_sorted_as_text_are_put_in_order(self) -> None:
        lines = "".join(f"A,{k},{20 * k},0\n" for k in sorted(range(1, 13), key=str))
        imported = read("row,seat,x,y\n" + lines)
        assert [place.number for place in places(imported.seat_map)] == [str(k) for k in range(1, 13)]

    def test_what_is_odd_is_told(self) -> None:
        imported = read("row,seat,x,y,colour,wheelchair,attributes\nA,1,0,0,red,maybe,\nA,1,0,0,red,,shiny\n")
        assert found(imported) == {
            "unknown_field": 1,
            "unknown_attribute": 2,
            "repeated_guid": 1,
            "repeated_label": 1,
            "stacked_seats": 1,
            "unnamed_zone": 1,
        }
        assert found(read("row,seat,x,y,section\nA,1,0,0,Café\n".encode("cp1252"))) == {"not_utf8": 1}
        with pytest.raises(PlanError, match=r"departs from the format: .*Windows-1252"):
            read("row,seat,x,y,section\nA,1,0,0,Café\n".encode("cp1252"), strict=True)

    @pytest.mark.parametrize(
        ("file", "sentence"),
        [
            ("section,row,seat\nA,1,1\n", "no column for x, y"),
            ("hello world", "neither JSON nor SVG, and as a table it has no column for row, seat, x, y"),
            ("row,seat,x,y,X\n", "line 1: two columns for x"),
            ("row,seat,x,y\nA,1,left,0\n", "line 2: x is not a number: 'left'"),
            ("row,seat,x,y\nA,1,nan,0\n", "too far out"),
            ("row,seat,x,y\nA,1,inf,0\n", "too far out"),
            ("row,seat,x,y\nA,1,0\n", "line 2: y is not a number"),
            ('row,seat,x,y\nA,"1,0,0\n', "line 2: "),
            ("row,seat,x,y\n", "the plan has no seats"),
            ("row,seat,x,y\nA,\x01,0,0\n", "control character"),
            (b"\x89PNG\r\n\x1a\n\0\0\0", "this file is no plan"),
            ("\n\n", "is empty"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_its_place(self, file: str | bytes, sentence: str) -> None:
        with pytest.raises(PlanError, match=sentence):
            read(file)

    @given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"row,seat,x,y\n{text}".encode()))
    def test_any_bytes_are_read_or_refused(self, raw: bytes) -> None:
        try:
            imported = read(raw)
        except PlanError:
            return
        assert len(names(imported)) == len(set(imported.identities))


def export() -> dict[str, Any]:
    """A row of three seats, of boxes 8 wide and high, in one section; standing room beside it."""
    seats = {
        f"seat-{k}": {
            "seatId": f"seat-{k}",
            "sectionId": "s",
            "rowId": "r",
            "rowNumber": "A",
            "seatNumber": str(k),
            "cx": 20 * k,
            "cy": 100,
            "w": 8,
            "h": 8,
            "accessible": k == 3,
        }
        for k in (3, 1, 2)
    }
    return {
        "sections": {
            "s": {"sectionName": "Section 101", "path": "M0 80H100V120H0Z", "rows": ["r"]},
            "ga": {"sectionName": "GA Floor", "path": "M0 0 C0 10 10 20 40 40 L40 0 z", "rows": []},
        },
        "rows": {"r": {"rowId": "r", "sectionId": "s", "rowNumber": "A", "seats": ["seat-1", "seat-2", "seat-3"]}},
        "seats": seats,
    }


class TestBlocktickets:
    def test_an_export_becomes_sections_with_their_outlines(self) -> None:
        imported = read(json.dumps(export()))
        assert imported.format == "Blocktickets export"
        assert names(imported) == ["Section 101/A/1", "Section 101/A/2", "Section 101/A/3"]
        assert [place.accessible for place in places(imported.seat_map)] == [False, False, True]
        assert [(place.x, place.y) for place in places(imported.seat_map)] == [(12, 52), (22, 52), (32, 52)]
        assert imported.identities == ("uuid:seat-1", "uuid:seat-2", "uuid:seat-3")
        (section,) = imported.seat_map.sections
        assert list(section.outline) == [0, 40, 50, 40, 50, 60, 0, 60]
        (area,) = imported.seat_map.areas
        assert list(area.outline[-2:]) == [20, 0]
        assert [text.text for text in imported.seat_map.texts] == ["GA Floor"]
        assert found(imported) == {"section_without_seats": 1}

    def test_seats_are_found_by_either_side_of_the_link(self) -> None:
        tree = export()
        for one in tree["seats"].values():
            del one["rowId"]
        del tree["rows"]["r"]["sectionId"]
        assert len(names(read(json.dumps(tree)))) == 3

    def test_what_belongs_nowhere_is_told(self) -> None:
        tree = export()
        tree["seats"]["stray"] = {"cx": 1, "cy": 2, "rowId": "gone"}
        tree["sections"]["s"]["path"] = "M 0 zero"
        assert found(read(json.dumps(tree))) == {"stray_seat": 1, "unreadable_area": 1, "section_without_seats": 1}

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"seats": {"a": {"cx": "1", "cy": 2}}}, r"seats\[...\]\.cx: Expected `float`"),
            ({"seats": {}}, "no seats"),
            ({"seats": []}, "this JSON is no seating plan"),
        ],
    )
    def test_what_is_no_export_is_refused(self, change: dict[str, Any], sentence: str) -> None:
        with pytest.raises(PlanError, match=sentence):
            read(json.dumps(export() | change))


def drawing(inner: str) -> str:
    return f'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">{inner}</svg>'


def circles(*xs: float, y: float = 0, id_of: str = "seat-{}-A-1") -> str:
    return "".join(f'<circle id="{id_of.format(k)}" cx="{x}" cy="{y}" r="5"/>' for k, x in enumerate(xs, 1))


class Careless:
    """A parser that forgets what it is told of declarations."""

    def __init__(self) -> None:
        self.__dict__["parser"] = CREATE_PARSER()

    def __setattr__(self, name: str, value: Any) -> None:
        if "Decl" not in name:
            setattr(self.__dict__["parser"], name, value)

    def Parse(self, raw: bytes, is_final: bool) -> None:  # noqa: N802 - as expat calls it
        self.__dict__["parser"].Parse(raw, is_final)


class TestDrawings:
    def test_the_tessitura_venue_has_152_seats_around_its_stage(self) -> None:
        if not TESSITURA.exists():
            pytest.skip("the drawing is not beside the project")
        imported = read(TESSITURA.read_bytes())
        assert sum(1 for _ in places(imported.seat_map)) == 152
        sections = [(section.name, len(section.rows)) for section in imported.seat_map.sections]
        assert sorted(sections) == [("1", 5), ("2", 4), ("3", 5), ("4", 5), ("5", 5)]
        assert imported.seat_map.stage is not UNSET
        assert imported.focal_from == "the middle of “STAGE”"
        assert all(section.outline for section in imported.seat_map.sections)
        assert imported.oddities == ()

    def test_ids_say_number_row_and_section(self) -> None:
        imported = read(drawing(circles(0, 20, 40) + circles(0, 20, y=20, id_of="sec-101-row-B-seat-{}")))
        assert names(imported) == ["1/A/1", "1/A/2", "1/A/3", "101/B/1", "101/B/2"]
        assert imported.identities[0] == "guid:seat-1-A-1"

    def test_circles_are_grouped_by_sector_and_row(self) -> None:
        rows = "".join(
            f'<g id="row-{row}">{circles(0, 20, y=20 * k, id_of=row + "{}")}</g>' for k, row in enumerate("AB")
        )
        imported = read(drawing(f'<g id="all"><g id="Sector-North">{rows}</g><g id="South">{rows}</g></g>'))
        assert names(imported)[:4] == ["North/A/1", "North/A/2", "North/B/1", "North/B/2"]
        assert [section.name for section in imported.seat_map.sections] == ["North", "South"]

    def test_rows_that_are_not_drawn_are_guessed_and_told(self) -> None:
        dots = circles(40, 0, 20, id_of="a{}") + circles(0, 20, y=20, id_of="b{}")
        imported = read(drawing(f'<g id="Box">{dots}</g><g id="Other">{circles(200, id_of="c{}")}</g>'))
        assert names(imported) == ["Box/1/1", "Box/1/2", "Box/1/3", "Box/2/1", "Box/2/2", "Other/1/1"]
        assert found(imported) == {"guessed_row": 6}

    def test_transforms_place_seats_and_shapes(self) -> None:
        imported = read(
            drawing(
                f'<g transform="translate(100 0) rotate(90)">{circles(0, 20, 40)}'
                '<rect width="40" height="20" transform="scale(2)" fill="none" style="stroke: #ff0000"/></g>'
                '<circle id="seat-1-B-1" cx="1" cy="2" r="5" transform="matrix(1,0,0,-1,0,0)"/>'
            )
        )
        at = [(place.x, place.y) for place in places(imported.seat_map)]
        assert at == [(50, 0), (50, 10), (50, 20), (0.5, -1)]
        (area,) = imported.seat_map.areas
        assert list(area.outline) == [50, 0, 50, 40, 30, 40, 30, 0]
        assert (area.color, area.border_color) == ("", "#ff0000")

    def test_a_shape_may_turn_about_its_own_middle(self) -> None:
        style = "transform-box: fill-box; transform-origin: 50% 50%; fill: #eeeeee"
        turned = f'<rect x="100" y="0" width="40" height="20" style="{style}" transform="rotate(90)"/>'
        style = "transform-origin: 120px 10px"
        again = f'<rect x="100" y="0" width="40" height="20" style="{style}" transform="rotate(90)"/>'
        one, other = read(drawing(circles(0, 20, 40) + turned + again)).seat_map.areas
        assert sorted(one.outline) == sorted(other.outline) == [-5, -5, 15, 15, 55, 55, 65, 65]

    def test_a_text_on_a_shape_names_it_and_others_stand_alone(self) -> None:
        inner = (
            '<rect x="0" y="-60" width="60" height="40"/>'
            '<text x="5" y="-35" font-size="10">The <tspan>stage</tspan></text>'
            '<path d="M0 100h20v20H0z m 5 5"/><polygon points="50,100 60,100 60,110"/>'
            '<text x="200" y="100" text-anchor="middle">Bar</text>'
        )
        imported = read(drawing(circles(0, 20, 40) + inner))
        assert imported.seat_map.stage is not UNSET
        assert imported.seat_map.stage.text == "The stage"
        assert len(imported.seat_map.areas) == 2
        assert [(text.text, text.x) for text in imported.seat_map.texts] == [("Bar", 100)]

    def test_what_cannot_be_read_is_told(self) -> None:
        imported = read(drawing(circles(0, 20) + '<use href="#a"/><image href="http://there/a.png"/><rect/>'))
        assert found(imported) == {"unreadable_area": 3}

    @pytest.mark.parametrize(
        ("file", "sentence"),
        [
            ('<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>', "declares entities"),
            ('<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>', "declares entities"),
            ('<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://there/a.dtd"> %a;]><svg/>', "declares entities"),
            ("<svg>&a;</svg>", "is not XML"),
            ("<svg><g></svg>", "is not XML"),
            ("<html></html>", "no SVG"),
            (drawing("<g>" * 300 + "</g>" * 300), "too many elements"),
            (drawing(""), "no seats"),
            (drawing('<circle r="5"/>'), "no seats"),
            (drawing('<circle id="seat-1-A-1" r="5" cx="1e300"/>'), "too far out"),
        ],
    )
    def test_what_is_no_drawing_of_seats_is_refused(self, file: str, sentence: str) -> None:
        with pytest.raises(PlanError, match=sentence):
            read(file)

    def test_a_careless_parser_would_expand_entities(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bomb = b'<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><svg>&b;&b;</svg>'
        with pytest.raises(PlanError, match="declares entities"):
            safe_xml.read_xml(bomb)
        monkeypatch.setattr(expat, "ParserCreate", Careless)
        assert safe_xml.read_xml(bomb).text == "aa" * 4

    def test_a_doctype_without_declarations_is_what_drawing_programs_write(self) -> None:
        doctype = (
            '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
        )
        assert len(names(read(f"{doctype}<svg>{circles(0, 20)}</svg>"))) == 2

    def test_the_number_of_elements_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(safe_xml, "_ELEMENTS_MAX", 3)
        assert len(names(read(drawing(circles(0, 20))))) == 2
        with pytest.raises(PlanError, match="too many elements"):
            read(drawing(circles(0, 20, 40)))

    @given(st.text(alphabet="MmLlHhVvCcQqSsTtAaZz0123456789.-, e", max_size=60))
    def test_any_path_is_read_or_left_out(self, path: str) -> None:
        assert len(names(read(drawing(circles(0, 20) + f'<path d="{path}"/>')))) == 2


def test_the_columns_of_the_table_are_those_in_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs/seating-plans.md").read_text()
    for word in csv_plan._NEEDED:
        assert f"`{word}`" in guide

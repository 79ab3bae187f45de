"""A seat map as a pretix seating plan, which imports again to the same map.

What that format has no place for stands in one field of ours, `usher`; without it the file keeps to the format. A
seat that was known by its uuid keeps it, any other is known by its `seat_guid`.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from protocol.seat_map import Area, Place, SeatMap, Text, places
from server.plans.areas import corners, middle
from server.plans.checks import GUID, UUID
from server.plans.pretix_format import OurCategory, Ours, OurSection

Json: TypeAlias = dict[str, Any]

MARKS = ("accessible", "companion", "restricted", "blocked", "aisles")
"""What `Ours` says of single seats, in its order."""


def pretix_plan(seat_map: SeatMap, names: Sequence[str] | None) -> bytes:
    """The plan as JSON. `names` are what the seats are known by, in index order; None: their labels."""
    seats = list(places(seat_map))
    known = _known(seats, names)
    plan = {
        "name": seat_map.name,
        "size": {"width": math.ceil(seat_map.bounds[2]), "height": math.ceil(seat_map.bounds[3])},
        "categories": [
            {"name": one.name} | ({} if one.color is UNSET else {"color": one.color}) for one in seat_map.categories
        ],
        "zones": _zones(seat_map, seats, known),
        "usher": _ours(seat_map, known),
    }
    return msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n"


def _known(seats: Sequence[Place], names: Sequence[str] | None) -> list[Json]:
    """What the file says of each seat's identity; no `seat_guid` repeats."""
    found: list[Json] = []
    taken = {name.removeprefix(GUID) for name in names or () if not name.startswith(UUID)}
    seen: Counter[str] = Counter()
    for index, place in enumerate(seats):
        name = names[index] if names is not None else UUID
        if not name.startswith(UUID):
            found.append({"seat_guid": name.removeprefix(GUID)})
            continue
        label = "-".join(filter(None, place[:3]))
        guid = label
        while guid in taken:
            seen[label] += 1
            guid = f"{label} ({seen[label] + 1})"
        taken.add(guid)
        found.append({"seat_guid": guid} | ({"uuid": name.removeprefix(UUID)} if names is not None else {}))
    return found


def _zones(seat_map: SeatMap, seats: Sequence[Place], known: Sequence[Json]) -> list[Json]:
    ids = {name: str(k) for k, name in enumerate(dict.fromkeys(one.name for one in seat_map.sections), 1)}
    radius = max(1, round(seat_map.seat_radius))
    corner = _position(-seat_map.bounds[0], -seat_map.bounds[1])
    zones: list[Json] = []
    index = 0
    for section in seat_map.sections:
        rows = []
        for row in section.rows:
            made = [
                {
                    **known[k],
                    "seat_number": seats[k].number,
                    "position": _position(seats[k].x, seats[k].y),
                    "category": seats[k].category.name,
                    "radius": radius,
                }
                for k in range(index, index + row.seats)
            ]
            index += row.seats
            rows.append({"row_number": row.label, "position": _position(0, 0), "seats": made})
        zone = {"name": section.name, "zone_id": ids[section.name], "position": corner, "rows": rows}
        zones.append(zone | {"areas": []})
    zones[0]["areas"] = [*_areas(seat_map)]
    return zones


def _areas(seat_map: SeatMap) -> Iterator[Json]:
    if seat_map.stage is not UNSET:
        yield _area(seat_map.stage)
    for area in seat_map.areas:
        yield _area(area)
    for text in seat_map.texts:
        yield {"shape": "text", "position": _position(0, 0), "text": _text(text)}


def _area(area: Area) -> Json:
    points = [_position(x, y) for x, y in corners(area.outline)]
    made: Json = {"shape": "polygon", "position": _position(0, 0), "polygon": {"points": points}}
    made |= {name: getattr(area, name) for name in ("color", "border_color") if getattr(area, name)}
    if area.text:
        made["text"] = _text(Text(area.text, *middle(area)))
    return made


def _text(text: Text) -> Json:
    said: Json = {"text": text.text, "position": _position(text.x, text.y), "size": text.size}
    return said | ({"color": text.color} if text.color else {})


def _ours(seat_map: SeatMap, known: Sequence[Json]) -> Ours:
    ids = {name: str(k) for k, name in enumerate(dict.fromkeys(one.name for one in seat_map.sections), 1)}
    sections = {
        ids[one.name]: OurSection(one.label_at, corners(one.outline)) for one in reversed(seat_map.sections)
    }
    return Ours(
        seat_map.focal,
        seat_map.bounds,
        seat_map.seat_radius,
        [OurCategory(one.name, one.price_tier, one.price_cents) for one in seat_map.categories],
        sections,
        *(_marked(seat_map, known, mark) for mark in MARKS),
    )


def _marked(seat_map: SeatMap, known: Sequence[Json], mark: str) -> list[str]:
    found = []
    first = 0
    for section in seat_map.sections:
        for row in section.rows:
            found += [known[first + k]["seat_guid"] for k in getattr(row, mark)]
            first += row.seats
    return found


def _position(x: float, y: float) -> Json:
    return {"x": x, "y": y}

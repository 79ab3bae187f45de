"""What is odd about the seats of a pretix plan, and by what each is known."""

from collections import Counter
from collections.abc import Iterator, Sequence

from server.plans import pretix_format as pretix
from server.plans.oddities import Oddity, named_counts, repeats
from server.plans.pretix_rows import PlacedRow, seat_label


def identities(rows: Sequence[PlacedRow]) -> tuple[str, ...]:
    """What each seat is known by from one import of a plan to the next, in the order of the file.

    Its uuid, where no other seat has it; else its seat_guid, likewise; else its place in the file.
    """
    named = [(seat, f"{placed.where}.seats[{k}]") for placed in rows for k, seat in enumerate(placed.row.seats)]
    uuids = Counter(seat.uuid for seat, _ in named)
    guids = Counter(str(seat.seat_guid) for seat, _ in named)
    found = []
    for seat, where in named:
        guid = "" if seat.seat_guid is None else str(seat.seat_guid)
        if seat.uuid and uuids[seat.uuid] == 1:
            found.append(f"uuid:{seat.uuid}")
        elif guid and guids[guid] == 1:
            found.append(f"guid:{guid}")
        else:
            found.append(f"place:{where}")
    return tuple(found)


def check_seats(plan: pretix.Plan, rows: Sequence[PlacedRow]) -> list[Oddity]:
    """Every oddity of the seats, of one kind after the other."""
    return [
        *_repeated_names(rows),
        *_repeated_rows(plan, rows),
        *_repeated_labels(rows),
        *_bad_places(plan, rows),
        *_empty(plan),
    ]


def _repeated_names(rows: Sequence[PlacedRow]) -> Iterator[Oddity]:
    seats = [seat for placed in rows for seat in placed.row.seats]
    uuids = [seat.uuid for seat in seats if seat.uuid]
    guids = [str(seat.seat_guid) for seat in seats if seat.seat_guid is not None]
    for code, name, values in (("repeated_uuid", "uuid", uuids), ("repeated_guid", "seat_guid", guids)):
        if again := repeats(values):
            text = f"{again} of {len(seats)} seats repeat the {name} of another; they stay separate seats"
            yield Oddity(code, again, text)


def _repeated_rows(plan: pretix.Plan, rows: Sequence[PlacedRow]) -> Iterator[Oddity]:
    seen = set()
    zones: Counter[str] = Counter()
    for placed in rows:
        key = placed.zone, str(placed.row.row_number)
        if key in seen:
            zones[f"“{plan.zones[placed.zone].name or placed.zone + 1}”"] += 1
        seen.add(key)
    if again := zones.total():
        text = f"rows that have the number of another row in their zone: {named_counts(zones)}"
        yield Oddity("repeated_row_number", again, text)


def _repeated_labels(rows: Sequence[PlacedRow]) -> Iterator[Oddity]:
    names = [
        f"{placed.zone}\n{seat_label(placed.row.row_number, placed.row.row_label, placed.where)}\n"
        f"{seat_label(seat.seat_number, placed.row.seat_label, f'{placed.where}.seats[{k}]')}"
        for placed in rows
        for k, seat in enumerate(placed.row.seats)
    ]
    if again := repeats(names):
        text = f"{again} of {len(names)} seats have zone, row and number of another: people cannot tell them apart"
        yield Oddity("repeated_label", again, text)


def _bad_places(plan: pretix.Plan, rows: Sequence[PlacedRow]) -> Iterator[Oddity]:
    points = [point for placed in rows for point in placed.points]
    stacked = repeats([f"{x:.1f} {y:.1f}" for x, y in points])
    if stacked:
        yield Oddity("stacked_seats", stacked, f"{stacked} of {len(points)} seats lie on top of another")
    if plan.size is None:
        return
    width, height = plan.size.width, plan.size.height
    outside = sum(not (0 <= x <= width and 0 <= y <= height) for x, y in points)
    if outside:
        text = f"{outside} of {len(points)} seats lie outside the plan's size of {width:g} × {height:g}"
        yield Oddity("outside_size", outside, text)


def _empty(plan: pretix.Plan) -> Iterator[Oddity]:
    rows = sum(not row.seats for zone in plan.zones for row in zone.rows)
    if rows:
        yield Oddity("empty_row", rows, f"rows without seats, left out: {rows}")

"""What is odd about the seats of a plan, and by what each is known."""

from collections import Counter
from collections.abc import Iterator, Sequence

from server.plans.oddities import Oddity, named_counts, repeats
from server.plans.plan import Plan

UUID, GUID, PLACE = "uuid:", "guid:", "place:"


def identities(plan: Plan) -> tuple[str, ...]:
    """What each seat is known by from one import of a plan to the next, in the order of the file.

    Its uuid, where no other seat has it; else its name (seat_guid), likewise; else its place in the file.
    """
    seats = plan.seats
    uuids = Counter(seat.uuid for seat in seats)
    names = Counter(seat.name for seat in seats)
    found = []
    for row in plan.rows:
        for k, seat in enumerate(row.seats):
            if seat.uuid and uuids[seat.uuid] == 1:
                found.append(f"{UUID}{seat.uuid}")
            elif seat.name and names[seat.name] == 1:
                # An exported plan says what a seat was known by that had no name of its own.
                found.append(seat.name if seat.name.startswith(PLACE) else f"{GUID}{seat.name}")
            else:
                found.append(f"{PLACE}{row.where}.seats[{k}]")
    return _unlike(found)


def _unlike(names: Sequence[str]) -> tuple[str, ...]:
    """The names made different, of which a file may have made two alike by what it calls its seats."""
    seen: dict[str, None] = {}
    for name in names:
        unlike = name
        while unlike in seen:
            unlike += "+"
        seen[unlike] = None
    return tuple(seen)


def check_seats(plan: Plan) -> list[Oddity]:
    """Every oddity of the seats, of one kind after the other."""
    return [
        *_repeated_names(plan),
        *_repeated_rows(plan),
        *_repeated_labels(plan),
        *_bad_places(plan),
        *_empty(plan),
    ]


def _repeated_names(plan: Plan) -> Iterator[Oddity]:
    seats = plan.seats
    uuids = [seat.uuid for seat in seats if seat.uuid]
    names = [seat.name for seat in seats if seat.name]
    for code, name, values in (("repeated_uuid", "uuid", uuids), ("repeated_guid", "seat_guid", names)):
        if again := repeats(values):
            text = f"{again} of {len(seats)} seats repeat the {name} of another; they stay separate seats"
            yield Oddity(code, again, text)


def _repeated_rows(plan: Plan) -> Iterator[Oddity]:
    seen = set()
    sections: Counter[str] = Counter()
    for s, section in enumerate(plan.sections):
        if section.part_of:  # exported: its rows were reported when they were imported
            continue
        for row in section.rows:
            if row.seats and (s, row.label) in seen:
                sections[f"“{section.name or s + 1}”"] += 1
            elif row.seats:
                seen.add((s, row.label))
    if again := sections.total():
        text = f"rows that have the number of another row in their section: {named_counts(sections)}"
        yield Oddity("repeated_row_number", again, text)


def _repeated_labels(plan: Plan) -> Iterator[Oddity]:
    names = [
        f"{section.part_of or s}\n{row.label}\n{seat.number}"
        for s, section in enumerate(plan.sections)
        for row in section.rows
        for seat in row.seats
    ]
    if again := repeats(names):
        text = (
            f"{again} of {len(names)} seats have section, row and number of another: people cannot tell them apart"
        )
        yield Oddity("repeated_label", again, text)


def _bad_places(plan: Plan) -> Iterator[Oddity]:
    points = [(seat.x, seat.y) for seat in plan.seats]
    stacked = repeats([f"{x:.1f} {y:.1f}" for x, y in points])
    if stacked:
        yield Oddity("stacked_seats", stacked, f"{stacked} of {len(points)} seats lie on top of another")
    if plan.size is None:
        return
    width, height = plan.size
    outside = sum(not (0 <= x <= width and 0 <= y <= height) for x, y in points)
    if outside:
        text = f"{outside} of {len(points)} seats lie outside the plan's size of {width:g} × {height:g}"
        yield Oddity("outside_size", outside, text)


def _empty(plan: Plan) -> Iterator[Oddity]:
    rows = sum(not row.seats for section in plan.sections for row in section.rows)
    if rows:
        yield Oddity("empty_row", rows, f"rows without seats, left out: {rows}")

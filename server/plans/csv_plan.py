"""Reading tables of seats: one line a seat, the columns known by the words in the first line, in any order."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from server.plans.oddities import Oddity, PlanError, named_counts
from server.plans.plan import NO_CATEGORY, Plan, PlanCategory, PlanRow, PlanSeat, PlanSection
from server.plans.seat_order import in_order

_WORDS = {
    "section": ("section", "sector", "block", "zone", "area", "section_name"),
    "row": ("row", "row_number", "row_name", "row_label"),
    "seat": ("seat", "seat_number", "seat_name", "seat_label", "number"),
    "x": ("x", "cx", "pos_x", "position_x", "x_position"),
    "y": ("y", "cy", "pos_y", "position_y", "y_position"),
    "category": ("category", "price_category", "price_tier", "tier", "price_level"),
    "uuid": ("uuid",),
    "name": ("id", "guid", "seat_guid", "seat_id"),
    "attributes": ("attributes", "attribute", "flags", "notes", "tags"),
    "accessible": ("accessible", "wheelchair", "is_accessible"),
    "companion": ("companion", "companion_seat", "is_companion"),
    "restricted": ("restricted", "restricted_view", "obstructed", "limited_view"),
    "blocked": ("blocked",),
}
_COLUMN = {word: column for column, words in _WORDS.items() for word in words}
_FLAGS = ("accessible", "companion", "restricted", "blocked")
_NEEDED = ("row", "seat", "x", "y")
_TRUE = {"1", "y", "yes", "true", "t", "x", "ja", "oui", "si", "sí"}
_FALSE = {"", "0", "n", "no", "false", "f", "-", "nein", "non"}
_DELIMITERS = ",;\t|"
_BETWEEN_WORDS = re.compile(r"[\s\-]+")


def read_csv(raw: bytes) -> Plan:
    """The plan. Sections and rows in the order of their first seats; a row's seats by number.

    Raises:
        PlanError: there is no line of headings, a column is missing, or a line cannot be read.
    """
    text, oddities = _text(raw)
    lines = text.splitlines()
    while lines and not lines[0].strip():
        lines.pop(0)
    if not lines:
        raise PlanError("the file is empty")
    delimiter = max(_DELIMITERS, key=lines[0].count)
    reader = csv.reader(io.StringIO("\n".join(lines), newline=""), delimiter=delimiter, strict=True)
    try:
        columns, unknown = _columns(next(reader))
        seats, strange = _seats(reader, lambda: reader.line_num, columns, is_comma_decimal=delimiter != ",")
    except csv.Error as error:
        raise PlanError(f"line {reader.line_num}: {error}") from None
    if unknown:
        named = ", ".join(f"“{name}”" for name in unknown)
        oddities.append(Oddity("unknown_field", len(unknown), f"columns that are not known: {named}"))
    if strange:
        text = f"attributes that are not known: {named_counts(strange)}"
        oddities.append(Oddity("unknown_attribute", strange.total(), text))
    categories = {seat.category: PlanCategory() for rows in seats.values() for row in rows.values() for seat in row}
    return Plan("table (CSV)", _sections(seats), "", categories, oddities=oddities)


def _text(raw: bytes) -> tuple[str, list[Oddity]]:
    if b"\0" in raw[:200] and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PlanError("this file is no plan: neither JSON, SVG nor a table")
    try:
        return raw.decode("utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"), []
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
        return text, [Oddity("not_utf8", 1, "the file is not UTF-8; it was read as Windows-1252")]


def _columns(heading: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    """Where each known column is, and the names of the others."""
    found: dict[str, int] = {}
    unknown = []
    for k, word in enumerate(heading):
        column = _COLUMN.get(_BETWEEN_WORDS.sub("_", word.strip().casefold()))
        if column is None:
            unknown.append(word.strip()[:40])
        elif column in found:
            raise PlanError(f"line 1: two columns for {column}")
        else:
            found[column] = k
    if missing := [column for column in _NEEDED if column not in found]:
        raise PlanError(
            f"the file is neither JSON nor SVG, and as a table it has no column for {', '.join(missing)}; "
            "its first line names the columns: section, row, seat, x, y, category, attributes"
        )
    return found, unknown


_Seats = dict[str, dict[str, list[PlanSeat]]]


def _seats(
    reader: Iterator[list[str]], lines: Callable[[], int], columns: Mapping[str, int], *, is_comma_decimal: bool
) -> tuple[_Seats, Counter[str]]:
    """The seats by section and row, and the attributes that nobody knows."""
    found: _Seats = {}
    strange: Counter[str] = Counter()
    for fields in reader:
        if not any(field.strip() for field in fields):
            continue
        where = f"line {lines()}"

        def field_of(column: str, fields: Sequence[str] = fields) -> str:
            k = columns.get(column)
            return fields[k].strip() if k is not None and k < len(fields) else ""

        def number_of(column: str, where: str = where, of: Callable[[str], str] = field_of) -> float:
            word = of(column).replace(",", ".") if is_comma_decimal else of(column)
            try:
                return float(word)
            except ValueError:
                raise PlanError(f"{where}: {column} is not a number: {word[:40]!r}") from None

        seat = PlanSeat(
            field_of("seat"),
            number_of("x"),
            number_of("y"),
            field_of("category") or NO_CATEGORY,
            field_of("uuid"),
        )
        for flag in _FLAGS:
            word = field_of(flag).casefold()
            setattr(seat, flag, word in _TRUE)
            if word not in _TRUE | _FALSE:
                strange[f"{flag} “{word[:40]}”"] += 1
        _add_attributes(seat, field_of("attributes"), strange)
        section, row = field_of("section"), field_of("row")
        seat.name = field_of("name") or "-".join(filter(None, (section, row, seat.number)))
        found.setdefault(section, {}).setdefault(row, []).append(seat)
    return found, strange


def _add_attributes(seat: PlanSeat, words: str, strange: Counter[str]) -> None:
    for word in re.split(r"[;,|/]+", words):
        known = _BETWEEN_WORDS.sub("_", word.strip().casefold())
        if not known:
            continue
        flag = _COLUMN.get(known)
        if flag in _FLAGS:
            setattr(seat, flag, True)
        else:
            strange[f"“{word.strip()[:40]}”"] += 1


def _sections(seats: _Seats) -> list[PlanSection]:
    return [
        PlanSection(
            section,
            [PlanRow(row, in_order(some), f"section “{section}”, row “{row}”") for row, some in rows.items()],
            f"section “{section}”",
        )
        for section, rows in seats.items()
    ]

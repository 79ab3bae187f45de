"""A plan as it was read, whatever its format: sections, rows, seats, shapes and what each is called.

The readers make it; all else about a plan (identity, aisles, prices, oddities, scale) is one for all formats.
Lengths are the file's own, x to the right and y downwards, all absolute.
"""

from collections import Counter
from typing import TypeAlias

from msgspec import Struct, field

from protocol.limits import NAME_CHARS_MAX
from protocol.seat_map import Area, Text
from server.plans.oddities import Oddity, PlanError

LABEL_CHARS_MAX = 100
SEATS_MAX = 200_000
PRICE_CENTS_MAX = 100_000_000
NO_CATEGORY = "Seats"
"""Of seats whose file says nothing of a category."""
_COORDINATE_MAX = 1e6

Point: TypeAlias = tuple[float, float]


class PlanSeat(Struct, gc=False):
    """A seat. `uuid` and `name` are what the file knows it by, "" where it does not."""

    number: str
    x: float
    y: float
    category: str = NO_CATEGORY
    uuid: str = ""
    name: str = ""
    radius: float | None = None
    accessible: bool = False
    companion: bool = False
    restricted: bool = False
    blocked: bool = False


class PlanRow(Struct):
    """A row, or the part of a row between two aisles. `where` names it as the file does.

    `aisles` are the positions of seats with an aisle before them, where the file says so.
    """

    label: str
    seats: list[PlanSeat]
    where: str
    aisles: tuple[int, ...] | None = None

    @property
    def points(self) -> list[Point]:
        """Where the seats are."""
        return [(seat.x, seat.y) for seat in self.seats]


class PlanSection(Struct):
    """Rows of one name. Sections with one `part_of`, if it is not "", are parts of one and share their name.

    `has_outline`: the outline is known, even if there is none.
    """

    name: str
    rows: list[PlanRow]
    where: str
    outline: list[Point] = []
    label_at: Point | None = None
    part_of: str = ""
    has_outline: bool = False


class Drawn(Struct, frozen=True):
    """A shape with what is written on it; either may be missing."""

    area: Area | None
    text: Text | None


class PlanCategory(Struct):
    """What seats refer to by name; the price and the tier are those that the file gives, if it does."""

    color: str = ""
    price_cents: int | None = None
    price_tier: str = ""


class Plan(Struct):
    """A whole plan. `format` is what its file is, for people; `size` the page that it says it is drawn on.

    `bounds` is given by a file of our own, whose lengths are plan units already.
    """

    format: str
    sections: list[PlanSection]
    name: str = ""
    categories: dict[str, PlanCategory] = field(default_factory=dict)
    drawn: list[Drawn] = field(default_factory=list)
    size: Point | None = None
    focal: Point | None = None
    bounds: tuple[float, float, float, float] | None = None
    seat_radius: float | None = None
    oddities: list[Oddity] = field(default_factory=list)

    @property
    def rows(self) -> list[PlanRow]:
        """Every row with seats, in the order of the file."""
        return [row for section in self.sections for row in section.rows if row.seats]

    @property
    def seats(self) -> list[PlanSeat]:
        """Every seat, in the order of the file."""
        return [seat for section in self.sections for row in section.rows for seat in row.seats]


def checked(plan: Plan) -> Plan:
    """The plan, fit to be worked on: every name on one line, every seat within reach.

    Raises:
        PlanError: no seats, too many, one out of all proportion, or a name that nobody could read.
    """
    plan.name = clean(plan.name, "name", NAME_CHARS_MAX)
    seats = 0
    for section in plan.sections:
        section.name = clean(section.name, f"{section.where}.name", NAME_CHARS_MAX)
        for row in section.rows:
            row.label = clean(row.label, row.where, LABEL_CHARS_MAX)
            seats += len(row.seats)
            _check_row(row)
    if not seats:
        raise PlanError("the plan has no seats")
    if seats > SEATS_MAX:
        raise PlanError(f"the plan has {seats:,} seats; {SEATS_MAX:,} is the most")
    return plan


def _check_row(row: PlanRow) -> None:
    for k, seat in enumerate(row.seats):
        # Not a number is not within any bounds.
        if not (abs(seat.x) <= _COORDINATE_MAX and abs(seat.y) <= _COORDINATE_MAX):
            raise PlanError(f"{row.where}.seats[{k}].position: {seat.x:g}, {seat.y:g} is too far out")
        seat.number = clean(seat.number, f"{row.where}.seats[{k}]", LABEL_CHARS_MAX)


def clean(text: str, where: str, chars_max: int) -> str:
    """The text on one line.

    Raises:
        PlanError: it is too long or has characters that are none.
    """
    if text.isascii() and text.isalnum() and len(text) <= chars_max:
        return text
    text = " ".join(text.split())
    if len(text) > chars_max:
        raise PlanError(f"{where}: a name of more than {chars_max} characters")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise PlanError(f"{where}: a name with a control character")
    return text


def category_counts(plan: Plan) -> Counter[str]:
    """How many seats are of each category, in the order of the file."""
    return Counter(seat.category for seat in plan.seats)

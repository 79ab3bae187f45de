"""The sample venues and events, as tables. Prices are cents, times are relative to when the demo is made."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from server.plans.descriptors import SectionDescriptor

ADMIN_EMAIL = "admin@ticketmaster.local"
ADMIN_NAME = "Admin"


class DemoVenue(NamedTuple):
    """A venue and its sections in numbers."""

    id: UUID
    name: str
    address: str
    city: str
    state: str | None
    country: str
    timezone: str
    capacity: int
    sections: tuple[SectionDescriptor, ...]


class DemoEvent(NamedTuple):
    """An event; `event_in` and `on_sale_in` count from when the demo is made."""

    id: UUID
    name: str
    description: str
    artist: str
    category: str
    venue_id: UUID
    event_in: timedelta
    on_sale_in: timedelta
    waiting_room: bool
    shoppers_max: int
    tickets_max: int
    waiting_room_mode: str = "draw"


def _venue_id(number: int) -> UUID:
    return UUID(f"550e8400-e29b-41d4-a716-44665544{number:04}")


def _event_id(number: int) -> UUID:
    return UUID(f"550e8400-e29b-41d4-a716-4466554402{number:02}")


def _side_by_side(
    names: Sequence[str], rows: int, seats: int, price_cents: int, tier: str, level: int
) -> tuple[SectionDescriptor, ...]:
    """Sections of one kind on one level, the middle one at 0."""
    first = -(len(names) // 2)
    return tuple(
        SectionDescriptor(name, rows, seats, price_cents, tier, first + k, level) for k, name in enumerate(names)
    )


def _numbered(word: str, first: int, count: int) -> list[str]:
    return [f"{word} {number}" for number in range(first, first + count)]


MADISON_SQUARE_GARDEN = DemoVenue(
    _venue_id(1),
    "Madison Square Garden",
    "4 Pennsylvania Plaza",
    "New York",
    "NY",
    "USA",
    "America/New_York",
    20_789,
    (
        SectionDescriptor("Floor A", 10, 20, 350_00, "vip", 0, 0),
        SectionDescriptor("Floor B", 10, 20, 300_00, "premium", 0, 1),
        *_side_by_side(_numbered("Section", 101, 5), 20, 25, 200_00, "standard", 2),
        *_side_by_side(_numbered("Upper", 201, 5), 15, 30, 100_00, "economy", 3),
    ),
)
O2_ARENA = DemoVenue(
    _venue_id(2),
    "The O2 Arena",
    "Peninsula Square",
    "London",
    None,
    "UK",
    "Europe/London",
    20_000,
    (
        SectionDescriptor("Floor", 15, 30, 400_00, "vip", 0, 0),
        *_side_by_side(["Block A1", "Block A2", "Block A3"], 20, 25, 250_00, "premium", 1),
        *_side_by_side(["Block B1", "Block B2", "Block B3"], 20, 30, 150_00, "standard", 2),
    ),
)
STAPLES_CENTER = DemoVenue(
    _venue_id(3),
    "Staples Center",
    "1111 S Figueroa St",
    "Los Angeles",
    "CA",
    "USA",
    "America/Los_Angeles",
    18_997,
    (
        SectionDescriptor("Courtside", 3, 20, 500_00, "vip", 0, 0),
        *_side_by_side(_numbered("Lower", 101, 3), 15, 25, 200_00, "premium", 1),
        *_side_by_side(_numbered("Upper", 301, 3), 20, 30, 80_00, "economy", 2),
    ),
)
RED_ROCKS = DemoVenue(
    _venue_id(4),
    "Red Rocks Amphitheatre",
    "18300 W Alameda Pkwy",
    "Morrison",
    "CO",
    "USA",
    "America/Denver",
    9_525,
    (
        SectionDescriptor("GA Pit", 5, 50, 200_00, "vip", 0, 0),
        SectionDescriptor("Reserved 1-10", 10, 60, 150_00, "premium", 0, 1),
        SectionDescriptor("Reserved 11-30", 20, 80, 100_00, "standard", 0, 2),
        SectionDescriptor("Reserved 31-50", 20, 90, 75_00, "economy", 0, 3),
    ),
)

VENUES = (MADISON_SQUARE_GARDEN, O2_ARENA, STAPLES_CENTER, RED_ROCKS)

SHOPPERS_USUAL = 500

EVENTS = (
    DemoEvent(
        _event_id(1),
        "Taylor Swift | The Eras Tour",
        "Three hours through every era, from the first guitar to the last sequin. The sale opens with a waiting "
        "room, so that everybody who comes before it starts has the same chance.",
        "Taylor Swift",
        "concert",
        MADISON_SQUARE_GARDEN.id,
        timedelta(days=45),
        timedelta(days=1),
        True,
        SHOPPERS_USUAL,
        4,
    ),
    DemoEvent(
        _event_id(2),
        "Coldplay | Music of the Spheres World Tour",
        "Wristbands that light up the whole bowl, confetti, and a chorus of twenty thousand. On sale now: pick "
        "your seats on the map and watch the others go.",
        "Coldplay",
        "concert",
        O2_ARENA.id,
        timedelta(days=30),
        timedelta(days=-5),
        False,
        SHOPPERS_USUAL,
        6,
    ),
    DemoEvent(
        _event_id(3),
        "Lakers vs Celtics - NBA Finals",
        "The oldest rivalry of the league, with the title at stake. Courtside is three rows deep, and gone first.",
        "NBA",
        "sports",
        STAPLES_CENTER.id,
        timedelta(days=60),
        timedelta(days=10),
        True,
        SHOPPERS_USUAL,
        4,
    ),
    DemoEvent(
        _event_id(4),
        "Dave Chappelle - Live Comedy",
        "One microphone under the open sky, between two walls of red sandstone. Bring a jacket: the evenings up "
        "there are cold. Phones stay in their pouches.",
        "Dave Chappelle",
        "comedy",
        RED_ROCKS.id,
        timedelta(days=20),
        timedelta(days=-10),
        False,
        SHOPPERS_USUAL,
        4,
    ),
    DemoEvent(
        _event_id(5),
        "The Weeknd | After Hours Tour",
        "Neon, smoke and one red jacket: the night that does not want to end.",
        "The Weeknd",
        "concert",
        MADISON_SQUARE_GARDEN.id,
        timedelta(days=75),
        timedelta(days=20),
        True,
        SHOPPERS_USUAL,
        4,
    ),
    DemoEvent(
        _event_id(6),
        "Hamilton - The Musical",
        "The story of America then, told by America now. The whole company comes to London for one night.",
        "Lin-Manuel Miranda",
        "theater",
        O2_ARENA.id,
        timedelta(days=90),
        timedelta(days=30),
        True,
        SHOPPERS_USUAL,
        4,
    ),
    DemoEvent(
        _event_id(7),
        "The Night Ferries | Harbour Lights",
        "A sold-out club band plays its first big stage. This event is for trying the waiting room: it is on sale, "
        "and only three customers shop at a time. Sign in with four accounts to see the fourth wait.",
        "The Night Ferries",
        "concert",
        RED_ROCKS.id,
        timedelta(days=25),
        timedelta(days=-1),
        True,
        3,
        4,
        "fifo",
    ),
    DemoEvent(
        _event_id(8),
        "Skyline Basketball Classic",
        "Eight teams, one evening, a final at midnight. This event is for seeing a draw: its sale opens "
        "one minute after the demo was first started, and two customers shop at a time. Enter with three accounts.",
        "Skyline Basketball League",
        "sports",
        STAPLES_CENTER.id,
        timedelta(days=40),
        timedelta(minutes=1),
        True,
        2,
        4,
    ),
)

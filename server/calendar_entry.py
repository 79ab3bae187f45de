"""An order's event for calendars: one iCalendar entry (RFC 5545), its times in UTC."""

from datetime import UTC, datetime
from uuid import UUID

from icalendar import Calendar, Event


def calendar_entry(
    order_id: UUID, name: str, place: str, begins: datetime, seats: list[str], made: datetime
) -> str:
    """The text of an `.ics` file. How long the event takes is not known: it has no end."""
    entry = Event()
    entry.add("uid", f"{order_id}@usher")
    entry.add("dtstamp", made.astimezone(UTC))
    entry.add("dtstart", begins.astimezone(UTC))
    entry.add("summary", name)
    entry.add("location", place)
    entry.add("description", "\n".join(seats))
    calendar = Calendar()
    calendar.add("prodid", "-//Usher//Tickets//EN")
    calendar.add("version", "2.0")
    calendar.add_component(entry)
    written: bytes = calendar.to_ical()
    return written.decode()

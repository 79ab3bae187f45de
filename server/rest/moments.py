"""Dates and times as REST clients write them: ISO 8601. A time without a zone is UTC."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from msgspec import Meta

from server.rest.envelope import Refused

DayOrMoment = Annotated[
    str, Meta(description="ISO 8601; a bare date is the whole UTC day.", examples=["2031-05-01"])
]
WrittenMoment = Annotated[
    str,
    Meta(
        description="ISO 8601; a bare date is its midnight in UTC.",
        examples=["2031-05-01T19:30:00.000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]

_DAY = timedelta(days=1)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Before it lies what programs write where nothing was set."""
_LAST = datetime.max.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def moment(name: str, text: str) -> datetime:
    """The moment that is written, to the millisecond. Raises Refused (400), which names the field."""
    written = day_or_moment(name, text)[0]
    if written < _FIRST:
        raise Refused(400, f"{name} must be in or after {_FIRST.year}", "bad_request")
    return written.replace(microsecond=written.microsecond // 1000 * 1000)


def day_or_moment(name: str, text: str) -> tuple[datetime, datetime]:
    """The first moment that is meant, and the first one after.

    A bare date means its whole UTC day. A time means its millisecond, since that is how we write times.

    Raises:
        Refused: 400, which names the field.
    """
    try:
        start, length = _parsed(text)
    except (ValueError, OverflowError):
        raise Refused(400, f"{name} must be a date or time in ISO 8601", "bad_request") from None
    return start, start + length if start < _LAST - length else _LAST


def _parsed(text: str) -> tuple[datetime, timedelta]:
    try:
        return datetime.combine(date.fromisoformat(text), time(tzinfo=UTC)), _DAY
    except ValueError:
        start = datetime.fromisoformat(text)
    return start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC), _MILLISECOND

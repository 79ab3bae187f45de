"""Events: the list with its filters, and one event."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from aiohttp import web
from multidict import MultiMapping

from server.ids import uuid_or_none
from server.rest.envelope import Refused, iso, ok
from server.rest.venues import Row, venue_shape
from server.services import services
from server.statements import sql

CATEGORIES = frozenset({"concert", "sports", "theater", "comedy", "other"})
STATUSES = frozenset({"upcoming", "on_sale", "sold_out", "completed", "cancelled"})
LIMIT_DEFAULT = 10
LIMIT_MAX = 100
PAGE_MAX = 10**15 - 1
TEXT_CHARS_MAX = 200

_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)

routes = web.RouteTableDef()


class Filters(NamedTuple):
    """What a list of events is asked for, in the order of the statement; None lets everything pass.

    Events are from `since` on and before `before`.
    """

    category: str | None
    status: str | None
    search: str | None
    artist: str | None
    venue: str | None
    since: datetime | None
    before: datetime | None


@routes.get("/api/v1/events")
async def list_events(request: web.Request) -> web.Response:
    """One page of the events that match, by date, then id."""
    query = request.query
    page = _number(query, "page", 1, PAGE_MAX)
    limit = _number(query, "limit", LIMIT_DEFAULT, LIMIT_MAX)
    parts = services(request)
    rows = await parts.database.fetch(sql("events"), parts.now(), *_filters(query), limit, (page - 1) * limit)
    total = rows[0]["total"]
    data = [event_shape(row) for row in rows if row["id"] is not None]
    return ok(data, total=total, page=page, limit=limit, totalPages=-(-total // limit))


@routes.get("/api/v1/events/{event_id}")
async def show_event(request: web.Request) -> web.Response:
    """One event."""
    parts = services(request)
    event_id = uuid_or_none(request.match_info["event_id"])
    row = await parts.database.fetchrow(sql("event"), parts.now(), event_id) if event_id else None
    if row is None:
        raise Refused(404, "Event not found", "event_not_found")
    return ok(event_shape(row))


def event_shape(event: Row) -> dict[str, Any]:
    """An Event of the contract, from a row of the statements `events` or `event`."""
    return {
        "id": event["id"],
        "name": event["name"],
        "description": event["description"],
        "venue_id": event["venue_id"],
        "artist": event["artist"],
        "category": event["category"],
        "event_date": iso(event["event_at"]),
        "on_sale_date": iso(event["on_sale_at"]),
        "status": event["status"],
        "total_capacity": event["seat_count"],
        "available_seats": event["available"],
        "image_url": event["image_url"],
        "currency": event["currency"],
        "waiting_room_enabled": event["waiting_room_enabled"],
        "max_concurrent_shoppers": event["max_concurrent_shoppers"],
        "max_tickets_per_user": event["max_tickets_per_user"],
        "created_at": iso(event["created_at"]),
        "updated_at": iso(event["updated_at"]),
        "venue": venue_shape(_venue_of(event)),
    }


def _venue_of(event: Row) -> dict[str, Any]:
    same = {name: event[name] for name in ("address", "city", "state", "country", "capacity")}
    other = {name: event[f"venue_{name}"] for name in ("id", "name", "image_url", "created_at", "updated_at")}
    return same | other


def _filters(query: MultiMapping[str]) -> Filters:
    return Filters(
        category=_word(query, "category", CATEGORIES),
        status=_word(query, "status", STATUSES),
        search=_text(query, "search"),
        artist=_text(query, "artist"),
        venue=_text(query, "venue"),
        since=_day_or_moment(query, "from")[0],
        before=_day_or_moment(query, "to")[1],
    )


def _number(query: MultiMapping[str], name: str, default: int, largest: int) -> int:
    """A number from 1 to `largest`. Raises Refused (400) for anything else."""
    text = query.get(name, str(default))
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= largest:
        raise Refused(400, f"{name} must be a number from 1 to {largest}", "bad_request")
    return int(text)


def _word(query: MultiMapping[str], name: str, words: frozenset[str]) -> str | None:
    word = query.get(name) or None
    if word is not None and word not in words:
        raise Refused(400, f"{name} must be one of {', '.join(sorted(words))}", "bad_request")
    return word


def _text(query: MultiMapping[str], name: str) -> str | None:
    text = query.get(name, "").strip() or None
    if text is not None and (len(text) > TEXT_CHARS_MAX or "\0" in text):
        raise Refused(400, f"{name} must be a text of at most {TEXT_CHARS_MAX} characters", "bad_request")
    return text


def _day_or_moment(query: MultiMapping[str], name: str) -> tuple[datetime | None, datetime | None]:
    """The first moment that is meant, and the first one after; both None when nothing is said.

    A bare date means its whole UTC day. A time means its millisecond, since that is how we write times. A time
    without a zone is UTC.
    """
    text = query.get(name) or None
    if text is None:
        return None, None
    try:
        start, length = _parsed(text)
        return start, start + length
    except (ValueError, OverflowError):
        raise Refused(400, f"{name} must be a date or time in ISO 8601", "bad_request") from None


def _parsed(text: str) -> tuple[datetime, timedelta]:
    try:
        return datetime.combine(date.fromisoformat(text), time(tzinfo=UTC)), _DAY
    except ValueError:
        start = datetime.fromisoformat(text)
    return start.replace(tzinfo=UTC) if start.tzinfo is None else start.astimezone(UTC), _MILLISECOND

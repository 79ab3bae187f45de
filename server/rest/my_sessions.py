"""The sessions of an account: what its owner sees of them, and how they are ended from elsewhere."""

from uuid import UUID

import msgspec
from aiohttp import web

from server.door.who_asks import clear_cookie, customer
from server.ids import uuid_or_none
from server.rest.envelope import Refused, iso, ok
from server.rest.operations import Operations, Who
from server.rest.shapes import Moment
from server.services import services

operations = Operations("accounts")


class MySession(msgspec.Struct):
    """A live session. `id` opens nothing; `last_seen_at` may be some minutes late; `is_current`: it asks this."""

    id: UUID
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment
    user_agent: str
    address: str
    is_current: bool


class EndedSessions(msgspec.Struct):
    """How many sessions have ended."""

    ended: int


@operations.get("/api/v1/auth/sessions", who=Who.SIGNED_IN, data=list[MySession])
async def my_sessions(request: web.Request) -> web.Response:
    """My live sessions, the newest first."""
    session = await customer(request)
    rows = await services(request).sessions.of(session.customer_id)
    return ok(
        [
            MySession(
                row["id"],
                iso(row["created_at"]),
                iso(row["last_seen_at"]),
                iso(row["expires_at"]),
                row["user_agent"],
                row["address"],
                row["id_hash"] == session.id_hash,
            )
            for row in rows
        ]
    )


@operations.delete("/api/v1/auth/sessions", who=Who.SIGNED_IN, data=EndedSessions)
async def end_other_sessions(request: web.Request) -> web.Response:
    """End all my sessions but this one, and close their sockets."""
    return ok(EndedSessions(await services(request).sessions.end_others(await customer(request))))


@operations.delete("/api/v1/auth/sessions/{session_id}", who=Who.SIGNED_IN, refusals={404: ("session_not_found",)})
async def end_my_session(request: web.Request) -> web.Response:
    """End one of my sessions, and close its sockets."""
    session = await customer(request)
    name = uuid_or_none(request.match_info["session_id"])
    id_hash = await services(request).sessions.end_one(session.customer_id, name) if name is not None else None
    if id_hash is None:
        raise Refused(404, "Session not found", "session_not_found")
    response = ok()
    if id_hash == session.id_hash:
        clear_cookie(request, response)
    return response

"""What a route is: its path, who may use it, what it takes and answers. The router and the OpenAPI come from it.

A handler is declared once, with the Structs that it really uses:

    operations = Operations("seats")

    @operations.post("/api/v1/seats/{event_id}/reserve", who=Who.SIGNED_IN, pace=Pace.RESERVE,
                     body=SeatIds, data=Reserved, refusals={404: ("event_not_found",)})
    async def reserve(request): ...
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import wraps
from typing import Any

import msgspec
from aiohttp import hdrs, web

from server.door.paced import Pace, keep_pace
from server.door.who_asks import admin, customer
from server.reads.revalidation import revalidated

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Who(Enum):
    """Who may use an operation."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    ADMIN = "admin"


@dataclass(frozen=True)
class Operation:
    """One route. `refusals` are the codes by status, beside those that follow from the other fields.

    `data` is the type of `data` in a success, None where there is none; the fields of `beside` stand next to it.
    `is_enveloped` is False where the answer is not the envelope. `is_revalidated` is true of a read whose answers
    have an ETag: a client that shows it in If-None-Match is answered 304 while it has what is true.
    """

    method: str
    path: str
    tag: str
    handler: Handler
    who: Who = Who.ANYBODY
    pace: Pace | None = Pace.OTHER
    query: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    status: int = 200
    data: Any = None
    beside: type[msgspec.Struct] | None = None
    refusals: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    is_enveloped: bool = True
    is_revalidated: bool = False

    @property
    def name(self) -> str:
        """The handler's name, which no other operation has."""
        return self.handler.__name__


class Operations:
    """The operations of one module, all with the same tag."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.all: list[Operation] = []

    @property
    def routes(self) -> list[web.RouteDef]:
        """What the router is told."""
        return [web.route(one.method, one.path, _guarded(one)) for one in self.all]

    def get(self, path: str, **said: Any) -> Callable[[Handler], Handler]:
        """Declare a GET; `said` are fields of `Operation`."""
        return self._declare(hdrs.METH_GET, path, said)

    def post(self, path: str, **said: Any) -> Callable[[Handler], Handler]:
        """Declare a POST."""
        return self._declare(hdrs.METH_POST, path, said)

    def put(self, path: str, **said: Any) -> Callable[[Handler], Handler]:
        """Declare a PUT."""
        return self._declare(hdrs.METH_PUT, path, said)

    def patch(self, path: str, **said: Any) -> Callable[[Handler], Handler]:
        """Declare a PATCH."""
        return self._declare(hdrs.METH_PATCH, path, said)

    def delete(self, path: str, **said: Any) -> Callable[[Handler], Handler]:
        """Declare a DELETE."""
        return self._declare(hdrs.METH_DELETE, path, said)

    def _declare(self, method: str, path: str, said: dict[str, Any]) -> Callable[[Handler], Handler]:
        def declared(handler: Handler) -> Handler:
            self.all.append(Operation(method, path, self.tag, handler, **said))
            return handler

        return declared


def _guarded(operation: Operation) -> Handler:
    @wraps(operation.handler)
    async def guarded(request: web.Request) -> web.Response:
        if operation.pace is not None:
            await keep_pace(request, operation.pace)
        if operation.who is not Who.ANYBODY:
            await customer(request)
        if operation.who is Who.ADMIN:
            await admin(request)
        response = await operation.handler(request)
        return revalidated(request, response) if operation.is_revalidated else response

    return guarded

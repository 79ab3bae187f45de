"""aiohttp's server protocol, and what it lacks: limits of connections, late heads, unread answers, our refusals."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from aiohttp import hdrs, web
from aiohttp.http_exceptions import LineTooLong, PayloadEncodingError
from aiohttp.web_request import BaseRequest

from server.door.connections import RETRY_AFTER_S, Connections
from server.door.security_headers import FIXED_HEADERS, NOTHING_ALLOWED
from server.rest.envelope import Refused, http_refusal

KEEP_ALIVE_S = 75.0
LINGERING_S = 5.0
"""How long what is left of a body that nobody wanted is read and dropped."""

LINE_BYTES_MAX = 8 * 1024
FIELDS_MAX = 100
HEAD_BYTES_MAX = 16 * 1024

_HEADERS = FIXED_HEADERS | {"Content-Security-Policy": NOTHING_ALLOWED, hdrs.SERVER: "usher"}

log = logging.getLogger(__name__)


def protocol_factory(server: web.Server, connections: Connections) -> "Callable[[], HttpProtocol]":
    """What makes the protocol of each new connection, for `loop.create_server`; `server` is an `AppRunner`'s."""
    loop = asyncio.get_running_loop()
    return lambda: HttpProtocol(server, connections, loop)


class HttpProtocol(web.RequestHandler):
    """One connection. It leans on how aiohttp's protocol keeps its state; the tests hold on to each of these."""

    __slots__ = ("_connections", "_head_bytes", "_is_refused", "_joined")

    def __init__(self, server: web.Server, connections: Connections, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # None is how aiohttp itself says that there is none
            keepalive_timeout=KEEP_ALIVE_S,
            lingering_time=LINGERING_S,
            max_line_size=LINE_BYTES_MAX,
            max_field_size=LINE_BYTES_MAX,
            max_headers=FIELDS_MAX,
        )
        self._connections = connections
        self._joined: asyncio.Transport | None = None
        self._head_bytes = 0
        self._is_refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say that there are too many."""
        self._joined = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        if self._connections.admit(self._joined):
            super().connection_made(transport)
            self._connections.head_begins(self)
        else:
            self._refuse(Refused(503, "There are too many connections, try again", "overloaded",
                                 retry_after_s=RETRY_AFTER_S))  # fmt: skip

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the connection."""
        self._connections.head_ends(self)
        if self._joined is not None:
            self._connections.gone(self._joined)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of requests or of a socket."""
        if self._is_refused:
            return
        heads = self._request_count
        super().data_received(data)
        if self._request_count != heads:
            self._head_bytes = 0
            self._connections.head_ends(self)
        elif self._waiter is not None or heads == 0:
            self._head_bytes += len(data)
            self._connections.head_begins(self)
            if self._head_bytes > LINE_BYTES_MAX + HEAD_BYTES_MAX:
                self._refuse(_too_large())

    def head_is_late(self) -> None:
        """End a connection whose request does not come. Whoever has said nothing is told nothing."""
        if self._head_bytes:
            self._refuse(Refused(408, "The request came too slowly", "too_slow"))
        else:
            self.force_close()

    def pause_writing(self) -> None:
        """The client reads more slowly than we write. A socket's outbox sees to that itself."""
        super().pause_writing()
        if self.transport is not None and not self._upgraded:
            self._connections.is_unread(self.transport)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if self._joined is not None:
            self._connections.is_read(self._joined)

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; refusals of aiohttp that were raised before our middlewares get their envelope here."""
        if isinstance(resp, web.HTTPException) and resp.status >= 400:
            resp = http_refusal(resp)
        finished = await super().finish_response(request, resp, start_time)
        if self._joined is not None and not self._upgraded and self._joined.get_write_buffer_size():
            self._connections.is_unread(self._joined)
        return finished

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """A body that is not what its headers say is the client's fault; the client has been told."""
        if isinstance(kw.get("exc_info"), PayloadEncodingError):
            log.debug("a body cannot be read: %s", kw["exc_info"])
        else:
            super().log_exception(*args, **kw)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is no request, and to what failed outside of every handler. It ends the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer is under way, there cannot be another one")
        # Before our handlers, aiohttp quotes an Expect that it refuses, and fails where that is not UTF-8.
        if status < HTTPStatus.INTERNAL_SERVER_ERROR or isinstance(exc, UnicodeError):
            log.debug("not a request: %s", message or exc)
            is_too_large = isinstance(exc, LineTooLong) or "Too many headers" in (message or "")
            refused = _too_large() if is_too_large else Refused(400, "This is not a valid request", "bad_request")
        else:
            log.error("a request failed outside of its handler", exc_info=exc)
            refused = Refused(500, "Something went wrong on our side", "internal")
        response = refused.response()
        response.headers.update(_HEADERS)
        response.force_close()
        return response

    def _refuse(self, refused: Refused) -> None:
        """Answer by hand, outside of any request, and end the connection."""
        self._is_refused = True
        self._connections.head_ends(self)
        self.close()
        transport = self._joined
        if transport is not None and not transport.is_closing():
            transport.write(_raw(refused))
            if transport.can_write_eof():
                # Closing at once would be a reset, which may overtake the answer, if the client is still sending.
                transport.write_eof()
            self._connections.says_goodbye(transport)


def _too_large() -> Refused:
    return Refused(431, "The request line or the headers are too large", "headers_too_large")


def _raw(refused: Refused) -> bytes:
    response = refused.response()
    body = response.body
    assert isinstance(body, bytes)
    headers = dict(response.headers) | _HEADERS
    headers |= {hdrs.CONTENT_LENGTH: str(len(body)), hdrs.CONNECTION: "close"}
    status = HTTPStatus(refused.status)
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

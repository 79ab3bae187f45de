"""What the head of a request may be. aiohttp refuses what is no HTTP; this is for what its parser lets through."""

from aiohttp import web
from aiohttp.typedefs import Handler

from server.rest.envelope import Refused

HEAD_BYTES_MAX = 16 * 1024


@web.middleware
async def sound(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses headers that are too many bytes together; the parser limits one header, and how many there are."""
    if sum(len(name) + len(value) for name, value in request.raw_headers) > HEAD_BYTES_MAX:
        raise Refused(431, "The request line or the headers are too large", "headers_too_large")
    return await handler(request)

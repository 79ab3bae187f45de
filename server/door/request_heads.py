"""What the head of a request may be. aiohttp refuses what is no HTTP; this is for what its parser lets through."""

import re

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.rest.envelope import Refused

HEAD_BYTES_MAX = 16 * 1024

_HOST = re.compile(r"([\w.-]*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII)


@web.middleware
async def sound(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a Host that is none, and headers that are too many bytes together.

    The parser limits one header, and how many there are.
    """
    if sum(len(name) + len(value) for name, value in request.raw_headers) > HEAD_BYTES_MAX:
        raise Refused(431, "The request line or the headers are too large", "headers_too_large")
    if not _HOST.fullmatch(request.headers.get(hdrs.HOST, "")):
        raise Refused(400, "The Host header names no host", "bad_host")
    return await handler(request)

"""Does a request come from this very machine, and from nobody behind it?"""

import re

from aiohttp import hdrs, web

from server.door.client_addresses import is_loopback, normal_address

_NAME = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?", re.ASCII)
_OF_PROXIES = (
    hdrs.FORWARDED,
    hdrs.X_FORWARDED_FOR,
    hdrs.X_FORWARDED_HOST,
    hdrs.X_FORWARDED_PROTO,
    hdrs.VIA,
    "X-Real-IP",
)


def is_at_this_machine(request: web.Request) -> bool:
    """Is the peer on loopback, no proxy, and does it call us by this machine's own name?

    The name, because a page elsewhere can give itself one that leads here (DNS rebinding).
    """
    is_direct = not any(name in request.headers for name in _OF_PROXIES)
    is_named_so = _NAME.fullmatch(request.headers.get(hdrs.HOST, "")) is not None
    return is_direct and is_named_so and is_loopback(normal_address(request.remote or ""))

"""Reads that a client may keep and ask about again: ETag, 304, gzip.

An answer that is kept is asked about each time before it is used (`no-cache`), and a 304 is as fresh as a 200: it
comes from the same reading. The tags are weak, because one stands for the packed and for the plain form alike.

Source: RFC 9110, 8.8.3 (ETag), 13.1.2 (If-None-Match), 15.4.5 (304).
"""

import hashlib

from aiohttp import hdrs, web

from server.reads.accepted_coding import accepts_gzip
from server.reads.gzip_pieces import packed_body

PACKED_BYTES_MIN = 1_000
"""What is shorter is not worth packing: it fits into one packet as it is."""

_DIGEST_BYTES = 12


def tag_of(*contents: bytes) -> str:
    """The tag of an answer that follows from these bytes."""
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for content in contents:
        digest.update(content)
    return f'W/"{digest.hexdigest()}"'


def is_known(request: web.Request, tag: str) -> bool:
    """Does the client have what this tag stands for?"""
    if request.headers.get(hdrs.IF_NONE_MATCH, "").strip() == "*":
        return True
    known = request.if_none_match
    return known is not None and any(one.value == tag[len('W/"') : -1] for one in known)


def not_modified(tag: str) -> web.Response:
    """The answer to a client that `is_known` is true of."""
    return web.Response(status=304, headers={hdrs.ETAG: tag})


def revalidated(request: web.Request, response: web.Response) -> web.Response:
    """The answer as it is sent: with its tag, packed if that is worth it, or 304 in its place.

    A handler that knows a cheaper tag than one of the body, or has packed the body, has said so in the headers.
    """
    if response.status not in (200, 304):
        return response
    body = response.body if isinstance(response.body, bytes) else b""
    if hdrs.ETAG not in response.headers:
        response.headers[hdrs.ETAG] = tag_of(body)
    tag = response.headers[hdrs.ETAG]
    if response.status == 200 and is_known(request, tag):
        response = not_modified(tag)
    elif _is_to_be_packed(request, response, body):
        response.body = packed_body(body)
        response.headers[hdrs.CONTENT_ENCODING] = "gzip"
    response.headers[hdrs.CACHE_CONTROL] = "no-cache"
    response.headers.add(hdrs.VARY, hdrs.ACCEPT_ENCODING)
    return response


def _is_to_be_packed(request: web.Request, response: web.Response, body: bytes) -> bool:
    return len(body) >= PACKED_BYTES_MIN and hdrs.CONTENT_ENCODING not in response.headers and accepts_gzip(request)

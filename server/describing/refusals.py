"""The refusals of an operation: those that it declares, and those that follow from what it is."""

from collections.abc import Iterator
from http import HTTPStatus

from aiohttp import hdrs

from protocol.codes import Code
from server.rest.operations import Operation, Who

CONTRACT = "/api/v1/"
"""Below this path the door, the rate limits and the database stand behind every operation."""


def refusals_of(operation: Operation) -> dict[int, list[str]]:
    """The codes of all refusals by status, each once, the statuses in ascending order."""
    found: dict[int, dict[str, None]] = {}
    for status, code in (*_following(operation), *_declared(operation)):
        found.setdefault(status, {})[str(code)] = None
    return {status: list(found[status]) for status in sorted(found)}


def _declared(operation: Operation) -> Iterator[tuple[int, str]]:
    for status, codes in operation.refusals.items():
        yield from ((status, code) for code in codes)


def _following(operation: Operation) -> Iterator[tuple[int, str]]:
    if not operation.path.startswith(CONTRACT):
        return
    if operation.body is not None:
        yield from ((HTTPStatus.BAD_REQUEST, code) for code in ("bad_request", "bad_json", "bad_content_type"))
        yield HTTPStatus.REQUEST_TIMEOUT, "too_slow"
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large"
    if operation.query is not None or operation.headers:
        yield HTTPStatus.BAD_REQUEST, "bad_request"
    if operation.who is not Who.ANYBODY:
        yield HTTPStatus.UNAUTHORIZED, Code.NOT_SIGNED_IN
        yield HTTPStatus.UNAUTHORIZED, "session_ended"
    if operation.who is Who.ADMIN:
        yield HTTPStatus.FORBIDDEN, "not_admin"
    if operation.method != hdrs.METH_GET:
        yield HTTPStatus.FORBIDDEN, "bad_origin"
    yield HTTPStatus.TOO_MANY_REQUESTS, Code.RATE_LIMITED
    yield HTTPStatus.SERVICE_UNAVAILABLE, Code.TRY_AGAIN

"""The envelope of every JSON answer: `{"success":true,"data":…}` or `{"success":false,"error":…,"code":…}`.

Handlers return `ok(…)` or raise `Refused`; the middleware `enveloped` turns everything else that can go wrong into
the same form, so that no traceback and no message of the database ever gets out.
"""

import asyncio
import logging
import re
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

import asyncpg
import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from server.database import TROUBLE
from server.rest.sentences import sentence_of

BODY_BYTES_MAX = 64 * 1024
BODY_READ_S = 10
RETRY_AFTER_S = 1

_SENTENCES = {404: "Not found", 405: "Method not allowed", 413: "The body is too large"}
_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
_NOTHING = object()
_ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The one way in which JSON can write a NUL: the escape, after no backslash or pairs of them."""
_FIELD = re.compile(r" - at `\$\.(\w+)")
"""Where msgspec says which field it is about."""

log = logging.getLogger(__name__)

StructT = TypeVar("StructT", bound=msgspec.Struct)


class Refused(Exception):
    """A refusal, as the client gets it: status, a sentence for a person, a word for a machine, further fields."""

    def __init__(
        self, status: int, sentence: str, code: str, *, retry_after_s: int | None = None, **beside: Any
    ) -> None:
        super().__init__(f"{status} {code}: {sentence}")
        self.status = status
        self.sentence = sentence
        self.code = code
        self.retry_after_s = RETRY_AFTER_S if retry_after_s is None and status in (429, 503) else retry_after_s
        self.beside = beside

    def response(self) -> web.Response:
        """The answer; 429 and 503 have a Retry-After."""
        body = {"success": False, "error": self.sentence, "code": self.code, **self.beside}
        response = _json(body, self.status)
        if self.retry_after_s is not None:
            response.headers[hdrs.RETRY_AFTER] = str(self.retry_after_s)
        return response


def ok(data: Any = _NOTHING, status: int = 200, *, beside: msgspec.Struct | None = None) -> web.Response:
    """A success with `data` (left out: none) and the fields of `beside`; `msgspec.Raw` in it is JSON already."""
    body = {"success": True} if data is _NOTHING else {"success": True, "data": data}
    return _json(body if beside is None else body | msgspec.to_builtins(beside), status)


def ok_body(data: Any, beside: msgspec.Struct) -> bytes:
    """The body of `ok(data, beside=beside)`, to be kept for `ok_again`."""
    return msgspec.json.encode({"success": True, "data": data} | msgspec.to_builtins(beside))


def ok_again(body: bytes) -> web.Response:
    """A success whose body is there already."""
    return web.Response(body=body, content_type="application/json")


def iso_ms(moment_ms: int) -> str:
    """A time in Unix milliseconds, as `iso`."""
    return iso(datetime.fromtimestamp(moment_ms / 1000, UTC))


def cents_to_major(cents: int) -> int | float:
    """An amount in the major unit, with at most two decimals: 35000 -> 350, 9950 -> 99.5."""
    return cents / 100 if cents % 100 else cents // 100


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(moment: datetime | None) -> str | None:
    """As `iso`; None stays None."""
    return None if moment is None else iso(moment)


async def read_body(request: web.Request, kind: type[StructT], sentence: str = "") -> StructT:
    """The JSON body as `kind`: `read_raw`, then `decode_body`.

    Raises:
        Refused: what the two raise.
    """
    return decode_body(await read_raw(request), kind, sentence)


async def read_raw(
    request: web.Request, *, bytes_max: int = BODY_BYTES_MAX, patience_s: float | None = None
) -> bytes:
    """The bytes of a JSON body.

    Raises:
        Refused: 400 for another type and what cannot be read, 408 when it comes too slowly, 413 beyond `bytes_max`.
    """
    if hdrs.CONTENT_TYPE in request.headers and request.content_type != "application/json":
        raise Refused(400, "Send the body as application/json", "bad_content_type")
    if (request.content_length or 0) > bytes_max:
        raise Refused(413, _SENTENCES[413], _CODES[413])
    if bytes_max != BODY_BYTES_MAX:  # which the application allows as it is
        request = request.clone(client_max_size=bytes_max)
    try:
        if request.content.is_eof():  # it came with the head, as nearly always: nothing is waited for
            raw = await request.read()
        else:
            async with asyncio.timeout(BODY_READ_S if patience_s is None else patience_s):
                raw = await request.read()
    except TimeoutError:
        raise Refused(408, "The body came too slowly", "too_slow") from None
    except web.RequestPayloadError:
        raise Refused(400, "The body cannot be read", "bad_request") from None
    if len(raw) > bytes_max:
        raise Refused(413, _SENTENCES[413], _CODES[413])
    return raw


def decode_body(raw: bytes, kind: type[StructT], sentence: str = "") -> StructT:
    """A JSON body as `kind`; fields that it does not know are ignored.

    `sentence` is what to say when a field that must be there is missing or of a wrong type.

    Raises:
        Refused: 400 for what cannot be understood or has a NUL in a string.
    """
    try:
        body = msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as error:
        _check_json(raw)
        said = "" if _is_about_an_option(error, kind) else sentence
        raise Refused(400, said or sentence_of(error), "bad_request") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _bad_json() from None
    if not raw:
        raise Refused(400, "Send a body", "bad_request")
    if b"\\u0000" in raw and _ESCAPED_NUL.search(raw):  # the search alone would take half a second for a large plan
        raise Refused(400, "The body has a NUL character in it", "bad_request")
    return body


def read_query(request: web.Request, kind: type[StructT]) -> StructT:
    """The query as `kind`. Of a repeated parameter the first counts; one that may be unset is so when it is empty.

    Raises:
        Refused: 400 for what cannot be understood or has a NUL in it; it names the parameter.
    """
    may_be_empty = _unset_by_default(kind)
    given = {name: request.query[name] for name in request.query}
    given = {name: value for name, value in given.items() if value or name not in may_be_empty}
    try:
        query = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Refused(400, sentence_of(error, "The query"), "bad_request") from None
    for name, value in given.items():
        if "\0" in value:
            raise Refused(400, f"{name} has a NUL character in it", "bad_request")
    return query


@cache
def _unset_by_default(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The fields that are unset when they are left out."""
    return frozenset(one.encode_name for one in msgspec.structs.fields(kind) if one.default is msgspec.UNSET)


def http_refusal(error: web.HTTPException) -> web.Response:
    """What aiohttp refuses, in the envelope."""
    sentence = _SENTENCES.get(error.status, error.reason)
    response = Refused(error.status, sentence, _CODES.get(error.status, "refused")).response()
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers[hdrs.ALLOW] = ", ".join(sorted(error.allowed_methods))
    return response


@web.middleware
async def enveloped(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers whatever a handler raises in the envelope; a redirect stays a redirect. The outermost middleware."""
    try:
        return await handler(request)
    except Refused as refused:
        return refused.response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return http_refusal(error)
    except TROUBLE as error:
        if not _is_passing(error):
            return _unexpected(request)
        log.warning("%s %s: %r", request.method, request.path, error)
        return Refused(503, "This could not be done just now, try again", "try_again").response()
    except Exception:
        return _unexpected(request)


def _unexpected(request: web.Request) -> web.Response:
    log.exception("%s %s failed", request.method, request.path)
    return Refused(500, "Something went wrong on our side", "internal").response()


def _is_passing(error: Exception) -> bool:
    """Is it trouble with the connection or the server's state, and not a fault of ours?

    SQLSTATE classes: 08 connection, 25P0x a time limit of the session, 40 rollback, 53 resources, 55 object in
    use, 57 operator (restart, cancel), 58 system.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return state[:2] in ("08", "40", "53", "55", "57", "58") or state.startswith("25P0")
    return not isinstance(error, asyncpg.DataError | ValueError)


def _check_json(raw: bytes) -> None:
    """Raises Refused (400), when it is no JSON at all: that comes before what is wrong with a field."""
    try:
        msgspec.json.decode(raw or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "out of range" not in str(error):  # a number as large as that is JSON
            raise _bad_json() from None


def _bad_json() -> Refused:
    return Refused(400, "The body is not valid JSON", "bad_json")


def _is_about_an_option(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> bool:
    """Is it a field that might have been left out?"""
    field = _FIELD.search(str(error))
    return field is not None and any(
        one.encode_name == field[1] and not one.required for one in msgspec.structs.fields(kind)
    )


def _json(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")

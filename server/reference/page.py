"""The reference for people: one page in Markdown."""

import json
from typing import Any

from protocol import limits
from server.reference import tables
from server.reference.messages import Message, answers, commands, words
from server.reference.schema import components

Json = dict[str, Any]

_REF = "#{name}"
_HEAD = f"""<!-- Made by `make docs` from protocol/. Change the docstrings there, not this page. -->

# The socket of an event, `{limits.SUBPROTOCOL}`

`GET /ws/events/{{event_id}}`: a WebSocket with one JSON text frame for each message. One connection watches one
event. For programs: [`schema.json`](protocol/schema.json) (JSON Schema 2020-12) and
[`asyncapi.json`](protocol/asyncapi.json) (AsyncAPI 3.0). All samples, the wrong ones too:
[`protocol/samples.json`](../protocol/samples.json).

**Clients ignore fields and types that they do not know; the server refuses unknown fields.**

Who is connected follows from the session (cookie, or header `X-Session-Id`), or from a ticket of
`POST /api/v1/auth/ws-ticket` as `?ticket=`, which is good once and for {limits.TICKET_DURATION_S} s. Without either
the connection may watch, and every command is refused with `not_signed_in`. The handshake itself is refused
with 400 when `{limits.SUBPROTOCOL}` is not offered, and with 403 when it comes from another site's page.

Every command carries an `id` that the client chooses. An accepted command sent again with the same id and content
has no second effect and gets the same answer, also after a reconnect; the same id with other content is
`id_reused`. A refused command had no effect, is not remembered, and is judged anew when it is sent again.

In the tables, a field with `?` may be missing. Times are ms since 1970 in UTC, prices are cents: integers, both."""


def page() -> str:
    """The page."""
    schemas = components(_REF)
    parts = [
        _HEAD,
        "## Client → server",
        *(_section(message, schemas) for message in commands()),
        "## Server → client",
        *(_section(message, schemas) for message in answers()),
        "## Parts of messages",
        *(f"### {name} (part)\n\n{_fields(found, schemas)}" for name, found in schemas.items() if _is_part(found)),
        "## Refusals",
        tables.refusals(),
        "## Close codes",
        tables.ends(),
        "## Limits",
        tables.limits_met(),
    ]
    return "\n\n".join(parts) + "\n"


def _section(message: Message, schemas: dict[str, Json]) -> str:
    fields = _fields(schemas[message.struct.__name__], schemas)
    samples = "\n".join(json.dumps(sample, ensure_ascii=False) for _, sample in message.samples)
    parts = (f"### `{message.tag}`", words(message.struct).text, fields, f"```json\n{samples}\n```")
    return "\n\n".join(part for part in parts if part)


def _is_part(schema: Json) -> bool:
    return "properties" in schema and "type" not in schema["properties"]


def _fields(schema: Json, schemas: dict[str, Json]) -> str:
    rows = [
        (f"`{name}`" + ("" if name in schema["required"] else "?"), _kind(field, schemas), field["description"])
        for name, field in schema["properties"].items()
        if name != "type"
    ]
    return tables.table(("field", "type", "meaning"), rows) if rows else ""


def _kind(field: Json, schemas: dict[str, Json]) -> str:
    """A type in words."""
    if "$ref" in field:
        name = field["$ref"].removeprefix("#")
        if name == "Code":
            return "a [refusal](#refusals)"
        return f"[{name}](#{name.lower()}-part)" if _is_part(schemas[name]) else _kind(schemas[name], schemas)
    if "anyOf" in field:
        kinds = [_kind(one, schemas) for one in field["anyOf"]]
        return " or ".join(kind for kind in kinds if kind != "integer" or "number" not in kinds)
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"])
    if field["type"] == "array":
        items = _kind(field["items"], schemas)
        return f"list of {_range(field, 'minItems', 'maxItems')} {items.replace('integer', 'integers')}".replace(
            "  ", " "
        )
    if field["type"] == "string":
        return _within("string", _range(field, "minLength", "maxLength"), " characters")
    return _within(field["type"], _range(field, "minimum", "maximum"))


def _range(field: Json, least: str, most: str) -> str:
    return f"{field.get(least, 0)}…{field.get(most, '')}" if {least, most} & set(field) else ""


def _within(kind: str, span: str, what: str = "") -> str:
    return f"{kind} ({span}{what})" if span else kind

"""The AsyncAPI 3.0 document of the socket, from the server's side: it receives commands and sends answers."""

from typing import Any

from protocol import limits
from server.reference import tables
from server.reference.messages import Message, answers, commands, words
from server.reference.schema import components

Json = dict[str, Any]

_CHANNEL = "#/channels/event"
_SCHEMAS = "#/components/schemas/{name}"


def asyncapi() -> Json:
    """The document."""
    messages = (*commands(), *answers())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Usher, the socket of an event",
            "version": f"{limits.PROTOCOL_VERSION}.0.0",
            "description": (
                "One connection watches one event: commands in, answers and patches out, one JSON text frame each. "
                "Clients ignore fields and types that they do not know; the server refuses unknown fields.\n\n"
                f"## Refusals\n\n{tables.refusals()}\n\n## Close codes\n\n{tables.ends()}\n\n"
                f"## Limits\n\n{tables.limits_met()}"
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": "127.0.0.1:3001", "protocol": "ws", "security": _security()}},
        "channels": {"event": _channel(messages)},
        "operations": _operations(),
        "components": {
            "messages": {message.tag: _message(message) for message in messages},
            "schemas": components(_SCHEMAS),
            "correlationIds": {
                "command": {
                    "description": "The client's own id of a command; its answer carries it back.",
                    "location": "$message.payload#/id",
                }
            },
            "securitySchemes": _security_schemes(),
        },
    }


def _channel(messages: tuple[Message, ...]) -> Json:
    return {
        "address": "/ws/events/{event_id}",
        "title": "The socket of an event",
        "description": (
            f"Whoever does not offer the subprotocol `{limits.SUBPROTOCOL}` is refused with 400. "
            "A foreign Origin is answered with 403. An unknown event is closed with 4404, a dead session or a bad "
            "ticket with 4401, after the upgrade. Without a session and a ticket the connection may watch, and "
            "every command is refused with `not_signed_in`."
        ),
        "parameters": {"event_id": {"description": "The event's id, a UUID in its usual form."}},
        "messages": {message.tag: {"$ref": f"#/components/messages/{message.tag}"} for message in messages},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": {
                        "ticket": {
                            "type": "string",
                            "description": "A ticket for a socket, for those without a cookie.",
                        }
                    },
                },
                "headers": {
                    "type": "object",
                    "required": ["Sec-WebSocket-Protocol"],
                    "properties": {
                        "Sec-WebSocket-Protocol": {"type": "string", "const": limits.SUBPROTOCOL},
                        "Origin": {"type": "string", "description": "Ours or `CORS_ORIGIN`, if it is there."},
                    },
                },
                "bindingVersion": "0.1.0",
            }
        },
    }


def _operations() -> Json:
    with_id = [message.tag for message in commands() if "id" in message.struct.__struct_fields__]
    return {
        "watch": _operation("receive", "Start watching, or resume.", ["open"], ["patch", "snapshot", "resync"]),
        "command": _operation("receive", "Ask for something to be done.", with_id, ["accepted", "rejected"]),
        "ping": _operation("receive", "Is the server there?", ["ping"], ["pong"]),
        "tell": _operation("send", "All that the server says.", [message.tag for message in answers()], []),
    }


def _operation(action: str, summary: str, said: list[str], answered: list[str]) -> Json:
    made: Json = {
        "action": action,
        "channel": {"$ref": _CHANNEL},
        "summary": summary,
        "messages": [{"$ref": f"{_CHANNEL}/messages/{tag}"} for tag in said],
    }
    if answered:
        messages = [{"$ref": f"{_CHANNEL}/messages/{tag}"} for tag in answered]
        made["reply"] = {"channel": {"$ref": _CHANNEL}, "messages": messages}
    return made


def _message(message: Message) -> Json:
    said = words(message.struct)
    made: Json = {
        "name": message.tag,
        "title": message.tag,
        "summary": said.summary,
        "payload": {"$ref": _SCHEMAS.format(name=message.struct.__name__)},
        "examples": [{"name": name, "payload": sample} for name, sample in message.samples],
    }
    if said.details:
        made["description"] = said.details
    if "id" in message.struct.__struct_fields__:
        made["correlationId"] = {"$ref": "#/components/correlationIds/command"}
    return made


def _security() -> list[Json]:
    return [{"$ref": f"#/components/securitySchemes/{name}"} for name in _security_schemes()]


def _security_schemes() -> dict[str, Json]:
    return {
        "cookie": {
            "type": "httpApiKey",
            "in": "cookie",
            "name": "session",
            "description": "The session's cookie, of `POST /api/v1/auth/login`; under TLS `__Host-session`.",
        },
        "header": {
            "type": "httpApiKey",
            "in": "header",
            "name": "X-Session-Id",
            "description": "The session's id, for clients without cookies. The cookie counts before it.",
        },
        "ticket": {
            "type": "httpApiKey",
            "in": "query",
            "name": "ticket",
            "description": (
                f"A ticket of `POST /api/v1/auth/ws-ticket`: good once and for {limits.TICKET_DURATION_S} s. "
                "It counts before cookie and header."
            ),
        },
    }

"""The JSON Schema of every message in both directions."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET

from protocol import codes, inbound, limits, outbound
from server.reference.messages import answers, commands, words

Json = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {
    name: found
    for module in (codes, inbound, outbound)
    for name, found in vars(module).items()
    if isinstance(found, type)
}


def schema() -> Json:
    """The document. `$defs/Command` is what a client says, `$defs/Answer` what the server says."""
    return {
        "$schema": _DIALECT,
        "title": f"Messages of the socket protocol {limits.SUBPROTOCOL}",
        "description": (
            "Times are ms since 1970 in UTC, prices are cents. Beyond what a schema can say, the server refuses a "
            "field that is there twice, a NUL in a text, and an integer that is written with a fraction or an "
            "exponent. It may add fields and types: clients ignore those that they do not know."
        ),
        "anyOf": [{"$ref": "#/$defs/Command"}, {"$ref": "#/$defs/Answer"}],
        "$defs": {
            "Command": _any_of("What a client says.", (message.struct for message in commands())),
            "Answer": _any_of("What the server says.", (message.struct for message in answers())),
            **components("#/$defs/{name}"),
        },
    }


def components(ref: str) -> dict[str, Json]:
    """The schema of every Struct and word list by name; `ref` says how one refers to another."""
    structs = [message.struct for message in (*commands(), *answers())]
    _, found = msgspec.json.schema_components(structs, ref_template=ref)
    return {name: _explained(_TYPES[name], made) for name, made in found.items()}


def _any_of(description: str, structs: Iterable[type]) -> Json:
    return {"description": description, "anyOf": [{"$ref": f"#/$defs/{one.__name__}"} for one in structs]}


def _explained(part: type, made: Json) -> Json:
    """With the words of the docstring in their places."""
    said = words(part)
    made = made | {"description": said.text}
    if issubclass(part, msgspec.Struct):
        made["properties"] = {
            name: {"description": said.meanings[name]} | field if name in part.__struct_fields__ else field
            for name, field in made["properties"].items()
        }
        made["required"] = _always_there(part, made["required"])
    return made


def _always_there(part: type[msgspec.Struct], required: list[str]) -> list[str]:
    """A field with a default is written all the same, unless the Struct leaves defaults out."""
    if part.__struct_config__.omit_defaults:
        return required
    written = [one.name for one in msgspec.structs.fields(part) if one.default is not UNSET]
    return [name for name in required if name not in written] + written

"""What the contract's words mean, with an example of each: `words.json`, and the examples that follow from it."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

Json = dict[str, Any]

REF = "#/components/schemas/"

_FILE = Path(__file__).with_name("words.json")


class Word(msgspec.Struct, forbid_unknown_fields=True):
    """A field's meaning and an example of it."""

    means: str | None = None
    example: Any = msgspec.UNSET


class Words(msgspec.Struct, forbid_unknown_fields=True):
    """Everything that is said about words; `about` is the introduction, a paragraph each.

    `fields` are called by their name, or `Shape.name` where it is another thing there. `bodies` and `data` have
    examples by the name of their operation: a whole body, and what `data` says instead of what its shape would.
    """

    about: list[str]
    tags: dict[str, str]
    fields: dict[str, Word]
    codes: dict[str, str]
    bodies: dict[str, Any]
    data: dict[str, Any]


@cache
def words() -> Words:
    """The words, as they are written down."""
    return msgspec.json.decode(_FILE.read_bytes(), type=Words)


def explained(schemas: dict[str, Json]) -> dict[str, Json]:
    """These shapes, their fields with what they mean and an example; without words, what the type says stays."""
    return {name: _explained(name, schema) for name, schema in schemas.items()}


def word(name: str, shape: str = "") -> Word:
    """What is said about a field; nothing, where nothing is."""
    fields = words().fields
    own, everywhere = fields.get(f"{shape}.{name}", Word()), fields.get(name, Word())
    return Word(
        own.means or everywhere.means,
        everywhere.example if own.example is msgspec.UNSET else own.example,
    )


def example_of(schema: Json, schemas: dict[str, Json]) -> Any:
    """An example that fits this schema: of its fields' examples, else the plainest value of its type."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(REF)], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    if schema.get("type") == "object":
        return {name: example_of(field, schemas) for name, field in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    return {"string": "…", "integer": 1, "number": 1, "boolean": True}.get(schema.get("type", ""))


def body_example(operation: str, schema: Json, schemas: dict[str, Json]) -> Any:
    """An example of an operation's body."""
    said = words().bodies.get(operation)
    return example_of(schema, schemas) if said is None else said


def data_example(operation: str, schema: Json, schemas: dict[str, Json]) -> Any:
    """An example of an operation's `data`."""
    made, said = example_of(schema, schemas), words().data.get(operation, {})
    return made | said if isinstance(made, dict) and isinstance(said, dict) else said or made


def _explained(shape: str, schema: Json) -> Json:
    if "properties" not in schema:
        return schema
    return schema | {"properties": {name: _field(shape, name, one) for name, one in schema["properties"].items()}}


def _field(shape: str, name: str, schema: Json) -> Json:
    said = word(name, shape)
    more: Json = {}
    if said.means is not None:
        more["description"] = said.means
    if said.example is not msgspec.UNSET:
        more["examples"] = [said.example]
    return schema | more

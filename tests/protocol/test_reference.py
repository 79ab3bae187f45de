"""The reference in docs/ is what the generator makes, and says what the samples show."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from protocol import limits
from protocol.codes import ENDINGS, CloseCode, Code
from protocol.inbound import InboundMessage
from protocol.outbound import OutboundMessage
from server.reference.__main__ import DOCS, files
from server.reference.asyncapi import asyncapi
from server.reference.messages import answers, commands, words
from server.reference.page import page
from server.reference.schema import schema
from tests.protocol.test_samples import SAMPLES, Sample

# What a schema cannot say: repeated fields, NULs, how a number is written. The text of the schema says so.
BEYOND_A_SCHEMA = {
    "open with a repeated field",
    "open with a NUL in the epoch",
    "hold a fraction",
    "hold in scientific notation",
    "seats repeated",
    "seats repeated, the first one wrong",
    "seats repeated under an escaped name",
    "a NUL in the id",
    "a lone surrogate in the id",
    "a lone low surrogate in the id",
    "the type repeated, another",
    "the type repeated, the same",
    "the id repeated",
    "the id repeated, the same",
    "the id repeated under an escaped name",
    "a NUL in the section",
    "checkout with a NUL in the method",
    "checkout with the method repeated",
    "ping out of range",
    "ping with at repeated",
}


def validator(name: str) -> Any:
    return Draft202012Validator(schema() | {"anyOf": [{"$ref": f"#/$defs/{name}"}]})


def parsed(frame: str) -> Any:
    try:
        return json.loads(frame, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


@pytest.mark.parametrize("name", files())
def test_the_files_are_what_the_generator_makes(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == files()[name], "run `make docs`"


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_schema_allows_the_commands_that_are_right() -> None:
    command = validator("Command")
    for sample in SAMPLES["commands"]:
        if isinstance(sample["reads_as"], dict):
            command.validate(parsed(sample["frame"]))


def test_the_schema_refuses_those_that_are_wrong() -> None:
    command = validator("Command")
    wrong = [sample for sample in SAMPLES["commands"] if isinstance(sample["reads_as"], str)]
    allowed = {sample["name"] for sample in wrong if command.is_valid(parsed(sample["frame"]))}
    assert allowed == BEYOND_A_SCHEMA


def test_the_schema_allows_all_messages_and_none_that_is_unknown() -> None:
    answer = validator("Answer")
    known = [sample["message"] for sample in SAMPLES["messages"] if sample.get("reads_as") != "ignored"]
    unknown = [sample["message"] for sample in SAMPLES["messages"] if sample.get("reads_as") == "ignored"]
    assert [message for message in known if not answer.is_valid(message)] == []
    assert unknown
    assert not any(answer.is_valid(message) for message in unknown)


@pytest.mark.parametrize("message", [*commands(), *answers()], ids=lambda message: message.tag)
def test_no_field_can_be_lost_or_change_its_type_unseen(message: Any) -> None:
    """The negative control: the schema is no schema that allows anything."""
    direction = validator("Command" if issubclass(message.struct, InboundMessage) else "Answer")
    required = schema()["$defs"][message.struct.__name__]["required"]
    for _, sample in message.samples:
        assert direction.is_valid(sample)
        for name in sample:
            assert not direction.is_valid(sample | {name: {"other": []}})
            if name in required:
                assert not direction.is_valid({key: value for key, value in sample.items() if key != name})


@pytest.mark.parametrize("message", [*commands(), *answers()], ids=lambda message: message.tag)
def test_docstrings_explain_fields_that_are_there(message: Any) -> None:
    own = words(message.struct).meanings.keys()
    shared = words(type("Nothing", (message.struct.__base__,), {"__doc__": "Nothing."})).meanings.keys()
    assert own - shared <= set(message.struct.__struct_fields__)


def test_everything_is_in_the_page() -> None:
    text = page()
    words_there = [*Code, *(str(int(code)) for code in CloseCode), *(one.tag for one in (*commands(), *answers()))]
    assert [word for word in words_there if word not in text] == []
    assert set(ENDINGS) == set(CloseCode)
    assert {name for name in vars(limits) if name.isupper()} - set(limits.MEANINGS) == {
        "MEANINGS",
        "PROTOCOL_VERSION",
        "SUBPROTOCOL",
    }


def test_the_asyncapi_document_keeps_its_rules() -> None:
    assert list(asyncapi_faults(asyncapi())) == []


def asyncapi_faults(document: Sample) -> Iterator[str]:
    """What breaks the structure of AsyncAPI 3.0. Source: its specification, the tables of fixed fields."""
    yield from missing("document", document, "asyncapi", "info", "channels", "operations", "components")
    yield from missing("info", document["info"], "title", "version")
    for path in references(document):
        if resolved(document, path) is None:
            yield f"{path} leads nowhere"
    for name, server in document["servers"].items():
        yield from missing(name, server, "host", "protocol")
    for name, channel in document["channels"].items():
        yield from missing(name, channel, "address", "messages")
        for parameter in channel["parameters"]:
            if f"{{{parameter}}}" not in channel.get("address", ""):
                yield f"{parameter} is not in the address of {name}"
    for name, operation in document["operations"].items():
        yield from operation_faults(document, name, operation)
    for name, scheme in document["components"]["securitySchemes"].items():
        yield from missing(name, scheme, "type", "name", "in")
    for name, message in document["components"]["messages"].items():
        yield from missing(name, message, "payload", "summary", "examples")


def operation_faults(document: Sample, name: str, operation: Sample) -> Iterator[str]:
    yield from missing(name, operation, "action", "channel", "messages")
    if operation.get("action") not in ("send", "receive"):
        yield f"{name} neither sends nor receives"
    for one in [*operation["messages"], *operation.get("reply", {}).get("messages", [])]:
        # A message of an operation is one of the channel's, not of the components.
        if not one["$ref"].startswith(f"{operation['channel']['$ref']}/messages/"):
            yield f"{one['$ref']} is not in the channel of {name}"


def missing(where: str, found: Sample, *names: str) -> Iterator[str]:
    yield from (f"{where} has no {name}" for name in names if not found.get(name))


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(document: Sample, path: str) -> Any:
    root, *names = path.split("/")
    assert root == "#"
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def without(document: Sample, *path: str) -> Sample:
    copy: Sample = msgspec.json.decode(msgspec.json.encode(document))
    *way, last = path
    place = copy
    for name in way:
        place = place[name]
    del place[last]
    return copy


@pytest.mark.parametrize(
    "path",
    [
        ("components", "schemas", "Hold"),
        ("components", "messages", "pong"),
        ("channels", "event", "messages", "patch"),
        ("channels", "event", "address"),
        ("operations", "watch", "action"),
        ("components", "securitySchemes", "ticket", "in"),
        ("components", "messages", "pong", "examples"),
    ],
)
def test_the_check_of_the_document_finds(path: tuple[str, ...]) -> None:
    """Its negative control."""
    assert list(asyncapi_faults(without(asyncapi(), *path)))


def test_all_messages_are_sent_or_received() -> None:
    document = asyncapi()
    said = {one["$ref"].split("/")[-1] for way in document["operations"].values() for one in way["messages"]}
    assert said == set(document["components"]["messages"])
    assert {message.tag for message in (*commands(), *answers())} == said


def test_the_two_directions_are_apart() -> None:
    assert all(issubclass(message.struct, InboundMessage) for message in commands())
    assert all(issubclass(message.struct, OutboundMessage) for message in answers())

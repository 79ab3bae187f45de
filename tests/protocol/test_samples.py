"""The golden samples: what the browser tests read is what the server reads and writes."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from protocol import inbound, outbound
from protocol.codes import RETRIABLE, SENTENCES, Code
from protocol.inbound import BadCommand, NotUnderstood, read_command
from protocol.outbound import rejected
from protocol.seat_state import pack_states, unpack_states
from tests.auditor import client_rule

Sample = dict[str, Any]

SAMPLES = json.loads(Path(inbound.__file__).with_name("samples.json").read_text())


def samples(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("sample", SAMPLES[kind], ids=lambda sample: sample["name"])


def tags(union: Any) -> set[str]:
    return {kind.__struct_config__.tag for kind in get_args(union)}


@samples("commands")
def test_command_is_read(sample: Sample) -> None:
    frame = sample["frame"].encode()
    if sample["reads_as"] == "not_understood":
        with pytest.raises(NotUnderstood):
            read_command(frame)
        return
    read = read_command(frame)
    if sample["reads_as"] == "bad_command":
        assert isinstance(read, BadCommand)
        assert read.id == json.loads(frame)["id"]
    else:
        assert json.loads(msgspec.json.encode(read)) == sample["reads_as"]


@samples("messages")
def test_message_is_written_and_read(sample: Sample) -> None:
    frame = json.dumps(sample["message"]).encode()
    expected = sample.get("reads_as", sample["message"])
    if expected == "ignored":
        with pytest.raises(msgspec.ValidationError):
            outbound.decode(frame)
        return
    written = json.loads(outbound.encode(outbound.decode(frame)))
    assert written == expected
    assert_same_numbers(written, expected)


def assert_same_numbers(one: Any, other: Any) -> None:
    """`==` takes True for 1 and 1.0 for 1; a client in another language may not."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other), "fields are written in the order of the protocol"
        for name in one:
            assert_same_numbers(one[name], other[name])
    elif isinstance(one, list):
        for left, right in zip(one, other, strict=True):
            assert_same_numbers(left, right)


@samples("positions")
def test_client_rule(sample: Sample) -> None:
    mine, patch = sample["state"], sample["patch"]
    outcome = client_rule(mine["epoch"], mine["revision"], patch["epoch"], patch["base"], patch["revision"])
    assert outcome == sample["outcome"]


@samples("snapshots")
def test_snapshot_is_packed_and_unpacked(sample: Sample) -> None:
    states = bytes(sample["states"])
    assert pack_states(states) == sample["seats"]
    assert unpack_states(sample["seats"], len(states)) == states


def test_every_command_has_a_sample() -> None:
    read = [sample["reads_as"] for sample in SAMPLES["commands"]]
    assert {one["type"] for one in read if isinstance(one, dict)} == tags(inbound.Inbound)


def test_every_field_of_a_command_has_a_sample() -> None:
    for kind in get_args(inbound.Inbound):
        tag = kind.__struct_config__.tag
        seen = [one["reads_as"] for one in SAMPLES["commands"] if isinstance(one["reads_as"], dict)]
        fields = {name for one in seen if one["type"] == tag for name in one}
        assert fields == {"type", *kind.__struct_fields__}


def test_every_command_has_a_faulty_sample() -> None:
    faulty = [one["frame"] for one in SAMPLES["commands"] if isinstance(one["reads_as"], str)]
    for tag in tags(inbound.Inbound):
        assert any(f'"type":"{tag}"' in frame for frame in faulty), tag


def test_every_message_has_a_sample() -> None:
    assert {sample["message"]["type"] for sample in SAMPLES["messages"]} - {"weather"} == tags(outbound.Outbound)


def test_every_field_of_a_message_has_a_sample() -> None:
    for kind in get_args(outbound.Outbound):
        seen = [
            one["message"] for one in SAMPLES["messages"] if one["message"]["type"] == kind.__struct_config__.tag
        ]
        assert {name for one in seen for name in one} >= {"type", *kind.__struct_fields__}


@pytest.mark.parametrize("code", Code)
def test_every_refusal_has_a_sample(code: Code) -> None:
    seen = [one["message"] for one in SAMPLES["messages"] if one["message"].get("code") == code]
    assert [one["retry"] for one in seen] == [code in RETRIABLE] * len(seen)
    assert SENTENCES[code] in [one["message"] for one in seen]
    assert json.loads(outbound.encode(rejected("c-1", code)))["message"] == SENTENCES[code]


@pytest.mark.parametrize("words", [outbound.OrderStatus, outbound.HoldReason])
def test_every_word_has_a_sample(words: Any) -> None:
    assert set(words) <= {value for one in SAMPLES["messages"] for value in one["message"].values()
                          if isinstance(value, str)}  # fmt: skip


def test_every_sample_has_a_name_of_its_own() -> None:
    for kind in ("commands", "messages", "positions", "snapshots"):
        names = [sample["name"] for sample in SAMPLES[kind]]
        assert len(set(names)) == len(names)

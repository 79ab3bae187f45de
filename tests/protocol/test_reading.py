"""Reading frames: whatever comes in is a command, a bad command or not understood, and nothing else."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actors.core.memory import content_hash
from protocol import limits
from protocol.inbound import BadCommand, Inbound, NotUnderstood, Open, Ping, read_command
from tests.protocol.test_samples import SAMPLES

FRAMES = [sample["frame"].encode() for sample in SAMPLES["commands"]]
WORDS = ["type", "id", "seats", "count", "payment_method", "at", "epoch", "revision", "section", "accessible"]
TYPES = ["open", "hold_seats", "hold_best", "release_seats", "extend_hold", "checkout", "join_queue", "ping", "x"]

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(["c-1", "\0", "a" * 65])
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
fields = st.lists(st.tuples(st.sampled_from(WORDS) | st.text(max_size=4), values), max_size=5)


def written(pairs: list[tuple[str, Any]], *, ascii_only: bool) -> bytes:
    """An object with repeated fields, which no dictionary can hold."""
    parts = [
        f"{json.dumps(name, ensure_ascii=ascii_only)}:{json.dumps(value, ensure_ascii=ascii_only)}"
        for name, value in pairs
    ]
    return f"{{{','.join(parts)}}}".encode(errors="surrogatepass")


def read(frame: bytes) -> Inbound | BadCommand | None:
    """None: not understood."""
    try:
        return read_command(frame)
    except NotUnderstood:
        return None


def check(frame: bytes) -> None:
    """The three outcomes, and what each of them promises."""
    command = read(frame)
    if isinstance(command, BadCommand):
        assert 1 <= len(command.id) <= limits.COMMAND_ID_CHARS_MAX
        assert "\0" not in command.id
        command.id.encode()
    elif command is not None:
        again = read_command(msgspec.json.encode(command))
        assert again == command
        for name in command.__struct_fields__:
            value = getattr(command, name)
            assert not isinstance(value, str) or "\0" not in value
        if not isinstance(command, Open | Ping):
            assert 1 <= len(command.id) <= limits.COMMAND_ID_CHARS_MAX
            assert len(content_hash(command)) == 16


@given(st.binary(max_size=200))
def test_any_bytes(frame: bytes) -> None:
    check(frame)


@given(values)
def test_any_json(value: Any) -> None:
    check(json.dumps(value).encode())


@settings(max_examples=400)
@given(st.sampled_from(TYPES), fields, st.booleans())
@example("hold_seats", [("id", "c-1"), ("seats", [1]), ("seats", [2])], True)
def test_any_fields(kind: str, pairs: list[tuple[str, Any]], ascii_only: bool) -> None:
    frame = written([("type", kind), *pairs], ascii_only=ascii_only)
    check(frame)
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names) or "type" in names:
        assert isinstance(read(frame), BadCommand | None), "a repeated field passed in silence"


@settings(max_examples=400)
@given(st.sampled_from(FRAMES), st.integers(0, 300), st.integers(0, 3), st.binary(max_size=3))
def test_damaged_samples(frame: bytes, at: int, cut: int, put: bytes) -> None:
    check(frame[:at] + put + frame[at + cut :])


@given(st.sampled_from(WORDS), st.sampled_from(WORDS), st.integers(1, 3))
def test_repeated_names_hide_nowhere(name: str, other: str, times: int) -> None:
    """Neither a value that looks like a name nor an escaped name deceives the reader."""
    frame = f'{{"type":"checkout","id":"{name}","payment_method":"{other}"}}'.encode()
    assert not isinstance(read(frame), BadCommand | None)
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in "id")
    assert read(frame[:-1] + f',"{escaped}":"c"'.encode() * times + b"}") is None


@pytest.mark.parametrize("depth", [10, 100, 1_000, 5_000])
def test_deep_nesting_does_no_harm(depth: int) -> None:
    nest = b"[" * depth + b"]" * depth
    for frame in (nest, b'{"type":"ping","at":1,"x":' + nest + b"}", b'{"type":"extend_hold","x":' + nest + b"}"):
        assert read(frame) is None
    frame = b'{"type":"extend_hold","id":"c-1","x":' + nest + b"}"
    assert isinstance(read(frame), BadCommand | None)


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x8e"],
    ids=["no start", "long NUL", "surrogate", "beyond Unicode", "cut off"],
)
def test_what_is_no_utf8_is_not_understood(text: bytes) -> None:
    assert read(b'{"type":"extend_hold","id":"' + text + b'"}') is None

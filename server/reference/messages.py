"""The messages of the protocol: their Structs, words and samples, as the reference shows them."""

import inspect
import json
import re
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec

import protocol
from protocol import inbound, outbound
from protocol.inbound import InboundMessage
from protocol.outbound import OutboundMessage

SAMPLES_MAX = 3

Sample = dict[str, Any]

_FIELD = re.compile(r"(\w+): (.*)")
_SAMPLES = json.loads((Path(protocol.__file__).parent / "samples.json").read_text(encoding="utf-8"))


class Message(NamedTuple):
    """One message; `samples` has a name and the message itself, one for each set of fields."""

    tag: str
    struct: type[msgspec.Struct]
    samples: tuple[tuple[str, Sample], ...]


class Words(NamedTuple):
    """What a docstring says: a sentence, the rest of the text, and what the fields mean."""

    summary: str
    details: str
    meanings: dict[str, str]

    @property
    def text(self) -> str:
        """All but the fields."""
        return f"{self.summary}\n\n{self.details}".strip()


def commands() -> list[Message]:
    """What a client says."""
    samples = [(one["name"], one["reads_as"]) for one in _SAMPLES["commands"] if isinstance(one["reads_as"], dict)]
    return _messages(inbound.Inbound, samples)


def answers() -> list[Message]:
    """What the server says."""
    samples = [(one["name"], one["message"]) for one in _SAMPLES["messages"] if "reads_as" not in one]
    return _messages(outbound.Outbound, samples)


def words(struct: type) -> Words:
    """What the docstring of a Struct says; fields that it does not explain mean what they mean everywhere.

    A field is a line `name: meaning`, and the indented lines after it.
    """
    base = InboundMessage if issubclass(struct, InboundMessage) else OutboundMessage
    own = _read(struct)
    return own._replace(meanings=_read(base).meanings | own.meanings)


def _messages(union: Any, samples: list[tuple[str, Sample]]) -> list[Message]:
    return [_message(struct, samples) for struct in get_args(union)]


def _message(struct: type[msgspec.Struct], samples: list[tuple[str, Sample]]) -> Message:
    tag = str(struct.__struct_config__.tag)
    found: dict[frozenset[str], tuple[str, Sample]] = {}
    for name, sample in samples:
        if sample["type"] == tag:
            found.setdefault(frozenset(sample), (name, sample))
    return Message(tag, struct, tuple(found.values())[:SAMPLES_MAX])


def _read(struct: type) -> Words:
    text: list[str] = []
    meanings: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(struct.__doc__ or "").splitlines():
        found = _FIELD.fullmatch(line)
        if found is not None:
            name, meanings[found[1]] = found[1], found[2]
        elif name and line.startswith(" "):
            meanings[name] += f" {line.strip()}"
        else:
            text.append(line)
    summary, _, details = "\n".join(text).strip().partition("\n\n")
    return Words(" ".join(summary.split()), " ".join(details.split()), meanings)

"""Text frames that are nearly commands: golden samples with something wrong, made from a seed."""

import json
import random
from collections.abc import Callable
from typing import Any

from protocol.limits import MESSAGE_BYTES_MAX
from tests.protocol.test_samples import SAMPLES

Pairs = list[tuple[str, str]]
"""The fields of an object, with values as they are written: no dictionary can hold a field twice, or `1e400`."""

FIELDS = (
    *("type", "id", "seats", "count", "price_tier", "section", "max_price_cents", "accessible", "payment_method"),
    *("at", "epoch", "revision", "code", "customer", "", "ID", "i\\u0064", "\\u0074ype", "\\u0000", "__proto__"),
)
TYPES = (
    *("open", "hold_seats", "hold_best", "release_seats", "extend_hold", "checkout", "join_queue", "leave_queue"),
    *("ping", "welcome", "patch", "accepted", "settle", "cancel_order", "Open", "", "open\\u0000"),
)
VALUES = (
    *("0", "1", "-1", "-0", "1.0", "1e1", "1e400", "-1e400", "1" + "0" * 400, "9" * 5_000, "0.1e-400"),
    *("NaN", "Infinity", "-Infinity", "null", "true", "false", "01", "+1", ".5", "1.", "0x10", "1_0", "undefined"),
    *("2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "18446744073709551616"),
    *('""', '"x"', '"1"', "'x'", '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83c\\udfab"'),
    *('"\\x"', '"\\u12"', '"\n"', '"', '"a" "b"', '"\u202e"', '"' + "ß" * 64 + '"', '"' + "🎫" * 65 + '"'),
    *(f'"{"x" * count}"' for count in (63, 64, 65, 200, 201, 10_000)),
    *("[]", "{}", "[[]]", "[null]", '[""]', "[0,0]", "[-1]", "[1.5]", "[1,]", "[,1]", "[0,1,2,3,4,5,6,7,8,9,10]"),
    *(json.dumps(list(range(count))) for count in (100, 101, 3_000)),
    *("[" * depth + "]" * depth for depth in (64, 1_100, 7_000)),
    *('{"a":' * depth + "1" + "}" * depth for depth in (64, 1_500)),
    *('{"id":"x","id":"y"}', '{"type":"ping"}', "[" * 5_000),
)
SCRAPS = (
    *(b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\0", b"\xef\xbb\xbf", b"{", b"]", b'"'),
    *(b"\\", b","),
)


def frame(rng: random.Random) -> bytes:
    """A text frame, most likely one that the server must not take as it is."""
    pairs = _sample(rng)
    if pairs is None or rng.random() < 0.05:
        text: bytes = rng.choice(_RAW)
    else:
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            rng.choice(_ON_FIELDS)(rng, pairs)
        text = written(pairs).encode("utf-8", "surrogatepass")
    for _ in range(rng.choice((0, 0, 0, 0, 0, 1, 2))):
        text = rng.choice(_ON_BYTES)(rng, text)
    return text[: 2 * MESSAGE_BYTES_MAX]


def written(pairs: Pairs) -> str:
    """The object as text."""
    return "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"


def _sample(rng: random.Random) -> Pairs | None:
    """The fields of a sample, mostly with an id that nobody has used and few seats; None: it has no fields."""
    try:
        pairs = json.loads(rng.choice(rng.choice((_RAW, _RIGHT))), object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        return None
    fields = [(json.dumps(name)[1:-1], json.dumps(value)) for name, value in pairs]
    if rng.random() < 0.7:
        fresh = {
            "id": f'"f-{rng.getrandbits(48):x}"',
            "seats": json.dumps(rng.sample(range(400), rng.randint(1, 3))),
        }
        fields = [(name, fresh.get(name, value)) for name, value in fields]
    return fields


def _drop(rng: random.Random, pairs: Pairs) -> None:
    if pairs:
        pairs.pop(rng.randrange(len(pairs)))


def _duplicate(rng: random.Random, pairs: Pairs) -> None:
    if pairs:
        name, value = rng.choice(pairs)
        pairs.insert(rng.randint(0, len(pairs)), (name, rng.choice((value, _value(rng)))))


def _retype(rng: random.Random, pairs: Pairs) -> None:
    if pairs:
        at = rng.randrange(len(pairs))
        pairs[at] = pairs[at][0], _value(rng)


def _rename(rng: random.Random, pairs: Pairs) -> None:
    if pairs:
        at = rng.randrange(len(pairs))
        name = pairs[at][0]
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in name if ord(letter) < 1 << 16)
        pairs[at] = rng.choice((escaped, name.upper(), name + "s", rng.choice(FIELDS))), pairs[at][1]


def _nest(rng: random.Random, pairs: Pairs) -> None:
    if pairs:
        at = rng.randrange(len(pairs))
        name, value = pairs[at]
        depth = rng.choice((1, 2, 30, 1_100))
        pairs[at] = name, rng.choice(("[" * depth + value + "]" * depth, '{"x":' * depth + value + "}" * depth))


def _add(rng: random.Random, pairs: Pairs) -> None:
    pairs.insert(rng.randint(0, len(pairs)), (rng.choice(FIELDS), _value(rng)))


def _other_type(rng: random.Random, pairs: Pairs) -> None:
    pairs[:] = [(name, f'"{rng.choice(TYPES)}"' if name == "type" else value) for name, value in pairs]


def _shuffle(rng: random.Random, pairs: Pairs) -> None:
    rng.shuffle(pairs)


def _value(rng: random.Random) -> str:
    return rng.choice((rng.choice(VALUES), str(rng.randint(-10, 500)), f'"{rng.choice(TYPES)}"'))


def _cut(rng: random.Random, text: bytes) -> bytes:
    return text[: rng.randint(0, len(text))]


def _insert(rng: random.Random, text: bytes) -> bytes:
    at = rng.randint(0, len(text))
    return text[:at] + rng.choice(SCRAPS) + text[at:]


def _flip(rng: random.Random, text: bytes) -> bytes:
    if not text:
        return text
    at = rng.randrange(len(text))
    return text[:at] + bytes([text[at] ^ 1 << rng.randrange(8)]) + text[at + 1 :]


def _pad(rng: random.Random, text: bytes) -> bytes:
    """With white space, to about the size that is allowed."""
    size = MESSAGE_BYTES_MAX + rng.choice((-1, 0, 1, 2))
    blank = b" " * (size - len(text))
    return rng.choice((text + blank, blank + text))


def _append(rng: random.Random, text: bytes) -> bytes:
    return text + rng.choice((text, b"\0", b"x", b"\n{}", b"//", b"\xff"))


def _recode(rng: random.Random, text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig")))


_RAW = [sample["frame"].encode() for sample in SAMPLES["commands"]]
_RIGHT = [sample["frame"].encode() for sample in SAMPLES["commands"] if isinstance(sample["reads_as"], dict)]
_RAW += [json.dumps(sample["message"]).encode() for sample in SAMPLES["messages"]]
_ON_FIELDS: tuple[Callable[[random.Random, Pairs], Any], ...] = (
    *(_drop, _duplicate, _retype, _retype, _retype, _rename, _nest, _add, _add, _other_type, _shuffle),
)
_ON_BYTES: tuple[Callable[[random.Random, bytes], bytes], ...] = (_cut, _insert, _flip, _pad, _append, _recode)

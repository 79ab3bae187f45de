"""What is wrong with a plan: an oddity is reported and lived with, a `PlanError` ends the reading."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct


class PlanError(Exception):
    """The plan cannot be read; the sentence says where and why."""


class Oddity(Struct, frozen=True):
    """Something that the format does not allow, or that looks like a mistake. `code` is for programs."""

    code: str
    count: int
    text: str


def repeats(values: Sequence[str]) -> int:
    """How many of the values were there before."""
    return len(values) - len(set(values))


def named_counts(counts: Mapping[str, int], shown_max: int = 6) -> str:
    """The names with their counts, the most frequent first: `a (12), b (3), … 4 more`."""
    common = Counter(counts).most_common()
    parts = [f"{name} ({count})" for name, count in common[:shown_max]]
    if len(common) > shown_max:
        parts.append(f"… {len(common) - shown_max} more")
    return ", ".join(parts)

"""What the mirror shows of a waiting room: of each customer one entry, in the key of its state."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import msgspec

from actors.core.model import QueueEntry, QueueState

Entries = Mapping[str, QueueEntry]


class MirroredLine:
    """Which entries are still to be written. `entries` gives the committed ones, as they are by then."""

    def __init__(self, entries: Callable[[], Entries]) -> None:
        self._entries = entries
        self._left: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._left)

    def touch(self, customers: Iterable[str]) -> None:
        """These customers' entries changed."""
        self._left.update(dict.fromkeys(customers))

    def begin_anew(self) -> None:
        """All are to be written, and those that were to be removed still are."""
        self.touch(self._entries())

    def take(self, count_max: int) -> list[str | bytes | int]:
        """The next entries as the script's arguments: how many, then customer, kind and what to show of each."""
        entries, piece = self._entries(), list(islice(self._left, count_max))
        arguments: list[str | bytes | int] = [len(piece)]
        for customer in piece:
            del self._left[customer]
            arguments += (customer, *_shown(entries.get(customer)))
        return arguments


def _shown(entry: QueueEntry | None) -> tuple[str, str | bytes | int]:
    if entry is None or entry.state is QueueState.OUT:
        return "out", ""
    if entry.state is QueueState.LOBBY:
        return "lobby", entry.position or 0
    if entry.state is QueueState.WAITING:
        return "waiting", entry.place or 0
    return "inside", msgspec.json.encode({"status": entry.state, "place": entry.place, "until_ms": entry.until_ms})

"""The accepted commands that an event still knows by heart; older ones are in the journal."""

import hashlib
from collections import OrderedDict

import msgspec

MEMORY_COMMANDS_MAX = 20_000
"""Enough for the repeats of a reconnect; about 6 MB for an event at the limit."""

_encode = msgspec.json.Encoder().encode


class Remembered(msgspec.Struct, frozen=True):
    """An accepted command: what it asked, hashed, and the frame that answered it."""

    content_hash: bytes
    frame: bytes


class Memory:
    """A bounded memory of accepted commands by customer and command id; the longest unused is forgotten first."""

    def __init__(self, commands_max: int = MEMORY_COMMANDS_MAX) -> None:
        self._commands_max = commands_max
        self._known: OrderedDict[tuple[str, str], Remembered] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, customer: str, command_id: str) -> Remembered | None:
        """The accepted command, if it is still known here."""
        key = (customer, command_id)
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def keep(self, customer: str, command_id: str, accepted: Remembered) -> None:
        """Know this accepted command from now on."""
        self._known[customer, command_id] = accepted
        self._known.move_to_end((customer, command_id))
        if len(self._known) > self._commands_max:
            self._known.popitem(last=False)


def content_hash(command: msgspec.Struct) -> bytes:
    """16 bytes of the command's decoded fields: equal exactly when two commands say the same."""
    return hashlib.blake2b(_encode(command), digest_size=16).digest()

"""The answer about all seats of an event: encoded once per committed state, shared by all who ask for it."""

import weakref
from collections.abc import Callable

from actors.core.seating import Seating


class Answer:
    """The last answer about all seats of one event.

    It is true of the state that was read after the request arrived, because the state's owner and revision are its
    key: an event that was loaded anew has another owner, and may be another one at the same revision.
    """

    def __init__(self) -> None:
        self._of: weakref.ref[Seating] | None = None
        self._revision = -1
        self._body = b""

    def get(self, seating: Seating, encode: Callable[[], bytes]) -> bytes:
        """The answer about this state, as it is at this moment; encoded if nobody has asked for it yet."""
        if self._of is None or self._of() is not seating or self._revision != seating.revision:
            self._of, self._revision, self._body = weakref.ref(seating), seating.revision, encode()
        return self._body

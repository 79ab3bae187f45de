"""Whether anything of an engine is still alive, whoever started it and even if its pid was never written down.

Every process of an engine keeps a locked file open that it inherited and knows nothing of.
`Source:` flock(2): the lock belongs to the open file and ends with the last process that has it.
"""

import asyncio
import fcntl
import os
import time
from pathlib import Path

LOOK_EVERY_S = 0.01


class LifeLock:
    """The lock of one engine. It is ours only between the end of one main process and the start of the next."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def is_free(self) -> bool:
        """Whether no process of the engine is alive."""
        lock = self.take()
        if lock is not None:
            os.close(lock)
        return lock is not None

    def take(self) -> int | None:
        """The open, locked file, for the next process to inherit and for us to close; None while one lives."""
        lock = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    async def take_within(self, patience_s: float) -> int | None:
        """As `take`, after waiting for the end of the engine's processes for at most `patience_s`."""
        give_up = time.monotonic() + patience_s
        while time.monotonic() < give_up:
            lock = self.take()
            if lock is not None:
                return lock
            await asyncio.sleep(LOOK_EVERY_S)
        return None

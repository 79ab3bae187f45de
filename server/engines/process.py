"""One engine's process: a child of ours, or one that an earlier server left behind.

Not asyncio's subprocesses: those kill the process when the event loop goes, and an engine must outlive us.
A signal goes through a pidfd where there is one, so that a pid used again is never hit.
"""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

PROC = Path("/proc")
POLL_S = 0.1
"""How often the end of a process is looked for, where the system has no pidfd."""


class EngineProcess:
    """A live process that can be waited for and signalled. Made inside a running event loop."""

    def __init__(self, pid: int, child: subprocess.Popen[bytes] | None, pidfd: int | None) -> None:
        self.pid = pid
        self.exit_code: int | None = None
        self._child = child
        self._pidfd = pidfd
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if pidfd is not None:
            self._loop.add_reader(pidfd, self._note_end)
        else:
            self._loop.call_soon(self._poll)

    @classmethod
    def of_child(cls, child: subprocess.Popen[bytes]) -> Self:
        """The process that we have just started."""
        return cls(child.pid, child, _open_pidfd(child.pid))

    @classmethod
    def of_left_over(cls, pid: int, folder: Path, program: str) -> Self | None:
        """The process `pid`, if it is a live `program` that works in `folder`; else None."""
        try:
            pidfd = _open_pidfd(pid)
        except OSError:
            return None
        if works_in(pid, folder, program):
            return cls(pid, None, pidfd)
        if pidfd is not None:
            os.close(pidfd)
        return None

    @property
    def has_ended(self) -> bool:
        return self._ended.is_set()

    async def ended(self, within_s: float | None = None) -> bool:
        """Wait until the process has ended, or for `within_s`; tell whether it has."""
        try:
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        except TimeoutError:
            pass
        return self.has_ended

    def send(self, number: signal.Signals) -> None:
        """Signal the process; nothing happens when it has ended."""
        if self.has_ended:
            return
        try:
            if self._pidfd is not None:
                signal.pidfd_send_signal(self._pidfd, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def _note_end(self) -> None:
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
        if self._child is not None:
            self.exit_code = self._child.wait()  # it has ended: this reaps it and does not block
        self._ended.set()

    def _poll(self) -> None:
        lives = self._child.poll() is None if self._child is not None else is_alive(self.pid)
        if lives:
            self._loop.call_later(POLL_S, self._poll)
        else:
            self._note_end()


def is_alive(pid: int) -> bool:
    """Whether there is a process `pid`, whatever it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def works_in(pid: int, folder: Path, program: str) -> bool:
    """Whether `pid` is a live `program` with `folder` as its working directory or an argument of its command.

    PostgreSQL (with its children) and Valkey change to their data folder and stay there.
    """
    process = PROC / str(pid)
    name, arguments = _command(pid, process)
    if name != program:
        return False
    try:
        return str(folder) in arguments or process.joinpath("cwd").samefile(folder)
    except OSError:
        return False  # no /proc here, no such process, or not for our eyes


def all_in(folder: Path, program: str) -> list[int]:
    """The pids of every `program` that works in `folder`, as far as we may see; none without a /proc."""
    pids = [int(entry.name) for entry in PROC.glob("[0-9]*")]
    return [pid for pid in pids if works_in(pid, folder, program)]


def _open_pidfd(pid: int) -> int | None:
    return os.pidfd_open(pid) if sys.platform == "linux" else None


def _command(pid: int, process: Path) -> tuple[str, list[str]]:
    """The name of the program that `pid` runs, and its arguments; empty when there is no such process."""
    if PROC.exists():
        try:
            command = process.joinpath("cmdline").read_bytes().decode(errors="replace").split("\0")
            return process.joinpath("comm").read_text().strip(), command
        except OSError:
            return "", []
    ps = ["/bin/ps", "-o", "command=", "-p", str(pid)]
    words = subprocess.run(ps, capture_output=True, text=True, check=False).stdout.split() or [""]
    return Path(words[0]).name, words

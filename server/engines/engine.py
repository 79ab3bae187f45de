"""One engine under supervision: found again or started, watched, started again when it dies, stopped."""

import asyncio
import logging
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import ClassVar

from server.ending import end
from server.engines.data_dir import DataDir, write_private
from server.engines.errors import EngineError
from server.engines.launcher import Launcher
from server.engines.life_lock import LOOK_EVERY_S, LifeLock
from server.engines.process import EngineProcess, all_in, works_in

log = logging.getLogger(__name__)

START_PATIENCE_S = 300.0
"""For a start with much to recover; an engine that ends or gives up is noticed at once."""
SILENCE_PATIENCE_S = 3.0
"""How long a left-over may be silent before it is ended."""
ORPHANS_PATIENCE_S = 0.5
"""How long processes may go on whose main process has died, before they are ended."""
BACKOFF_FIRST_S = 0.1
BACKOFF_LONGEST_S = 5.0
LIVED_WELL_S = 1.0
"""An engine that lived this long is started again at once when it dies."""


class State(Enum):
    """What an engine says when asked."""

    SILENT = "does not answer"
    STARTING = "is alive, not ready yet"
    READY = "answers, and knows the password"


class Engine(ABC):
    """What both engines have in common. A subclass says how each is configured, asked and stopped."""

    title: ClassVar[str]
    program: ClassVar[str]
    """The name of its process."""
    stops: ClassVar[tuple[tuple[signal.Signals, float], ...]]
    """The signals that end it, from kind to sure, and how long each may take, s."""

    def __init__(self, data_dir: DataDir, launcher: Launcher, progress: Callable[[str], None]) -> None:
        self.data_dir = data_dir
        self.launcher = launcher
        self.progress = progress
        self.process: EngineProcess | None = None
        self._life = LifeLock(data_dir.path / f"{self.program}.alive")
        self._supervisor: asyncio.Task[None] | None = None

    @property
    @abstractmethod
    def folder(self) -> Path:
        """Its data, and the working directory of its processes."""

    @property
    @abstractmethod
    def config_file(self) -> Path: ...

    @abstractmethod
    def config(self) -> str:
        """The text of its configuration, ours alone."""

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    async def prepare(self) -> None:
        """Make what it needs before its first start."""

    @abstractmethod
    def written_pid(self) -> int | None:
        """The pid in its own pid file."""

    @abstractmethod
    async def state(self) -> State:
        """Ask the engine. Raises EngineError when it answers and does not accept our password."""

    @abstractmethod
    def clear_stale_files(self) -> None:
        """Take away what a dead process left and a new one would stumble over."""

    def set_damage_aside(self, said: str) -> bool:
        """After a start that failed saying `said`: make a second one worth trying, or answer False."""
        del said
        return False

    @property
    def pid(self) -> int | None:
        """The process that answers, None while there is none."""
        return None if self.process is None or self.process.has_ended else self.process.pid

    async def start(self) -> None:
        """Bring the engine up and keep it up until `stop`. Raises EngineError."""
        await self.prepare()
        await self._bring_up()
        self._supervisor = asyncio.create_task(self._supervise(), name=f"supervise {self.title}")

    async def stop(self) -> None:
        """End the engine. Its data are whole afterwards, however many signals it took."""
        if self._supervisor is not None:
            await end(self._supervisor)
            self._supervisor = None
        if self.process is not None:
            for number, patience_s in self.stops:
                self.process.send(number)
                if await self.process.ended(within_s=patience_s):
                    break

    async def end_left_over(self) -> None:
        """End what an earlier server may have left running. Raises EngineError when it will not go."""
        os.close(await self.take_lock())

    async def take_lock(self, orphans_patience_s: float = ORPHANS_PATIENCE_S) -> int:
        """The lock that the next process is to keep, after ending what still has it.

        The first and kindest signal is for the main process only: its children mean something else by it.
        Children without it end by themselves, most often at once.
        """
        lock = self._life.take()
        if lock is not None:
            return lock
        (kind, kind_patience_s), *sure = self.stops
        written = self.written_pid()
        main = None if written is None else EngineProcess.of_left_over(written, self.folder, self.program)
        if main is not None:
            main.send(kind)
        lock = await self._life.take_within(orphans_patience_s if main is None else kind_patience_s)
        for number, patience_s in (*sure, (signal.SIGKILL, 1.0)):
            if lock is None:
                for pid in {*all_in(self.folder, self.program), *([] if written is None else [written])}:
                    process = EngineProcess.of_left_over(pid, self.folder, self.program)
                    if process is not None:
                        process.send(number)
                lock = await self._life.take_within(patience_s)
        if lock is None:
            pids = all_in(self.folder, self.program)
            raise EngineError(f"An old {self.title} does not end: {pids} in {self.folder}")
        return lock

    async def _bring_up(self) -> None:
        self.process = await self._left_over() if self._has_current_config() else None
        if self.process is not None:
            self.progress(f"{self.title} is still running (process {self.process.pid}): it is used again")
            return
        try:
            await self._launch()
        except _GaveUpError as failure:
            if not self.set_damage_aside(failure.said):
                raise
            await self._launch()

    async def _launch(self) -> None:
        lock = await self.take_lock()
        try:
            self.clear_stale_files()
            write_private(self.config_file, self.config())
            self.launcher.hand_over(self.config_file)
            file = self.data_dir.log_file(self.program)
            said_before = file.stat().st_size if file.exists() else 0
            self.process = EngineProcess.of_child(self.launcher.start(self.command(), file, lock))
        except OSError as error:
            raise EngineError(f"{self.title} cannot be started: {error}") from error
        finally:
            os.close(lock)
        await self._until_ready(self.process, file, said_before)

    def _has_current_config(self) -> bool:
        """Whether a left-over, if there is one, was started with the configuration that it would get now."""
        try:
            return self.config_file.read_text() == self.config()
        except FileNotFoundError:
            return False

    async def _left_over(self) -> EngineProcess | None:
        """The process that an earlier server left running, if it still answers or is about to."""
        give_up = time.monotonic() + SILENCE_PATIENCE_S
        while time.monotonic() < give_up and not self._life.is_free:
            pid = self.written_pid()
            if pid is not None and works_in(pid, self.folder, self.program):
                state = await self.state()
                if state is State.READY:
                    return EngineProcess.of_left_over(pid, self.folder, self.program)
                if state is State.STARTING:
                    give_up = time.monotonic() + SILENCE_PATIENCE_S
            await asyncio.sleep(LOOK_EVERY_S)
        return None

    async def _until_ready(self, process: EngineProcess, file: Path, said_before: int) -> None:
        give_up = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < give_up:
            if await self.state() is State.READY:
                return
            if await process.ended(within_s=LOOK_EVERY_S):
                raise _GaveUpError(self.title, file, _tail(file, said_before))
        raise EngineError(f"{self.title} was not ready after {START_PATIENCE_S:.0f} s. See {file}")

    async def _supervise(self) -> None:
        backoff_s = BACKOFF_FIRST_S
        while self.process is not None:
            began = time.monotonic()
            await self.process.ended()
            log.warning("%s (process %d) has ended: starting it again", self.title, self.process.pid)
            if time.monotonic() - began > LIVED_WELL_S:
                backoff_s = BACKOFF_FIRST_S
            else:
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_LONGEST_S)
            while not await self._has_come_back():
                await asyncio.sleep(backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_LONGEST_S)

    async def _has_come_back(self) -> bool:
        try:
            await self._bring_up()
        except EngineError as error:
            log.error("%s", error)
            return False
        except Exception:  # whatever it is, giving up would be worse
            log.exception("%s cannot be started", self.title)
            return False
        log.warning("%s is back", self.title)
        return True


class _GaveUpError(EngineError):
    """The engine has ended instead of becoming ready."""

    def __init__(self, title: str, file: Path, said: str) -> None:
        super().__init__(f"{title} did not start. It says (in {file}):\n{said}")
        self.said = said


def _tail(file: Path, start: int, lines: int = 8) -> str:
    with suppress(OSError), file.open("rb") as said:
        said.seek(start)
        return "\n".join(said.read().decode(errors="replace").strip().splitlines()[-lines:])
    return "(nothing)"

"""The processes full of bots, as whoever started them sees them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bots.rest import BotError
from bots.tally import Tally, total
from bots.work import GO, LINE_BYTES_MAX, Belongings, Job, Report

ROOT = Path(__file__).resolve().parent.parent
STOP_S = 10.0


class Worker:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.tally = Tally()
        self.belongings: list[Belongings] = []
        self.there = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when its bots are; an error when the process ended before."""
        self.process = process
        self._log = log

    async def listen(self) -> None:
        """Take its reports, to the end, or to one that is none."""
        try:
            stage = await self._reported()
        except ValueError as problem:  # msgspec's own, and a line that is too long
            self.ended.set_exception(BotError(f"a process of bots said what is no report: {problem}"))
        else:
            if stage == "done":
                self.ended.set_result(None)
            else:
                said = " … ".join(self._log.read_text(errors="replace").strip().splitlines()[-5:])
                status = await self.process.wait()
                self.ended.set_exception(BotError(f"a process of bots ended with {status}: {said}"))
        self.there.set()

    async def _reported(self) -> str:
        """The stage of its last report."""
        assert self.process.stdout is not None
        stage = "coming"
        while line := await self.process.stdout.readline():
            report = msgspec.json.decode(line, type=Report)
            stage, self.tally, self.belongings = report.stage, report.tally, report.belongings
            if stage == "there":
                self.there.set()
        return stage

    def tell(self, line: bytes) -> None:
        """Give it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line)

    async def stop(self) -> None:
        """End it: in order, if it goes in time."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(STOP_S):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


class Crew:
    """All processes of one run."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers

    @property
    def tally(self) -> Tally:
        """What all have seen until now."""
        return total(worker.tally for worker in self._workers)

    async def arrive(self) -> None:
        """Wait until everybody is there. Raises BotError when a process has ended."""
        for worker in self._workers:
            await worker.there.wait()
            if worker.ended.done():
                worker.ended.result()

    def go(self) -> None:
        """Begin."""
        for worker in self._workers:
            worker.tell(GO)

    async def done(self) -> list[Belongings]:
        """Wait until all are done; answers what each customer has. Raises BotError when a process fails."""
        ended = [worker.ended for worker in self._workers]
        done, _ = await asyncio.wait(ended, return_when=asyncio.FIRST_EXCEPTION)  # cancels nothing, unlike gather
        for one in done:
            one.result()
        return [one for worker in self._workers for one in worker.belongings]


@asynccontextmanager
async def hired(jobs: Sequence[Job], folder: Path) -> AsyncIterator[Crew]:
    """A process for each job; what they say besides their reports goes to files in `folder`."""
    workers: list[Worker] = []
    listening: list[asyncio.Task[None]] = []
    try:
        for number, job in enumerate(jobs):
            log = folder / f"bots-{number}.log"
            with log.open("wb") as output:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bots.worker"),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=output,
                    cwd=ROOT,
                    limit=LINE_BYTES_MAX,
                    start_new_session=True,  # Ctrl-C is for us: they are ended in order
                )
            workers.append(worker := Worker(process, log))
            listening.append(asyncio.create_task(worker.listen()))
            worker.tell(msgspec.json.encode(job) + b"\n")
        yield Crew(workers)
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers))
        await asyncio.gather(*listening, return_exceptions=True)
        for worker in workers:
            if worker.ended.done():
                worker.ended.exception()

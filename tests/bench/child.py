"""Processes that the bench starts: told what to do in lines, ended by their end of input, killed if need be."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.bench.bot import Broken
from tests.bench.orders import Done, Job, Order, Report

ROOT = Path(__file__).resolve().parents[2]
LINE_BYTES_MAX = 1 << 22
ARRIVE_S = 120.0
ORDER_S = 120.0
"""How long an order may take beyond the seconds that it asks for."""
END_S = 5.0

_report_decoder = msgspec.json.Decoder(Report)


class Child:
    """A process that answers lines with lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def ask(self, line: bytes, within_s: float) -> bytes:
        """Its next line, after this one was said. Raises Broken when it has ended or takes too long."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + b"\n")
        return await self.hear(within_s)

    async def hear(self, within_s: float) -> bytes:
        """Its next line. Raises Broken when it has ended or takes too long."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(within_s):
                answer = await self._process.stdout.readline()
        except TimeoutError:
            raise Broken(f"a process of the bench said nothing for {within_s:.0f} s") from None
        if not answer:
            raise Broken("a process of the bench has ended")
        return answer


@asynccontextmanager
async def child(*command: str) -> AsyncIterator[Child]:
    """A process with a session of its own: Ctrl-C is for us. It is gone when this ends."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        limit=LINE_BYTES_MAX,
        start_new_session=True,
    )
    try:
        yield Child(process)
    except BaseException:
        process.kill()  # it may be in the middle of something long
        raise
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


class Generator:
    """A load generator that is in its place."""

    def __init__(self, process: Child) -> None:
        self.pid = process.pid
        self._process = process

    async def do(self, order: Order, seconds: float = 0.0) -> dict[str, float]:
        """What came of an order that takes so long. Raises Broken."""
        return await self._told(msgspec.json.encode(order), seconds + ORDER_S)

    async def arrive(self, job: Job) -> None:
        """Take its place. Raises Broken."""
        await self._told(msgspec.json.encode(job), ARRIVE_S)

    async def _told(self, line: bytes, within_s: float) -> dict[str, float]:
        report = _report_decoder.decode(await self._process.ask(line, within_s))
        if not isinstance(report, Done):
            raise Broken(report.reason)
        return report.figures


@asynccontextmanager
async def generator(job: Job) -> AsyncIterator[Generator]:
    """A load generator in a process of its own, ready for orders. Raises Broken."""
    async with child(sys.executable, "-m", "tests.bench.generator") as process:
        made = Generator(process)
        await made.arrive(job)
        yield made

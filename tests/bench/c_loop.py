"""The yardstick of fan-out, compiled on the spot: see send_loop.c."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.bench.bot import Broken
from tests.bench.child import Child, Generator, child, generator
from tests.bench.orders import Await, Watchers

SOURCE = Path(__file__).with_name("send_loop.c")
COMPILERS = ("cc", "gcc", "clang")
COMPILE_S = 60.0
ANSWER_S = 30.0
READY = b"ready\n"


class NoCompiler(Exception):
    """This machine has none."""


class SendLoop:
    """A C program that sends to connections that are drained like those of the server."""

    def __init__(self, program: Child, audience: Generator) -> None:
        self._program = program
        self._audience = audience

    async def burst(self) -> tuple[float, float]:
        """One frame to everybody: from the first to the last who had it, and the loop by its own clock; both ms.

        Raises:
            Broken: not everybody could be sent the whole frame.
        """
        took_ns, left_over = (await self._program.ask(b"", ANSWER_S)).split()
        if int(left_over):
            raise Broken(f"{int(left_over)} sends of the C loop were not taken whole")
        return (await self._audience.do(Await(ANSWER_S)))["span_ms"], int(took_ns) / 1e6


@asynccontextmanager
async def send_loop(connections: int, frame_bytes: int) -> AsyncIterator[SendLoop]:
    """The program with its audience.

    Raises:
        NoCompiler
        Broken: it does not compile, or does not start.
    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="usher-bench-"))
        program = Path(folder) / "send_loop"
        await _compile(program)
        process = await stack.enter_async_context(child(str(program), str(connections), str(frame_bytes)))
        port = int(await process.hear(ANSWER_S))
        job = Watchers("127.0.0.1", port, "", connections, is_bare=True)
        audience = await stack.enter_async_context(generator(job))
        if await process.hear(ANSWER_S) != READY:
            raise Broken("the C loop does not begin")
        yield SendLoop(process, audience)


async def _compile(program: Path) -> None:
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise NoCompiler
    command = (compiler, "-O2", "-o", str(program), str(SOURCE))
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(COMPILE_S):
        _, said = await process.communicate()
    if process.returncode != 0:
        raise Broken(f"the C loop does not compile: {said.decode(errors='replace')[-300:]}")

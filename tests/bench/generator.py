"""The load generator, a process of its own: `python -m tests.bench.generator`.

It reads lines of JSON, a job and then orders (see `orders`), and writes a report for each. It ends with its input:
whoever started it need not be there to end it.
"""

import asyncio
import signal
import sys
from typing import Protocol

import msgspec
import uvloop

from server.door.open_files import raise_open_files_limit
from tests.bench.bot import Broken
from tests.bench.crowd import SocketCrowd
from tests.bench.http_crowd import HttpCrowd, Reading, Reserving
from tests.bench.orders import Bots, Done, Failed, Job, Order, Report, RestBots, Watchers
from tests.bench.watching import WatchingCrowd

LINE_BYTES_MAX = 1 << 22

_job_decoder = msgspec.json.Decoder(Job)
_order_decoder = msgspec.json.Decoder(Order)


class Worker(Protocol):
    """Those who carry the orders out."""

    async def arrive(self) -> None:
        """Be there."""

    async def do(self, order: Order) -> dict[str, float]:
        """Carry an order out."""

    def leave(self) -> None:
        """Be gone, at once."""


def worker_of(job: Job) -> Worker:
    """Whoever can do this job."""
    if isinstance(job, Bots):
        return SocketCrowd(job)
    if isinstance(job, Watchers):
        return WatchingCrowd(job)
    return HttpCrowd(Reserving(job) if isinstance(job, RestBots) else Reading(job))


async def run() -> None:
    """Take the job and the orders from standard input, to its end."""
    raise_open_files_limit()
    loop, lines = asyncio.get_running_loop(), asyncio.StreamReader(limit=LINE_BYTES_MAX)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    worker = worker_of(_job_decoder.decode(await lines.readline()))
    try:
        await worker.arrive()
        _say(Done({}))
        while line := await lines.readline():
            _say(Done(await worker.do(_order_decoder.decode(line))))
    except* (Broken, OSError, TimeoutError) as problems:
        _say(Failed("; ".join(dict.fromkeys(f"{type(one).__name__}: {one}" for one in problems.exceptions))))
    finally:
        worker.leave()


def _say(report: Report) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Run to the end of the input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever gives the orders
    uvloop.run(run())


if __name__ == "__main__":
    main()

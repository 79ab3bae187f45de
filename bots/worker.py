"""A process full of bots: `python -m bots.worker`. It ends with its input, whoever started it."""

import asyncio
import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import aiohttp
import msgspec
import uvloop

from bots import open_files
from bots.answer_file import AnswerFile
from bots.behaviours import BEHAVIOURS
from bots.bot import Bot
from bots.memory import own_memory_bytes
from bots.rest import BotError, Diverged, Rest, ServerAway
from bots.sale import Sale
from bots.work import GO, LINE_BYTES_MAX, Belongings, Job, Report

REPORT_S = 0.5
REQUEST_S = 60.0
ANEW_S = 1.0
"""How long a bot keeps away that was shown a broken promise."""


Tell = Callable[[Report], None]


async def work(orders: asyncio.StreamReader, tell: Tell) -> None:
    """Read the job, do it, report all the while."""
    job = msgspec.json.decode(await orders.readline(), type=Job)
    async with AsyncExitStack() as stack:
        connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=REQUEST_S)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, timeout=timeout))
        answers = None if job.answers is None else stack.enter_context(AnswerFile.open(Path(job.answers)))
        sale = Sale(job.terms, Rest(http, job.url), answers, min(len(job.behaviours), len(job.customers)))
        bots = [
            Bot(sale, number, customer, random.Random(f"{job.seed}/{number}"))
            for number, customer in zip(count(job.first, job.step), job.customers, strict=False)
        ]
        reporting = asyncio.create_task(_report(sale, tell))
        stack.callback(reporting.cancel)
        starting = asyncio.create_task(_start(orders, tell, sale, job.duration_s))
        stack.callback(starting.cancel)
        line = iter(bots)
        async with asyncio.TaskGroup() as group:
            for name in job.behaviours:
                group.create_task(_serve(line, name))
    tell(Report("done", sale.tally, [_belongings(bot) for bot in bots]))


async def _start(orders: asyncio.StreamReader, tell: Tell, sale: Sale, duration_s: float | None) -> None:
    await sale.everybody_is_there.wait()
    tell(Report("there", sale.tally))
    if await orders.readline() == GO:
        sale.begun.set()
        if duration_s is not None:
            asyncio.get_running_loop().call_later(duration_s, sale.over.set)


async def _serve(line: Iterator[Bot], behaviour: str) -> None:
    for bot in line:
        await _live(bot, behaviour)


async def _live(bot: Bot, behaviour: str) -> None:
    """Behave to the end, whatever happens. A map that was wrong is dropped, and the bot begins anew."""
    behave = BEHAVIOURS[behaviour]
    while True:
        try:
            await behave(bot)
            if not bot.has_been_compared:
                async with bot.visit():
                    return
            return
        except Diverged as problem:
            bot.sale.tally.diverged(str(problem))
        except (BotError, ServerAway) as problem:
            bot.sale.tally.broke(f"{type(problem).__name__}: {problem}")
        bot.sale.does_not_wait(bot.customer.name)
        bot.forget()
        if not bot.sale.begun.is_set() or not await bot.thinks(ANEW_S):
            return


async def _report(sale: Sale, tell: Tell) -> None:
    while True:
        sale.tally.memory_bytes = own_memory_bytes()
        tell(Report("coming", sale.tally))
        await asyncio.sleep(REPORT_S)


def _belongings(bot: Bot) -> Belongings:
    account = bot.account
    return Belongings(
        bot.customer.name, account.bought, list(account.held), account.held_until_ms, bot.standing.turns
    )


def _tell(report: Report) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.buffer.flush()


async def _until_input_ends() -> None:
    """Work; when the input ends, or the process is told to end, what is under way is broken off in order."""
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    working = asyncio.create_task(work(orders, _tell))

    class Input(asyncio.StreamReaderProtocol):
        def eof_received(self) -> bool | None:
            working.cancel()
            return super().eof_received()

    await loop.connect_read_pipe(lambda: Input(orders), sys.stdin.buffer)
    with contextlib.suppress(asyncio.CancelledError):
        await working


def main() -> None:
    """The process."""
    open_files.raise_limit()
    uvloop.run(_until_input_ends())


if __name__ == "__main__":
    main()

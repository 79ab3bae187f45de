"""Those who hold and release and never buy: load for its own sake."""

import asyncio
import time

from bots.bot import Bot
from protocol.inbound import Command, HoldSeats, ReleaseSeats
from protocol.outbound import Accepted

SEATS = 2


async def hold_and_release(bot: Bot) -> None:
    """Hold two seats, release them, again at once: as fast as answers come."""
    async with bot.visit():
        while bot.is_on:
            if isinstance(await bot.hold(bot.any_seats(SEATS)), Accepted):
                await bot.release()


async def keep_a_pace(bot: Bot) -> None:
    """The same at a pace. A command that is due while an answer is awaited waits, and that counts as its wait."""
    interval_s = bot.sale.terms.pace_interval_s
    async with bot.visit() as socket:
        due = time.perf_counter() + interval_s * bot.dice.random()
        while bot.is_on:
            await asyncio.sleep(due - time.perf_counter())
            command: Command = HoldSeats(socket.new_id(), bot.any_seats(SEATS))
            if bot.account.held:
                command = ReleaseSeats(socket.new_id(), ())
            await socket.ask(command, due)
            due += interval_s

"""Those who are there and buy nothing: they watch, sit on seats, or come and go."""

import asyncio

from bots.bot import Bot
from protocol.limits import SEATS_PER_COMMAND_MAX

LOOK_S = 10.0
FIRST_S = 0.5
SIT_S = 45.0
TRAIN_S = 1.0
STAY_S, AWAY_S = 2.0, 8.0
EXTEND = 0.5


async def browse(bot: Bot) -> None:
    """Only watch; compare the map now and then."""
    async with bot.visit():
        while await bot.thinks(LOOK_S):
            await bot.compare()


async def hoard(bot: Bot) -> None:
    """Hold as many seats as one may have, or ask for in one go, for long, and buy none."""
    async with bot.visit():
        while await bot.thinks(FIRST_S):
            await bot.hold(bot.free_seats(min(bot.room, SEATS_PER_COMMAND_MAX)) or bot.any_seats(1))
            if await bot.thinks(SIT_S) and bot.chance(EXTEND):
                await bot.extend()
                await bot.thinks(SIT_S)
            await bot.release()


async def quit_often(bot: Bot) -> None:
    """Hold seats and vanish without a word; the hold is there at the next visit."""
    while bot.is_on:
        async with bot.visit(vanishes=True):
            await bot.release()
            await bot.hold(bot.free_seats(2) or bot.any_seats(1))
            await bot.thinks(STAY_S)
        await bot.thinks(AWAY_S)


async def lose_connection(bot: Bot) -> None:
    """Lose the connection with a command under way, resume, hear its answer, and compare the map."""
    async with bot.visit() as socket:
        while await bot.thinks(TRAIN_S):
            command = bot.release() if bot.account.held else bot.hold(bot.any_seats(2))
            asking = asyncio.ensure_future(command)
            await asyncio.sleep(0)
            socket.cut()
            await asking
            await bot.compare()

"""Those who stand in line for an event with a waiting room, have a turn now and then, and stand in line again."""

from bots import line_by_rest
from bots.bot import Bot
from protocol.outbound import Accepted

THINK_S = 0.3
REST_S = 2.0
PATIENCE_S = 8.0
STAY_S, AWAY_S = 2.0, 4.0
PUSH_S = 1.0
PAY, KEEP_LOOKING = 0.7, 0.2
SEATS_MAX = 4


async def queue_up(bot: Bot) -> None:
    """Stand in line to the end, and shop."""
    async with bot.visit():
        while await bot.thinks(REST_S):
            await bot.join()
            if await bot.turn():
                await _shop(bot)


async def give_up(bot: Bot) -> None:
    """Stand in line, and leave it when it takes too long."""
    async with bot.visit():
        while await bot.thinks(REST_S):
            await bot.join()
            if await bot.turn(bot.dice.expovariate(1 / PATIENCE_S)):
                await _shop(bot)
            elif bot.is_on:
                await bot.leave()


async def vanish(bot: Bot) -> None:
    """Stand in line, or shop, close the tab, and come back: the place is there, and so is the hold."""
    while bot.is_on:
        async with bot.visit(vanishes=True):
            if not bot.standing.is_inside:
                await bot.join()
            if await bot.turn(STAY_S):
                await (_shop(bot) if bot.account.held else _hold(bot))
        await bot.thinks(AWAY_S)


async def ask_by_rest(bot: Bot) -> None:
    """Stand in line without a socket, and ask when the server says; come in when the turn has come."""
    sale, customer = bot.sale, bot.customer
    await sale.begin(customer.name)
    while await bot.thinks(REST_S):
        told, again_s = await line_by_rest.join(sale.rest, sale.terms.event_id, customer)
        bot.line(told)
        while bot.standing.is_in_line and await bot.waits(again_s):
            told, again_s = await line_by_rest.place(sale.rest, sale.terms.event_id, customer)
            bot.line(told)
        if bot.is_on and bot.standing.is_inside:
            async with bot.visit():
                await _shop(bot)


async def push_in(bot: Bot) -> None:
    """Try to get seats without waiting for the turn, standing in line or not."""
    async with bot.visit():
        while await bot.thinks(PUSH_S):
            if bot.chance(0.5):
                await bot.join()
            await bot.hold(bot.free_seats(2) or bot.any_seats(1))
            await bot.hold_best(1)
            await bot.extend()
            await bot.pay()
            await bot.leave()


async def _shop(bot: Bot) -> None:
    """What somebody does whose turn it is: hold, think, and buy or leave."""
    while bot.room < 1 and bot.account.orders:
        await bot.give_back()
    wants_it = await _hold(bot) and await bot.thinks(THINK_S) and bot.chance(PAY)
    if not wants_it or not isinstance(await bot.pay(), Accepted):
        await bot.leave()


async def _hold(bot: Bot) -> bool:
    if bot.account.held:
        return True
    count = bot.dice.randint(1, max(1, min(SEATS_MAX, bot.room)))
    await bot.thinks(THINK_S)
    seats = bot.free_seats(count)
    if not seats or bot.chance(KEEP_LOOKING):
        return isinstance(await bot.hold_best(count), Accepted)
    return isinstance(await bot.hold(seats), Accepted)

"""Those who mean it: they look, hold, change their minds, pay, and some give their tickets back."""

from bots.bot import Bot
from bots.sell_out import buy_all
from bots.shop import shop

THINK_S = 0.35
GIVE_BACK, PAY, DECLINED, CHANGE_ONE, KEEP_LOOKING = 0.1, 0.15, 0.05, 0.3, 0.2
SEATS_MAX = 4


async def buy(bot: Bot) -> None:
    """All the way to the tickets, with time to think before each step."""
    async with bot.visit():
        while await bot.thinks(THINK_S):
            if bot.account.held:
                await _decide(bot)
            elif bot.account.orders and (bot.room < 1 or bot.chance(GIVE_BACK)):
                await bot.give_back()
            else:
                await _choose(bot)


async def _choose(bot: Bot) -> None:
    count = bot.dice.randint(1, min(SEATS_MAX, bot.room))
    seats = bot.free_seats(count)
    if not seats or bot.chance(KEEP_LOOKING):
        await bot.hold_best(count)
    else:
        await bot.hold(seats)


async def _decide(bot: Bot) -> None:
    if bot.chance(PAY):
        await bot.pay("decline" if bot.chance(DECLINED) else "card")
    elif bot.chance(CHANGE_ONE):
        await bot.release(bot.account.held[:1])
    else:
        await bot.release()


async def shop_around(bot: Bot) -> None:
    """Hold, add, extend, release, pay and cancel without a pause, all on few seats."""
    async with bot.visit() as socket:
        await shop(socket, range(bot.sale.terms.few_seats), bot.sale.terms.limit, bot.sale.over)


async def sell_out(bot: Bot) -> None:
    """Buy until this customer may have no more, or nothing is left."""
    async with bot.visit() as socket:
        await buy_all(socket, bot.sale.terms.limit)

"""A few seats that everybody wants in the same moment."""

from bots.bot import Bot
from protocol.codes import Code
from protocol.outbound import Rejected


async def race(bot: Bot) -> None:
    """Ask for one of the hot seats as soon as the sale begins. Who loses is told which seat was taken."""
    seats = bot.sale.terms.hot_seats
    async with bot.visit():
        seat = seats[bot.number % len(seats)]
        answer = await bot.hold((seat,))
        if isinstance(answer, Rejected) and (answer.code is not Code.SEAT_TAKEN or answer.seats != (seat,)):
            bot.sale.tally.broke(f"who lost seat {seat} was answered {answer}")

"""One customer in the waiting room: what is told of the line is checked and counted as it comes."""

import asyncio

from bots.sale import Sale
from bots.standing import Standing
from protocol.outbound import LineNow, QueueNow


class InLine:
    """The place of one customer in line, if the event has a waiting room."""

    def __init__(self, sale: Sale, customer: str) -> None:
        self.standing = Standing(customer)
        self._sale = sale
        self._told = asyncio.Event()
        self._ends = 0

    def hear(self, news: QueueNow | LineNow, now_ms: float, ends: int = 0) -> None:
        """The server has told this, by its clock at `now_ms`, on a socket whose connection had ended so often."""
        if not self._sale.terms.slots:
            return
        standing, tally = self.standing, self._sale.tally
        if ends > self._ends:
            standing.goes_away(now_ms)
        self._ends = ends
        was_in_line, was_inside = standing.is_in_line, standing.is_inside
        wrong = standing.take(news, now_ms) if isinstance(news, QueueNow) else standing.take_line(news)
        if wrong is not None:
            tally.broke(wrong)
        tally.waiting += standing.is_in_line - was_in_line
        tally.inside += standing.is_inside - was_inside
        tally.turns += standing.is_inside and not was_inside
        self._told.set()

    async def turn(self) -> None:
        """Wait to be told that the turn has come."""
        while not self.standing.is_inside:
            self._told.clear()
            await self._told.wait()

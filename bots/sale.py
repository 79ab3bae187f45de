"""What the bots of one process share: the event, when it begins and ends, and the books of what they were told."""

import asyncio

from msgspec import Struct

from bots.answer_file import AnswerFile
from bots.rest import Rest
from bots.tally import Tally
from bots.watched_map import Pictures

CONNECTS_AT_ONCE = 32


class Terms(Struct, frozen=True):
    """What a bot has to know of a sale.

    limit: tickets a customer
    hot_seats: those that all race for
    few_seats: a small part of the hall, for those who are to get into each other's way
    pace_interval_s: time between two commands of a bot that keeps a pace
    slots: how many may be inside at one time; 0: there is no waiting room
    """

    event_id: str
    limit: int
    seat_count: int
    hot_seats: list[int]
    few_seats: int
    pace_interval_s: float
    slots: int = 0


class Sale:
    """One sale. `expected` bots are to be there before it begins."""

    def __init__(self, terms: Terms, rest: Rest, answers: AnswerFile | None, expected: int) -> None:
        self.terms = terms
        self.rest = rest
        self.answers = answers
        self.tally = Tally()
        self.pictures = Pictures()
        self.door = asyncio.Semaphore(CONNECTS_AT_ONCE)
        self.everybody_is_there = asyncio.Event()
        self.begun = asyncio.Event()
        self.over = asyncio.Event()
        self._expected = expected
        self._there: set[str] = set()

    async def begin(self, customer: str) -> None:
        """This customer is there: wait until all are, and the sale begins."""
        self.does_not_wait(customer)
        await self.begun.wait()

    def does_not_wait(self, customer: str) -> None:
        """Nobody has to wait for this customer."""
        self._there.add(customer)
        self.tally.arrived = len(self._there)
        if len(self._there) >= self._expected:
            self.everybody_is_there.set()

"""Shoppers on a server that is being maltreated, and what they were told."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp

from bots.account import Account, accounts
from bots.answer_log import Answered, AnswerLog
from bots.event_socket import EventSocket
from bots.rest import Customer, Rest
from bots.shop import shop
from bots.steady_socket import SteadySocket
from protocol.outbound import Accepted

COLDPLAY = "550e8400-e29b-41d4-a716-446655440202"
LIMIT = 6
SEAT_COUNT = 3_750
CALM_S = 30.0
"""How long anything may take before a test gives up."""


class Crowd:
    """Customers who shop on few seats until `finish`. What they were told is in `log`, and in a file."""

    def __init__(
        self,
        urls: Sequence[str],
        customers: Sequence[Customer],
        log_file: Path,
        *,
        seats: int = 150,
        answer_s: float = CALM_S,
    ) -> None:
        self.customers = customers
        self.log = AnswerLog(log_file)
        self.http: aiohttp.ClientSession
        self.seats = range(seats)
        self._urls = urls
        self._answer_s = answer_s
        self._stop = asyncio.Event()
        self._stack = AsyncExitStack()
        self._shoppers: list[asyncio.Task[None]] = []
        self.sockets: list[SteadySocket] = []

    async def __aenter__(self) -> Self:
        self._stack.enter_context(self.log)
        timeout = aiohttp.ClientTimeout(total=self._answer_s)
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout)
        self.http = await self._stack.enter_async_context(session)
        doors = [Rest(self.http, url) for url in self._urls]
        for number, customer in enumerate(self.customers):
            dice = random.Random(number)
            self.sockets.append(
                SteadySocket(
                    doors,
                    COLDPLAY,
                    customer.session_id,
                    customer.name,
                    self.log,
                    dice,
                    answer_s=self._answer_s,
                )
            )
        for socket in self.sockets:
            await self._stack.enter_async_context(socket)
        self._shoppers = [
            asyncio.create_task(shop(socket, self.seats, LIMIT, self._stop)) for socket in self.sockets
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for shopper in self._shoppers:
            shopper.cancel()
        await asyncio.gather(*self._shoppers, return_exceptions=True)
        await self._stack.aclose()

    @property
    def rest(self) -> Rest:
        """The server that the first customer is at."""
        return self.sockets[0].rest

    @property
    def close_codes(self) -> Counter[int | None]:
        """How connections were ended."""
        return sum((socket.close_codes for socket in self.sockets), Counter())

    async def accepted(self, count: int, within_s: float = CALM_S) -> None:
        """Wait until so many commands more were accepted."""
        await self._until(self.log.accepted + count, within_s)

    async def _until(self, accepted: int, within_s: float) -> None:
        try:
            async with asyncio.timeout(within_s):
                while self.log.accepted < accepted:
                    self.log.heard.clear()
                    await self.log.heard.wait()
                    self._raise_failures()
        except TimeoutError:
            raise AssertionError(f"{accepted - self.log.accepted} answers are missing after {within_s} s") from None

    def _raise_failures(self) -> None:
        for shopper in self._shoppers:
            if shopper.done() and not shopper.cancelled() and (problem := shopper.exception()) is not None:
                raise problem

    async def finish(self) -> None:
        """Have everybody stop shopping, once all that was asked is answered; compare everybody's map."""
        self._stop.set()
        async with asyncio.timeout(2 * CALM_S):
            await asyncio.gather(*self._shoppers)
            await asyncio.gather(*(socket.check_map() for socket in self.sockets))
            async with EventSocket(self.rest, COLDPLAY) as fresh:
                await fresh.open()
                for socket in self.sockets:
                    assert socket.map.states == fresh.map.states

    async def ask_again(self, share: float = 0.05) -> int:
        """Send commands that were accepted long ago once more: each gets the answer that it got; how many."""
        dice = random.Random(1)
        by_name = {socket.customer: socket for socket in self.sockets}
        again = [one for one in self.log.answered if isinstance(one.answer, Accepted) and dice.random() < share]
        for entry in again:
            answer = await by_name[entry.customer].ask(entry.command)
            assert answer == entry.answer, f"{entry.command} had another answer: {entry.answer}, {answer}"
        return len(again)

    async def is_all_there(self) -> int:
        """By REST: sessions, holds and orders are those that the answers speak of; how many customers it were."""
        known = accounts(self.log)
        ours = [customer for customer in self.customers if customer.name in known]
        await asyncio.gather(*(self._has(customer, known[customer.name]) for customer in ours))
        return len(ours)

    async def _has(self, customer: Customer, account: Account) -> None:
        session_id, rest = customer.session_id, self.rest
        status, me = await rest.patiently("GET", "/auth/me", session_id=session_id)
        assert (status, me["data"]["id"]) == (200, customer.name)
        _, reservation = await rest.patiently("GET", "/seats/reservation", session_id=session_id)
        held = [int(seat["id"]) for seat in (reservation["data"] or {"seats": []})["seats"]]
        assert sorted(held) == sorted(account.held)
        _, orders = await rest.patiently("GET", "/checkout/orders", session_id=session_id)
        completed = {order["id"] for order in orders["data"] if order["status"] == "completed"}
        assert completed == account.orders.keys()

    def silence_s(self, since: float) -> float:
        """The longest time from then on in which no command was accepted."""
        times = [since] + [
            one.at_s
            for one in self.log.entries
            if isinstance(one, Answered) and isinstance(one.answer, Accepted) and one.at_s >= since
        ]
        return max((later - earlier for earlier, later in pairwise(times)), default=0.0)


def now_s() -> float:
    """The clock of the log."""
    return time.monotonic()

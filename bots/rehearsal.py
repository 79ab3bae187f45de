"""A rehearsal of a sale: customers sign up and buy; what they were told is compared at the end."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from rich.progress import Progress, TaskID

from bots.account import accounts
from bots.answer_log import AnswerLog
from bots.event_socket import EventSocket
from bots.own_data import Customer
from bots.promises import broken_promises
from bots.rest import BotError, Rest, ServerAway
from bots.sell_out import buy_all
from bots.shop import shop
from bots.steady_socket import SteadySocket
from protocol.inbound import Checkout
from protocol.outbound import Accepted
from protocol.seat_state import SeatState

SIGN_UPS_AT_ONCE = 8
SEATS_PER_SHOPPER = 3
"""Few seats for many shoppers: they are to get into each other's way."""
PASSWORD = "a bot's password"  # noqa: S105  (accounts of bots, on a server under test)
SHOW_EVERY_S = 0.5


class NoSale(Exception):
    """There is nothing to rehearse: no server, no such event, or it is not on sale."""


class Summary(Struct):
    """What was done, how fast, and which promises were broken."""

    event: str
    seats: int
    customers: int
    bots: int
    seconds: float
    seats_sold: int
    orders: int
    orders_per_s: float
    commands: int
    commands_per_s: float
    answered_p50_ms: float
    answered_p99_ms: float
    sent_again: int
    maps_compared: int
    refusals: dict[str, int]
    broken: list[str]
    is_audited: bool = False


class Rehearsal:
    """One run of `bots` customers at the same time against one event."""

    def __init__(self, rest: Rest, event_id: str, bots: int, seed: int, log: AnswerLog, progress: Progress) -> None:
        self.log = log
        self._rest = rest
        self._event_id = event_id
        self._bots = bots
        self._seed = seed
        self._progress = progress
        self._event: dict[str, Any] = {}
        self._maps_compared = 0

    async def sell_out(self, customers: Sequence[Customer] | None = None) -> Summary:
        """Sell every seat that is available; without `customers`, as many as it takes sign up."""
        event = await self._find()
        limit = event["max_tickets_per_user"]
        if customers is None:
            customers = await self._sign_up(math.ceil(event["available_seats"] / limit) + 1)
        async with EventSocket(self._rest, self._event_id) as watcher:
            await watcher.open()
            before = watcher.map.states

            async def buy(socket: SteadySocket) -> None:
                await socket.opened()
                await buy_all(socket, limit)
                await socket.check_map()

            took_s = await self._all(customers, buy, "seats sold", len(before))
            await watcher.check_map()
            self._maps_compared += 1
            broken = broken_promises(self.log, limit)
            broken += _not_sold(before, watcher.map.states, self.log)
        return self._summary(len(before), len(customers), took_s, broken)

    async def shop(self, seconds: float, customers: Sequence[Customer] | None = None) -> Summary:
        """Shop for so many seconds, on few seats; what is held at the end stays held."""
        event = await self._find()
        limit = event["max_tickets_per_user"]
        seats = range(min(event["total_capacity"], SEATS_PER_SHOPPER * self._bots))
        if customers is None:
            customers = await self._sign_up(self._bots)
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, stop.set)

        async def go_shopping(socket: SteadySocket) -> None:
            await socket.opened()
            await shop(socket, seats, limit, stop)
            await socket.check_map()

        took_s = await self._all(customers[: self._bots], go_shopping, "seats bought", None)
        broken = broken_promises(self.log, limit)
        return self._summary(event["total_capacity"], len(customers), took_s, broken)

    async def _find(self) -> dict[str, Any]:
        try:
            status, envelope = await self._rest.patiently("GET", f"/events/{self._event_id}", patience_s=2)
        except ServerAway as problem:
            raise NoSale(f"no server there: {problem}") from problem
        if status != 200:
            raise NoSale(f"event {self._event_id}: {envelope.get('error')}")
        self._event = envelope["data"]
        if self._event["status"] != "on_sale":
            raise NoSale(f"{self._event['name']} is not on sale: {self._event['status']}")
        return self._event

    async def _sign_up(self, count: int) -> list[Customer]:
        shown = self._progress.add_task("accounts", total=count)
        turn = asyncio.Semaphore(SIGN_UPS_AT_ONCE)
        run = f"{self._seed}-{time.time_ns():x}"

        async def one(number: int) -> Customer:
            name = f"bot-{number}"
            async with turn:
                session_id = await self._rest.sign_up(f"{name}-{run}@bots.example", PASSWORD, name)
            self._progress.advance(shown)
            return Customer(name, session_id)

        return await asyncio.gather(*(one(number) for number in range(count)))

    async def _all(
        self,
        customers: Sequence[Customer],
        behave: Callable[[SteadySocket], Awaitable[None]],
        title: str,
        total: int | None,
    ) -> float:
        """Have all customers behave, as many at a time as there are bots; answers how long it took, s."""
        shown = self._progress.add_task(title, total=total)
        line = iter(customers)
        began = time.monotonic()
        showing = asyncio.create_task(self._show(shown))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._bots, len(customers))):
                    group.create_task(self._serve(line, behave))
        except* (BotError, ServerAway) as problems:
            raise _first(problems) from None
        finally:
            showing.cancel()
            self._progress.update(shown, completed=self.log.seats_bought)
        return self.log.last_at_s - began

    async def _serve(self, line: Iterator[Customer], behave: Callable[[SteadySocket], Awaitable[None]]) -> None:
        for customer in line:
            name, dice = customer.name, random.Random(f"{self._seed}/{customer.name}")
            async with SteadySocket(
                [self._rest], self._event_id, customer.session_id, name, self.log, dice
            ) as socket:
                await behave(socket)
                self._maps_compared += 1

    async def _show(self, shown: TaskID) -> None:
        while True:
            await asyncio.sleep(SHOW_EVERY_S)
            self._progress.update(shown, completed=self.log.seats_bought)

    def _summary(self, seats: int, customers: int, took_s: float, broken: list[str]) -> Summary:
        log, answered = self.log, self.log.answered
        orders = sum(isinstance(one.command, Checkout) and isinstance(one.answer, Accepted) for one in answered)
        return Summary(
            event=self._event["name"],
            seats=seats,
            customers=customers,
            bots=min(self._bots, customers),
            seconds=round(took_s, 2),
            seats_sold=_sold(log),
            orders=orders,
            orders_per_s=round(orders / took_s, 1),
            commands=len(answered),
            commands_per_s=round(len(answered) / took_s, 1),
            answered_p50_ms=log.took_ms(0.5),
            answered_p99_ms=log.took_ms(0.99),
            sent_again=log.sent_again,
            maps_compared=self._maps_compared,
            refusals=dict(log.refusals),
            broken=broken,
        )


def _sold(log: AnswerLog) -> int:
    return sum(len(account.bought) for account in accounts(log).values())


def _not_sold(before: bytes, after: bytes, log: AnswerLog) -> list[str]:
    """Seats that were available and are not sold, or are not shown as sold to those who bought them."""
    bought = {seat for account in accounts(log).values() for seat in account.bought}
    to_sell = (seat for seat, state in enumerate(before) if state == SeatState.AVAILABLE)
    left = [seat for seat in to_sell if after[seat] != SeatState.SOLD]
    hidden = [seat for seat in bought if after[seat] != SeatState.SOLD]
    broken = []
    if left:
        broken.append(f"{len(left)} seats were not sold, {left[:5]} among them")
    if hidden:
        broken.append(f"{len(hidden)} seats were bought and are not shown as sold, {hidden[:5]} among them")
    return broken


def _first(problems: BaseExceptionGroup[BotError | ServerAway]) -> BotError | ServerAway:
    first = problems.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first

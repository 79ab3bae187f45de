"""One customer with what a behaviour needs: a socket, think times, and books of what it was told.

Every answer is checked as it comes, and written to the answer file for the audit.
"""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from bots.account import Account
from bots.in_line import InLine
from bots.promises import HOLD_END_SLACK_S, is_right_for
from bots.rest import Customer
from bots.sale import Sale
from bots.standing import Standing
from bots.steady_socket import SteadySocket
from bots.watched_map import WatchedMap
from protocol.codes import Code
from protocol.inbound import (
    Checkout,
    Command,
    ExtendHold,
    HoldBest,
    HoldSeats,
    JoinQueue,
    LeaveQueue,
    ReleaseSeats,
)
from protocol.outbound import Accepted, LineNow, QueueNow, Rejected
from protocol.seat_state import SeatState

FREE = bytes((SeatState.AVAILABLE,))
FOR_THOSE_INSIDE = HoldSeats | HoldBest | ExtendHold | Checkout


class Bot:
    """One customer. It is the listener of its own sockets."""

    def __init__(self, sale: Sale, number: int, customer: Customer, dice: random.Random) -> None:
        self.sale = sale
        self.number = number
        self.customer = customer
        self.dice = dice
        self.account = Account()
        self._in_line = InLine(sale, customer.name)
        self.has_been_compared = True
        """Was everything compared at the end of its last visit? True, too, for who was never there."""
        self._map: WatchedMap | None = None
        self._socket: SteadySocket | None = None
        self._last_socket: SteadySocket | None = None
        self._asked_again = False
        """Was the command that is under way sent more than once?"""
        self._sent_again = 0

    @property
    def is_on(self) -> bool:
        """Does the sale go on?"""
        return not self.sale.over.is_set()

    @property
    def room(self) -> int:
        """How many seats more this customer may have."""
        return self.sale.terms.limit - len(self.account.held) - len(self.account.bought)

    @property
    def standing(self) -> Standing:
        """Where this customer stands in line."""
        return self._in_line.standing

    @property
    def socket(self) -> SteadySocket:
        """The socket of the visit that is going on."""
        assert self._socket is not None
        return self._socket

    @asynccontextmanager
    async def visit(self, *, vanishes: bool = False) -> AsyncIterator[SteadySocket]:
        """Watch and shop. Who comes again resumes from its map, and must find its hold.

        At the end, map and hold are compared with what the server says; who `vanishes` breaks off without a word.

        Raises:
            BotError: the server has broken a promise.
        """
        is_back, self.has_been_compared = self._map is not None, False
        async with self._new_socket() as socket:
            try:
                async with self.sale.door:
                    await socket.opened()
                self._socket = socket
                self.sale.tally.visiting += 1
                await self.sale.begin(self.customer.name)
                if is_back:
                    await self._compare_hold()
                yield socket
                if vanishes:
                    socket.cut()
                else:
                    async with self.sale.door:  # all come to their end in the same moment
                        await self._compare_hold()
                        await self.compare()
                    self.has_been_compared = True
                self._map = socket.map.parted()
            finally:
                self.standing.goes_away(self._now_ms())
                self._count_resumes(socket)
                self.sale.tally.visiting -= self._socket is not None
                self._socket = None

    def _new_socket(self) -> SteadySocket:
        self._last_socket = SteadySocket(
            [self.sale.rest],
            self.sale.terms.event_id,
            self.customer.session_id,
            self.customer.name,
            self,
            self.dice,
            seat_map=self._map,
            pictures=self.sale.pictures,
        )
        return self._last_socket

    def forget(self) -> None:
        """Begin anew, without a map."""
        self._map = None

    async def compare(self) -> None:
        """Compare the map with a snapshot. Raises BotError when they differ."""
        await self.socket.check_map()
        self.sale.tally.maps_compared += 1
        self._count_resumes(self.socket)

    async def thinks(self, mean_s: float) -> bool:
        """Wait for a while, shorter or longer than this, but no longer than the sale. Does it go on?"""
        return await self.waits(self.dice.expovariate(1 / mean_s))

    async def waits(self, seconds: float) -> bool:
        """Wait for so long, but no longer than the sale. Does it go on?"""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.sale.over.wait()
        return self.is_on

    async def unless_over(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this to its end, or to that of the sale."""
        task, end = asyncio.ensure_future(work), asyncio.ensure_future(self.sale.over.wait())
        try:
            await asyncio.wait((task, end), return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            for one in (task, end):
                one.cancel()
            await asyncio.gather(task, end, return_exceptions=True)

    def chance(self, share: float) -> bool:
        """True in this share of all cases."""
        return self.dice.random() < share

    def any_seats(self, count: int) -> tuple[int, ...]:
        """So many seats of the event, free or not."""
        seat_count = self.sale.terms.seat_count
        return tuple(self.dice.sample(range(seat_count), min(count, seat_count)))

    def free_seats(self, count: int) -> tuple[int, ...]:
        """So many seats beside each other that the map shows as free, rather in front than behind; none: ()."""
        states, wanted = self.socket.map.states, FREE * count
        at = states.find(wanted, int(self.dice.random() ** 3 * len(states)))
        if at < 0:
            at = states.find(wanted)
        return tuple(range(at, at + count)) if at >= 0 else ()

    async def hold(self, seats: tuple[int, ...]) -> Accepted | Rejected:
        """Hold these seats, too."""
        return await self._ask(HoldSeats(self.socket.new_id(), seats))

    async def hold_best(self, count: int) -> Accepted | Rejected:
        """Hold the best seats that the server finds."""
        return await self._ask(HoldBest(self.socket.new_id(), count))

    async def release(self, seats: tuple[int, ...] = ()) -> Accepted | Rejected:
        """Give seats back, or all."""
        return await self._ask(ReleaseSeats(self.socket.new_id(), seats))

    async def extend(self) -> Accepted | Rejected:
        """Hold for longer."""
        return await self._ask(ExtendHold(self.socket.new_id()))

    async def pay(self, method: str = "card") -> Accepted | Rejected:
        """Buy what is held."""
        return await self._ask(Checkout(self.socket.new_id(), method))

    async def join(self) -> Accepted | Rejected:
        """Stand in line; who stands there, or is inside, stays so."""
        return await self._ask(JoinQueue(self.socket.new_id()))

    async def leave(self) -> Accepted | Rejected:
        """Give up the place in line and what is held."""
        return await self._ask(LeaveQueue(self.socket.new_id()))

    async def turn(self, within_s: float = math.inf) -> bool:
        """Wait to be told that the turn has come, but no longer than this, or than the sale. Has it?"""

        async def told() -> None:
            async with asyncio.timeout(within_s if within_s < math.inf else None):
                await self._in_line.turn()

        with contextlib.suppress(TimeoutError):
            await self.unless_over(told())
        return self.standing.is_inside

    async def _ask(self, command: Command) -> Accepted | Rejected:
        self.standing.shops(self._now_ms())
        if isinstance(command, Checkout | LeaveQueue):
            self.standing.gives_up()
        sent_again = self._sent_again
        answer = await self.socket.ask(command)
        if isinstance(command, JoinQueue | LeaveQueue) and self._sent_again != sent_again:
            await self.socket.hold_now()  # this answer may be an old one: where do I stand now?
        return answer

    async def give_back(self) -> None:
        """Cancel the oldest order."""
        await self.socket.cancel_order(next(iter(self.account.orders)))

    def answer(
        self, customer: str, command: Command, answer: Accepted | Rejected, took_s: float, frame: bytes
    ) -> None:
        """A command has its answer, which came in this frame."""
        sale, tally, now_s = self.sale, self.sale.tally, time.monotonic()
        tally.commands += 1
        was_asked_again, self._asked_again = self._asked_again, False
        (tally.waits_again if was_asked_again else tally.waits).add(took_s)
        tally.first_asked_at_s = tally.first_asked_at_s or now_s - took_s
        tally.last_answered_at_s = now_s
        if isinstance(answer, Accepted):
            tally.last_accepted_at_s = now_s
            tally.accepted += 1
            self._take(command, answer, took_s)
            if answer.queue and not was_asked_again:
                self.line(QueueNow(*msgspec.structs.astuple(answer.queue)))
            if sale.answers is not None:
                sale.answers.accepted(sale.terms.event_id, customer, command.id, frame)
        else:
            tally.refused(answer.code)
            if isinstance(command, Checkout):
                self.standing.keeps()
            if answer.code is Code.BAD_COMMAND:
                tally.broke(f"{command} is a command, and was answered with {answer}")
            if answer.code in (Code.HOLD_EXPIRED, Code.HOLD_NOT_FOUND):
                self._lose_hold(str(answer.code))
            if sale.answers is not None:
                sale.answers.refused(sale.terms.event_id, customer, command.id, answer.code)

    def asks_again(self, code: Code | None) -> None:
        """A command is sent once more."""
        self._asked_again = True
        self._sent_again += 1
        self.sale.tally.sent_again += 1
        if code is not None:
            self.sale.tally.refused(code)

    def unanswered(self, customer: str, command: Command) -> None:
        """Nobody waits for this answer any more."""
        self._asked_again = False
        if self.sale.answers is not None:
            self.sale.answers.unanswered(self.sale.terms.event_id, customer, command.id)

    def cancel(self, customer: str, order_id: str) -> None:
        """The server has said that this order is cancelled."""
        self.account.cancel(order_id)
        self.sale.tally.orders_cancelled += 1
        if self.sale.answers is not None:
            self.sale.answers.cancelled(self.sale.terms.event_id, customer, order_id)

    def cancel_unanswered(self, customer: str, order_id: str) -> None:
        """Nobody waits any more to hear whether this order is cancelled."""
        if self.sale.answers is not None:
            self.sale.answers.cancel_unanswered(self.sale.terms.event_id, customer, order_id)

    def line(self, news: QueueNow | LineNow) -> None:
        """Something is told of the line, by the socket or otherwise."""
        ends = self._last_socket.close_codes.total() if self._last_socket else 0
        self._in_line.hear(news, self._now_ms(), ends)

    def _take(self, command: Command, answer: Accepted, took_s: float) -> None:
        tally, account = self.sale.tally, self.account
        if isinstance(command, FOR_THOSE_INSIDE) and self.sale.terms.slots:
            if not self.standing.was_inside(self._now_ms() - 1000 * took_s):
                tally.broke(f"{self.customer.name} is not inside, and {command} was accepted")
        elif isinstance(command, LeaveQueue):
            account.lose_hold()
        if not is_right_for(account, command, answer, self._now_ms()):
            tally.broke(f"{command} was answered with {answer}")
        account.take(answer)
        if answer.order:
            tally.orders += 1
            tally.seats_bought += len(answer.order.seats)
        has = len(account.held) + len(account.bought)
        if has > self.sale.terms.limit:
            tally.broke(f"{self.customer.name} has {has} seats, {self.sale.terms.limit} are allowed")

    def _count_resumes(self, socket: SteadySocket) -> None:
        self.sale.tally.resumes += socket.resumes
        self.sale.tally.resumed_by_patches += socket.resumes_by_patches
        socket.resumes = socket.resumes_by_patches = 0

    async def _compare_hold(self) -> None:
        """Does the server say that this customer holds, and stands in line, as it was told before?"""
        told_before, asked_ms = self.standing.now, self._now_ms()
        shown = await self.socket.hold_now()
        if (wrong := self.standing.asked(told_before, asked_ms)) is not None:
            self.sale.tally.broke(wrong)
        if set(shown.seats) == set(self.account.held):
            return
        if shown.seats:
            self.sale.tally.broke(f"{self.customer.name} holds {shown.seats}, was told {self.account.held}")
        else:
            self._lose_hold("an empty hold")

    def _lose_hold(self, said: str) -> None:
        now_ms = self._now_ms()
        if self.account.held and self.account.held_until_ms - now_ms > 1000 * HOLD_END_SLACK_S:
            early_s = (self.account.held_until_ms - now_ms) / 1000
            self.sale.tally.broke(f"the hold of {self.customer.name} is gone {early_s:.0f} s early: {said}")
        self.account.lose_hold()

    def _now_ms(self) -> float:
        """By the server's clock, as far as it is known."""
        return 1000 * (time.time() + (self._last_socket.clock_ahead_s if self._last_socket else 0.0))

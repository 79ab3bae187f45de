"""The people of a simulated on-sale: most buy; some look around, let a hold run out, vanish, or give up."""

import asyncio
from enum import Enum, auto
from random import Random
from typing import TYPE_CHECKING

from msgspec import UNSET

from actors.core.verdict import Asked
from actors.core.waiting_room import shown_place
from actors.told import Told
from protocol import outbound
from protocol.inbound import Checkout, Command, HoldBest, JoinQueue, LeaveQueue
from protocol.outbound import Accepted, OrderStatus, Rejected
from protocol.queue_place import QueuePlace

if TYPE_CHECKING:
    from tests.simulation.sale_day import SaleDay

TRIES = 3
LOOKS_AGAIN_S = 60.0


class Way(Enum):
    """What somebody does."""

    BUYS = auto()
    LOOKS_AROUND = auto()
    LETS_IT_RUN_OUT = auto()
    VANISHES_INSIDE = auto()
    GIVES_UP = auto()
    """Leaves the line."""
    COMES_AND_GOES = auto()
    """Closes the tab while waiting, and opens it again; then buys."""
    VANISHES = auto()
    """Closes the tab while waiting, for good."""


SHARES = {
    Way.BUYS: 55,
    Way.LOOKS_AROUND: 12,
    Way.LETS_IT_RUN_OUT: 6,
    Way.VANISHES_INSIDE: 6,
    Way.GIVES_UP: 6,
    Way.COMES_AND_GOES: 10,
    Way.VANISHES: 5,
}
"""Of a hundred."""


class Shopper:
    """One of the people."""

    def __init__(self, day: "SaleDay", name: str, random: Random) -> None:
        self.name = name
        self.way = random.choices(list(SHARES), list(SHARES.values()))[0]
        self.bought = 0
        self._day = day
        self._random = random
        self._number = 0
        self._is_my_turn = asyncio.Event()
        self._is_over = asyncio.Event()

    async def live(self, comes_at_s: float) -> None:
        """Come, wait, shop, go."""
        await asyncio.sleep(comes_at_s)
        self._open_tab()
        answer = await self._ask(JoinQueue(self._id()))
        assert isinstance(answer, Accepted), answer
        assert isinstance(answer.queue, QueuePlace)
        self._day.was_told(self.name, answer.queue)
        self.hears(answer.queue.status)
        if await self._wait():
            await self._shop()
        self._close_tab()

    def hears(self, status: str) -> None:
        """The page is told where its customer is."""
        if status == "active":
            self._is_my_turn.set()
        elif status == "not_in_queue":
            self._is_over.set()

    async def _wait(self) -> bool:
        """Until it is the own turn; False: there will be none."""
        if self.way is Way.VANISHES:
            await asyncio.sleep(self._random.expovariate(1 / 600))
            self._close_tab()
            return False
        patience_s = self._random.expovariate(1 / 3_600) if self.way is Way.GIVES_UP else None
        leaves_at_s = None if patience_s is None else self._day.loop.time() + patience_s
        while not self._is_my_turn.is_set():
            if leaves_at_s is not None and self._day.loop.time() >= leaves_at_s:
                await self._ask(LeaveQueue(self._id()))
                return False
            if self._is_over.is_set() or self._is_sold_out():
                return False
            pause_s = (
                LOOKS_AGAIN_S if leaves_at_s is None else min(LOOKS_AGAIN_S, leaves_at_s - self._day.loop.time())
            )
            await self._sleep_until_turn(max(pause_s, 0.001))
            if self.way is Way.COMES_AND_GOES and not self._is_my_turn.is_set() and self._random.random() < 0.05:
                await self._be_away()
        return True

    async def _sleep_until_turn(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._is_my_turn.wait()
        except TimeoutError:
            return

    async def _be_away(self) -> None:
        self._close_tab()
        await asyncio.sleep(self._random.uniform(20, 900))
        self._open_tab()
        self._is_over.clear()
        place = shown_place(self._day.seating, self.name)
        self.hears(place.status)

    async def _shop(self) -> None:
        await asyncio.sleep(self._random.lognormvariate(4.2, 0.7))
        if self.way is Way.LOOKS_AROUND:
            await self._ask(LeaveQueue(self._id()))
            return
        if self.way is Way.VANISHES_INSIDE and self._random.random() < 0.5:
            return
        count = self._random.choices([1, 2, 3, 4], [25, 50, 10, 15])[0]
        while isinstance(await self._ask(HoldBest(self._id(), count)), Rejected):
            count -= 1
            if count == 0:
                await self._ask(LeaveQueue(self._id()))
                return
        if self.way is Way.VANISHES_INSIDE:
            return
        if self.way is Way.LETS_IT_RUN_OUT:
            await self._is_over.wait()
            return
        for _ in range(TRIES):
            await asyncio.sleep(self._random.lognormvariate(3.9, 0.5))
            paid = await self._ask(Checkout(self._id(), "card"))
            if isinstance(paid, Accepted):
                assert paid.order is not UNSET
                assert paid.order.status is OrderStatus.COMPLETED
                self.bought = count
                return
        await self._ask(LeaveQueue(self._id()))

    def _is_sold_out(self) -> bool:
        counts = self._day.seating.counts
        return counts.available == 0 and counts.held == 0

    def _open_tab(self) -> None:
        self._day.crowd.present.add(self.name)

    def _close_tab(self) -> None:
        self._day.crowd.present.discard(self.name)
        self._day.crowd.last_seen[self.name] = self._day.loop.time()

    async def _ask(self, command: Command) -> Accepted | Rejected:
        heard: asyncio.Future[Accepted | Rejected] = self._day.loop.create_future()

        def reply(frame: bytes, _refusal: Rejected | None) -> None:
            found = outbound.decode(frame)
            assert isinstance(found, Accepted | Rejected)
            heard.set_result(found)

        event_id = self._day.seating.terms.event_id
        self._day.supervisor.tell(event_id, Told(Asked(self.name, command), reply))
        return await heard

    def _id(self) -> str:
        self._number += 1
        return f"{self.name}-{self._number}"

"""A thousand customers on sockets in one process, and what they can be told to do.

A wait ends with the reading of the answer, in this process. It begins with the writing of the command;
at a pace, when the command was due.
"""

import asyncio
import random
import time
from collections.abc import Callable
from itertools import count

from picows import ws_connect

from protocol.limits import SUBPROTOCOL
from tests.bench.bot import ID_FROM, Bot, Broken
from tests.bench.orders import Bots, Loop, Order, Pace, Race, Settle
from tests.bench.waits import Tally, share_within, waits_of

CONNECTS_AT_ONCE = 32
HANDSHAKE_S = 60.0
CALM_S = 40.0
"""How long outstanding answers are waited for."""
SEATS_PER_HOLD = 2
TICK_S = 0.001
SENDS_PER_TURN = 64
SOON_S = 0.05
FRAME_BYTES_MAX = 1 << 24

HOLD = b'{"type":"hold_seats","id":"%b","seats":[%d,%d]}'
HOLD_ONE = b'{"type":"hold_seats","id":"%b","seats":[%d]}'
BEST = b'{"type":"hold_best","id":"%b","count":%d}'
RELEASE = b'{"type":"release_seats","id":"%b","seats":[]}'
JOIN = b'{"type":"join_queue","id":"%b"}'
LEAVE = b'{"type":"leave_queue","id":"%b"}'
PAY = b'{"type":"checkout","id":"%b","payment_method":"card"}'
BUSY = (b'"code":"overloaded"', b'"code":"try_again"', b'"code":"busy"')

now = time.perf_counter


class SocketCrowd:
    """All bots of this process."""

    def __init__(self, job: Bots) -> None:
        self._job = job
        self._dice = random.Random(len(job.sessions))
        self._run = f"{time.time_ns():x}"
        self._commands = 0
        self._pairs = count(0)
        self._asked: dict[bytes, float] = {}
        self._bots: list[Bot] = []
        self._frames = 0
        self._gone = 0
        self._problem: Exception | None = None
        self._on_answer: Callable[[Bot, bytes, bool], None]
        self._is_quiet = asyncio.Event()

    async def arrive(self) -> None:
        """Connect everybody; each watches when this returns."""
        turn = asyncio.Semaphore(CONNECTS_AT_ONCE)
        url = self._job.url.replace("http", "ws", 1)

        async def come(number: int, session: str) -> None:
            bot = Bot(self, number, self._job.seat_count)
            event_id = self._job.event_ids[number % len(self._job.event_ids)]
            async with turn:
                await ws_connect(
                    lambda: bot,
                    f"{url}/ws/events/{event_id}",
                    extra_headers={"X-Session-Id": session, "Sec-WebSocket-Protocol": SUBPROTOCOL},
                    websocket_handshake_timeout=HANDSHAKE_S,
                    max_frame_size=FRAME_BYTES_MAX,
                )
                await bot.is_there
            self._bots.append(bot)

        async with asyncio.TaskGroup() as group:
            for number, session in enumerate(self._job.sessions):
                group.create_task(come(number, session))
        self._dice.shuffle(self._bots)

    def leave(self) -> None:
        """Break all connections off."""
        for bot in self._bots:
            bot.leave()

    async def do(self, order: Order) -> dict[str, float]:
        """Carry an order out. `commands` is how many were sent for it, also before and after it was measured.

        Raises:
            Broken: somebody was sent away, or was told what nobody may be told.
        """
        before = self._commands
        if isinstance(order, Settle):
            await self._settle()
            return {}
        await self._hold_nothing()
        if isinstance(order, Loop):
            found = await self._loop(order)
        elif isinstance(order, Pace):
            found = await self._pace(order)
        elif isinstance(order, Race):
            found = await self._race(order)
        else:
            raise Broken(f"bots know no {order}")
        self._raise_problem()
        return found | {"commands": float(self._commands - before)}

    def answered(self, bot: Bot, text: bytes, *, is_accepted: bool) -> None:
        """A command has its answer."""
        self._on_answer(bot, text, is_accepted)
        if not self._asked:
            self._is_quiet.set()

    def heard(self) -> None:
        """A frame that is no answer."""
        self._frames += 1

    def gone(self, problem: Exception | None) -> None:
        """A connection has ended."""
        self._gone += 1
        self._problem = self._problem or problem
        self._is_quiet.set()

    async def _loop(self, order: Loop) -> dict[str, float]:
        """Everybody asks when answered. What is asked last is still under way at the end."""
        tally, goes_on = Tally(), True
        ask = self._hold_or_pay if order.buys else self._hold_or_release
        if order.asks_for_best:
            ask = self._best_or_release
        if order.queues:
            ask = self._join_or_leave

        def answered(bot: Bot, text: bytes, is_accepted: bool) -> None:
            wait_s = self._wait_of(text)
            if is_accepted:
                bot.holds = not bot.holds
            elif bot.holds:
                raise Broken(text.decode())
            tally.add(wait_s, is_accepted=is_accepted, is_sale=order.buys and is_accepted and not bot.holds)
            if goes_on:
                ask(bot)

        self._on_answer = answered
        for bot in self._bots:
            ask(bot)
        await asyncio.sleep(order.warm_up_s)
        tally.begin(self._frames)
        await asyncio.sleep(order.seconds)
        found = tally.figures(self._frames)
        goes_on = False
        return found

    async def _pace(self, order: Pace) -> dict[str, float]:
        """So many commands a second, answered or not. Those without an answer at the end have waited so far."""
        tally = Tally()
        late: list[float] = []

        def answered(_bot: Bot, text: bytes, is_accepted: bool) -> None:
            is_busy = not is_accepted and any(code in text for code in BUSY)
            tally.add(self._wait_of(text), is_accepted=is_accepted, is_busy=is_busy)

        self._on_answer = answered
        began, sent, sent_before, writes = now(), 0, 0, 0
        warm_at, end = began + order.warm_up_s, began + order.warm_up_s + order.seconds
        is_warm = False
        while (at := now()) < end:
            if not is_warm and at >= warm_at:
                is_warm, sent_before, late = True, sent, []
                tally.begin(self._frames)
            due = int((at - began) * order.per_s) + 1
            for _ in range(min((due - sent) // order.burst, SENDS_PER_TURN)):
                due_at, sent_at = began + sent / order.per_s, now()
                late.append(sent_at - due_at)
                waits_from = due_at if order.burst == 1 else sent_at
                self._send_burst(self._bots[writes % len(self._bots)], order.burst, waits_from)
                writes += 1
                sent += order.burst
            await asyncio.sleep(0 if sent + order.burst <= due else TICK_S)
            self._raise_problem()
        found = tally.figures(self._frames)
        at = now()
        found |= waits_of([*tally.waits, *(at - asked_at for asked_at in self._asked.values())])
        if tally.busy_waits:
            found |= {f"busy_{name}": figure for name, figure in waits_of(tally.busy_waits).items()}
            found["busy_soon"] = share_within(tally.busy_waits, SOON_S)
        return found | {
            "sent_per_s": (sent - sent_before) / found["seconds"],
            "sent_late_p99_ms": waits_of(late).get("p99_ms", 0.0),
            "unanswered": float(len(self._asked)),
            "busy_per_s": len(tally.busy_waits) / found["seconds"],
        }

    async def _race(self, order: Race) -> dict[str, float]:
        """All at once ask for a few seats."""
        times: dict[int, int] = {}
        held_at, unnamed = 0.0, 0

        def answered(bot: Bot, text: bytes, is_accepted: bool) -> None:
            nonlocal held_at, unnamed
            self._wait_of(text)
            if is_accepted:
                times[bot.asked_seat] = times.get(bot.asked_seat, 0) + 1
                held_at = now()
            else:
                unnamed += b'"seats":[%d]' % bot.asked_seat not in text

        self._on_answer = answered
        wishes = [(bot, order.first + k % order.seats) for k, bot in enumerate(self._bots)]
        self._dice.shuffle(wishes)
        began = now()
        for bot, seat in wishes:
            bot.asked_seat = seat
            self._ask(bot, HOLD_ONE, seat)
        sent_ms = 1000 * (now() - began)
        await self._settle()
        return {
            "held": float(len(times)),
            "held_ms": 1000 * (held_at - began),
            "sent_ms": sent_ms,
            "answered_ms": 1000 * (now() - began),
            "twice": float(sum(times.values()) - len(times)),
            "unnamed": float(unnamed),
        }

    async def _hold_nothing(self) -> None:
        """Begin with everybody's hands empty and nothing under way."""
        await self._settle()

        def answered(bot: Bot, text: bytes, is_accepted: bool) -> None:
            self._wait_of(text)
            if not is_accepted:
                raise Broken(text.decode())
            bot.holds = False

        self._on_answer = answered
        for bot in self._bots:
            self._ask(bot, RELEASE)
        await self._settle()

    async def _settle(self) -> None:
        """Wait until all is answered."""
        self._is_quiet.clear()
        try:
            async with asyncio.timeout(CALM_S):
                while self._asked:
                    await self._is_quiet.wait()
                    self._raise_problem()
        except TimeoutError:
            raise Broken(f"{len(self._asked)} commands have no answer after {CALM_S} s") from None

    def _raise_problem(self) -> None:
        if self._problem is not None:
            raise Broken(f"{type(self._problem).__name__}: {self._problem}")
        if self._gone:
            raise Broken(f"{self._gone} of {len(self._bots)} bots were sent away")

    def _hold_or_release(self, bot: Bot) -> None:
        if bot.holds:
            self._ask(bot, RELEASE)
        else:
            self._ask(bot, HOLD, *self._two_seats(bot))

    def _best_or_release(self, bot: Bot) -> None:
        if bot.holds:
            self._ask(bot, RELEASE)
        else:
            self._ask(bot, BEST, SEATS_PER_HOLD)

    def _join_or_leave(self, bot: Bot) -> None:
        self._ask(bot, LEAVE if bot.holds else JOIN)

    def _hold_or_pay(self, bot: Bot) -> None:
        if bot.holds:
            self._ask(bot, PAY)
            return
        first = next(self._pairs) * SEATS_PER_HOLD
        if first + SEATS_PER_HOLD > bot.seat_count:
            raise Broken("everything is sold: the event is too small for this bench")
        self._ask(bot, HOLD, first, first + 1)

    def _send_burst(self, bot: Bot, size: int, waits_from: float) -> None:
        texts = []
        for _ in range(size):
            command_id = self._new_id()
            self._asked[command_id] = waits_from
            texts.append(RELEASE % command_id if bot.holds else HOLD % (command_id, *self._two_seats(bot)))
            bot.holds = not bot.holds
        bot.send_all(texts)

    def _ask(self, bot: Bot, command: bytes, *seats: int) -> None:
        command_id = self._new_id()
        self._asked[command_id] = now()
        bot.send(command % (command_id, *seats))

    def _two_seats(self, bot: Bot) -> tuple[int, int]:
        one, other = int(self._dice.random() * bot.seat_count), int(self._dice.random() * (bot.seat_count - 1))
        return one, other + (other >= one)

    def _new_id(self) -> bytes:
        self._commands += 1
        return f"{self._run}-{self._commands}".encode()

    def _wait_of(self, text: bytes) -> float:
        return now() - self._asked.pop(text[ID_FROM : text.index(b'"', ID_FROM)])

"""The seat manager: the one writer of one event.

    tell() ──► inbox ──► turn: due() + decide() on a draft ──► one batch ──► store
                                                                  │ committed
               replies, patch, mirror, payments  ◄── apply() ◄────┘

The output gate: nothing that depends on a batch leaves this actor before its commit is known. A batch that fails
leaves no trace: its draft is dropped, and what remains is decided again.

While commands wait, the answers of a batch are given when the next one is on its way to the store: the store is not
to wait for this loop.
"""

import asyncio
from collections import deque
from time import perf_counter

from msgspec import Struct

from actors.batch_log import BatchLog
from actors.core.memory import Remembered
from actors.core.model import BeaconRound, OrderMoved
from actors.core.verdict import Accept, Await, Refuse, Settle, Verdict
from actors.core.waiting_room import has_room, next_turn_ms
from actors.line_news import LineNews, event_now
from actors.open_checkouts import OpenCheckouts
from actors.ports import (
    Batch,
    Claim,
    Committed,
    HeadBusy,
    Known,
    Outcome,
    OwnershipLost,
    PersonalNews,
    Ports,
    SeatsBusy,
    StoreUnavailable,
)
from actors.restored import Restored, order_places, restored
from actors.told import Told, refuse
from actors.turn import Decided, Turn, batch_of, decide_turn, make_true, news_of
from protocol import limits
from protocol.codes import Code
from protocol.outbound import EventNow, Rejected, encode

ANSWERS_PER_ROUND = 32
"""So many answers are given in one round of the loop while a batch is on its way: it wants to leave, too."""


class ManagerSettings(Struct, frozen=True):
    """The bounds of one seat manager."""

    inbox_commands_max: int = 5_000
    batch_commands_max: int = 512
    crowded_batch_commands_max: int = 256
    """While more than two full batches wait: deciding holds up the loop, with as much to refuse as to do."""
    stalled_after_s: float = 1.0
    retry_first_s: float = 0.005
    retry_locked_max_s: float = 0.02
    retry_max_s: float = 0.5
    checkout_answer_s: float = limits.CHECKOUT_ANSWER_S


class SeatManager:
    """One event's actor. Made by `SeatManager.load`, driven by `run`, ended by `stop`."""

    def __init__(self, claim: Claim, begun: Restored, ports: Ports, settings: ManagerSettings) -> None:
        self.claim = claim
        self.seating, self._loaded_ms, self._offset_ms = begun
        self._ports = ports
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[Told] = deque()
        self._settled: deque[Settle] = deque()
        self._found: BeaconRound | None = None
        self._work = asyncio.Event()
        self._unsaid: deque[tuple[Told, bytes, Rejected | None] | PersonalNews] = deque()
        self._checkouts = OpenCheckouts(settings.checkout_answer_s)
        self._batch_log = BatchLog(claim)
        self._stalled_since: float | None = None
        self._not_before = 0.0
        self._is_stopping = False
        self._announced: EventNow | None = None
        self._line_news = LineNews()

    @classmethod
    async def load(cls, claim: Claim, ports: Ports, settings: ManagerSettings) -> "SeatManager":
        """The actor of a claimed event, at its committed state. Raises OwnershipLost, StoreUnavailable."""
        manager = cls(claim, await restored(await ports.store.load(claim)), ports, settings)
        seating = manager.seating
        ports.audience.begin(claim.event_id, seating.revision, seating.epoch)
        ports.mirror.replace(
            claim, seating.revision, seating.epoch, lambda: seating.holds, lambda: seating.line.entries
        )
        manager._announce_status()
        for order in seating.pending_orders:
            ports.payments.collect(claim.event_id, order)
        return manager

    def now_ms(self) -> int:
        """The store's time at loading plus what has passed since on the monotonic clock."""
        return int(self._offset_ms + self._loop.time() * 1000)

    @property
    def is_idle(self) -> bool:
        """Nothing waits, nobody is in line or inside, nothing is held, nothing is being paid."""
        line = self.seating.line
        in_room = line.lobby or line.waiting or line.inside
        return not (self._inbox or self._settled or self.seating.holds or self.seating.pending_orders or in_room)

    @property
    def inbox_depth(self) -> int:
        """Commands that wait to be decided."""
        return len(self._inbox)

    def tell(self, told: Told) -> None:
        """Put a command into the inbox. Never waits: what cannot be taken is refused at once."""
        if self._is_stopping or self._is_stalled():
            refuse(told, Code.TRY_AGAIN)
        elif len(self._inbox) >= self._settings.inbox_commands_max:
            refuse(told, Code.OVERLOADED)
        else:
            self._inbox.append(told)
            self._work.set()

    def settle(self, settled: Settle) -> None:
        """The provider has answered for an order."""
        self._settled.append(settled)
        self._work.set()

    def beacon_spoke(self, found: BeaconRound) -> None:
        """The round that the draw waits for is there."""
        self._found = found
        self._work.set()

    def stop(self) -> None:
        """End after the turn under way; `run` returns."""
        self._is_stopping = True
        self._work.set()

    async def run(self) -> None:
        """Work until `stop`. Whoever still waits at the end is told `try_again`.

        Raises:
            OwnershipLost: somebody else writes this event now.
            BrokenPromise, AssertionError: memory and store have parted; load again.
        """
        told: list[Told] = []
        try:
            while not self._is_stopping:
                await self._wait_for_work()
                self._checkouts.answer_late(self.seating, self._loop.time())
                told = [self._inbox.popleft() for _ in range(self._batch_size())]
                settled = [self._settled.popleft() for _ in range(len(self._settled))]
                found, self._found = self._found, None
                await self._turn(Turn(told, settled, found=found))
                told = []
                self._announce_status()
                if not self._inbox:
                    self._say(len(self._unsaid))
        finally:
            self._is_stopping = True
            self._say(len(self._unsaid))
            for one in (*told, *self._inbox, *self._checkouts.give_up()):
                refuse(one, Code.TRY_AGAIN)
            self._inbox.clear()

    def _batch_size(self) -> int:
        waiting, full = len(self._inbox), self._settings.batch_commands_max
        return min(waiting, full if waiting <= 2 * full else self._settings.crowded_batch_commands_max)

    async def _wait_for_work(self) -> None:
        self._work.clear()
        # Also when there is work: the connections get a turn before each batch, and the batch grows.
        await asyncio.sleep(max(0.0, self._not_before - self._loop.time()))
        if self._inbox or self._settled or self._found or self._is_stopping:
            return
        try:
            async with asyncio.timeout_at(self._next_wake()):
                await self._work.wait()
        except TimeoutError:
            return

    def _next_wake(self) -> float | None:
        seating, now_ms = self.seating, self.now_ms()
        times_ms = (
            seating.next_end_ms(),
            seating.terms.next_change_ms(now_ms),
            next_turn_ms(seating, now_ms),
            self._line_news.next_ms(seating),
        )
        times = [(at_ms - self._offset_ms) / 1000 for at_ms in times_ms if at_ms is not None]
        deadline = self._checkouts.next_deadline
        return min(times if deadline is None else [*times, deadline], default=None)

    def _announce_status(self) -> None:
        if self.seating.line.draws.is_awaiting_beacon:
            self._ports.randomness.await_round(self.claim.event_id, self.seating.line.draws)
        line = self._line_news.due(self.seating, self.now_ms())
        if line is not None:
            self._ports.audience.announce(self.claim.event_id, line)
        now = event_now(self.seating, self.now_ms())
        if now != self._announced:
            self._announced = now
            self._ports.audience.announce(self.claim.event_id, now)

    async def _turn(self, turn: Turn) -> None:
        began = perf_counter()  # the loop's clock counts in milliseconds
        # Whoever waits for an order that is settled now is answered by this batch, too.
        paying = [told for settled in turn.settled for told in self._checkouts.waiting(settled.order_id)]
        told = turn.told + paying
        try:
            batch = await self._write(turn, told)
        except Exception as problem:
            self._batch_log.failed(told, self.seating.revision, perf_counter() - began, problem)
            self._ports.meter.batch_failed()
            raise
        if told or batch.writes:
            took_s = perf_counter() - began
            self._batch_log.committed(told, self.seating.revision, len(batch.seats), took_s)
            self._ports.meter.batch_committed(len(turn.told), took_s)

    async def _write(self, turn: Turn, told: list[Told]) -> Batch:
        """Decide and commit until nothing is left to be looked up or tried again; the batch that went in."""
        while True:
            decided = decide_turn(turn, self.seating, self.now_ms(), self._seen_ms)
            batch = batch_of(decided, self.claim, self.seating, turn.cleared)
            is_needed = batch.writes or batch.lookups
            if is_needed:
                outcome = await self._commit_and_say(batch)
            else:
                outcome = Committed(batch.revision)
                self._say(len(self._unsaid))
            turn.cleared.update(batch.lookups)
            if isinstance(outcome, Committed):
                if batch.drawn is not None:
                    await order_places(self.seating.line, batch.drawn)
                self._make_true(decided, batch, self._batch_log.ids_for_patch(told))
                return batch
            if isinstance(outcome, Known):
                for stored in outcome.stored:
                    remembered = Remembered(stored.content_hash, stored.frame)
                    self.seating.memory.keep(stored.customer, stored.command_id, remembered)
            elif isinstance(outcome, SeatsBusy):
                turn.busy |= outcome.seats
                self._not_before = self._loop.time() + self._settings.retry_first_s

    async def _commit_and_say(self, batch: Batch) -> Outcome:
        if not self._unsaid:
            return await self._commit(batch)
        saying = asyncio.create_task(self._say_in_rounds(), name=f"answers {self.claim.event_id}")
        try:
            return await self._commit(batch)
        finally:
            saying.cancel()
            self._say(len(self._unsaid))

    async def _say_in_rounds(self) -> None:
        while self._unsaid:
            await asyncio.sleep(0)
            self._say(ANSWERS_PER_ROUND)

    async def _commit(self, batch: Batch) -> Outcome:
        """Send the batch, the same one again, until its outcome is known."""
        pause_s, is_unclear = self._settings.retry_first_s, False
        while True:
            if not self._ports.lease.is_held(self.claim.owner):
                raise OwnershipLost(f"the lease of {self.claim.owner} has run out")
            try:
                outcome = await self._ports.store.commit(batch)
            except StoreUnavailable:
                is_unclear = True
            else:
                if is_unclear and isinstance(outcome, SeatsBusy):
                    # The earlier try may still be under way and succeed when the lock is gone, at the revision of
                    # whatever batch we sent instead. A new term keeps it out.
                    raise OwnershipLost("a batch of unknown outcome met a lock; the event is to be claimed anew")
                if not isinstance(outcome, HeadBusy):
                    self._stalled_since = None
                    return outcome
            if self._is_stopping:
                raise OwnershipLost("the node stops before the outcome of a batch is known")
            self._stalled_since = self._stalled_since or self._loop.time()
            await asyncio.sleep(pause_s)
            longest_s = self._settings.retry_max_s if is_unclear else self._settings.retry_locked_max_s
            pause_s = min(2 * pause_s, longest_s)

    def _make_true(self, decided: Decided, batch: Batch, correlation_ids: tuple[str, ...]) -> None:
        """Behind the output gate: the batch is durable, or there was nothing to write."""
        seating, draft = self.seating, decided.draft
        is_other_room = batch.terms is not None and has_room(batch.terms) != has_room(seating.terms)
        make_true(decided, seating)
        seating.revision += batch.writes
        origins = {settled.order_id: self._checkouts.origin(settled.order_id) for settled, _ in decided.by_provider}
        for told, verdict in decided.by_customers:
            self._answer(told, verdict)
        for settled, accept in decided.by_provider:
            assert accept.frame is not None
            self._checkouts.answer(draft.orders[settled.order_id], accept.frame)
        for settled in decided.postponed:
            self.settle(settled)
        if batch.writes:
            news = news_of(decided, batch, seating, origins, correlation_ids)
            self._ports.audience.publish(self.claim.event_id, news)
            # Behind the answers: a customer's other socket may have undone what was asked before it.
            self._unsaid.extend(news.personal)
            moved = (entry.customer for entry in batch.queue) if batch.drawn is None else seating.line.entries
            self._ports.mirror.touch(self.claim, seating.revision, dict(batch.holds), moved)
        if batch.drawn is not None or is_other_room:
            self._ports.audience.tell_places(self.claim.event_id)
        for order in batch.orders:
            self._ports.meter.order_moved(order)

    def _seen_ms(self, customer: str) -> int:
        """When the customer was seen last; who was there before we came has a fresh grace."""
        seen_s = self._ports.audience.seen_s(self.claim.event_id, customer)
        return max(self._loaded_ms, int(self._offset_ms + seen_s * 1000))

    def _answer(self, told: Told, verdict: Verdict) -> None:
        if isinstance(verdict, Refuse):
            self._unsaid.append((told, encode(verdict.rejected), verdict.rejected))
        elif isinstance(verdict, Await):
            self._checkouts.add(verdict.order_id, told, self._loop.time())
        elif verdict.frame is not None:
            self._unsaid.append((told, verdict.frame, None))
        else:
            assert isinstance(verdict, Accept)
            for change in verdict.changes:
                if isinstance(change, OrderMoved):
                    self._checkouts.add(change.order.order_id, told, self._loop.time())
                    self._ports.payments.collect(self.claim.event_id, change.order)

    def _say(self, answers_max: int) -> None:
        for _ in range(min(answers_max, len(self._unsaid))):
            unsaid = self._unsaid.popleft()
            if isinstance(unsaid, PersonalNews):
                self._ports.audience.tell(self.claim.event_id, unsaid)
            else:
                told, frame, refusal = unsaid
                told.reply(frame, refusal)

    def _is_stalled(self) -> bool:
        since = self._stalled_since
        return since is not None and self._loop.time() - since > self._settings.stalled_after_s

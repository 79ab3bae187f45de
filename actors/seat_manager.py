"""The seat manager: the one writer of one event.

    tell() ──► inbox ──► turn: due() + decide() on a draft ──► one batch ──► store
                                                                  │ committed
               replies, patch, mirror, payments  ◄── apply() ◄────┘

The output gate: nothing that depends on a batch leaves this actor before its commit is known. A batch that fails
leaves no trace: its draft is dropped, and what remains is decided again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct

from actors.core.holding import due, shown
from actors.core.layout import layout_of
from actors.core.memory import Remembered
from actors.core.model import HoldMoved, OrderMoved
from actors.core.ordering import payment_failed, settle, summary
from actors.core.rules import decide
from actors.core.seating import Draft, Seating
from actors.core.verdict import Accept, Asked, Await, Entry, Refuse, Settle, Verdict
from actors.ports import (
    Audience,
    Batch,
    Claim,
    Committed,
    HeadBusy,
    Known,
    Lease,
    Loaded,
    Mirror,
    News,
    Outcome,
    OwnershipLost,
    Payments,
    PersonalNews,
    SeatsBusy,
    SeatWrite,
    Store,
    StoreUnavailable,
)
from protocol import limits
from protocol.codes import Code
from protocol.outbound import Accepted, HoldNow, HoldReason, OrderNow, OrderStatus, Rejected, encode, rejected

Reply = Callable[[bytes, Rejected | None], None]
"""Takes the encoded answer, and the refusal if it is one. Never waits, never raises."""


@dataclass(frozen=True)
class Ports:
    """The world, for the actors of one node."""

    store: Store
    mirror: Mirror
    audience: Audience
    payments: Payments
    lease: Lease


class ManagerSettings(Struct, frozen=True):
    """The bounds of one seat manager."""

    inbox_commands_max: int = 5_000
    batch_commands_max: int = 256
    stalled_after_s: float = 1.0
    retry_first_s: float = 0.005
    retry_max_s: float = 0.5
    checkout_answer_s: float = limits.CHECKOUT_ANSWER_S


class Told(Struct, frozen=True):
    """A command in the inbox. `origin` is the socket it came from, which needs no news of its own doing."""

    asked: Asked
    reply: Reply
    origin: object | None = None


@dataclass
class _Turn:
    """What one turn works on. `cleared` were looked up and not found; `busy` seats are locked from outside."""

    told: list[Told]
    settled: list[Settle]
    cleared: set[tuple[str, str]] = field(default_factory=set)
    busy: frozenset[int] = frozenset()


@dataclass
class _Decided:
    """A draft with the verdicts that made it."""

    draft: Draft
    at_ms: int
    by_clock: list[Accept]
    by_provider: list[tuple[Settle, Accept]]
    by_customers: list[tuple[Told, Verdict]]


@dataclass
class _Unanswered:
    """Who waits for an order's payment, and until when (loop time)."""

    deadline: float
    told: list[Told]


class SeatManager:
    """One event's actor. Made by `SeatManager.load`, driven by `run`, ended by `stop`."""

    def __init__(self, claim: Claim, loaded: Loaded, ports: Ports, settings: ManagerSettings) -> None:
        self.claim = claim
        self.seating = _seating_of(loaded)
        self._ports = ports
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._offset_ms = loaded.now_ms - self._loop.time() * 1000
        self._inbox: deque[Told] = deque()
        self._settled: deque[Settle] = deque()
        self._work = asyncio.Event()
        self._unanswered: dict[str, _Unanswered] = {}
        self._stalled_since: float | None = None
        self._not_before = 0.0
        self._is_stopping = False

    @classmethod
    async def load(cls, claim: Claim, ports: Ports, settings: ManagerSettings) -> "SeatManager":
        """The actor of a claimed event, at its committed state.

        Raises:
            OwnershipLost, StoreUnavailable
        """
        manager = cls(claim, await ports.store.load(claim), ports, settings)
        seating = manager.seating
        ports.audience.begin(claim.event_id, seating.revision, seating.epoch)
        ports.mirror.replace(claim, seating.revision, lambda: seating.holds)
        for order in seating.pending_orders:
            ports.payments.collect(claim.event_id, order)
        return manager

    def now_ms(self) -> int:
        """The store's time at loading plus what has passed since on the monotonic clock."""
        return int(self._offset_ms + self._loop.time() * 1000)

    @property
    def is_idle(self) -> bool:
        """Nothing waits, nothing is held, nothing is being paid."""
        return not (self._inbox or self._settled or self.seating.holds or self.seating.pending_orders)

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
                self._answer_late_checkouts()
                told = [self._inbox.popleft() for _ in range(self._batch_size())]
                settled = [self._settled.popleft() for _ in range(len(self._settled))]
                await self._turn(_Turn(told, settled))
                told = []
        finally:
            self._is_stopping = True
            waiting = [late for unanswered in self._unanswered.values() for late in unanswered.told]
            for one in (*told, *self._inbox, *waiting):
                refuse(one, Code.TRY_AGAIN)
            self._inbox.clear()

    async def _wait_for_work(self) -> None:
        self._work.clear()
        # Also when there is work: the connections get a turn before each batch, and the batch grows.
        await asyncio.sleep(max(0.0, self._not_before - self._loop.time()))
        if self._inbox or self._settled or self._is_stopping:
            return
        wake_at = self._next_wake()
        try:
            async with asyncio.timeout_at(wake_at):
                await self._work.wait()
        except TimeoutError:
            return

    def _next_wake(self) -> float | None:
        ends = [unanswered.deadline for unanswered in self._unanswered.values()]
        end_ms = self.seating.next_end_ms()
        if end_ms is not None:
            ends.append((end_ms - self._offset_ms) / 1000)
        return min(ends, default=None)

    def _batch_size(self) -> int:
        return min(len(self._inbox), self._settings.batch_commands_max)

    async def _turn(self, turn: _Turn) -> None:
        while True:
            decided = self._decide(turn)
            batch = self._batch_of(decided, turn.cleared)
            outcome = await self._commit(batch) if batch.writes or batch.lookups else Committed(batch.revision)
            turn.cleared.update(batch.lookups)
            if isinstance(outcome, Committed):
                self._make_true(decided, batch)
                return
            if isinstance(outcome, Known):
                for stored in outcome.stored:
                    remembered = Remembered(stored.content_hash, stored.frame)
                    self.seating.memory.keep(stored.customer, stored.command_id, remembered)
            elif isinstance(outcome, SeatsBusy):
                turn.busy |= outcome.seats
                self._not_before = self._loop.time() + self._settings.retry_first_s

    def _decide(self, turn: _Turn) -> _Decided:
        now_ms, draft = self.now_ms(), Draft(self.seating)
        decided = _Decided(draft, now_ms, [], [], [])
        for ended in due(self.seating, now_ms):
            if not turn.busy.intersection(ended.entry.seats):
                draft.add(ended.changes)
                decided.by_clock.append(ended)
        for settled in turn.settled:
            verdict = settle(draft, settled)
            if verdict is None:
                continue
            if turn.busy.intersection(verdict.entry.seats):
                self.settle(settled)
                continue
            draft.add(verdict.changes)
            decided.by_provider.append((settled, verdict))
            _remember(draft, verdict.entry)
        for told in turn.told:
            decided.by_customers.append((told, self._judge(draft, told, now_ms, turn.busy)))
        return decided

    def _judge(self, draft: Draft, told: Told, now_ms: int, busy: frozenset[int]) -> Verdict:
        verdict = decide(draft, told.asked, now_ms)
        if not isinstance(verdict, Accept):
            return verdict
        if busy and (locked := busy.intersection(verdict.entry.seats)):
            return Refuse(rejected(told.asked.command.id, Code.BUSY, tuple(sorted(locked))))
        draft.add(verdict.changes)
        _remember(draft, verdict.entry)
        return verdict

    def _batch_of(self, decided: _Decided, cleared: set[tuple[str, str]]) -> Batch:
        draft, committed = decided.draft, self.seating
        accepts = [
            *decided.by_clock,
            *(verdict for _, verdict in decided.by_provider),
            *(verdict for _, verdict in decided.by_customers if isinstance(verdict, Accept)),
        ]
        lookups = dict.fromkeys(
            (told.asked.customer, told.asked.command.id)
            for told, verdict in decided.by_customers
            if isinstance(verdict, Accept | Refuse)
        )
        seats = []
        for index, drafted in draft.seats.items():
            before = committed.seat(index)
            if drafted != before:
                seats.append(SeatWrite(index, *before, *drafted))
        return Batch(
            claim=self.claim,
            revision=committed.revision,
            at_ms=decided.at_ms,
            lookups=tuple(pair for pair in lookups if pair not in cleared),
            entries=tuple(accept.entry for accept in accepts),
            seats=tuple(seats),
            holds=tuple(
                (customer, moved.hold)
                for customer, moved in draft.holds.items()
                if moved.hold != committed.hold(customer)
            ),
            orders=tuple(change.order for change in draft.changes if isinstance(change, OrderMoved)),
        )

    async def _commit(self, batch: Batch) -> Outcome:
        """Send the batch, the same one again, until its outcome is known."""
        pause_s = self._settings.retry_first_s
        while True:
            if not self._ports.lease.is_held(self.claim.owner):
                raise OwnershipLost(f"the lease of {self.claim.owner} has run out")
            try:
                outcome = await self._ports.store.commit(batch)
            except StoreUnavailable:
                self._stalled_since = self._stalled_since or self._loop.time()
            else:
                self._stalled_since = None
                if not isinstance(outcome, HeadBusy):
                    return outcome
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._settings.retry_max_s)

    def _make_true(self, decided: _Decided, batch: Batch) -> None:
        draft, seating = decided.draft, self.seating
        shown_seats = {
            write.index: int(write.to_state) for write in batch.seats if write.from_state != write.to_state
        }
        seating.apply(draft.changes)
        for (customer, command_id), remembered in draft.answers.items():
            seating.memory.keep(customer, command_id, remembered)
        if batch.writes:
            seating.revision = batch.revision + 1
        personal: list[PersonalNews] = []
        for told, verdict in decided.by_customers:
            self._answer(told, verdict)
            if isinstance(verdict, Accept):
                personal += self._news_of(verdict, HoldReason.COMMAND, told.origin)
        for settled, verdict in decided.by_provider:
            personal += self._answer_checkout(settled.order_id, verdict)
        for verdict in decided.by_clock:
            personal += self._news_of(verdict, HoldReason.EXPIRED, None)
        if batch.writes:
            self._ports.audience.publish(self.claim.event_id, News(seating.revision, shown_seats, tuple(personal)))
            self._ports.mirror.touch(self.claim, seating.revision, dict(batch.holds))

    def _answer(self, told: Told, verdict: Verdict) -> None:
        if isinstance(verdict, Refuse):
            told.reply(encode(verdict.rejected), verdict.rejected)
        elif isinstance(verdict, Await):
            self._let_wait(verdict.order_id, told)
        elif verdict.frame is not None:
            told.reply(verdict.frame, None)
        else:
            assert isinstance(verdict, Accept)
            for change in verdict.changes:
                if isinstance(change, OrderMoved):
                    self._let_wait(change.order.order_id, told)
                    self._ports.payments.collect(self.claim.event_id, change.order)

    def _let_wait(self, order_id: str, told: Told) -> None:
        deadline = self._loop.time() + self._settings.checkout_answer_s
        self._unanswered.setdefault(order_id, _Unanswered(deadline, [])).told.append(told)

    def _answer_checkout(self, order_id: str, verdict: Accept) -> list[PersonalNews]:
        assert verdict.frame is not None
        order = self.seating.orders[order_id]
        refusal = None
        if order.status is OrderStatus.PAYMENT_FAILED:
            refusal = payment_failed(order)
        unanswered = self._unanswered.pop(order_id, None)
        origin = None
        if unanswered is not None:
            for told in unanswered.told:
                told.reply(verdict.frame, refusal)
                origin = told.origin
        now = OrderNow(order.order_id, order.status, order.total_cents, order.currency, order.seats)
        news = self._news_of(verdict, HoldReason.SOLD, origin) if refusal is None else []
        return [*news, PersonalNews(order.customer, now, origin)]

    def _answer_late_checkouts(self) -> None:
        now = self._loop.time()
        late = [key for key, unanswered in self._unanswered.items() if unanswered.deadline <= now]
        for order_id in late:
            order = self.seating.orders[order_id]
            pending = Accepted(order.command_id, self.seating.revision, order=summary(order))
            for told in self._unanswered.pop(order_id).told:
                told.reply(encode(pending), None)

    def _news_of(self, verdict: Accept, reason: HoldReason, origin: object | None) -> list[PersonalNews]:
        news = []
        for change in verdict.changes:
            if isinstance(change, HoldMoved):
                hold = shown(self.seating, change.hold)
                now = HoldNow(hold.seats, hold.expires_at_ms, hold.total_cents, reason)
                news.append(PersonalNews(change.customer, now, origin))
        return news

    def _is_stalled(self) -> bool:
        since = self._stalled_since
        return since is not None and self._loop.time() - since > self._settings.stalled_after_s


def _seating_of(loaded: Loaded) -> Seating:
    seating = Seating(
        loaded.terms,
        layout_of(loaded.runs, loaded.accessible),
        bytearray(loaded.states),
        loaded.holders,
        loaded.revision,
        loaded.epoch,
    )
    seating.restore(loaded.holds, loaded.orders, loaded.ran_out_ms)
    return seating


def _remember(draft: Draft, entry: Entry) -> None:
    if entry.command_id is not None and entry.content_hash is not None and entry.frame is not None:
        draft.answers[entry.customer, entry.command_id] = Remembered(entry.content_hash, entry.frame)


def refuse(told: Told, code: Code) -> None:
    """Answer a command that was not decided; it had no effect, or has an answer that the same id will get."""
    refusal = rejected(told.asked.command.id, code, retry_after_ms=1_000)
    told.reply(encode(refusal), refusal)

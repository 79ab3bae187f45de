"""An onlooker who trusts nobody: knows what was asked, answered and shown, and the rows at the end.

From the journal it lives the whole sale through again, by rules of its own, and holds every answer, every map that
a watcher has seen and every row against that.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import UNSET, Struct

from actors.core.memory import content_hash
from actors.core.verdict import CancelOrder, OrganiserCommand
from protocol import outbound
from protocol.codes import Code
from protocol.inbound import Command
from protocol.outbound import Accepted, OrderStatus, Rejected
from tests.fake_database import FakeEvent
from tests.replay import Replay

UNDECIDED = {Code.TRY_AGAIN, Code.OVERLOADED}
"""Refusals that say nothing about an effect: the command may have one, and the same id will tell."""


class AuditFailure(Exception):
    """A promise was broken; the message names every finding."""


def client_rule(mine: str, my_revision: int, epoch: str, base: int, revision: int) -> str:
    """What a client does with a patch: ignore, apply or reopen."""
    if epoch != mine:
        return "reopen"
    if revision <= my_revision:
        return "ignore"
    return "apply" if base <= my_revision else "reopen"


@dataclass(eq=False)
class Attempt:
    """A command sent once. `is_excused`: its connection was cut or its node died, so no answer is owed."""

    customer: str
    command: Command | CancelOrder | OrganiserCommand
    asked_at: float
    answers: list[Accepted | Rejected] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    answered_at: float | None = None
    is_excused: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.customer, self.command.id

    @property
    def answer(self) -> Accepted | Rejected | None:
        return self.answers[0] if self.answers else None


class Seen(Struct, frozen=True):
    """What a watcher had on its map."""

    revision: int
    states: bytes


class Charge(Struct, frozen=True):
    """Money that the provider took."""

    order_id: str
    amount_cents: int


@dataclass
class Auditor:
    """Collects while the storm lasts; `audit` at the end.

    `opening_ms` is what the store's clock said at time 0; None: it has jumped, and nobody knows when a hold ought
    to have ended. `excuses` are the times (from, to) in which an end may be late.
    """

    prices_cents: Sequence[int]
    limit: int
    opening_ms: int | None = None
    excuses: list[tuple[float, float]] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def asked(self, customer: str, command: Command | CancelOrder | OrganiserCommand, at: float) -> Attempt:
        self.attempts.append(Attempt(customer, command, at))
        return self.attempts[-1]

    def answered(self, attempt: Attempt, frame: bytes, at: float) -> Accepted | Rejected:
        answer = outbound.decode(frame)
        assert isinstance(answer, Accepted | Rejected)
        attempt.answers.append(answer)
        attempt.frames.append(frame)
        attempt.answered_at = at
        return answer

    def saw(self, revision: int, states: bytes) -> None:
        self.seen.append(Seen(revision, states))

    def blame(self, finding: str) -> None:
        """Something that another onlooker has found."""
        self.findings.append(finding)

    def audit(self, event: FakeEvent, charges: Iterable[Charge]) -> None:
        """Raises:
        AuditFailure: a promise was broken.
        """
        by_key: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            by_key[attempt.key].append(attempt)
        self._check_answers(by_key, event)
        self._check_journal(by_key, event)
        replay = Replay(event, self.prices_cents, self.limit, self.opening_ms, self.excuses)
        self.findings += replay.findings
        for seen in self.seen:
            if replay.maps.get(seen.revision) != seen.states:
                self.blame(f"a watcher saw a wrong map at revision {seen.revision}")
        self._check_money(event, list(charges))
        if self.findings:
            raise AuditFailure("\n".join(self.findings))

    def _check_answers(self, by_key: dict[tuple[str, str], list[Attempt]], event: FakeEvent) -> None:
        """Answered once; the same id, the same answer; other content, never accepted."""
        effects = {(row.entry.customer, row.entry.command_id): row.entry for row in event.journal}
        for key, attempts in by_key.items():
            accepted = [one for one in attempts if isinstance(one.answer, Accepted) and not is_pending(one.answer)]
            for attempt in attempts:
                if len(attempt.answers) > 1:
                    self.blame(f"{key} was answered {len(attempt.answers)} times: {attempt.answers}")
                if not attempt.answers and not attempt.is_excused:
                    self.blame(f"{key} asked at {attempt.asked_at} was never answered")
            final = {attempt.frames[0] for attempt in accepted}
            if len(final) > 1:
                self.blame(f"{key} has {len(final)} different answers: {final}")
            if len({content_hash(attempt.command) for attempt in accepted}) > 1:
                self.blame(f"{key} was accepted for different contents")
            effect = effects.get(key)
            for frame in final:
                if effect is None or effect.frame != frame:
                    self.blame(f"{key} was acknowledged and has no such effect: {frame!r}, stored: {effect}")
            self._check_after_acceptance(attempts, accepted)
            last = attempts[-1]
            is_refused = isinstance(last.answer, Rejected) and last.answer.code not in UNDECIDED
            if effect is not None and is_refused and effect.content_hash == content_hash(last.command):
                self.blame(f"{key} was refused ({last.answer}) and has an effect: {effect}")

    def _check_after_acceptance(self, attempts: list[Attempt], accepted: list[Attempt]) -> None:
        known_at = min((one.answered_at or 0 for one in accepted), default=None)
        if known_at is None:
            return
        content = content_hash(accepted[0].command)
        for attempt in attempts:
            answer = attempt.answer
            if attempt.asked_at <= known_at or not isinstance(answer, Rejected) or answer.code in UNDECIDED:
                continue
            expected = None if content_hash(attempt.command) == content else Code.ID_REUSED
            if answer.code is not expected:
                self.blame(f"{attempt.key} was accepted, and then answered {answer.code} for {attempt.command}")

    def _check_journal(self, by_key: dict[tuple[str, str], list[Attempt]], event: FakeEvent) -> None:
        """One effect per id, for something that was asked; revisions without a gap."""
        seen: set[tuple[str, str]] = set()
        expected = (0, 0)
        for row in event.journal:
            entry, place = row.entry, (row.revision, row.position)
            if place not in ((expected[0], expected[1] + 1), (expected[0] + 1, 1)):
                self.blame(f"the journal goes from {expected} to {place}")
            expected = place
            if entry.command_id is None:
                continue
            key = (entry.customer, entry.command_id)
            if key in seen:
                self.blame(f"{key} has two effects")
            seen.add(key)
            asked = {content_hash(attempt.command) for attempt in by_key.get(key, [])}
            if entry.content_hash not in asked:
                self.blame(f"{key} has an effect that nobody asked for: {entry}")
        if event.revision != expected[0]:
            self.blame(f"the head is at {event.revision}, the journal at {expected[0]}")

    def _check_money(self, event: FakeEvent, charges: list[Charge]) -> None:
        """Completed orders, sold seats, valid tickets and charges are the same thing."""
        charged = [charge.order_id for charge in charges]
        for order in event.orders.values():
            wanted = int(order.status in (OrderStatus.COMPLETED, OrderStatus.CANCELLED))
            if charged.count(order.order_id) != wanted:
                self.blame(
                    f"order {order.order_id} is {order.status}, charged {charged.count(order.order_id)} times"
                )
            if order.status is OrderStatus.PENDING:
                self.blame(f"order {order.order_id} is still pending")
            if order.total_cents != sum(self.prices_cents[seat] for seat in order.seats):
                self.blame(f"order {order.order_id} has a wrong total")
        for charge in charges:
            order_or_none = event.orders.get(charge.order_id)
            if order_or_none is None or order_or_none.total_cents != charge.amount_cents:
                self.blame(f"a charge has no such order: {charge}")
        completed = [order for order in event.orders.values() if order.status is OrderStatus.COMPLETED]
        sold = sorted((seat, who) for seat, who in event.holders.items() if event.states[seat] == 2)
        ordered = sorted((seat, order.customer) for order in completed for seat in order.seats)
        valid = sorted((ticket.seat, ticket.customer) for ticket in event.tickets if ticket.is_valid)
        if not sold == ordered == valid:
            self.blame(f"sold {sold}, ordered {ordered}, ticketed {valid}")


def is_pending(answer: Accepted | Rejected | None) -> bool:
    """Is it the answer to a checkout whose payment is open?"""
    return isinstance(answer, Accepted) and answer.order is not UNSET and answer.order.status is OrderStatus.PENDING

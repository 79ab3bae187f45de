"""The rules once more, in the plainest way: dictionaries, linear scans, no cleverness. What the core must equal.

Written from the protocol's pages alone: it shares no code with the core but the commands and the codes.
"""

import copy
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from msgspec import UNSET

from actors.core.layout import Run
from actors.core.model import OrphanRule
from actors.core.verdict import BlockSeats, CancelOrder, ChangeTerms, OrganiserCommand
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
from tests.core import naive_orphans

Answer = tuple[str, Any]
"""("refused", (code, seats)), ("hold", (seats, end, total)), ("order", …), ("queue", status), ("waits", seats)."""


@dataclass
class NaiveHold:
    seats: set[int]
    started_ms: int
    ends_ms: int
    extended: bool = False


@dataclass
class NaiveOrder:
    customer: str
    command: Checkout
    seats: set[int]
    status: str = "pending"
    order_id: str = ""


@dataclass
class Naive:
    """One event. `seats` has who holds ("held", name), bought ("sold", name), or a word."""

    runs: list[Run]
    limit: int
    on_sale: bool = True
    is_strict: bool = False
    """Is it enforced that nobody is left alone?"""
    seats: dict[int, Any] = field(default_factory=dict)
    holds: dict[str, NaiveHold] = field(default_factory=dict)
    orders: list[NaiveOrder] = field(default_factory=list)
    accepted: dict[tuple[str, str], tuple[Any, Answer]] = field(default_factory=dict)
    lost_ms: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "Naive":
        return copy.deepcopy(self)

    def price(self, seat: int) -> int:
        return next(run.price_cents for run in self.runs if run.first <= seat < run.first + run.count)

    def bought(self, customer: str) -> int:
        return sum(1 for state in self.seats.values() if state == ("sold", customer))

    def pending(self, customer: str) -> NaiveOrder | None:
        return next((o for o in self.orders if o.customer == customer and o.status == "pending"), None)

    def end_due(self, now_ms: int) -> None:
        """The clock's part, at the start of a batch."""
        for customer in list(self.holds):
            if self.holds[customer].ends_ms <= now_ms and self.pending(customer) is None:
                self.lost_ms[customer] = self.holds[customer].ends_ms
                self._give_back(customer, set(self.holds[customer].seats))

    def tell(self, customer: str, command: Command | CancelOrder | OrganiserCommand, now_ms: int) -> Answer:
        """The answer, and the effect."""
        before = self.accepted.get((customer, command.id))
        if before is not None:
            return before[1] if before[0] == command else refused(Code.ID_REUSED)
        paying = self.pending(customer)
        if paying is not None and paying.command.id == command.id:
            return ("waits", sorted(paying.seats)) if paying.command == command else refused(Code.ID_REUSED)
        answer = self._judge(customer, command, now_ms)
        if answer[0] not in ("refused", "waits"):
            self.accepted[customer, command.id] = (command, answer)
        return answer

    def settle(self, order: NaiveOrder, paid: bool) -> Answer | None:
        if order.status != "pending":
            return None
        if not paid:
            order.status = "payment_failed"
            return refused(Code.PAYMENT_FAILED)
        order.status = "completed"
        for seat in order.seats:
            self.seats[seat] = ("sold", order.customer)
        del self.holds[order.customer]
        answer = self._order_answer(order)
        self.accepted[order.customer, order.command.id] = (order.command, answer)
        return answer

    def _judge(self, customer: str, command: Command | CancelOrder | OrganiserCommand, now_ms: int) -> Answer:
        match command:
            case HoldSeats():
                return self._hold_seats(customer, list(command.seats), now_ms)
            case HoldBest():
                return self._hold_best(customer, command, now_ms)
            case ReleaseSeats():
                return self._release(customer, command.seats)
            case LeaveQueue():
                hold = self.holds.get(customer)
                if hold is not None and self.pending(customer) is not None:
                    return refused(Code.BUSY)
                self._give_back(customer, set() if hold is None else set(hold.seats))
                return ("queue", "not_in_queue")
            case JoinQueue():
                return ("queue", "active")
            case ExtendHold():
                return self._extend(customer, now_ms)
            case Checkout():
                return self._checkout(customer, command, now_ms)
            case CancelOrder():
                return self._cancel(customer, command.order_id)
            case _:
                return self._organise(command)

    def _hold_seats(self, customer: str, wanted: list[int], now_ms: int) -> Answer:
        if not self.on_sale:
            return refused(Code.NOT_ON_SALE)
        mine = ("held", customer)
        for code, is_at_fault in (
            (Code.SEAT_NOT_FOUND, lambda seat: seat not in self.seats),
            (Code.SEAT_BLOCKED, lambda seat: self.seats[seat] == "blocked"),
            (Code.SEAT_TAKEN, lambda seat: self.seats[seat] not in ("available", mine)),
        ):
            at_fault = [seat for seat in wanted if is_at_fault(seat)]
            if at_fault:
                return refused(code, at_fault)
        new = [seat for seat in wanted if self.seats[seat] == "available"]
        if new and self._all_of(customer) + len(new) > self.limit:
            return refused(Code.LIMIT_REACHED, new)
        if self.is_strict and (wrong := naive_orphans.wrong_to_hold(self.runs, self._free(), new)):
            return refused(Code.ORPHAN_SEAT, sorted(wrong))
        if new and self._must_not_grow(customer, now_ms):
            return refused(Code.BUSY)
        return self._take(customer, new, now_ms)

    def _release(self, customer: str, seats: tuple[int, ...]) -> Answer:
        hold = self.holds.get(customer)
        mine = set() if hold is None else hold.seats & set(seats or hold.seats)
        if mine and self.pending(customer) is not None:
            return refused(Code.BUSY)
        if self.is_strict and hold is not None and mine:
            wrong = naive_orphans.wrong_to_give_back(self.runs, self._free(), hold.seats, mine)
            if wrong:
                return refused(Code.ORPHAN_SEAT, sorted(wrong))
        self._give_back(customer, mine)
        return self._hold_answer(customer)

    def _organise(self, command: OrganiserCommand) -> Answer:
        if isinstance(command, ChangeTerms):
            self.is_strict = command.orphan_rule is OrphanRule.ENFORCE
            return ("done", None)
        return self._block(command.seats, isinstance(command, BlockSeats))

    def _block(self, seats: tuple[int, ...], for_good: bool) -> Answer:
        unknown = [seat for seat in seats if seat not in self.seats]
        if unknown:
            return refused(Code.SEAT_NOT_FOUND, unknown)
        taken = [seat for seat in seats if for_good and isinstance(self.seats[seat], tuple)]
        if taken:
            return refused(Code.SEAT_TAKEN, taken)
        for seat in seats:
            if for_good:
                self.seats[seat] = "blocked"
            elif self.seats[seat] == "blocked":
                self.seats[seat] = "available"
        return ("done", None)

    def _free(self) -> set[int]:
        return {seat for seat, state in self.seats.items() if state == "available"}

    def _hold_best(self, customer: str, wish: HoldBest, now_ms: int) -> Answer:
        if not self.on_sale:
            return refused(Code.NOT_ON_SALE)
        if self._all_of(customer) + wish.count > self.limit:
            return refused(Code.LIMIT_REACHED)
        best = self._best(wish)
        if best is None:
            return refused(Code.NO_BLOCK)
        if self._must_not_grow(customer, now_ms):
            return refused(Code.BUSY)
        return self._take(customer, best, now_ms)

    def _best(self, wish: HoldBest) -> list[int] | None:
        together = self._nearest(wish, wish.count, [])
        if together is not None:
            return together
        seats: list[int] = []
        while (left := wish.count - len(seats)) > 0:
            sizes = sorted(range(1, min(left, wish.count - 1) + 1), key=lambda n: (n == 1 or left - n == 1, -n))
            blocks = [block for n in sizes if (block := self._nearest(wish, n, seats)) is not None]
            if not blocks:
                return None
            seats += blocks[0]
        return sorted(seats)

    def _nearest(self, wish: HoldBest, count: int, others: list[int]) -> list[int] | None:
        """Of all blocks there are: none alone beside it, near the others of the party, near the focal point."""
        section = self._run_of(others[0]).section if others else None
        found = []
        for place, run in enumerate(sorted(self.runs, key=lambda run: (run.distance, run.first))):
            if wish.section not in (UNSET, run.section) or wish.price_tier not in (UNSET, run.price_tier):
                continue
            if wish.max_price_cents is not UNSET and run.price_cents > wish.max_price_cents:
                continue
            free = [
                self.seats[seat] == "available" and seat not in others
                for seat in range(run.first, run.first + run.count)
            ]
            for at in range(run.count - count + 1):
                if all(free[at : at + count]):
                    before = list(takewhile(bool, reversed(free[:at])))
                    after = list(takewhile(bool, free[at + count :]))
                    leaves_one = 1 in (len(before), len(after))
                    is_elsewhere = section not in (None, run.section)
                    off_centre = abs(at + (count - 1) / 2 - (run.count - 1) / 2)
                    block = list(range(run.first + at, run.first + at + count))
                    found.append((leaves_one, is_elsewhere, run.distance + off_centre, place, block))
        return min(found)[4] if found else None

    def _run_of(self, seat: int) -> Run:
        return next(run for run in self.runs if run.first <= seat < run.first + run.count)

    def _extend(self, customer: str, now_ms: int) -> Answer:
        hold = self.holds.get(customer)
        if hold is None or (hold.ends_ms <= now_ms and self.pending(customer) is None):
            return refused(self._why_none(customer, now_ms))
        if hold.extended:
            return refused(Code.EXTEND_USED)
        hold.extended = True
        self._move_end(hold, now_ms)
        return self._hold_answer(customer)

    def _checkout(self, customer: str, command: Checkout, now_ms: int) -> Answer:
        if not self.on_sale:
            return refused(Code.NOT_ON_SALE)
        if self.pending(customer) is not None:
            return refused(Code.BUSY)
        hold = self.holds.get(customer)
        if hold is None or hold.ends_ms <= now_ms:
            return refused(self._why_none(customer, now_ms))
        self.orders.append(NaiveOrder(customer, command, set(hold.seats)))
        return ("waits", sorted(hold.seats))

    def _cancel(self, customer: str, order_id: str) -> Answer:
        order = next((o for o in self.orders if o.order_id == order_id and o.customer == customer), None)
        if order is None:
            return refused(Code.ORDER_NOT_FOUND)
        if order.status != "completed":
            return refused(Code.ORDER_NOT_COMPLETED)
        order.status = "cancelled"
        for seat in order.seats:
            self.seats[seat] = "available"
        return self._order_answer(order)

    def _take(self, customer: str, new: list[int], now_ms: int) -> Answer:
        if new:
            hold = self.holds.get(customer)
            if hold is None:
                hold = self.holds[customer] = NaiveHold(set(), now_ms, now_ms)
                self.lost_ms.pop(customer, None)
            hold.seats |= set(new)
            self._move_end(hold, now_ms)
            for seat in new:
                self.seats[seat] = ("held", customer)
        return self._hold_answer(customer)

    def _give_back(self, customer: str, seats: set[int]) -> None:
        for seat in seats:
            self.seats[seat] = "available"
        if seats:
            self.holds[customer].seats -= seats
            if not self.holds[customer].seats:
                del self.holds[customer]

    def _move_end(self, hold: NaiveHold, now_ms: int) -> None:
        wanted = min(now_ms + 600_000, hold.started_ms + 1_200_000)
        hold.ends_ms = max(hold.ends_ms, wanted)

    def _must_not_grow(self, customer: str, now_ms: int) -> bool:
        hold = self.holds.get(customer)
        return self.pending(customer) is not None or (hold is not None and hold.ends_ms <= now_ms)

    def _all_of(self, customer: str) -> int:
        hold = self.holds.get(customer)
        return self.bought(customer) + (0 if hold is None else len(hold.seats))

    def _why_none(self, customer: str, now_ms: int) -> Code:
        hold = self.holds.get(customer)
        lost_ms = self.lost_ms.get(customer) if hold is None else hold.ends_ms
        return Code.HOLD_EXPIRED if lost_ms is not None and now_ms < lost_ms + 900_000 else Code.HOLD_NOT_FOUND

    def _hold_answer(self, customer: str) -> Answer:
        hold = self.holds.get(customer)
        if hold is None:
            return ("hold", ((), None, 0))
        seats = tuple(sorted(hold.seats))
        return ("hold", (seats, hold.ends_ms, sum(self.price(seat) for seat in seats)))

    def _order_answer(self, order: NaiveOrder) -> Answer:
        seats = tuple(sorted(order.seats))
        return ("order", (order.order_id, order.status, sum(self.price(seat) for seat in seats), seats))


def refused(code: Code, seats: list[int] | None = None) -> Answer:
    return ("refused", (code, tuple(seats or ())))

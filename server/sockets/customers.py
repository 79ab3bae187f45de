"""Which sockets each customer has, and what is told to one customer alone: among it, the place in line.

A place is told on change, by `tell`. `tell_places` tells all of an event anew, in slices: after a draw, for one.
`run` looks after those who wait: whose wait is another one than was told, by a quarter, is told again.
"""

import asyncio
from collections.abc import Callable

from msgspec.structs import astuple

from actors.core.model import QueueState
from actors.core.pace import WaitRange, is_much_else
from actors.core.seating import Seating
from actors.core.waiting_room import shown_place
from actors.ports import PersonalNews
from protocol.outbound import QueueNow, encode
from server.ending import end
from server.sockets.outbox import Outbox

LOOK_S = 10.0
"""A wait is told again at most so often."""
LOOKS_PER_SLICE = 100
"""So many waits are looked at before others have the loop: 1 ms."""
TOLD_PER_SLICE = 8


class Customers:
    """The sockets of each event and customer. `seating` reads an event's committed state if it is loaded here."""

    def __init__(self, seating: Callable[[str], Seating | None]) -> None:
        self.sockets: dict[str, dict[str, set[Outbox]]] = {}
        self._seating = seating
        self._telling: dict[str, asyncio.Task[None]] = {}

    def join(self, event_id: str, customer: str, outbox: Outbox) -> None:
        """The customer has this socket to the event."""
        self.sockets.setdefault(event_id, {}).setdefault(customer, set()).add(outbox)

    def leave(self, event_id: str, customer: str, outbox: Outbox) -> bool:
        """This socket is gone; was it the customer's last one to the event?"""
        here = self.sockets.get(event_id, {})
        if customer not in here:
            return False
        here[customer].discard(outbox)
        if here[customer]:
            return False
        del here[customer]
        if not here:
            del self.sockets[event_id]
        return True

    def is_connected(self, event_id: str, customer: str) -> bool:
        """Has the customer a socket to the event?"""
        return customer in self.sockets.get(event_id, ())

    def tell(self, event_id: str, personal: PersonalNews) -> None:
        """Tell the customer, on all sockets but the one that has caused it: that one has its answer."""
        frame: bytes | None = None
        message = personal.message
        for outbox in self.sockets.get(event_id, {}).get(personal.customer, ()):
            if isinstance(message, QueueNow):
                outbox.told_wait = wait_of(message)
            if outbox is not personal.origin:
                frame = frame or encode(message)
                outbox.send_text(frame)

    def tell_places(self, event_id: str) -> None:
        """Tell everybody who is connected the place in line, as it is then. What was being told begins anew."""
        if event_id in self._telling:
            self._telling[event_id].cancel()
        self._telling[event_id] = asyncio.create_task(self._tell_places(event_id), name=f"places {event_id}")

    async def run(self) -> None:
        """Look after those who wait. Ends when it is cancelled."""
        try:
            while True:
                waiting = [event_id for event_id in self.sockets if self._has_line(event_id)]
                whom = [(event_id, customer) for event_id in waiting for customer in self.sockets[event_id]]
                slices = range(0, max(1, len(whom)), LOOKS_PER_SLICE)
                for at in slices:
                    self._look_after(whom[at : at + LOOKS_PER_SLICE])
                    await asyncio.sleep(LOOK_S / len(slices))
        finally:
            await end(*self._telling.values())

    def _has_line(self, event_id: str) -> bool:
        seating = self._seating(event_id)
        return seating is not None and seating.line.waiting > 0

    def _look_after(self, whom: list[tuple[str, str]]) -> None:
        for event_id, customer in whom:
            seating = self._seating(event_id)
            entry = None if seating is None else seating.line.entry(customer)
            if seating is None or entry is None or entry.state is not QueueState.WAITING:
                continue
            sockets = self.sockets.get(event_id, {}).get(customer, ())
            now = QueueNow(*astuple(shown_place(seating, customer)))
            if any(is_much_else(outbox.told_wait, wait_of(now)) for outbox in sockets):
                self.tell(event_id, PersonalNews(customer, now))

    async def _tell_places(self, event_id: str) -> None:
        try:
            whom = list(self.sockets.get(event_id, ()))
            for at in range(0, len(whom), TOLD_PER_SLICE):
                seating = self._seating(event_id)
                if seating is None:
                    return  # whoever loads it has them open anew
                for customer in whom[at : at + TOLD_PER_SLICE]:
                    place = QueueNow(*astuple(shown_place(seating, customer)))
                    self.tell(event_id, PersonalNews(customer, place))
                await asyncio.sleep(0)
        finally:
            if self._telling.get(event_id) is asyncio.current_task():
                del self._telling[event_id]


def wait_of(place: QueueNow) -> WaitRange | None:
    """The wait that is told with a place; None: it is not known, or there is none."""
    return None if place.eta_s is None or place.eta_high_s is None else (place.eta_s, place.eta_high_s)

"""The broadcast hub: a channel for each event that is watched, and who is connected to which."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

from actors.core.seating import Seating
from actors.ports import Audience, News, PersonalNews
from protocol.codes import CloseCode
from protocol.outbound import Outbound
from server.sockets.broadcast import Channel, Now
from server.sockets.customers import Customers
from server.sockets.outbox import Outbox

log = logging.getLogger(__name__)

CARE_S = 0.5
SEEN_S = 300.0
"""For so long it is known when a customer was there last."""

T = TypeVar("T", bound=Outbound)


class Hub(Audience):
    """The channels of one node. `seating` reads an event's committed state if it is loaded here; set before use."""

    def __init__(self, now: Now) -> None:
        self.seating: Callable[[str], Seating | None] = lambda _event_id: None
        self._now = now
        self._channels: dict[str, Channel] = {}
        self.customers = Customers(self._committed)
        self._seen: dict[str, float] = {}

    @property
    def watchers(self) -> int:
        """How many connections watch."""
        return sum(len(channel.watchers) for channel in self._channels.values())

    @property
    def watchers_behind(self) -> int:
        """How many of them have left too much unread."""
        return sum(channel.watchers_behind for channel in self._channels.values())

    def begin(self, event_id: str, revision: int, epoch: str) -> None:
        channel = self._channels.get(event_id)
        if channel is not None:
            channel.begin(revision, epoch)

    def publish(self, event_id: str, news: News) -> None:
        channel = self._channels.get(event_id)
        if channel is not None:
            channel.publish(news)

    def tell(self, event_id: str, personal: PersonalNews) -> None:
        self.customers.tell(event_id, personal)

    def announce(self, event_id: str, message: Outbound) -> None:
        channel = self._channels.get(event_id)
        if channel is not None:
            channel.announce(message)

    def tell_places(self, event_id: str) -> None:
        self.customers.tell_places(event_id)

    def seen_s(self, event_id: str, customer: str) -> float:
        if self.customers.is_connected(event_id, customer):
            return asyncio.get_running_loop().time()
        return self._seen.get(customer, 0.0)

    def saw(self, customer: str) -> None:
        """The customer has just asked for something, or closed a socket."""
        now = asyncio.get_running_loop().time()
        self._seen.pop(customer, None)
        self._seen[customer] = now
        while next(iter(self._seen.values())) < now - SEEN_S:
            del self._seen[next(iter(self._seen))]

    def lost(self, event_id: str) -> None:
        channel = self._channels.pop(event_id, None)
        for outbox in channel.watchers if channel is not None else ():
            outbox.close(CloseCode.RESTARTING)

    def watched(self) -> frozenset[str]:
        return frozenset(event_id for event_id, channel in self._channels.items() if channel.watchers)

    def join(self, event_id: str, outbox: Outbox) -> None:
        """A connection to the event: it hears at once what concerns its customer, and no more until `watch`."""
        if outbox.customer is not None:
            self.customers.join(event_id, outbox.customer, outbox)

    def watch(self, event_id: str, seating: Seating, outbox: Outbox, position: tuple[str, int] | None) -> None:
        """Let this connection watch from now on, beginning with what it lacks since `position`."""
        channel = self._channels.get(event_id)
        if channel is None:
            channel = Channel(event_id, self.seating, self._now)
            channel.begin(seating.revision, seating.epoch)
            self._channels[event_id] = channel
        channel.watch(seating, outbox, position)

    def said(self, event_id: str, kind: type[T]) -> T | None:
        """What was announced of this type to all who watch; None: nothing yet."""
        channel = self._channels.get(event_id)
        return None if channel is None else channel.said(kind)

    def leave(self, event_id: str, outbox: Outbox) -> None:
        """This connection is gone."""
        channel = self._channels.get(event_id)
        if channel is not None:
            channel.leave(outbox)
        if outbox.customer is not None and self.customers.leave(event_id, outbox.customer, outbox):
            self.saw(outbox.customer)

    def _committed(self, event_id: str) -> Seating | None:
        return self.seating(event_id)

    async def run(self) -> None:
        """Heartbeats, and the care for those who are behind. Ends when it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(CARE_S)
            for event_id, channel in list(self._channels.items()):
                try:
                    channel.care(loop.time())
                except Exception:  # one event's trouble must not end the heartbeats of all
                    log.exception("the channel of event %s failed", event_id)
                if channel.is_forgotten(loop.time()):
                    del self._channels[event_id]

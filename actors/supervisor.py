"""The supervisor: starts seat managers on demand, restarts them with back-off, stops idle ones.

An event with a hold or an open payment is never left alone: the scan finds and owns it, else its holds would not
end. A command for an event that is not owned here yet waits while the event is claimed and loaded.
"""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field

from msgspec import Struct

from actors.core.model import BeaconRound
from actors.core.seating import Seating
from actors.core.verdict import Settle
from actors.ports import OwnershipLost, Ports, StoreUnavailable
from actors.seat_manager import ManagerSettings, SeatManager
from actors.told import Told, refuse
from protocol.codes import Code

log = logging.getLogger(__name__)


class NotOwned(Exception):
    """The event is owned by another node, or could not be claimed just now."""


class SupervisorSettings(Struct, frozen=True):
    """The bounds of one node's supervisor."""

    manager: ManagerSettings = ManagerSettings()
    scan_s: float = 1.0
    scan_events_max: int = 100
    idle_stop_s: float = 60.0
    restart_first_s: float = 0.05
    restart_max_s: float = 5.0
    unavailable_max_s: float = 0.25
    read_again_s: float = 0.1


@dataclass
class _Slot:
    """One event that this node works on: a manager, or the way to one."""

    ready: asyncio.Future[SeatManager]
    manager: SeatManager | None = None
    task: asyncio.Task[None] | None = None
    waiting: deque[Told] = field(default_factory=deque)
    idle_since: float | None = None


class Supervisor:
    """The seat managers of one node. `run` is its scan; `stop` ends everything and releases the events.

    A manager whose lease has run out is stopped by the scan, if its next batch does not end it first.
    """

    def __init__(self, ports: Ports, settings: SupervisorSettings) -> None:
        self._ports = ports
        self._settings = settings
        self._slots: dict[str, _Slot] = {}
        self._is_stopping = False

    @property
    def managers(self) -> list[SeatManager]:
        """The managers at work."""
        return [slot.manager for slot in self._slots.values() if slot.manager is not None]

    def loaded(self, event_id: str) -> Seating | None:
        """The committed state of the event, if its manager is at work here."""
        slot = self._slots.get(event_id)
        return None if slot is None or slot.manager is None else slot.manager.seating

    def readable(self, event_id: str) -> Seating | None:
        """The committed state of the event, if it can be read here without waiting."""
        slot = self._slots.get(event_id)
        if self._is_stopping or slot is None or slot.manager is None:
            return None
        return slot.manager.seating if self._ports.lease.is_held(slot.manager.claim.owner) else None

    def tell(self, event_id: str, told: Told) -> None:
        """Give a command to the event's manager, starting it if need be. Never waits."""
        if self._is_stopping:
            refuse(told, Code.TRY_AGAIN)
            return
        slot = self._slot(event_id)
        if slot.manager is not None:
            slot.manager.tell(told)
        elif len(slot.waiting) >= self._settings.manager.inbox_commands_max:
            refuse(told, Code.OVERLOADED)
        else:
            slot.waiting.append(told)

    def backlog(self, event_id: str) -> int:
        """How many commands of the event wait to be decided here."""
        slot = self._slots.get(event_id)
        if slot is None:
            return 0
        return len(slot.waiting) if slot.manager is None else slot.manager.inbox_depth

    def settle(self, event_id: str, settled: Settle) -> None:
        """Give a provider's answer to the event's manager. Without one it is dropped: loading asks again."""
        slot = self._slots.get(event_id)
        if slot is not None and slot.manager is not None:
            slot.manager.settle(settled)

    def beacon_spoke(self, event_id: str, found: BeaconRound) -> None:
        """Give the beacon's round to the event's manager. Without one it is dropped: loading asks again."""
        slot = self._slots.get(event_id)
        if slot is not None and slot.manager is not None:
            slot.manager.beacon_spoke(found)

    async def seating(self, event_id: str) -> Seating:
        """The committed state of the event, to read from.

        Raises:
            NotOwned: it cannot be read here and now.
        """
        if self._is_stopping:
            raise NotOwned(event_id)
        slot = self._slot(event_id)
        manager = slot.manager
        if manager is None:
            manager = await asyncio.shield(slot.ready)
        if not self._ports.lease.is_held(manager.claim.owner):
            raise NotOwned(event_id)
        return manager.seating

    async def seating_within(self, event_id: str, patience_s: float) -> Seating:
        """The committed state of the event, to read from; asked for again while it cannot be read.

        Raises:
            NotOwned: it could not be read in all that time.
        """
        try:
            async with asyncio.timeout(patience_s):
                while True:
                    try:
                        return await self.seating(event_id)
                    except NotOwned:
                        await asyncio.sleep(self._settings.read_again_s)
        except TimeoutError:
            raise NotOwned(event_id) from None

    async def run(self) -> None:
        """Each second: own what is neglected, look after what is there. Ends when it is cancelled."""
        while True:
            try:
                for event_id in await self._ports.store.neglected(self._settings.scan_events_max):
                    self._slot(event_id)
            except StoreUnavailable:
                log.warning("the scan for neglected events found no store")
            except Exception:  # whatever it is, holds have to go on ending
                log.exception("the scan for neglected events failed")
            self._look_after()
            await asyncio.sleep(self._settings.scan_s)

    async def stop(self) -> None:
        """End every manager after its batch and release its event."""
        self._is_stopping = True
        tasks = []
        for slot in self._slots.values():
            if slot.manager is not None:
                slot.manager.stop()
            elif slot.task is not None:
                slot.task.cancel()
            if slot.task is not None:
                tasks.append(slot.task)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _slot(self, event_id: str) -> _Slot:
        slot = self._slots.get(event_id)
        if slot is None:
            slot = self._slots[event_id] = _Slot(asyncio.get_running_loop().create_future())
            slot.task = asyncio.create_task(self._keep(event_id, slot), name=f"event {event_id}")
        return slot

    async def _keep(self, event_id: str, slot: _Slot) -> None:
        try:
            await self._keep_alive(event_id, slot)
        finally:
            del self._slots[event_id]
            _give_up(slot, event_id)

    async def _keep_alive(self, event_id: str, slot: _Slot) -> None:
        loop, pause_s = asyncio.get_running_loop(), self._settings.restart_first_s
        while not self._is_stopping:
            started = loop.time()
            try:
                if await self._work(event_id, slot):
                    continue
                return
            except OwnershipLost as lost:
                log.warning("event %s: %s", event_id, lost)
            except StoreUnavailable as problem:
                log.warning("event %s could not be loaded: %s", event_id, problem)
                pause_s = min(pause_s, self._settings.unavailable_max_s)
            except Exception:
                log.exception("the seat manager of event %s died and is rebuilt", event_id)
            _give_up(slot, event_id)
            if loop.time() - started > self._settings.restart_max_s:
                pause_s = self._settings.restart_first_s
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._settings.restart_max_s)

    async def _work(self, event_id: str, slot: _Slot) -> bool:
        """Claim, load, run. False: there is nothing more to do for this event here; True: once more, at once."""
        claim = await self._ports.store.claim(event_id)
        if claim is None:
            self._ports.audience.lost(event_id)
            return False
        manager = await SeatManager.load(claim, self._ports, self._settings.manager)
        slot.manager, slot.idle_since = manager, None
        if not slot.ready.done():
            slot.ready.set_result(manager)
        while slot.waiting:
            manager.tell(slot.waiting.popleft())
        try:
            await manager.run()
        finally:
            slot.manager = None
            slot.ready = asyncio.get_running_loop().create_future()
            self._ports.mirror.forget(claim)
        await self._ports.store.release(claim)
        # What came in while the last batch was written wants a new manager.
        return bool(slot.waiting) and not self._is_stopping

    def _look_after(self) -> None:
        """Stop who may not answer any more and who is idle; see to it that what is watched has a manager."""
        now, watched = asyncio.get_running_loop().time(), self._ports.audience.watched()
        for event_id in watched - self._slots.keys():
            self._slot(event_id)
        for event_id, slot in self._slots.items():
            manager = slot.manager
            if manager is None:
                continue
            if not self._ports.lease.is_held(manager.claim.owner):
                manager.stop()
            elif not manager.is_idle or event_id in watched:
                slot.idle_since = None
            elif slot.idle_since is None:
                slot.idle_since = now
            elif now - slot.idle_since >= self._settings.idle_stop_s:
                manager.stop()


def _give_up(slot: _Slot, event_id: str) -> None:
    """Let nobody wait for a manager that does not come now."""
    while slot.waiting:
        refuse(slot.waiting.popleft(), Code.TRY_AGAIN)
    if not slot.ready.done():
        slot.ready.set_exception(NotOwned(event_id))
        slot.ready.exception()  # nobody may be waiting; that is fine
    slot.ready = asyncio.get_running_loop().create_future()

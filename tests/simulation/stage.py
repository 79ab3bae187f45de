"""A small stage for single scenes: one event, a node or two, a store that does what the scene says."""

import asyncio
from collections.abc import Callable
from typing import Any

from actors.core.layout import Run
from actors.core.model import Stage as EventStage
from actors.core.model import Terms
from actors.core.verdict import Asked, CancelOrder, OrganiserCommand
from actors.ports import Batch, Outcome, Ports, StoreUnavailable
from actors.seat_manager import ManagerSettings
from actors.supervisor import Supervisor, SupervisorSettings
from actors.told import Told
from protocol import outbound
from protocol.inbound import Command, HoldSeats
from protocol.outbound import Accepted, Rejected
from tests.fake_database import FakeDatabase, FakeEvent
from tests.fakes import FakeAudience, FakeLease, FakeMeter, FakeMirror, FakePayments, FakeRandomness, FakeStore

EVENT = "the-event"
OPENING_MS = 1_900_000_000_000
SEATS = 8

Answer = Accepted | Rejected


class ScenicStore(FakeStore):
    """Keeps what was sent. `script` says what becomes of the next batches, then all goes well.

    "lost before", "lost after": no answer; "gate": it waits until `gate` is set; "locked": seats 0 and 1 are.
    """

    def __init__(self, database: FakeDatabase, node_id: Callable[[], str]) -> None:
        super().__init__(database, node_id)
        self.sent: list[Batch] = []
        self.script: list[str] = []
        self.gate = asyncio.Event()
        self.is_away = False
        self.stragglers: list[Batch] = []

    async def commit(self, batch: Batch) -> Outcome:
        if self.is_away:
            raise StoreUnavailable("nobody opens")
        self.sent.append(batch)
        scene = self.script.pop(0) if self.script else ""
        if scene == "lost before":
            self.stragglers.append(batch)
            raise StoreUnavailable("lost before")
        if scene == "gate":
            await self.gate.wait()
        outcome = await super().commit(batch)
        if scene == "lost after":
            raise StoreUnavailable("lost after")
        return outcome

    async def neglected(self, limit: int) -> list[str]:
        if self.is_away:
            raise StoreUnavailable("nobody opens")
        return await super().neglected(limit)


class Heard:
    """What came back for one command."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.at: list[float] = []

    def reply(self, frame: bytes, refusal: Rejected | None) -> None:
        assert (refusal is None) == isinstance(outbound.decode(frame), Accepted)
        self.frames.append(frame)
        self.at.append(asyncio.get_running_loop().time())

    @property
    def answers(self) -> list[Answer]:
        found = [outbound.decode(frame) for frame in self.frames]
        return [answer for answer in found if isinstance(answer, Accepted | Rejected)]

    @property
    def answer(self) -> Answer:
        (answer,) = self.answers
        return answer

    @property
    def code(self) -> str:
        """The refusal's code, or accepted."""
        return self.answer.code if isinstance(self.answer, Rejected) else "accepted"


class SceneNode:
    """A node with fakes at its ports."""

    def __init__(self, database: FakeDatabase, node_id: str, **settings: Any) -> None:
        self.lease = FakeLease(node_id)
        self.store = ScenicStore(database, lambda: node_id)
        self.audience, self.payments, self.mirror = FakeAudience(), FakePayments(), FakeMirror()
        self.meter = FakeMeter()
        self.randomness = FakeRandomness()
        self.ports = Ports(
            self.store, self.mirror, self.audience, self.payments, self.lease, self.meter, self.randomness
        )
        manager = ManagerSettings(**settings)
        self.supervisor = Supervisor(self.ports, SupervisorSettings(manager=manager))
        database.living.add(node_id)

    def tell(
        self, customer: str, command: Command | CancelOrder | OrganiserCommand, origin: object | None = None
    ) -> Heard:
        heard = Heard()
        self.supervisor.tell(EVENT, Told(Asked(customer, command), heard.reply, origin))
        return heard

    def hold(self, customer: str, *seats: int) -> Heard:
        return self.tell(customer, HoldSeats(f"hold-{customer}-{seats}", seats))


def new_database() -> FakeDatabase:
    """A database with one event on sale: eight seats in a row, four for a customer."""
    loop = asyncio.get_running_loop()
    database = FakeDatabase(lambda: OPENING_MS + int(loop.time() * 1000), loop.time)
    terms = Terms(EVENT, EventStage.ON_SALE, OPENING_MS, OPENING_MS + 10**9, 4, "EUR")
    database.events[EVENT] = FakeEvent(terms, [Run("Floor", "vip", 1_000, 0, SEATS, 1.0)], bytearray(SEATS))
    return database


async def settle_down(turns: int = 50) -> None:
    """Let everybody go on who can, without any time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)

"""The world of a storm: one database, nodes that come and go, a provider, a clock that may jump."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, TypeVar

from actors.core.layout import Run, layout_of
from actors.core.model import Stage, Terms
from actors.core.seating import Seating
from actors.ports import Audience, Lease, News, PersonalNews, Ports, Store
from actors.seat_manager import ManagerSettings
from actors.supervisor import Supervisor, SupervisorSettings
from actors.told import Told
from protocol.outbound import Outbound, Patch
from server.payments.worker import PaymentWorker
from tests.auditor import Attempt, Auditor
from tests.fake_database import FakeDatabase, FakeEvent
from tests.fakes import FakeMeter, FakeMirror, FakeRandomness
from tests.simulation.weather import Climate, StormyProvider, StormyStore

T = TypeVar("T")

EVENT = "the-event"
LIMIT = 4
ROWS = 3
SEATS_PER_ROW = 8
BLOCKED = (0, 15)
OPENING_MS = 1_900_000_000_000
HOUR_MS = 3_600_000

_NODE: "contextvars.ContextVar[Node | None]" = contextvars.ContextVar("node", default=None)

Databases = Callable[[Callable[[], int], Callable[[], float]], FakeDatabase]
Stores = Callable[["World", "Node"], Store]
Listener = Callable[[int, str, Outbound, object | None], None]


class SimLease(Lease):
    """Held while the node lives; a node that was cut off may not know it for a while."""

    def __init__(self, node: "Node") -> None:
        self._node = node

    @property
    def node_id(self) -> str:
        return self._node.id

    def is_held(self, owner: str) -> bool:
        return owner == self._node.id and self._node.believes_in_its_lease


class SimAudience(Audience):
    """Who is connected to one node: watchers take patches, customers take personal news.

    `heard` is the last revision of which there was news, `revision` the last one of which there was a patch.
    """

    def __init__(self, world: "World", node: "Node") -> None:
        self._world = world
        self._node = node
        self.epoch = ""
        self.revision = 0
        self.heard = 0
        self.watchers: list[Callable[[Patch], None]] = []
        self.listeners: list[Listener] = []

    def begin(self, event_id: str, revision: int, epoch: str) -> None:
        if revision < self.heard:
            self._world.auditor.blame(f"{self._node.id} loaded revision {revision} after {self.heard}")
        if revision != self.heard:
            # Something was committed of which nobody told: all have to open again.
            self.watchers.clear()
            self.listeners.clear()
        self.epoch, self.revision, self.heard = epoch, revision, revision
        self._world.served(self._node)

    def publish(self, event_id: str, news: News) -> None:
        if self._node.is_dead:
            return
        if news.revision != self.heard + 1:
            self._world.auditor.blame(f"{self._node.id} tells of revision {news.revision} after {self.heard}")
        self.heard = news.revision
        if news.seats:
            states: list[tuple[int, ...]] = [
                tuple(seat for seat, state in news.seats.items() if state == wanted) for wanted in range(4)
            ]
            patch = Patch(self.epoch, self.revision, news.revision, *states)
            self.revision = news.revision
            for watcher in list(self.watchers):
                watcher(patch)

    def tell(self, event_id: str, personal: PersonalNews) -> None:
        if not self._node.is_dead:
            for listener in list(self.listeners):
                listener(self.heard, personal.customer, personal.message, personal.origin)

    def tell_places(self, event_id: str) -> None:
        """Nobody is in line in a storm."""

    def seen_s(self, event_id: str, customer: str) -> float:
        return asyncio.get_running_loop().time()

    def is_at(self, epoch: str, revision: int) -> bool:
        """Has whoever is at this position all patches? The heartbeat tells."""
        return epoch == self.epoch and revision >= self.revision

    def announce(self, event_id: str, message: Outbound) -> None:
        """The event's status is not what is looked at here."""

    def lost(self, event_id: str) -> None:
        self.watchers.clear()

    def watched(self) -> frozenset[str]:
        return frozenset({EVENT} if self.watchers else ())


class Node:
    """One incarnation of a server process. Its tasks carry its name, so that all of them can die at once."""

    def __init__(self, world: "World", number: int, store: Stores) -> None:
        self.id = f"node-{number}"
        self.is_dead = False
        self.believes_in_its_lease = True
        self.tasks: list[asyncio.Task[Any]] = []
        self.statements: list[asyncio.Task[Any]] = []
        self.attempts: list[Attempt] = []
        self.audience = SimAudience(world, self)
        self.worker = PaymentWorker(world.provider)
        ports = Ports(
            store(world, self),
            world.mirror,
            self.audience,
            self.worker,
            SimLease(self),
            FakeMeter(),
            FakeRandomness(),
        )
        manager = ManagerSettings(inbox_commands_max=40, batch_commands_max=8)
        self.supervisor = Supervisor(ports, SupervisorSettings(manager=manager, idle_stop_s=20))
        self.worker.settle = self.supervisor.settle
        self._context = contextvars.copy_context()
        self._context.run(_NODE.set, self)
        world.database.living.add(self.id)

    def start(self) -> None:
        self._scan = self.run(asyncio.create_task, self.supervisor.run())

    def tell(self, told: Told) -> None:
        self.run(self.supervisor.tell, EVENT, told)

    async def seating(self) -> Seating | None:
        """The committed state, if this node has it."""
        task: asyncio.Task[Seating] = self.run(asyncio.create_task, self.supervisor.seating(EVENT))
        await asyncio.wait([task])
        is_there = not task.cancelled() and task.exception() is None
        return task.result() if is_there and not self.is_dead else None

    def run(self, call: Callable[..., T], *arguments: Any) -> T:
        """Call as this node: what it starts dies with it."""
        return self._context.copy().run(call, *arguments)


class World:
    """Everything around the actors. `front` is the node that customers connect to."""

    def __init__(
        self,
        seed: int,
        climate: Climate,
        database: Databases = FakeDatabase,
        store: Stores = StormyStore,
    ) -> None:
        self.random = Random(seed)
        self.loop = asyncio.get_running_loop()
        self.loop.set_task_factory(_tagged)  # type: ignore[arg-type]
        self.climate = climate
        self.jumped_ms = 0
        self.database = database(self.wall_ms, self.loop.time)
        runs = [
            Run("Floor", "vip", 1_000 * (row + 1), row * SEATS_PER_ROW, SEATS_PER_ROW, float(row))
            for row in range(ROWS)
        ]
        states = bytearray(3 if seat in BLOCKED else 0 for seat in range(ROWS * SEATS_PER_ROW))
        terms = Terms(EVENT, Stage.ON_SALE, OPENING_MS, OPENING_MS + 1_000 * HOUR_MS, LIMIT, "EUR")
        self.database.events[EVENT] = FakeEvent(terms, runs, states)
        self.auditor = Auditor(layout_of(runs).prices_cents, LIMIT)
        self.mirror = FakeMirror()
        self.provider = StormyProvider(self.random, lambda: self.climate)
        self.troubles: list[tuple[float, float]] = []
        self.front: Node | None = None
        self.front_lost = asyncio.Event()
        self.retries = 0
        self.nodes: list[Node] = []
        self._store = store
        self._store_away_until = 0.0
        self._unserved_since: float | None = None
        self._context = contextvars.copy_context()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def event(self) -> FakeEvent:
        return self.database.events[EVENT]

    def wall_ms(self) -> int:
        """The database's clock."""
        return OPENING_MS + self.jumped_ms + int(self.loop.time() * 1000)

    @property
    def is_store_away(self) -> bool:
        return self.loop.time() < self._store_away_until

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task of the world, which no crash ends."""
        task: asyncio.Task[T] = self._context.copy().run(asyncio.create_task, work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.trouble(delay_s + 1)
        self.loop.call_later(delay_s, call)

    def trouble(self, duration_s: float) -> None:
        """From now on for so long nobody is to blame for being late."""
        self.troubles.append((self.loop.time(), self.loop.time() + duration_s))

    def send_store_away(self, duration_s: float) -> None:
        self._store_away_until = self.loop.time() + duration_s
        self.trouble(duration_s + 2)

    def start_node(self) -> Node:
        node = Node(self, len(self.nodes) + 1, self._store)
        self.nodes.append(node)
        self.front = node
        self.front_lost.clear()
        node.start()
        return node

    def served(self, node: Node) -> None:
        """This node has loaded the event."""
        if self._unserved_since is not None:
            self.troubles.append((self._unserved_since, self.loop.time() + 1))
            self._unserved_since = None

    def crash(self, node: Node) -> None:
        """The process is gone: its tasks end where they are, its answers reach nobody."""
        if node.is_dead:
            return
        node.is_dead = True
        self._leave(node)
        for statement in node.statements:
            if not statement.done() and self.random.random() < 0.5:
                statement.cancel()
        for attempt in node.attempts:
            attempt.is_excused = attempt.is_excused or not attempt.answers
        for task in node.tasks:
            task.cancel()

    def cut_off(self, node: Node, believes_s: float) -> None:
        """The node's lease runs out, and it goes on; for so long it does not even know."""
        self._leave(node)

        def learn() -> None:
            node.believes_in_its_lease = False

        self.loop.call_later(believes_s, learn)

    def _leave(self, node: Node) -> None:
        self.database.living.discard(node.id)
        if self.front is node:
            self.front = None
            self.front_lost.set()
        if self._unserved_since is None:
            self._unserved_since = self.loop.time()

    def unlock_head(self) -> None:
        """Whoever had the head gives it back."""
        self.event.head_is_locked = False

    def end(self) -> None:
        """Nothing goes on."""
        for node in self.nodes:
            self.crash(node)
        for task in list(self._tasks):
            task.cancel()


class Deaths(logging.Handler):
    """Hears when an actor dies of a broken promise, which no weather excuses."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(
            f"{record.getMessage()}: {record.exc_info[1]!r}" if record.exc_info else record.getMessage()
        )


def _tagged(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T], **more: Any) -> asyncio.Task[T]:
    task = asyncio.Task(work, loop=loop, **more)
    node = _NODE.get()
    if node is not None:
        node.tasks.append(task)
    return task

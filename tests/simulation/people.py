"""Customers and watchers in a storm: they ask, repeat themselves, lose their connection and come again."""

import asyncio
from random import Random

from msgspec import UNSET

from actors.core.model import OrphanRule
from actors.core.verdict import Asked, BlockSeats, CancelOrder, ChangeTerms, OrganiserCommand, UnblockSeats
from actors.told import Told
from protocol.codes import Code
from protocol.inbound import Checkout, Command, ExtendHold, HoldBest, HoldSeats, JoinQueue, LeaveQueue, ReleaseSeats
from protocol.outbound import Accepted, HoldNow, OrderNow, OrderStatus, Outbound, Patch, Rejected
from tests.auditor import Attempt, client_rule
from tests.simulation.world import BLOCKED, ROWS, SEATS_PER_ROW, Node, World

PATIENCE_S = 15.0
"""Longer than the server takes to answer a checkout with its pending order."""

RETRIED = (Code.TRY_AGAIN, Code.OVERLOADED)
Said = Command | CancelOrder | OrganiserCommand
Answer = Accepted | Rejected | None


class Tab:
    """One tab of one customer. It knows what it was told, and nothing else."""

    def __init__(self, world: World, customer: str, number: int, seed: int, commands: int) -> None:
        self.customer = customer
        self.node: Node | None = None
        self.holds: tuple[int, ...] = ()
        self.at_revision = 0
        self._world = world
        self._random = Random(seed)
        self._name = f"{customer}/{number}"
        self._commands = commands
        self._count = 0
        self._past: list[Said] = []
        self._orders: list[str] = []

    @property
    def is_connected(self) -> bool:
        """Does it hear what the node that works says?"""
        return (
            self.node is not None and self.node is self._world.front and self.hear in self.node.audience.listeners
        )

    async def live(self) -> None:
        """Say so many things, with pauses, some of them long."""
        for _ in range(self._commands):
            long = self._random.random() < 0.07
            await asyncio.sleep(self._random.uniform(300, 700) if long else self._random.expovariate(1 / 0.5))
            command = self._next()
            answer = await self.ask(command)
            if isinstance(answer, Accepted) and command not in self._past:
                self._past.append(command)

    async def ask(self, command: Said) -> Answer:
        """Ask until there is an answer that says something."""
        while True:
            node = await self._connected()
            if self._random.random() < 0.08:
                both = [self._send(node, command) for _ in range(2)]
                answer = (await asyncio.gather(*both))[0]
            else:
                answer = await self._send(node, command)
            is_answer = answer is not None and not (isinstance(answer, Rejected) and answer.code in RETRIED)
            if is_answer:
                return answer
            self._count_retry()
            await asyncio.sleep(self._random.uniform(0.05, 1.0))

    def hear(self, revision: int, customer: str, message: Outbound, origin: object | None) -> None:
        """News of mine, unless they are of my own doing."""
        if customer != self.customer or origin is self:
            return
        if isinstance(message, HoldNow) and revision >= self.at_revision:
            self.holds, self.at_revision = message.seats, revision
        if isinstance(message, OrderNow):
            self._know(message.order_id, message.status)

    def _next(self) -> Said:
        self._count += 1
        id_ = f"{self._name}:{self._count}"
        pick = self._random.random()
        if self._past and pick < 0.08:
            return self._random.choice(self._past)
        if self._past and pick < 0.12:
            id_ = self._random.choice(self._past).id
        if self.holds and pick < 0.32:
            return Checkout(id_, "card")
        if self.holds and pick < 0.42:
            return ExtendHold(id_)
        if self.holds and pick < 0.52:
            mine = tuple(seat for seat in self.holds if self._random.random() < 0.5)
            return ReleaseSeats(id_, mine)
        if self._orders and pick < 0.60:
            return CancelOrder(id_, self._random.choice(self._orders))
        if pick < 0.63:
            return JoinQueue(id_) if self._random.random() < 0.5 else LeaveQueue(id_)
        if pick < 0.73:
            return HoldBest(id_, self._random.randint(1, 3))
        seats = self._random.sample(range(ROWS * SEATS_PER_ROW + 1), self._random.randint(1, 3))
        free = tuple(seat for seat in seats if seat not in BLOCKED or pick > 0.97)
        return HoldSeats(id_, free or (seats[0],))

    def _count_retry(self) -> None:
        self._world.retries += 1

    async def _connected(self) -> Node:
        """The node that this tab is connected to; after a change it is told its hold, as after `open`."""
        while self.node is None or not self.is_connected:
            self._disconnect()
            node = self._world.front
            seating = None if node is None else await node.seating()
            if node is None or seating is None or node is not self._world.front:
                await asyncio.sleep(0.2)
                continue
            hold = seating.hold(self.customer)
            self.holds, self.at_revision = () if hold is None else hold.seats, seating.revision
            self.node = node
            node.audience.listeners.append(self.hear)
        return self.node

    def _disconnect(self) -> None:
        if self.node is not None and self.hear in self.node.audience.listeners:
            self.node.audience.listeners.remove(self.hear)
        self.node = None

    async def _send(self, node: Node, command: Said) -> Answer:
        loop = asyncio.get_running_loop()
        auditor = self._world.auditor
        attempt = auditor.asked(self.customer, command, loop.time())
        is_cut = self._random.random() < self._world.climate.cut_reply
        attempt.is_excused = is_cut
        node.attempts.append(attempt)
        answered: asyncio.Future[Answer] = loop.create_future()

        def reply(frame: bytes, refusal: Rejected | None) -> None:
            if node.is_dead:
                attempt.is_excused = True
                return
            answer = None if is_cut else auditor.answered(attempt, frame, loop.time())
            if (refusal is not None) != (b'"rejected"' in frame):
                auditor.blame(f"{attempt.key}: the frame and the refusal part: {frame!r}, {refusal}")
            self._learn(node, attempt, answer)
            if not answered.done():
                answered.set_result(answer)

        node.tell(Told(Asked(self.customer, command), reply, self))
        try:
            return await asyncio.wait_for(answered, PATIENCE_S)
        except TimeoutError:
            return None

    def _learn(self, node: Node, attempt: Attempt, answer: Answer) -> None:
        if answer is None:
            # The socket broke with the answer on it.
            if self.node is node:
                self._disconnect()
        elif isinstance(answer, Accepted):
            if answer.hold is not UNSET and answer.revision >= self.at_revision:
                self.holds, self.at_revision = answer.hold.seats, answer.revision
            if answer.order is not UNSET:
                self._know(answer.order.order_id, answer.order.status)
                # Paid or cancelled: my own doing, of which no news come.
                if answer.order.status is OrderStatus.COMPLETED and answer.revision >= self.at_revision:
                    self.holds, self.at_revision = (), answer.revision
            has_left = answer.queue is not UNSET and isinstance(attempt.command, LeaveQueue)
            if has_left and answer.revision >= self.at_revision:
                self.holds, self.at_revision = (), answer.revision

    def _know(self, order_id: str, status: OrderStatus) -> None:
        if status is OrderStatus.COMPLETED and order_id not in self._orders:
            self._orders.append(order_id)


class Organiser(Tab):
    """Blocks seats and sells them again, and does not know whose they are; thinks anew about single seats."""

    def _next(self) -> Said:
        self._count += 1
        id_ = f"{self._name}:{self._count}"
        pick = self._random.random()
        if self._past and pick < 0.1:
            return self._random.choice(self._past)
        if pick < 0.2:
            return ChangeTerms(id_, orphan_rule=self._random.choice(list(OrphanRule)))
        seats = tuple(self._random.sample(range(ROWS * SEATS_PER_ROW + 1), self._random.randint(1, 2)))
        return BlockSeats(id_, seats, f"reason {self._count}") if pick < 0.5 else UnblockSeats(id_, seats)


class Watcher:
    """Keeps a map by the client's rule, loses a patch now and then, and shows the auditor what it has."""

    def __init__(self, world: World, seed: int) -> None:
        self.node: Node | None = None
        self.epoch = ""
        self.revision = -1
        self.states = bytearray()
        self._world = world
        self._random = Random(seed)

    async def live(self) -> None:
        """Watch for ever."""
        while True:
            await asyncio.sleep(self._random.expovariate(1 / 3))
            await self.look()

    async def look(self) -> None:
        """What a heartbeat does: notice a loss, and open again."""
        node = self.node
        is_connected = node is not None and node is self._world.front and self.take in node.audience.watchers
        if node is None or not is_connected or not node.audience.is_at(self.epoch, self.revision):
            await self._open()
        if self.node is not None:
            self._world.auditor.saw(self.revision, bytes(self.states))

    def take(self, patch: Patch) -> None:
        if self.node is None or self._random.random() < 0.03:
            return
        outcome = client_rule(self.epoch, self.revision, patch.epoch, patch.base, patch.revision)
        if outcome == "apply":
            for state, seats in enumerate((patch.available, patch.held, patch.sold, patch.blocked)):
                for seat in seats:
                    self.states[seat] = state
            self.revision = patch.revision
        elif outcome == "reopen":
            self._leave()

    async def _open(self) -> None:
        self._leave()
        node = self._world.front
        seating = None if node is None else await node.seating()
        if node is None or seating is None:
            return
        self.node, self.epoch, self.revision = node, seating.epoch, seating.revision
        self.states = bytearray(seating.states)
        node.audience.watchers.append(self.take)

    def _leave(self) -> None:
        if self.node is not None and self.take in self.node.audience.watchers:
            self.node.audience.watchers.remove(self.take)
        self.node = None

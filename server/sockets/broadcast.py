"""One event's broadcast: a channel to all who watch it.

    publish() ──► fold ──► one patch, encoded and framed once ──► every watcher, in slices
                    └────► history, from which a watcher resumes

A quiet event's patch leaves at once. Those of a hot one are folded: at most one per 50 ms, and the interval
grows so that fan-out never takes more than half of the time. Where batches come faster than patches, what is left
of it is spread between the watchers, so that commands never wait for a whole fan-out. A watcher that does not drain
gets no patches until it has, then one folded patch or a snapshot; one that stays behind is cut off.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import TypeVar

from actors.batch_log import CORRELATION_IDS_MAX
from actors.core.seating import Seating
from actors.ports import News
from protocol import limits
from protocol.codes import CloseCode
from protocol.outbound import Heartbeat, Outbound, Patch, Resync, Snapshot, encode
from protocol.seat_state import SeatState, pack_states
from server.sockets.frames import text_frame
from server.sockets.outbox import Outbox

log = logging.getLogger(__name__)

FOLD_S = 0.05
SLICE_SOCKETS = 8
REST_S = 0.002
"""How long the fan-out of several batches rests, again and again: it leaves a core to the database."""
RUN_SOCKETS_MIN = 64
"""It sends to at least so many between two rests."""
BEHIND_MAX_S = 10.0
HISTORY_SEATS_MAX = 50_000
QUIET_CHANNEL_S = 300.0

Now = Callable[[], datetime]
T = TypeVar("T", bound=Outbound)


class Channel:
    """One event's stream of patches and those who watch it."""

    def __init__(self, event_id: str, seating: Callable[[str], Seating | None], now: Now) -> None:
        self.watchers: set[Outbox] = set()
        self._event_id = event_id
        self._seating = seating
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._behind: set[Outbox] = set()
        self._epoch = ""
        self._revision = 0
        self._sent = 0
        self._fold: dict[int, int] = {}
        self._fold_ids: list[str] = []
        self._notes: dict[type, Outbound] = {}
        """What is to be said to everybody, of each type the newest."""
        self._said: dict[type, Outbound] = {}
        """What was said last."""
        self._history: deque[tuple[int, dict[int, int]]] = deque()
        self._history_seats = 0
        self._history_from = 0
        self._task: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._work_s = 0.0
        """What the last patch took to send, without the rests."""
        self._beat_at = self._loop.time() + limits.HEARTBEAT_S
        self._left_at = self._loop.time()
        self._snapshot: tuple[int, bytes] = (-1, b"")

    @property
    def watchers_behind(self) -> int:
        """How many watchers have left too much unread."""
        return len(self._behind)

    def begin(self, revision: int, epoch: str) -> None:
        """The event was loaded at this position. What was committed unheard leaves a gap: all start anew."""
        if (epoch, revision) == (self._epoch, self._revision):
            return
        self._epoch, self._revision, self._sent = epoch, revision, revision
        self._fold, self._fold_ids = {}, []
        self._snapshot = (-1, b"")
        self._history.clear()
        self._history_seats, self._history_from = 0, revision
        for outbox in self.watchers:
            outbox.revision = -1
            self._fall_behind(outbox)

    def publish(self, news: News) -> None:
        """Take the news of one batch; its seats leave in the next patch."""
        if news.revision != self._revision + 1:
            self.begin(news.revision, self._epoch)
            return
        self._revision = news.revision
        if news.seats:
            self._remember(news.revision, news.seats)
            self._fold.update(news.seats)
            self._fold_ids += news.correlation_ids
            self._pump()

    def announce(self, message: Outbound) -> None:
        """Send this to everybody, after the patches before it, unless it is what was said last."""
        if message != self._notes.get(type(message), self._said.get(type(message))):
            self._notes[type(message)] = message
            self._pump()

    def said(self, kind: type[T]) -> T | None:
        """What everybody has heard, or is about to hear first; whoever is told it hears nothing older later."""
        said = self._said.get(kind, self._notes.get(kind))
        assert said is None or isinstance(said, kind)
        return said

    def watch(self, seating: Seating, outbox: Outbox, position: tuple[str, int] | None) -> None:
        """Answer `open`: a patch from the position to now, or a snapshot."""
        patch = None if position is None else self._since(*position)
        if patch is not None:
            outbox.send(patch)
        else:
            if position is not None:
                outbox.send(Resync("history"))
            outbox.send_text(self._whole(seating))
        outbox.revision = self._revision
        outbox.behind_since = None
        self._behind.discard(outbox)
        self.watchers.add(outbox)

    def leave(self, outbox: Outbox) -> None:
        """Forget a connection."""
        self.watchers.discard(outbox)
        self._behind.discard(outbox)
        self._left_at = self._loop.time()

    def care(self, now: float) -> None:
        """Beat when it is time; bring those who have drained up to date, cut those who do not."""
        if now >= self._beat_at:
            self._pump()
        for outbox in list(self._behind):
            if outbox.is_drained:
                self._catch_up(outbox)
            elif outbox.behind_since is not None and now - outbox.behind_since > BEHIND_MAX_S:
                outbox.close(CloseCode.TOO_SLOW)
                self.leave(outbox)

    def is_forgotten(self, now: float) -> bool:
        """Has nobody watched for a long time?"""
        return not self.watchers and now - self._left_at > QUIET_CHANNEL_S

    def _remember(self, revision: int, seats: dict[int, int]) -> None:
        self._history.append((revision, seats))
        self._history_seats += len(seats)
        while self._history_seats > HISTORY_SEATS_MAX:
            self._history_from, forgotten = self._history.popleft()
            self._history_seats -= len(forgotten)

    def _since(self, epoch: str, revision: int) -> Patch | None:
        """One patch from a position to now; None: that is not known any more, or was never true."""
        if epoch != self._epoch or not self._history_from <= revision <= self._revision:
            return None
        fold: dict[int, int] = {}
        for later, seats in reversed(self._history):
            if later <= revision:
                break
            for seat, state in seats.items():
                fold.setdefault(seat, state)
        return _patch(self._epoch, revision, self._revision, fold)

    def _whole(self, seating: Seating) -> bytes:
        assert seating.revision == self._revision, "the channel and the seat manager have parted"
        if self._snapshot[0] != seating.revision:
            snapshot = Snapshot(seating.epoch, seating.revision, pack_states(seating.states), seating.counts)
            self._snapshot = seating.revision, encode(snapshot)
        return self._snapshot[1]

    def _pump(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._fan_out(), name=f"fan-out {self._event_id}")

    async def _fan_out(self) -> None:
        while self._fold or self._notes or self._loop.time() >= self._beat_at:
            await asyncio.sleep(max(0.0, self._not_before - self._loop.time()))
            began = self._loop.time()
            rested_s = 0.0
            if self._fold:
                base, fold = self._sent, self._fold
                is_hot = self._revision > base + 1
                self._sent, self._fold = self._revision, {}
                self._log_patch(base, len(fold))
                patch = _patch(self._epoch, base, self._sent, fold)
                rested_s = await self._push_to_all(patch, self._sent, self._run_sockets() if is_hot else None)
                self._work_s = self._loop.time() - began - rested_s
            while self._notes:
                kind = next(iter(self._notes))
                self._said[kind] = self._notes.pop(kind)
                await self._push_to_all(self._said[kind], None)
            if began >= self._beat_at:
                self._beat_at = began + limits.HEARTBEAT_S
                await self._push_to_all(
                    Heartbeat(self._epoch, self._sent, int(self._now().timestamp() * 1000)), None
                )
            took = self._loop.time() - began
            self._not_before = began + max(FOLD_S, 2 * (took - rested_s))

    def _log_patch(self, base: int, seats: int) -> None:
        ids, self._fold_ids = self._fold_ids[:CORRELATION_IDS_MAX], []
        if log.isEnabledFor(logging.DEBUG):
            fields = {"event_id": self._event_id, "base": base, "revision": self._sent, "seats": seats}
            log.debug("patch", extra=fields | {"watchers": len(self.watchers), "correlation_ids": ids})

    def _run_sockets(self) -> int:
        """To how many a patch is sent between two rests, so that it is with everybody when the next one is due."""
        rests = (max(FOLD_S, 2 * self._work_s) - self._work_s) / REST_S
        return max(RUN_SOCKETS_MIN, int(len(self.watchers) / rests) + 1)

    async def _push_to_all(self, message: Outbound, revision: int | None, run_sockets: int | None = None) -> float:
        """How long it rested, in seconds; `run_sockets`: after each so many watchers."""
        frame = text_frame(encode(message))
        epoch = self._epoch
        watchers = iter(list(self.watchers))
        sent, rested_s = 0, 0.0
        while part := list(islice(watchers, SLICE_SOCKETS)):
            for outbox in part:
                if epoch != self._epoch or outbox not in self.watchers or outbox.behind_since is not None:
                    continue
                if not outbox.push(frame):
                    self._fall_behind(outbox)
                elif revision is not None:
                    outbox.revision = max(outbox.revision, revision)
            sent += len(part)
            if run_sockets is not None and sent >= run_sockets:
                sent, before = 0, self._loop.time()
                await asyncio.sleep(REST_S)
                rested_s += self._loop.time() - before
            else:
                await asyncio.sleep(0)
        return rested_s

    def _fall_behind(self, outbox: Outbox) -> None:
        outbox.behind_since = outbox.behind_since or self._loop.time()
        self._behind.add(outbox)

    def _catch_up(self, outbox: Outbox) -> None:
        seating = self._seating(self._event_id)
        patch = self._since(self._epoch, outbox.revision)
        if patch is not None:
            outbox.send(patch)
        elif seating is not None:
            outbox.send(Resync("behind"))
            outbox.send_text(self._whole(seating))
        else:
            return  # the event is being loaded: next time
        for said in self._said.values():
            outbox.send(said)
        outbox.revision = self._revision
        outbox.behind_since = None
        self._behind.discard(outbox)


def _patch(epoch: str, base: int, revision: int, seats: dict[int, int]) -> Patch:
    by_state: dict[SeatState, list[int]] = {state: [] for state in SeatState}
    for seat in sorted(seats):
        by_state[SeatState(seats[seat])].append(seat)
    return Patch(epoch, base, revision, *(tuple(by_state[state]) for state in SeatState))

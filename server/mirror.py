"""The mirror of the holds in Redis, for whoever wants to look from outside. Nothing is decided from it.

    usher:{event}:holds   hash, customer -> {"seats":[…],"expires_at_ms":…}, each field with a time to live
    usher:{event}:head    hash, epoch, term and revision of what is there: the sentinel that tells a loss

One conflating writer for each event: what changes while a write is under way goes with the next. A stale owner
that wakes up cannot overwrite, because the script compares (term, revision). Those of another epoch are numbers of
another history: who loads the event in a new one writes all anew. What nobody writes any more runs out.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.core.model import Hold
from actors.ports import Claim, Mirror
from server.ending import end

log = logging.getLogger(__name__)

CHECK_S = 1.0
KEPT_S = 24 * 3600
"""Each write prolongs the keys by this; where the head runs out in a quiet event, it is written anew."""
FIELDS_PER_GROUP_MAX = 1_000
"""Lua's unpack has a limit of some thousand values."""

Holds = Mapping[str, Hold | None]


class NoFieldExpiry(Exception):
    """This Redis has no HSETEX: fields with a time to live need Valkey 9 or Redis 8."""


class RedisMirror(Mirror):
    """`actors.ports.Mirror` in Redis. `start` probes for what it needs; without it the mirror stays off."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = redis.register_script((Path(__file__).parent / "mirror.lua").read_text())
        self._events: dict[str, _EventMirror] = {}
        self._task: asyncio.Task[None] | None = None
        self._writing: set[asyncio.Task[None]] = set()
        self._is_on = True

    async def start(self) -> None:
        """Begin to look after what was lost.

        Raises:
            NoFieldExpiry: this Redis cannot carry the mirror; it stays off.
        """
        try:
            has_field_expiry = await has_command(self._redis, "HSETEX")
        except (RedisError, OSError) as problem:
            log.warning("Redis is away, the mirror is written when it is back: %s", problem)
        else:
            if not has_field_expiry:
                self._is_on = False
                raise NoFieldExpiry("this Redis has no HSETEX; the mirror needs Valkey 9 or Redis 8")
        self._task = asyncio.create_task(self._keep_looking(), name="mirror")

    async def stop(self) -> None:
        """Stop writing. What is there runs out by itself."""
        await end(self._task, *self._writing)

    @property
    def is_on(self) -> bool:
        """Can this Redis carry the mirror?"""
        return self._is_on

    @property
    def lag_s(self) -> float:
        """How old the oldest change is that is not written yet; 0 when the mirror is equal."""
        since = [event.behind_since for event in self._events.values() if event.behind_since is not None]
        return asyncio.get_running_loop().time() - min(since) if since else 0.0

    @property
    def events_behind(self) -> int:
        """How many events have changes that are not written yet."""
        return sum(event.is_behind or event.is_writing for event in self._events.values())

    def touch(self, claim: Claim, revision: int, holds: dict[str, Hold | None]) -> None:
        event = self._events.get(claim.event_id)
        if self._is_on and event is not None:
            event.touch(revision, holds)

    def replace(self, claim: Claim, revision: int, epoch: str, holds: Callable[[], dict[str, Hold]]) -> None:
        if not self._is_on:
            return
        self.forget(claim)
        self._events[claim.event_id] = event = _EventMirror(
            self._write, self._writing, claim, revision, epoch, holds
        )
        event.touch(revision, {})

    def forget(self, claim: Claim) -> None:
        event = self._events.pop(claim.event_id, None)
        if event is not None:
            event.is_over = True

    async def _write(self, claim: Claim, revision: int, epoch: str, base: int | None, holds: Holds) -> bool:
        """Write; False: all is to be written anew. Raises what Redis raises."""
        keys = [f"usher:{{{claim.event_id}}}:head", f"usher:{{{claim.event_id}}}:holds"]
        answer = await self._script(keys, _arguments(claim, revision, epoch, base, holds))
        return bool(answer != b"gap")

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            events = list(self._events.values())
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for event in events:
                        _ = pipeline.exists(f"usher:{{{event.claim.event_id}}}:head")
                    found = await pipeline.execute()
            except (RedisError, OSError):
                continue
            for event, is_there in zip(events, found, strict=True):
                if not is_there:
                    event.write_anew()


class _EventMirror:
    """What one event has still to write. A task is there while there is something."""

    def __init__(
        self,
        write: Any,
        tasks: set[asyncio.Task[None]],
        claim: Claim,
        revision: int,
        epoch: str,
        holds: Callable[[], dict[str, Hold]],
    ) -> None:
        self.claim = claim
        self.is_over = False
        """The event is no longer ours: what is still to be written is left."""
        self._epoch = epoch
        self._task: asyncio.Task[None] | None = None
        self._tasks = tasks
        self._write = write
        self._holds = holds
        self._revision = revision
        self._base: int | None = None
        self._changed: dict[str, Hold | None] = {}
        self._changed_at: float | None = None
        self._writing_since: float | None = None

    @property
    def is_behind(self) -> bool:
        return self._base != self._revision

    @property
    def is_writing(self) -> bool:
        return self._task is not None and not self._task.done()

    @property
    def behind_since(self) -> float | None:
        """When the oldest change happened that is not written yet, by the loop's clock."""
        return self._changed_at if self._writing_since is None else self._writing_since

    def touch(self, revision: int, holds: Holds) -> None:
        self._revision = revision
        if self._base is not None:
            self._changed.update(holds)
        if self._changed_at is None:
            self._changed_at = asyncio.get_running_loop().time()
        if not self.is_writing:
            self._task = asyncio.create_task(self._catch_up(), name=f"mirror {self.claim.event_id}")
            self._tasks.add(self._task)
            self._task.add_done_callback(self._tasks.discard)

    def write_anew(self) -> None:
        self._base = None
        self._changed.clear()
        self.touch(self._revision, {})

    async def _catch_up(self) -> None:
        pause_s = 0.05
        while self.is_behind and not self.is_over:
            revision, base = self._revision, self._base
            holds: Holds = dict(self._holds()) if base is None else self._changed
            self._changed = {}
            # Assume it will be written: what changes meanwhile builds on it.
            self._base = revision
            self._writing_since = self._writing_since or self._changed_at
            self._changed_at = None
            try:
                is_written = await self._write(self.claim, revision, self._epoch, base, holds)
            except (RedisError, OSError):
                is_written = False
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, 1.0)
            if is_written:
                self._writing_since = None
            else:
                self._base = None
                self._changed = {}


async def has_command(redis: Redis, name: str) -> bool:
    """Does this server know the command? Versions are not compared: forks count differently."""
    # As one word: the client's own reader of COMMAND stumbles over a command that is not there.
    ask: Any = redis.execute_command  # which redis-py leaves untyped
    found: Any = await ask("COMMAND INFO", name)
    return any(found if isinstance(found, list) else found.values())


def _arguments(claim: Claim, revision: int, epoch: str, base: int | None, holds: Holds) -> list[Any]:
    gone = [customer for customer, hold in holds.items() if hold is None]
    groups: dict[int, list[str | bytes]] = {}
    for customer, hold in holds.items():
        if hold is not None:
            shown = {"seats": hold.seats, "expires_at_ms": hold.expires_ms}
            groups.setdefault(hold.expires_ms, []).extend((customer, msgspec.json.encode(shown)))
    arguments: list[Any] = [epoch, KEPT_S, claim.term, revision, "" if base is None else base, len(gone), *gone]
    for expires_ms, fields in groups.items():
        for part in _parts(fields):
            arguments += [expires_ms, len(part) // 2, *part]
    return arguments


def _parts(fields: list[str | bytes]) -> Iterable[list[str | bytes]]:
    size = 2 * FIELDS_PER_GROUP_MAX
    return (fields[at : at + size] for at in range(0, len(fields), size))

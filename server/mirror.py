"""The mirror of holds and waiting rooms in Redis, for whoever looks from outside. Nothing is decided from it.

    usher:{event}:holds    hash, customer -> {"seats":[…],"expires_at_ms":…}, each field with a time to live
    usher:{event}:lobby    sorted set, customer by position in the chain of the draw
    usher:{event}:waiting  sorted set, customer by place in line
    usher:{event}:inside   hash, customer -> {"status":"active" or "called","place":…,"until_ms":…}
    usher:{event}:head     hash, epoch, term and revision of what is there: the sentinel that tells a loss;
                           `missing`: so many entries of the waiting room are not written yet

One conflating writer for all events of the node: what changes within a moment, or while a write is under way, goes
with the next, and many events share a round trip. A stale owner that wakes up cannot overwrite, because the script
compares (term, revision). Those of another epoch are numbers of another history: who loads the event in a new one
writes all anew. What nobody writes any more runs out.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from actors.core.model import Hold
from actors.ports import Claim, Mirror
from server.ending import end
from server.mirrored_line import Entries, MirroredLine

log = logging.getLogger(__name__)

CHECK_S = 1.0
ROUND_S = 0.05
"""From the end of one round of writing to the next: the changes of this time go together."""
EVENTS_PER_ROUND_MAX = 64
ENTRIES_PER_ROUND_MAX = 2_000
"""Of the lines of all events: one of 100,000 that is written anew must not hold up the loop (5 ms), or Redis."""
PAUSE_MAX_S = 1.0
KEPT_S = 24 * 3600
"""Each write prolongs the keys by this; where the head runs out in a quiet event, it is written anew."""
FIELDS_PER_GROUP_MAX = 1_000
"""Lua's unpack has a limit of some thousand values."""

_KEYS = ("head", "holds", "lobby", "waiting", "inside")

Holds = Mapping[str, Hold | None]
_Write = tuple[tuple[str, ...], list[Any]]


class NoFieldExpiry(Exception):
    """This Redis has no HSETEX: fields with a time to live need Valkey 9 or Redis 8."""


class RedisMirror(Mirror):
    """`actors.ports.Mirror` in Redis. `start` probes for what it needs; without it the mirror stays off."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._script = (Path(__file__).parent / "mirror.lua").read_text()
        self._script_hash = hashlib.sha1(self._script.encode(), usedforsecurity=False).hexdigest()
        self._events: dict[str, _EventMirror] = {}
        self._behind: dict[_EventMirror, None] = {}
        self._looking: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
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
        self._looking = asyncio.create_task(self._keep_looking(), name="mirror")

    async def stop(self) -> None:
        """Stop writing. What is there runs out by itself."""
        await end(self._looking, self._writing)

    @property
    def is_on(self) -> bool:
        """Can this Redis carry the mirror?"""
        return self._is_on

    @property
    def lag_s(self) -> float:
        """How old the oldest change is that is not written yet; 0 when the mirror is equal."""
        since = [event.behind_since for event in self._behind]
        return asyncio.get_running_loop().time() - min(since) if since else 0.0

    @property
    def events_behind(self) -> int:
        """How many events have changes that are not written yet."""
        return len(self._behind)

    def touch(self, claim: Claim, revision: int, holds: dict[str, Hold | None], moved: Iterable[str] = ()) -> None:
        event = self._events.get(claim.event_id)
        if event is not None:
            event.touch(revision, holds, moved)
            self._want(event)

    def replace(
        self,
        claim: Claim,
        revision: int,
        epoch: str,
        holds: Callable[[], dict[str, Hold]],
        entries: Callable[[], Entries] = dict,
    ) -> None:
        if self._is_on:
            self.forget(claim)
            self._events[claim.event_id] = event = _EventMirror(claim, revision, epoch, holds, entries)
            self._want(event)

    def forget(self, claim: Claim) -> None:
        event = self._events.pop(claim.event_id, None)
        if event is not None:
            self._behind.pop(event, None)

    def _want(self, event: "_EventMirror") -> None:
        if event not in self._behind:
            event.behind_since = asyncio.get_running_loop().time()
            self._behind[event] = None
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._catch_up(), name="mirror writes")

    async def _catch_up(self) -> None:
        pause_s = ROUND_S
        while self._behind:
            events = list(islice(self._behind, EVENTS_PER_ROUND_MAX))
            room, writes = ENTRIES_PER_ROUND_MAX, list[_Write]()
            for event in events:
                before = event.entries_left
                writes.append((event.keys, event.take(room)))
                room -= before - event.entries_left
            answers = await self._write(writes)
            is_any_written = False
            for event, answer in zip(events, answers, strict=True):
                self._behind.pop(event, None)
                if not isinstance(answer, Exception) and answer != b"gap":
                    is_any_written = True
                    if not event.entries_left:
                        event.behind_since = asyncio.get_running_loop().time()
                else:
                    event.begin_anew()
                if event.is_behind and self._events.get(event.claim.event_id) is event:
                    self._behind[event] = None
            pause_s = ROUND_S if is_any_written else min(2 * pause_s, PAUSE_MAX_S)
            await asyncio.sleep(pause_s)

    async def _write(self, writes: list["_Write"]) -> list[Any]:
        """One round trip; the answer to each, or what went wrong with it."""
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for keys, arguments in writes:
                    _ = pipeline.evalsha(self._script_hash, len(keys), *keys, *arguments)
                answers: list[Any] = await pipeline.execute(raise_on_error=False)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                await self._redis.script_load(self._script)
        except (RedisError, OSError) as problem:
            return [problem] * len(writes)
        return answers

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
                if not is_there and self._events.get(event.claim.event_id) is event:
                    event.begin_anew()
                    self._want(event)


class _EventMirror:
    """What one event has still to write."""

    def __init__(
        self,
        claim: Claim,
        revision: int,
        epoch: str,
        holds: Callable[[], dict[str, Hold]],
        entries: Callable[[], Entries],
    ) -> None:
        self.claim = claim
        self.keys = tuple(f"usher:{{{claim.event_id}}}:{name}" for name in _KEYS)
        self.behind_since = 0.0
        """Since when there is something that is not written yet, by the loop's clock."""
        self._epoch = epoch
        self._holds = holds
        self._revision = revision
        self._base: int | None = None
        self._changed: dict[str, Hold | None] = {}
        self._line = MirroredLine(entries)
        self._line.begin_anew()

    @property
    def is_behind(self) -> bool:
        return self._base != self._revision or self.entries_left > 0

    @property
    def entries_left(self) -> int:
        """How many of the line's entries are still to be written."""
        return len(self._line)

    def touch(self, revision: int, holds: Holds, moved: Iterable[str]) -> None:
        self._revision = revision
        self._line.touch(moved)
        if self._base is not None:
            self._changed.update(holds)

    def begin_anew(self) -> None:
        """What is there is unknown or lost: all is to be written."""
        self._base = None
        self._changed = {}
        self._line.begin_anew()

    def take(self, entries_max: int) -> list[Any]:
        """The script's arguments for what is still to be written, with so many entries of the line; what changes
        meanwhile builds on it.
        """
        holds: Holds = self._holds() if self._base is None else self._changed
        # What is written anew may be there, if the answer to a write was lost: then the script does nothing.
        # So the line begins with the next write, which goes on from there.
        line: list[Any] = [0] if self._base is None else self._line.take(entries_max)
        head = [self._epoch, KEPT_S, self.claim.term, self._revision, "" if self._base is None else self._base]
        arguments = [*head, len(self._line), *line, *_arguments(holds)]
        self._base, self._changed = self._revision, {}
        return arguments


async def has_command(redis: Redis, name: str) -> bool:
    """Does this server know the command? Versions are not compared: forks count differently."""
    # As one word: the client's own reader of COMMAND stumbles over a command that is not there.
    ask: Any = redis.execute_command  # which redis-py leaves untyped
    found: Any = await ask("COMMAND INFO", name)
    return any(found if isinstance(found, list) else found.values())


def _arguments(holds: Holds) -> list[Any]:
    gone = [customer for customer, hold in holds.items() if hold is None]
    groups: dict[int, list[str | bytes]] = {}
    for customer, hold in holds.items():
        if hold is not None:
            shown = {"seats": hold.seats, "expires_at_ms": hold.expires_ms}
            groups.setdefault(hold.expires_ms, []).extend((customer, msgspec.json.encode(shown)))
    arguments: list[Any] = [len(gone), *gone]
    for expires_ms, fields in groups.items():
        for part in _parts(fields):
            arguments += [expires_ms, len(part) // 2, *part]
    return arguments


def _parts(fields: list[str | bytes]) -> Iterable[list[str | bytes]]:
    size = 2 * FIELDS_PER_GROUP_MAX
    return (fields[at : at + size] for at in range(0, len(fields), size))

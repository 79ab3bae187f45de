"""The mirror of holds and waiting rooms in Redis: there after the commit, back after a loss, needed by nothing."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from redis.asyncio import Redis
from redis.exceptions import RedisError

from actors.core.model import Hold, QueueEntry, QueueState
from actors.ports import Claim
from server.engines import PostgresAddress, RedisAddress
from server.engines.wheels import valkey_program
from server.mirror import (
    ENTRIES_PER_ROUND_MAX,
    EVENTS_PER_ROUND_MAX,
    FIELDS_PER_GROUP_MAX,
    KEPT_S,
    NoFieldExpiry,
    RedisMirror,
    has_command,
)
from server.redis_connection import open_redis
from tests.conftest import REDIS_TEST_DATABASE
from tests.proxy import RedisProxy
from tests.server.parts import Customer, Json, Usher, running, until

EPOCH = "the-epoch"

REBUILT_S = 3.0
"""At most, after a loss: a look each second, and the writing."""


async def holds_of(redis: Redis, event_id: str) -> dict[str, Json]:
    """The mirrored holds by customer."""
    found: Any = await redis.hgetall(f"usher:{{{event_id}}}:holds")
    return {customer.decode(): json.loads(text) for customer, text in found.items()}


async def head_of(redis: Redis, event_id: str) -> tuple[int, int] | None:
    """Term and revision of what is mirrored."""
    term, revision = await redis.hmget(f"usher:{{{event_id}}}:head", "term", "revision")
    return None if term is None or revision is None else (int(term), int(revision))


async def end_ms_of(redis: Redis, event_id: str, customer: str) -> int:
    """When this field ends by itself."""
    key = f"usher:{{{event_id}}}:holds"
    found: Any = await redis.execute_command("HPEXPIRETIME", key, "FIELDS", 1, customer)  # type: ignore[no-untyped-call]
    return int(found[0])


async def mirrored(redis: Redis, server: Usher, event_id: str) -> None:
    """Wait until the mirror has what is committed."""
    revision = await server.revision_of(event_id)

    async def is_there() -> bool:
        head = await head_of(redis, event_id)
        return head is not None and head[1] == revision

    await until(is_there, REBUILT_S)


# On a running server


async def test_a_hold_is_mirrored_with_its_end(own: Usher, redis: Redis) -> None:
    event_id, ada, ben = await own.event(), await own.customer(), await own.customer()
    async with own.socket(event_id, ada) as socket:
        held = (await socket.ask("hold_seats", seats=[20, 0]))["hold"]
        await mirrored(redis, own, event_id)
        end_ms = held["expires_at_ms"]
        assert await holds_of(redis, event_id) == {ada.id: {"seats": [0, 20], "expires_at_ms": end_ms}}
        assert await end_ms_of(redis, event_id, ada.id) == end_ms
        await own.reserve(event_id, [5], ben)
        less = (await socket.ask("release_seats", seats=[20]))["hold"]
        await mirrored(redis, own, event_id)
        found = await holds_of(redis, event_id)
        assert found[ada.id] == {"seats": [0], "expires_at_ms": less["expires_at_ms"]}
        assert found[ben.id]["seats"] == [5]
        # What is sold or given back is no hold.
        await socket.ask("checkout", payment_method="card")
        await own.rest("POST", f"/seats/{event_id}/release", {"seat_ids": ["5"]}, ben)
        await mirrored(redis, own, event_id)
        assert await holds_of(redis, event_id) == {}
        assert (await own.database.fetchval("SELECT term FROM event_head WHERE event_id = $1", UUID(event_id))) == 1
        assert await head_of(redis, event_id) == (1, await own.revision_of(event_id))


async def test_what_is_refused_leaves_no_trace(own: Usher, redis: Redis) -> None:
    event_id, ada = await own.event(), await own.customer()
    assert (await own.reserve(event_id, [98], ada)).status == 400
    assert (await own.reserve(event_id, [0], ada)).status == 200
    await mirrored(redis, own, event_id)
    assert (await own.reserve(event_id, [0, 98], ada)).status == 400
    assert (await holds_of(redis, event_id))[ada.id]["seats"] == [0]
    assert await head_of(redis, event_id) == (1, 1)


async def some_holds(server: Usher, count: int = 5) -> tuple[str, dict[str, list[int]]]:
    """An event in which a few customers hold seats."""
    event_id = await server.event()
    held = {}
    for number in range(count):
        customer = await server.customer()
        held[customer.id] = [2 * number, 2 * number + 1]
        assert (await server.reserve(event_id, held[customer.id], customer)).status == 200
    return event_id, held


async def seats_in(redis: Redis, event_id: str) -> dict[str, list[int]]:
    return {customer: hold["seats"] for customer, hold in (await holds_of(redis, event_id)).items()}


@pytest.mark.parametrize("what", ["all", "head"])
async def test_what_was_lost_is_there_again(own: Usher, redis: Redis, what: str) -> None:
    event_id, held = await some_holds(own)
    await mirrored(redis, own, event_id)
    if what == "all":
        await redis.flushdb()
    else:
        await redis.delete(f"usher:{{{event_id}}}:head")
        await redis.hdel(f"usher:{{{event_id}}}:holds", *held)
    await mirrored(redis, own, event_id)
    assert await seats_in(redis, event_id) == held
    assert await end_ms_of(redis, event_id, next(iter(held))) > own.parts.now_ms()


async def test_a_flush_in_the_middle_of_sales_loses_nothing(own: Usher, redis: Redis) -> None:
    event_id = await own.event(max_tickets=4)
    customers = [await own.customer() for _ in range(4)]

    async def shop(customer: Customer, first: int) -> None:
        async with own.socket(event_id, customer) as socket:
            for _ in range(25):
                for kind, seats in (("hold_seats", [first, first + 1]), ("release_seats", [first])):
                    assert (await socket.ask(kind, seats=seats))["type"] == "accepted"

    is_over = asyncio.Event()

    async def flush() -> None:
        while not is_over.is_set():
            await redis.flushdb()
            await asyncio.sleep(0.02)

    flushing = asyncio.create_task(flush())
    try:
        await asyncio.gather(*(shop(customer, 4 * n) for n, customer in enumerate(customers)))
    finally:
        is_over.set()
        await flushing
    await mirrored(redis, own, event_id)
    assert await seats_in(redis, event_id) == {c.id: [4 * n + 1] for n, c in enumerate(customers)}


async def test_another_write_makes_a_gap_that_is_mended(own: Usher, redis: Redis) -> None:
    event_id, held = await some_holds(own)
    await mirrored(redis, own, event_id)
    # Somebody put an older state there: it is not at the base of the next write.
    await redis.hset(f"usher:{{{event_id}}}:head", "revision", "1")
    await redis.hdel(f"usher:{{{event_id}}}:holds", *list(held)[:3])
    ada = await own.customer()
    await own.reserve(event_id, [150], ada)
    await mirrored(redis, own, event_id)
    assert await seats_in(redis, event_id) == held | {ada.id: [150]}


async def test_a_new_owner_writes_all_anew(
    database_address: PostgresAddress, redis_address: RedisAddress, redis: Redis
) -> None:
    async with running(database_address, redis_address) as first:
        event_id, held = await some_holds(first)
        await mirrored(redis, first, event_id)
    # What nobody knows of any more does not stay.
    await redis.hset(f"usher:{{{event_id}}}:holds", str(uuid4()), '{"seats":[199],"expires_at_ms":1}')
    async with running(database_address, redis_address) as second:

        async def is_second_term() -> bool:
            return (await head_of(redis, event_id) or (0, 0))[0] == 2

        await until(is_second_term)
        assert await seats_in(redis, event_id) == held
        assert (await head_of(redis, event_id)) == (2, await second.revision_of(event_id))


async def test_sales_go_on_while_redis_is_away_and_the_mirror_catches_up(
    database_address: PostgresAddress, redis_address: RedisAddress, redis: Redis
) -> None:
    proxy = RedisProxy(redis_address)
    await proxy.mend()
    try:
        async with running(database_address, proxy.address) as own:
            event_id, held = await some_holds(own, 2)
            await mirrored(redis, own, event_id)
            await proxy.cut()
            ada, ben = await own.customer(), await own.customer()
            async with own.socket(event_id, ada) as socket:
                assert (await socket.ask("hold_seats", seats=[100, 101]))["type"] == "accepted"
                bought = await socket.ask("checkout", payment_method="card")
                assert bought["order"]["status"] == "completed"
            assert (await own.reserve(event_id, [110], ben)).status == 200
            assert (await own.rest("GET", "/seats/reservation", by=ben)).data is not None
            assert (await own.rest("POST", "/auth/ws-ticket", by=ben)).status == 200
            assert ben.id not in await seats_in(redis, event_id)
            mirror: Any = own.parts.supervisor._ports.mirror
            await until(lambda: mirror.events_behind == 1)
            async with own.http.get(own.url + "/health") as answer:
                assert answer.status == 503
            async with own.http.get(own.url + "/ready") as answer:
                assert answer.status == 200
            await redis.flushdb()
            await proxy.mend()
            await mirrored(redis, own, event_id)
            assert await seats_in(redis, event_id) == held | {ben.id: [110]}
            assert mirror.events_behind == 0
    finally:
        await proxy.cut()


async def test_a_server_starts_and_sells_without_redis(
    database_address: PostgresAddress, redis_address: RedisAddress, redis: Redis
) -> None:
    proxy = RedisProxy(redis_address)
    await proxy.mend()
    await proxy.cut()
    try:
        async with running(database_address, proxy.address) as own:
            event_id, held = await some_holds(own, 2)
            await proxy.mend()
            await mirrored(redis, own, event_id)
            assert await seats_in(redis, event_id) == held
    finally:
        await proxy.cut()


# On the part alone


@pytest_asyncio.fixture
async def mirror(redis: Redis) -> AsyncIterator[RedisMirror]:
    made = RedisMirror(redis)
    await made.start()
    yield made
    await made.stop()


def hold(*seats: int, for_s: float = 600) -> Hold:
    now_ms = int(time.time() * 1000)
    return Hold(seats, now_ms, now_ms, now_ms + int(1000 * for_s))


def claim_of(event_id: str, term: int = 1) -> Claim:
    return Claim(event_id, str(uuid4()), term)


async def written(mirror: RedisMirror) -> None:
    await until(lambda: mirror.events_behind == 0)


@pytest.mark.parametrize(("term", "revision"), [(1, 10), (2, 4), (2, 5)])
async def test_an_owner_that_wakes_up_late_overwrites_nothing(
    redis: Redis, mirror: RedisMirror, term: int, revision: int
) -> None:
    event_id = str(uuid4())
    mirror.replace(claim_of(event_id, 2), 5, EPOCH, lambda: {"ada": hold(1)})
    await written(mirror)
    late = RedisMirror(redis)
    try:
        late.replace(claim_of(event_id, term), revision, EPOCH, lambda: {"ben": hold(2)})
        await written(late)
        if (term, revision) == (1, 10):
            late.touch(claim_of(event_id, term), revision + 1, {"ben": hold(3), "ada": None})
            await written(late)
    finally:
        await late.stop()
    assert await seats_in(redis, event_id) == {"ada": [1]}
    assert await head_of(redis, event_id) == (2, 5)


async def test_without_the_comparison_a_late_owner_would_overwrite(
    redis: Redis, mirror: RedisMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: with a script that does not compare terms, the test above fails."""
    read_text = Path.read_text

    def faulty(self: Path, *arguments: Any) -> str:
        text = read_text(self, *arguments)
        return text.replace("then return 'stale' end", "then end") if self.name == "mirror.lua" else text

    monkeypatch.setattr(Path, "read_text", faulty)
    with pytest.raises(AssertionError):
        await test_an_owner_that_wakes_up_late_overwrites_nothing(redis, mirror, 1, 10)


async def test_an_owner_of_a_lost_history_overwrites_nothing(redis: Redis, mirror: RedisMirror) -> None:
    event_id, old = str(uuid4()), claim_of(str(uuid4()))
    old = Claim(event_id, old.owner, 1)
    late = RedisMirror(redis)
    try:
        late.replace(old, 90, EPOCH, lambda: {"ben": hold(2)})
        await written(late)
        mirror.replace(claim_of(event_id, 2), 5, "another", lambda: {"ada": hold(1)})
        await written(mirror)
        late.touch(old, 91, {"ben": hold(3), "ada": None})
        await written(late)
    finally:
        await late.stop()
    assert await seats_in(redis, event_id) == {"ada": [1]}


async def test_what_nobody_writes_any_more_runs_out(redis: Redis, mirror: RedisMirror) -> None:
    event_id = str(uuid4())
    claim = claim_of(event_id)
    keys = [f"usher:{{{event_id}}}:{name}" for name in ("head", "holds")]
    mirror.replace(claim, 1, EPOCH, lambda: {"ada": hold(1)})
    await written(mirror)
    for key in keys:
        assert KEPT_S - 60 < await redis.ttl(key) <= KEPT_S
        await redis.expire(key, 1_000)
    mirror.touch(claim, 2, {})
    await written(mirror)
    for key in keys:
        assert KEPT_S - 60 < await redis.ttl(key) <= KEPT_S, "each write prolongs it"


async def test_a_field_ends_by_itself(redis: Redis, mirror: RedisMirror) -> None:
    event_id = str(uuid4())
    mirror.replace(
        claim_of(event_id),
        1,
        EPOCH,
        lambda: {"short": hold(1, for_s=0.2), "long": hold(2), "over": hold(3, for_s=-1)},
    )
    await written(mirror)
    assert "over" not in await holds_of(redis, event_id)

    async def is_alone() -> bool:
        return set(await holds_of(redis, event_id)) == {"long"}

    await until(is_alone)


async def test_changes_during_a_write_go_with_the_next(redis: Redis, mirror: RedisMirror) -> None:
    event_id, claim_held = str(uuid4()), {f"c{number}": hold(number) for number in range(50)}
    claim = claim_of(event_id)
    current: dict[str, Hold] = {}
    mirror.replace(claim, 0, EPOCH, lambda: current)
    for revision, (customer, one) in enumerate(claim_held.items(), start=1):
        current[customer] = one
        mirror.touch(claim, revision, {customer: one})
        await asyncio.sleep(0)
    for revision, customer in enumerate(list(claim_held)[:20], start=51):
        del current[customer]
        mirror.touch(claim, revision, {customer: None})
    await written(mirror)
    assert set(await holds_of(redis, event_id)) == set(current)
    assert await head_of(redis, event_id) == (1, 70)


async def test_very_many_holds_begin_and_end_at_once(redis: Redis, mirror: RedisMirror) -> None:
    event_id, claim = str(uuid4()), claim_of(str(uuid4()))
    claim = Claim(event_id, claim.owner, 1)
    one = hold(1)
    many = {f"customer {number}": one for number in range(12 * FIELDS_PER_GROUP_MAX)}
    current = dict(many)
    mirror.replace(claim, 1, EPOCH, lambda: current)
    await written(mirror)
    assert await redis.hlen(f"usher:{{{event_id}}}:holds") == len(many)
    writes = 0
    write = mirror._write

    async def counted(wanted: Any) -> list[Any]:
        nonlocal writes
        writes += len(wanted)
        return await write(wanted)

    made: Any = mirror
    made._write = counted
    current = {"last": one}
    mirror.touch(claim, 2, dict.fromkeys(many) | current)
    await written(mirror)
    assert await seats_in(redis, event_id) == {"last": [1]}
    assert writes == 1, "no detour over an error"


async def test_more_events_than_fit_into_a_round_are_all_written(redis: Redis, mirror: RedisMirror) -> None:
    claims = [claim_of(str(uuid4())) for _ in range(2 * EVENTS_PER_ROUND_MAX + 1)]
    sent: list[int] = []
    write = mirror._write

    async def counted(wanted: Any) -> list[Any]:
        sent.append(len(wanted))
        return await write(wanted)

    made: Any = mirror
    made._write = counted
    for number, claim in enumerate(claims):
        mirror.replace(claim, 1, EPOCH, lambda number=number: {"ada": hold(number)})  # type: ignore[misc]  # a default
    await written(mirror)
    assert max(sent) == EVENTS_PER_ROUND_MAX
    for number, claim in enumerate(claims):
        assert await seats_in(redis, claim.event_id) == {"ada": [number]}


async def test_one_event_that_cannot_be_written_holds_up_no_other(redis: Redis, mirror: RedisMirror) -> None:
    stuck, other = claim_of(str(uuid4())), claim_of(str(uuid4()))
    await redis.set(f"usher:{{{stuck.event_id}}}:head", "no hash")
    mirror.replace(stuck, 1, EPOCH, lambda: {"ada": hold(1)})
    current: dict[str, Hold] = {}
    mirror.replace(other, 1, EPOCH, lambda: current)
    await until(lambda: mirror.events_behind == 1)
    current["ada"] = hold(3)
    mirror.touch(other, 2, {"ada": current["ada"]})
    await until(lambda: mirror.events_behind == 1)
    assert await seats_in(redis, other.event_id) == {"ada": [3]}
    assert mirror.lag_s > 0


async def test_what_is_no_longer_ours_is_not_written(redis: Redis, mirror: RedisMirror) -> None:
    event_id = str(uuid4())
    claim = claim_of(event_id)
    mirror.replace(claim, 1, EPOCH, lambda: {"ada": hold(1)})
    await written(mirror)
    mirror.forget(claim)
    mirror.touch(claim, 2, {"ada": None})
    await redis.flushdb()
    other = claim_of(str(uuid4()))
    mirror.replace(other, 1, EPOCH, lambda: {"ben": hold(2)})
    await written(mirror)
    assert await holds_of(redis, event_id) == {}


async def test_stopping_ends_what_has_lost_its_cancellation(redis: Redis) -> None:
    """Before Python 3.12 the Redis client may lose a cancellation; a loop around it would go on for ever."""
    mirror, event_id = RedisMirror(redis), str(uuid4())
    lost = 0

    async def loses_one(wanted: Any) -> list[Any]:
        nonlocal lost
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            lost += 1
        return [RedisError("away")] * len(wanted)

    made: Any = mirror
    made._write = loses_one
    await mirror.start()
    mirror.replace(claim_of(event_id), 1, EPOCH, lambda: {"ada": hold(1)})
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await mirror.stop()
    assert lost > 0
    assert mirror._writing is not None
    assert mirror._writing.done()


async def test_only_what_is_needed_is_stored(own: Usher, redis: Redis) -> None:
    """No key but those of the mirror, the sessions' generation and entries, and the mark of the tests."""
    event_id, _ = await some_holds(own)
    await mirrored(redis, own, event_id)
    keys = {key.decode() async for key in redis.scan_iter()}
    assert {key for key in keys if not key.startswith(("usher:session:", "usher:test"))} == {
        f"usher:{{{event_id}}}:head",
        f"usher:{{{event_id}}}:holds",
    }


# The waiting room


async def line_of(redis: Redis, event_id: str) -> dict[str, tuple[str, int]]:
    """Each customer's state, and position or place."""
    shown: dict[str, tuple[str, int]] = {}
    for kind in ("lobby", "waiting"):
        found: Any = await redis.zrange(f"usher:{{{event_id}}}:{kind}", 0, -1, withscores=True)
        shown |= {customer.decode(): (kind, int(number)) for customer, number in found}
    inside: Any = await redis.hgetall(f"usher:{{{event_id}}}:inside")
    for customer, text in inside.items():
        shown[customer.decode()] = json.loads(text)["status"], json.loads(text)["place"]
    return shown


def waiting(customer: str, place: int) -> QueueEntry:
    return QueueEntry(customer, QueueState.WAITING, 1, place=place)


def long_line(count: int) -> dict[str, QueueEntry]:
    return {f"c{place}": waiting(f"c{place}", place) for place in range(1, count + 1)}


def as_shown(line: dict[str, QueueEntry]) -> dict[str, tuple[str, int]]:
    return {customer: (str(entry.state), entry.place or 0) for customer, entry in line.items()}


async def test_the_line_is_mirrored_and_comes_back(own: Usher, redis: Redis) -> None:
    event_id = await own.event(room="fifo", shoppers=1)
    people = [await own.customer() for _ in range(3)]
    for one in people:
        assert (await own.rest("POST", f"/queue/{event_id}/join", by=one)).status == 200
    await mirrored(redis, own, event_id)
    ada, ben, cyd = (one.id for one in people)
    line = {ada: ("active", 1), ben: ("waiting", 2), cyd: ("waiting", 3)}
    assert await line_of(redis, event_id) == line
    await redis.flushdb()
    mirror: Any = own.parts.mirror
    await until(lambda: mirror.events_behind == 0)

    async def is_back() -> bool:
        return await line_of(redis, event_id) == line

    await until(is_back, REBUILT_S)
    await own.rest("POST", f"/queue/{event_id}/leave", by=people[0])
    await mirrored(redis, own, event_id)
    assert await line_of(redis, event_id) == {ben: ("active", 2), cyd: ("waiting", 3)}


async def test_a_long_line_is_written_in_pieces_and_survives_a_flush(redis: Redis, mirror: RedisMirror) -> None:
    event_id, other_id = str(uuid4()), str(uuid4())
    claim, line = claim_of(event_id), long_line(3 * ENTRIES_PER_ROUND_MAX + 7)
    mirror.replace(claim_of(other_id), 1, EPOCH, dict, lambda: line)
    longest, write = 0, mirror._write

    async def measured(wanted: list[tuple[tuple[str, ...], list[Any]]]) -> list[Any]:
        nonlocal longest
        longest = max(longest, sum(arguments[6] for _, arguments in wanted))
        return await write(wanted)

    made: Any = mirror
    made._write = measured
    mirror.replace(claim, 1, EPOCH, dict, lambda: line)
    # What changes meanwhile is not lost, and neither is whoever leaves.
    line["late"] = waiting("late", len(line) + 1)
    del line["c5"]
    mirror.touch(claim, 2, {}, ["late", "c5"])
    await written(mirror)
    assert longest == ENTRIES_PER_ROUND_MAX
    assert await line_of(redis, event_id) == as_shown(line)
    assert (await line_of(redis, other_id)).keys() >= line.keys() - {"late"}
    assert await redis.hget(f"usher:{{{event_id}}}:head", "missing") == b"0"
    await redis.flushdb()
    await until(lambda: mirror.events_behind == 2)
    await written(mirror)
    assert await line_of(redis, event_id) == await line_of(redis, other_id) == as_shown(line)


@pytest.mark.parametrize("fails_at", [1, 2, 3])
async def test_pieces_whose_answer_was_lost_leave_the_right_line(
    redis: Redis, mirror: RedisMirror, fails_at: int
) -> None:
    """The write took effect, and nobody heard of it; the line goes on meanwhile."""
    event_id = str(uuid4())
    claim, line = claim_of(event_id), long_line(2 * ENTRIES_PER_ROUND_MAX)
    writes, write = 0, mirror._write

    async def loses_one(wanted: Any) -> list[Any]:
        nonlocal writes
        writes += 1
        answers = await write(wanted)
        if writes == 1 and fails_at > 1:
            line["c1"] = waiting("c1", 9_001)
            del line["c2"], line["c4000"]
            mirror.touch(claim, 2, {}, ["c1", "c2", "c4000"])
        return [RedisError("lost")] * len(wanted) if writes == fails_at else answers

    made: Any = mirror
    made._write = loses_one
    mirror.replace(claim, 1, EPOCH, dict, lambda: line)
    await written(mirror)
    assert writes > fails_at
    assert await line_of(redis, event_id) == as_shown(line)


# Without HSETEX


@pytest.fixture
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="usher-"))
    yield folder
    shutil.rmtree(folder)


@asynccontextmanager
async def old_redis(folder: Path) -> AsyncIterator[RedisAddress]:
    """A Valkey of our own that does not know HSETEX."""
    path = folder / "redis.sock"
    process = await asyncio.create_subprocess_exec(
        *(str(valkey_program()), "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""),
        *("--rename-command", "HSETEX", "", "--logfile", str(folder / "log")),
    )
    try:
        address = RedisAddress(None, None, str(path))
        async with open_redis(address) as client:

            async def is_up() -> bool:
                try:
                    return bool(await client.ping())
                except (RedisError, OSError):
                    return False

            await until(is_up)
        yield address
    finally:
        process.terminate()
        await process.wait()


async def test_a_redis_without_field_expiry_is_said_and_done_without(
    database_address: PostgresAddress, short_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with old_redis(short_folder) as address:
        async with open_redis(address) as client:
            assert not await has_command(client, "HSETEX")
            assert await has_command(client, "HSET")
            with pytest.raises(NoFieldExpiry, match="Valkey 9 or Redis 8"):
                await RedisMirror(client).start()
        async with running(database_address, address) as own, open_redis(address, database=15) as client:
            event_id, _ = await some_holds(own, 2)
            async with own.http.get(own.url + "/health") as answer:
                assert answer.status == 200
            assert await head_of(client, event_id) is None
        assert "the holds are not mirrored" in caplog.text


def test_the_redis_of_the_tests_is_not_the_default_one() -> None:
    assert REDIS_TEST_DATABASE != 0
